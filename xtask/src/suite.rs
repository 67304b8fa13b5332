//! `cargo xtask test`: everything. Compilers work side by side; tests run alone, so that load does not make them flaky.

use crate::{
    build::{self, Mode},
    cargo::Toolchain,
    check,
    context::Context,
    end2end, postgres,
    report::Report,
    rust_tests::{self, Scope},
};
use anyhow::Result;
use std::{path::PathBuf, thread};

pub fn command(context: &Context) -> Result<()> {
    let report = Report::new(context);
    let (tests_built, binary, browser) = thread::scope(|scope| {
        let native = scope.spawn(|| {
            check::native(context, &report);
            report.step("build the Rust tests", || rust_tests::build(context))
        });
        let product = scope.spawn(|| {
            let toolchain = check::wasm(context, &report);
            product(context, &report, toolchain.as_ref())
        });
        let browser = scope.spawn(|| {
            report.step("Postgres", || postgres::provide(context));
            let mut chromium = None;
            report.step("end2end set-up", || end2end::provide(context).map(|found| chromium = Some(found)));
            chromium
        });
        // A lane that panics has not reported: it counts as not built.
        (native.join().unwrap_or(false), product.join().unwrap_or(None), browser.join().unwrap_or(None))
    });

    if tests_built {
        report.step("Rust tests", || rust_tests::run(context, Scope::Everything));
        report.step("documentation tests", || rust_tests::documentation(context));
    } else {
        report.not_run("Rust tests");
        report.not_run("documentation tests");
    }
    match (binary, browser) {
        (Some(binary), Some(chromium)) => {
            report.step("end2end", || end2end::run(context, &chromium, &binary, &[]));
        }
        _ => report.not_run("end2end"),
    }
    report.finish()
}

fn product(context: &Context, report: &Report, toolchain: Option<&Toolchain>) -> Option<PathBuf> {
    let Some(toolchain) = toolchain else {
        report.not_run("client and server");
        return None;
    };
    let mut binary = None;
    report.step("client and server", || {
        build::in_sequence(context, toolchain, Mode::Release).map(|built| binary = Some(built))
    });
    binary
}
