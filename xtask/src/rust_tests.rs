//! The Rust tests: with cargo-nextest where it is installed, otherwise with cargo test.

use crate::{
    cargo::Toolchain,
    check::NATIVE,
    context::Context,
    report::Outcome,
    step::{Finished, Step, capture},
    tally::{self, Tally},
};
use anyhow::{Result, anyhow};
use std::process::Command;

const HINT: &str = "The failures are above; run one again with `cargo test NAME` or `cargo nextest run NAME`";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    ModelAndChart,
    Everything,
}

impl Scope {
    fn selection(self) -> &'static [&'static str] {
        match self {
            Self::ModelAndChart => &["--package", "model", "--package", "chart"],
            Self::Everything => &NATIVE,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::ModelAndChart => "tests of model and chart",
            Self::Everything => "Rust tests",
        }
    }
}

/// Compiles them, so that running them later is not disturbed by compilers.
pub fn build(context: &Context) -> Result<()> {
    let command = cargo(context, &[&["test", "--no-run"], Scope::Everything.selection()].concat());
    Step::new("build the Rust tests", command).hint("Fix what the compiler says above").run(context)?;
    Ok(())
}

pub fn run(context: &Context, scope: Scope) -> Outcome {
    let (subcommand, count): (&[&str], Count) = if has_nextest() {
        (&["nextest", "run", "--no-fail-fast"], tally::nextest)
    } else {
        (&["test", "--no-fail-fast", "--lib", "--bins", "--tests"], tally::libtest)
    };
    counted(context, scope.name(), cargo(context, &[subcommand, scope.selection()].concat()), count)
}

/// nextest does not run them.
pub fn documentation(context: &Context) -> Outcome {
    let selection = [
        "--package",
        "model",
        "--package",
        "chart",
        "--package",
        "app",
        "--package",
        "server",
        "--features",
        "app/ssr",
    ];
    let command = cargo(context, &[&["test", "--doc", "--no-fail-fast"], &selection[..]].concat());
    counted(context, "documentation tests", command, tally::libtest)
}

type Count = fn(&str) -> Option<Tally>;

fn counted(context: &Context, name: &str, command: Command, count: Count) -> Outcome {
    let step = Step::new(name, command).hint(HINT).show_whole_output();
    let (output, error) = match step.try_run(context) {
        Ok(Ok(Finished { output })) => (output, None),
        Ok(Err(failed)) => (failed.output.clone(), Some(failed.into())),
        Err(error) => return Outcome { tally: None, error: Some(error) },
    };
    let tally = count(&output);
    let error = error.or_else(|| tally.is_none().then(|| anyhow!("{name}: the runner gave no summary")));
    Outcome { tally, error }
}

fn cargo(context: &Context, subcommand: &[&str]) -> Command {
    let mut command = Toolchain::Current.command(context, subcommand, &context.target());
    // The summaries are read by program.
    command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1");
    command
}

fn has_nextest() -> bool {
    capture(Command::new("cargo-nextest").args(["nextest", "--version"])).is_ok()
}
