//! The benchmarks that are Rust programs of the server's package.

use super::{Bench, Target, measurement::Measurement};
use crate::{cargo::Toolchain, step::Step};
use anyhow::{Result, ensure};
use std::process::Command;

/// Compiles them first, so that measuring is not disturbed by compilers.
pub fn compile(bench: &Bench<'_>, targets: &[Target]) -> Result<()> {
    if targets.iter().any(|target| matches!(target, Target::P1 | Target::P3 | Target::P4)) {
        let command = cargo(bench, &["--no-run", "--benches"]);
        Step::new("build the benchmarks", command).hint("Fix what the compiler says above").run(bench.context)?;
    }
    Ok(())
}

pub fn run(bench: &Bench<'_>, name: &str) -> Result<Vec<Measurement>> {
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
