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
use super::source_word::SourceWord;
use crate::db;
use crate::source::FileSource;
use crate::source::backfill::{self, Order, Progress};

/// Between two lines of progress where no bar can be drawn.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Reads what agents and tools have written already. Running it again changes nothing.
#[derive(Debug, Clone, clap::Args)]
pub struct BackfillArgs {
    /// Whose files the paths hold.
    #[arg(value_parser = SourceWord)]
    pub source: &'static dyn FileSource,
    /// Folders or files; without any, those that exist on this machine by convention.
    pub paths: Vec<PathBuf>,
}

/// Runs the command; it fails when something could not be read, after having stored all that could.
///
/// # Errors
/// The store does not answer.
pub async fn run(args: BackfillArgs, context: &CommandContext) -> anyhow::Result<ExitCode> {
    let paths = if args.paths.is_empty() { args.source.roots() } else { args.paths };
    if paths.is_empty() {
        anyhow::bail!("nothing of {} was found on this machine; name a file or folder", args.source.word());
    }
    let order = Order { source: args.source, paths, town: context.town.clone(), no_paths: context.no_paths };
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
    if totals.ignored + totals.unknown > 0 {
        eprintln!(
            "{} lines hold nothing that is measured, {} are of a kind that this version does not know",
            totals.ignored, totals.unknown
        );
    }
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
