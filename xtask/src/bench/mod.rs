//! `cargo xtask bench`: the performance targets, each measured side by side with its limit and its peer in one run.

mod backfill;
mod browser;
mod draw;
mod measurement;
mod native;
mod results;
mod serving;
mod target;
mod transcripts;
mod transfer;
mod warm_start;

pub use target::Target;

use crate::{
    build::{self, Mode},
    context::Context,
    postgres,
    progress::human,
};
use anyhow::{Result, bail};
use measurement::Measurement;
use std::{path::PathBuf, time::Instant};

/// What every benchmark is given.
struct Bench<'a> {
    context: &'a Context,
    /// The release server.
    binary: PathBuf,
    /// Smaller and fewer: to see that everything runs, not to judge.
    quick: bool,
}

pub fn command(context: &Context, wanted: &[Target], quick: bool) -> Result<()> {
    let started = Instant::now();
    let targets: Vec<Target> =
        Target::ALL.into_iter().filter(|target| wanted.is_empty() || wanted.contains(target)).collect();
    postgres::provide(context)?;
    let binary = build::all(context, Mode::Release)?;
    let bench = Bench { context, binary, quick };
    native::compile(&bench, &targets)?;

    let mut measured = Vec::new();
    let mut failed = Vec::new();
    for target in targets {
        match run(&bench, target) {
            Ok(found) => measured.extend(found),
            Err(error) => {
                context.progress.say(&format!("✗ {target}: {error:#}"));
                failed.push(target.to_string());
            }
        }
    }
    println!("\n{}", results::table(&measured));
    println!(
        "{} in all, written to {}",
        human(started.elapsed()),
        results::write(context, &measured, quick)?.display()
    );
    if quick {
        println!("--quick: small data and few rounds; judge by a full run on a quiet machine");
    }
    if !failed.is_empty() {
        bail!("not measured: {}. What went wrong is above and in target/xtask/*.log", failed.join(", "));
    }
    Ok(())
}

fn run(bench: &Bench<'_>, target: Target) -> Result<Vec<Measurement>> {
    match target {
        Target::P1 | Target::P3 | Target::P7 => native::all(bench, target),
        Target::P2 => browser::pixel(bench),
        Target::P4 => {
            // Node's `ws` is the peer.
            browser::provide_peers(bench)?;
            native::all(bench, target)
        }
        Target::P5 => draw::run(bench),
        Target::P6 => Ok([transfer::run(bench)?, browser::page(bench)?].concat()),
        Target::P8 => backfill::run(bench),
        Target::P9 => warm_start::run(bench),
    }
}
