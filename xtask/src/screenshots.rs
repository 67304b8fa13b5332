//! Pictures of every page in every state, for a person to look at, under target/screenshots.

use crate::{
    build::{self, Mode},
    context::Context,
    end2end, postgres,
    step::Step,
};
use anyhow::{Context as _, Result};
use std::{fs, process::Command};

pub fn command(context: &Context) -> Result<()> {
    postgres::provide(context)?;
    let chromium = end2end::provide(context)?;
    let binary = build::all(context, Mode::Release)?;
    let folder = context.target().join("screenshots");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;

    let mut playwright = Command::new("npx");
    playwright
        .current_dir(context.root.join("end2end"))
        .args(["--no-install", "playwright", "test", "--reporter", "list"])
        .env("CHROMIUM", &chromium)
        .env("TOWNGAUGE_BIN", &binary)
        .env("TOWNGAUGE_PICTURES", &folder)
        .env("NO_COLOR", "1");
    Step::new("take the pictures", playwright).hint("The failures are above").run(context)?;
    context.progress.say(&format!("pictures are in {}", folder.display()));
    Ok(())
}
