//! The browser tests: Playwright drives the system's Chromium against the real server.

use crate::{
    apt,
    build::{self, Mode},
    context::Context,
    npm, postgres,
    report::{Outcome, Report},
    step::Step,
    tally,
};
use anyhow::{Context as _, Result, anyhow};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const CHROMIUMS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

pub fn command(context: &Context, arguments: &[String]) -> Result<()> {
    let report = Report::new(context);
    postgres::provide(context)?;
    let chromium = provide(context)?;
    let binary = build::all(context, Mode::Release)?;
    report.step("end2end", || run(context, &chromium, &binary, arguments));
    report.finish()
}

/// Installs what the tests need and gives the browser.
pub fn provide(context: &Context) -> Result<PathBuf> {
    npm::ci(context, "end2end", &folder(context))??;
    chromium(context)
}

/// The system's browser, installed if need be.
pub fn chromium(context: &Context) -> Result<PathBuf> {
    if let Some(chromium) = find_chromium()? {
        return Ok(chromium);
    }
    apt::provide(context, &["chromium"], "for end2end")
        .context("no Chromium or Chrome on PATH: install one, or set CHROMIUM to its path")?;
    find_chromium()?.context("the package chromium brought no program of that name: set CHROMIUM to its path")
}

pub fn run(context: &Context, chromium: &Path, binary: &Path, arguments: &[String]) -> Outcome {
    match try_run(context, chromium, binary, arguments) {
        Ok(outcome) => outcome,
        Err(error) => Outcome { tally: None, error: Some(error) },
    }
}

fn try_run(context: &Context, chromium: &Path, binary: &Path, arguments: &[String]) -> Result<Outcome> {
    let folder = folder(context);
    let mut types = Command::new("npm");
    types.current_dir(&folder).args(["run", "--silent", "typecheck"]);
    Step::new("end2end types", types).hint("Fix what the TypeScript compiler says above").run(context)?;

    let results = context.work().join("end2end.json");
    let _ = fs::remove_file(&results);
    let mut playwright = Command::new("npx");
    playwright
        .current_dir(&folder)
        .args(["--no-install", "playwright", "test"])
        .args(arguments)
        .env("CHROMIUM", chromium)
        .env("TOWNGAUGE_BIN", binary)
        .env("TOWNGAUGE_END2END_RESULTS", &results)
        .env("NO_COLOR", "1");
    let ran = Step::new("end2end in Chromium", playwright)
        .hint("The failures are above; traces are in end2end/test-results")
        .show_whole_output()
        .try_run(context)?;
    let error = ran.err().map(anyhow::Error::from);
    // Without results there is only the error; with neither, something is wrong with the harness itself.
    match fs::read_to_string(&results).map_err(anyhow::Error::from).and_then(|json| tally::playwright(&json)) {
        Ok(tally) => Ok(Outcome { tally: Some(tally), error }),
        Err(unread) => {
            Ok(Outcome { tally: None, error: error.or(Some(anyhow!("end2end gave no results: {unread:#}"))) })
        }
    }
}

fn folder(context: &Context) -> PathBuf {
    context.root.join("end2end")
}

fn find_chromium() -> Result<Option<PathBuf>> {
    if let Some(path) = std::env::var_os("CHROMIUM") {
        let path = PathBuf::from(path);
        return if path.exists() { Ok(Some(path)) } else { Err(anyhow!("CHROMIUM={} does not exist", path.display())) };
    }
    let folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    Ok(CHROMIUMS.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.exists()))
}
