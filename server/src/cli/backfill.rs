//! `towngauge backfill`: reads the past once.
//!
//! The last line of standard output is JSON: `files` that were read, `lines` in them, and what became of their
//! events: `stored` (new, or replacing a lesser report of the same call), `duplicate` (already there, or a lesser
//! report), `rejected` (bad lines, and events that the store refused). A second run stores nothing and counts every
//! event as a duplicate.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use model::time::Timestamp;

use super::CommandContext;
use crate::db;
use crate::source::backfill::{self, Order, Progress};
use crate::source::claude_code;
use crate::source::input::Kind;

/// Between two lines of progress where no bar can be drawn.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Reads transcripts, beads or costs that exist already. Running it again changes nothing.
#[derive(Debug, Clone, clap::Args)]
pub struct BackfillArgs {
    /// What the paths hold.
    #[arg(value_enum)]
    pub what: What,
    /// Folders or files; without any, Claude Code's own folders.
    #[arg(required_if_eq_any([("what", "beads"), ("what", "gas-town-costs")]))]
    pub paths: Vec<PathBuf>,
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Claude Code transcripts: a configuration folder, its `projects`, a project's folder or a file.
    ClaudeCode,
    /// Beads: issues.jsonl, exported or from .beads/backup.
    Beads,
    /// Gas Town's costs.jsonl.
    GasTownCosts,
}

impl From<What> for Kind {
    fn from(what: What) -> Self {
        match what {
            What::ClaudeCode => Self::ClaudeCode,
            What::Beads => Self::Beads,
            What::GasTownCosts => Self::GasTownCosts,
        }
    }
}

/// Runs the command; it fails when something could not be read, after having stored all that could.
///
/// # Errors
/// The store does not answer.
pub async fn run(args: BackfillArgs, context: &CommandContext) -> anyhow::Result<ExitCode> {
    let paths = if args.paths.is_empty() { claude_code::default_roots() } else { args.paths };
    if paths.is_empty() {
        anyhow::bail!("Claude Code has no folder on this machine; name the folder that holds its transcripts");
    }
    let order = Order { kind: args.what.into(), paths, town: context.town.clone(), no_paths: context.no_paths };
    let mut shown = Shown::new();
    let report = backfill::run(&order, &context.pool, &context.intake, |progress| shown.update(progress)).await?;
    for (path, reason) in &report.unreadable {
        eprintln!("{}: {reason}", path.display());
    }
    let now = Timestamp(jiff::Timestamp::now().as_microsecond());
    if let Some(first) = report.totals.first.filter(|first| *first < now) {
        let town = db::town::ensure(&context.pool, &context.town, false).await?;
        db::coverage::add(&context.pool, town, first, now).await?;
    }
    let totals = report.totals;
    println!(
        r#"{{"files":{},"lines":{},"stored":{},"duplicate":{},"rejected":{}}}"#,
        report.files, totals.lines, totals.stored, totals.duplicate, totals.rejected
    );
    Ok(if report.unreadable.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A bar on a terminal, a line now and then elsewhere.
struct Shown {
    bar: ProgressBar,
    is_terminal: bool,
    said: Instant,
}

impl Shown {
    fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let template = "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {elapsed_precise} left {eta}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { bar, is_terminal, said: Instant::now() }
    }

    fn update(&mut self, progress: Progress) {
        match progress {
            Progress::Begin { bytes } => self.bar.set_length(bytes),
            Progress::Read { bytes } => self.bar.inc(bytes),
            Progress::End => self.bar.finish_and_clear(),
        }
        if !self.is_terminal && self.said.elapsed() >= SAY_EVERY {
            self.said = Instant::now();
            let (done, all) = (self.bar.position() >> 20, self.bar.length().unwrap_or(0) >> 20);
            eprintln!("backfill: {done} of {all} MiB");
        }
    }
}
