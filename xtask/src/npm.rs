//! npm, with exactly what the lock file says.

use crate::{
    context::Context,
    site::content_hash,
    step::{Failed, Finished, Step, capture},
};
use anyhow::{Context as _, Result};
use std::{fs, path::Path, process::Command, time::Duration};

const TIMEOUT: Duration = Duration::from_secs(300);

pub fn is_installed() -> bool {
    capture(Command::new("npm").arg("--version")).is_ok()
}

/// Fills `folder`/node_modules, unless it already is what the lock file says.
pub fn ci(context: &Context, name: &str, folder: &Path) -> Result<Result<(), Failed>> {
    let lock = folder.join("package-lock.json");
    let wanted = content_hash(&fs::read(&lock).with_context(|| format!("cannot read {}", lock.display()))?);
    let stamp = folder.join("node_modules/.towngauge-lock");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(Ok(()));
    }
    let mut command = Command::new("npm");
    command
        .current_dir(folder)
        .args(["ci", "--no-audit", "--no-fund", "--loglevel", "error"])
        // Chromium comes from the system.
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    let step = Step::new(format!("npm ci ({name})"), command)
        .timeout(TIMEOUT)
        .hint("Is Node.js 20 or newer installed, and the npm registry reachable?");
    match step.try_run(context)? {
        Ok(Finished { .. }) => {
            fs::write(&stamp, wanted)?;
            Ok(Ok(()))
        }
        Err(failed) => Ok(Err(failed)),
    }
}
