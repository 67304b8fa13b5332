//! `cargo xtask test`: everything. Compilers work side by side; tests run alone, so that load does not make them flaky.
//!
//! The server, as a debug build too, embeds target/site. So nothing compiles the server while the site is being made:
//! lint both sides and compile the client, then make the site, then compile the tests and the server.

use crate::{
    build::Mode,
    check, client,
    context::Context,
    end2end, postgres,
    report::Report,
    rust_tests::{self, Scope},
    server,
    tools::Tools,
};
use anyhow::Result;
use std::{path::PathBuf, thread};

pub fn command(context: &Context) -> Result<()> {
    let report = Report::new(context);
    let (wasm, browser) = thread::scope(|scope| {
        scope.spawn(|| check::native(context, &report));
        let wasm = scope.spawn(|| compile_client(context, &report));
        let browser = scope.spawn(|| set_up_browser(context, &report));
        // A lane that panics has not reported: it counts as not built.
        (wasm.join().unwrap_or(None), browser.join().unwrap_or(None))
    });

    let site = match wasm {
        Some(compiled) => report.step("site", || client::pack(context, &Tools::default(), &compiled, Mode::Release)),
        None => {
            report.not_run("site");
            false
        }
    };

    let (tests, binary) = thread::scope(|scope| {
        let tests = scope.spawn(|| report.step("build the Rust tests", || rust_tests::build(context)));
        let binary = if site { compile_server(context, &report) } else { None };
        (tests.join().unwrap_or(false), binary)
    });

    if tests {
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

fn compile_client(context: &Context, report: &Report) -> Option<Vec<client::Compiled>> {
    let Some(toolchain) = check::wasm(context, report) else {
        report.not_run("client");
        return None;
    };
    let mut compiled = None;
    report.step("client", || client::compile(context, &toolchain, Mode::Release).map(|built| compiled = Some(built)));
    compiled
}

fn compile_server(context: &Context, report: &Report) -> Option<PathBuf> {
    let mut binary = None;
    report.step("server", || server::compile(context, Mode::Release).map(|built| binary = Some(built)));
    binary
}

fn set_up_browser(context: &Context, report: &Report) -> Option<PathBuf> {
    report.step("Postgres", || postgres::provide(context));
    let mut chromium = None;
    report.step("end2end set-up", || end2end::provide(context).map(|found| chromium = Some(found)));
    chromium
}
