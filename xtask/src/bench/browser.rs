//! The benchmarks that are scripts: they drive Chromium against a server of their own.

use super::{
    Bench,
    measurement::Measurement,
    serving::{Folder, Serving},
};
use crate::{end2end, npm, step::Step};
use anyhow::{Context as _, Result, ensure};
use std::{ffi::OsStr, path::PathBuf, process::Command};

/// The number on the dial of lines, which the probes of P2 move.
const LINES: &str = "section[aria-label=\"Lines of code\"] .figure strong";
/// There once the page is hydrated and its socket has spoken.
const LIVE: &str = "[data-link=\"live\"]";
/// A button that says what it did.
const THEME: &str = ".theme-toggle";

/// The libraries and drivers that the scripts use.
pub fn provide_peers(bench: &Bench<'_>) -> Result<PathBuf> {
    let folder = bench.context.root.join("end2end/bench");
    npm::ci(bench.context, "end2end/bench", &folder)??;
    Ok(folder)
}

/// P2
pub fn pixel(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    with_server(bench, "run-pixel.mjs", |serving| {
        vec![serving.url(), LINES.to_owned(), if bench.quick { "20" } else { "100" }.to_owned()]
    })
}

/// P6
pub fn page(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    with_server(bench, "run-page.mjs", |serving| {
        let page = format!("{}/t/home", serving.url());
        vec![page, LIVE.to_owned(), THEME.to_owned(), if bench.quick { "3" } else { "7" }.to_owned()]
    })
}

fn with_server(
    bench: &Bench<'_>,
    name: &str,
    arguments: impl FnOnce(&Serving) -> Vec<String>,
) -> Result<Vec<Measurement>> {
    let folder = Folder::new("browser")?;
    let serving = Serving::start(&bench.binary, &folder)?;
    script(bench, name, arguments(&serving))
}

/// Runs `node NAME ARGUMENTS` in end2end/bench and reads what it measured.
pub fn script(
    bench: &Bench<'_>,
    name: &str,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
) -> Result<Vec<Measurement>> {
    let chromium = end2end::chromium(bench.context)?;
    let folder = provide_peers(bench)?;
    let mut command = Command::new("node");
    command.current_dir(&folder).arg(name).args(arguments).env("CHROMIUM", chromium);
    let finished = Step::new(format!("measure {name}"), command)
        .hint("The script's own words are above; does `chromium --headless` start here?")
        .run(bench.context)?;
    let measured = Measurement::all_in(&finished.output).with_context(|| name.to_owned())?;
    ensure!(!measured.is_empty(), "{name} printed no measurement");
    Ok(measured)
}
