//! `towngauge reprice`: gives stored calls the cost that the price book says now.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;

use super::CommandContext;
use super::report::{bound, zone};
use crate::clock::Clock;
use crate::db::batch::Progress;
use crate::db::reprice::{self, Job, Order};
use crate::db::{TownKey, town};
use crate::rollup;

/// Between two looks at a job that another process works off.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Give stored calls the cost that the price book says now. What agents reported themselves stays; what retention has
/// dropped stays too.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  towngauge reprice --from 2026-11-01 --wait\n  towngauge reprice --from 2026-11-01 --to 2026-11-07 --model my-model"
)]
pub struct RepriceArgs {
    /// From this day on, or from this RFC 3339 time on.
    #[arg(long, value_name = "TIME")]
    from: String,
    /// Up to and including this day, or up to this RFC 3339 time. [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Where days begin: an IANA time zone such as Europe/Berlin. [default: the machine's]
    #[arg(long)]
    tz: Option<String>,
    /// Only calls that have this model's price.
    #[arg(long)]
    model: Option<String>,
    /// Return when it is done.
    #[arg(long)]
    wait: bool,
}

/// Orders it, and with `--wait` sees it done.
///
/// # Errors
/// Not a range, no such town, or the database refused.
pub async fn run(args: RepriceArgs, context: &CommandContext) -> anyhow::Result<ExitCode> {
    let zone = zone(args.tz.as_deref())?;
    let from = bound(&args.from, &zone, false).context("--from")?;
    let now = Clock::system().now();
    let to = args.to.as_deref().map_or(Ok(now), |raw| bound(raw, &zone, true)).context("--to")?;
    if to <= from {
        bail!("--to is not after --from");
    }
    let Some(town) = town::find(&context.pool, &context.town).await? else {
        bail!("there is no town \"{}\"; backfill, watch or post something for it first", context.town);
    };
    let order = Order { from, to, model: args.model };
    let Some(job) = reprice::order(&context.pool, town.key, &order).await? else {
        bail!("{} repricings of {} wait already; try again when some are done", reprice::MAX_WAITING, context.town);
    };
    if !args.wait {
        println!("Repricing {job} of {} from {from} to {to} is noted.", context.town);
        println!("A running server works it off now, otherwise the next one does; --wait sees it done here.");
        return Ok(ExitCode::SUCCESS);
    }
    let done = see_done(context, town.key, job).await?;
    for line in lines(&done) {
        println!("{line}");
    }
    Ok(if done.failed.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Works it off, beside servers that do the same.
async fn see_done(context: &CommandContext, town: TownKey, id: i32) -> anyhow::Result<Job> {
    loop {
        if rollup::reprice_turn(&context.pool, town, id).await? == Progress::Elsewhere {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let job = reprice::find(&context.pool, town, id).await?.context("the job is gone")?;
        if job.finished.is_some() {
            return Ok(job);
        }
    }
}

fn lines(job: &Job) -> Vec<String> {
    let mut lines = vec![format!("{}.", job.summary())];
    if let Some(floor) = job.floor {
        lines.push(format!("Calls before {floor} keep their cost: retention has dropped what they would change."));
    }
    if let Some(why) = &job.failed {
        lines.push(format!("It was given up at {}: {why}", job.cursor));
    }
    lines
}
