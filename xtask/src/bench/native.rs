//! The benchmarks that are Rust programs of the server's package.

use super::{Bench, Target, measurement::Measurement};
use crate::{cargo::Toolchain, step::Step};
use anyhow::{Result, ensure};
use std::process::Command;

/// Compiles them first, so that measuring is not disturbed by compilers. By name: `--benches` would also build the
/// server's own tests, optimised.
pub fn compile(bench: &Bench<'_>, targets: &[Target]) -> Result<()> {
    let names: Vec<&str> = targets.iter().flat_map(|target| programs(*target)).copied().collect();
    if names.is_empty() {
        return Ok(());
    }
    let selection = names.iter().flat_map(|name| ["--bench", name]);
    let command = cargo(bench, &["--no-run"].into_iter().chain(selection).collect::<Vec<_>>());
    Step::new("build the benchmarks", command).hint("Fix what the compiler says above").run(bench.context)?;
    Ok(())
}

/// What measures a target.
pub const fn programs(target: Target) -> &'static [&'static str] {
    match target {
        Target::P1 => &["ingest", "ingest_http"],
        Target::P3 => &["reads"],
        Target::P4 => &["fanout"],
        Target::P7 => &["own_cost"],
        Target::P2 | Target::P5 | Target::P6 | Target::P8 | Target::P9 => &[],
    }
}

/// Everything that the target's programs print.
pub fn all(bench: &Bench<'_>, target: Target) -> Result<Vec<Measurement>> {
    let mut measured = Vec::new();
    for name in programs(target) {
        measured.extend(run(bench, name)?);
    }
    Ok(measured)
}

fn run(bench: &Bench<'_>, name: &str) -> Result<Vec<Measurement>> {
    let mut command = cargo(bench, &["--quiet", "--bench", name]);
    if bench.quick {
        command
            .env("TOWNGAUGE_BENCH_EVENTS", "500000")
            .env("TOWNGAUGE_BENCH_ROWS", "100000")
            .env("TOWNGAUGE_BENCH_VIEWERS", "1000")
            .env("TOWNGAUGE_BENCH_ROUNDS", "3");
    }
    let finished = Step::new(format!("measure {name}"), command)
        .hint(format!("Run it alone: cargo bench -p server --bench {name}"))
        .run(bench.context)?;
    let measured = Measurement::all_in(&finished.output)?;
    ensure!(!measured.is_empty(), "{name} printed no measurement");
    Ok(measured)
}

fn cargo(bench: &Bench<'_>, arguments: &[&str]) -> Command {
    let subcommand = [&["bench", "--package", "server"], arguments].concat();
    Toolchain::Current.command(bench.context, &subcommand, &bench.context.target())
}
