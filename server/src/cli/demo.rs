//! `towngauge demo`: a made-up town with years of history.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use model::demo::{Demo, Rhythm};
use model::id::TownName;
use model::time::{TimeRange, Timestamp};

use super::CommandContext;
use crate::clock::Clock;
use crate::demo::{FillSpec, SEED, fill};
use crate::rollup;

/// The town was half as busy this many days before.
const DOUBLING_DAYS: f64 = 150.0;
const DAY_S: i64 = 24 * 3_600;

/// What to make up.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Name of the made-up town; must not be a real one.
    #[arg(long, default_value = "demo")]
    name: TownNameArg,
    /// The same seed gives the same town.
    #[arg(long, default_value_t = SEED)]
    seed: u64,
    /// Days of history.
    #[arg(long, default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=4_000))]
    days: u32,
    /// About how many events in all.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(100..=200_000_000))]
    events: u64,
    /// End of the history (RFC 3339); now, if not given.
    #[arg(long, value_parser = |raw: &str| Timestamp::parse_rfc3339(raw))]
    until: Option<Timestamp>,
}

/// A town's name on the command line.
#[derive(Debug, Clone)]
struct TownNameArg(TownName);

impl std::str::FromStr for TownNameArg {
    type Err = model::id::NameError;
    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        TownName::new(raw).map(Self)
    }
}

/// Writes the town's past; running it again with the same flags changes nothing.
pub async fn run(args: DemoArgs, context: &CommandContext) -> anyhow::Result<ExitCode> {
    let until = args.until.unwrap_or_else(|| Clock::system().now()).floor_to(60);
    let range = TimeRange::new(until.plus_seconds(-i64::from(args.days) * DAY_S), until)?;
    let rhythm = Rhythm {
        cycles_per_minute: cycles_per_minute(args.seed, range, args.events),
        doubling_days: DOUBLING_DAYS,
        grown_at_minute: until.seconds() / 60,
        floor: 0.0,
    };
    let spec = FillSpec { town: args.name.0, seed: args.seed, range, rhythm, fill_tank: true };
    let bar = ProgressBar::new(1_000)
        .with_style(ProgressStyle::with_template("{elapsed_precise} {wide_bar} {percent} % made up, {eta} left")?);
    let report = fill(&context.pool, &context.intake, &spec, |share| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a thousand")]
        bar.set_position((share * 1_000.0) as u64);
    })
    .await?;
    bar.set_message("rollups");
    while rollup::run_once(&context.pool).await.context("making the coarser tiers")? > 0 {}
    bar.finish_and_clear();
    println!(
        "{}",
        serde_json::json!({
            "town": spec.town.as_str(), "stored": report.stored, "duplicate": report.duplicate,
            "seconds": (report.seconds * 10.0).round() / 10.0,
        })
    );
    Ok(ExitCode::SUCCESS)
}

/// The density that gives about `events` events: measured on sampled days with density one.
fn cycles_per_minute(seed: u64, range: TimeRange, events: u64) -> f64 {
    /// Every how many days a day is tried: a week's days come round in turn.
    const SAMPLE_DAYS: i64 = 8;
    let (first, end) = (range.from().seconds() / 60, range.to().seconds() / 60);
    let rhythm = Rhythm { doubling_days: DOUBLING_DAYS, grown_at_minute: end, ..Rhythm::steady(1.0) };
    let demo = Demo::new(seed, rhythm);
    let mut made = Vec::new();
    let mut days = 0;
    for day in (first..end).step_by(usize::try_from(SAMPLE_DAYS * 1_440).unwrap_or(1)) {
        days += 1;
        for minute in day..(day + 1_440).min(end) {
            demo.minute(minute, &mut made);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let expected = made.len() as f64 / f64::from(days.max(1)) * ((end - first) as f64 / 1_440.0);
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let wanted = events as f64;
    wanted / expected.max(1.0)
}
