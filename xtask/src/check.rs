//! `cargo xtask check`: the fast loop. Two lanes, because each is a chain of crates that keeps one core busy.

use crate::{
    cargo::{Toolchain, WASM},
    client,
    context::Context,
    report::Report,
    rust_tests::{self, Scope},
    step::Step,
    wasm_target::{self, Purpose},
};
use anyhow::Result;
use std::thread;

/// The native side. `app` with `ssr` only: features add up over one cargo call, and `hydrate` must stay out.
pub const NATIVE: [&str; 14] = [
    "--package",
    "model",
    "--package",
    "chart",
    "--package",
    "app",
    "--package",
    "server",
    "--package",
    "xtask",
    "--package",
    "pack",
    "--features",
    "app/ssr",
];
const HYDRATE: [&str; 9] =
    ["--package", "model", "--package", "chart", "--package", "frontend", "--package", "app", "--features=app/hydrate"];

pub fn command(context: &Context) -> Result<()> {
    let report = Report::new(context);
    thread::scope(|scope| {
        scope.spawn(|| {
            native(context, &report);
            report.step("tests of model and chart", || rust_tests::run(context, Scope::ModelAndChart));
        });
        scope.spawn(|| wasm(context, &report));
    });
    report.finish()
}

pub fn native(context: &Context, report: &Report) {
    report.step("format", || format(context));
    report.step("clippy (native)", || clippy_native(context));
}

/// Gives the toolchain on, for whoever builds next.
pub fn wasm(context: &Context, report: &Report) -> Option<Toolchain> {
    let mut toolchain = None;
    report.step("WASM target", || {
        wasm_target::provide(context, Purpose::BuildAndLint).map(|provided| toolchain = Some(provided))
    });
    match &toolchain {
        Some(toolchain) => report.step("clippy (wasm)", || clippy_wasm(context, toolchain)),
        None => {
            report.not_run("clippy (wasm)");
            false
        }
    };
    toolchain
}

fn format(context: &Context) -> Result<()> {
    let mut command = std::process::Command::new("cargo");
    command.current_dir(&context.root).args(["fmt", "--all", "--check"]);
    Step::new("cargo fmt --check", command)
        .hint("Run `cargo fmt --all`; if rustfmt is missing: `rustup component add rustfmt`")
        .run(context)?;
    Ok(())
}

fn clippy_native(context: &Context) -> Result<()> {
    clippy(context, &Toolchain::Current, "clippy (native)", &[&NATIVE[..], &["--all-targets"]].concat(), false)
}

fn clippy_wasm(context: &Context, toolchain: &Toolchain) -> Result<()> {
    clippy(context, toolchain, "clippy (wasm)", &[&HYDRATE[..], &["--lib", "--target", WASM]].concat(), true)
}

fn clippy(context: &Context, toolchain: &Toolchain, name: &str, selection: &[&str], is_wasm: bool) -> Result<()> {
    let target_dir = if is_wasm { client::target_dir(context) } else { context.target() };
    let mut command = toolchain.command(context, &[&["clippy"], selection].concat(), &target_dir);
    command.args(["--", "--deny", "warnings"]);
    Step::new(name, command)
        .hint("Fix what clippy says above; if clippy is missing: `rustup component add clippy`")
        .run(context)?;
    Ok(())
}
