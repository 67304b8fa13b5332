//! Installs Debian packages when we may; otherwise says which command would.

use crate::{
    context::Context,
    step::{Step, capture},
};
use anyhow::{Result, bail};
use std::{os::unix::fs::MetadataExt, path::Path, process::Command, sync::PoisonError};

/// Returns at once when all packages are there.
pub fn provide(context: &Context, packages: &[&str], why: &str) -> Result<()> {
    let _turn = context.apt.lock().unwrap_or_else(PoisonError::into_inner);
    let missing: Vec<&str> = packages.iter().copied().filter(|package| !is_installed(package)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!("missing {why}: {list} (Debian's names; install what your system calls them)");
    }
    if !is_root() {
        bail!("missing {why}: run `sudo apt-get install --no-install-recommends {list}`, then try again");
    }

    let hint = format!("Try `apt-get install {list}` by hand");
    let name = format!("apt-get install {list}");
    // Without an update first: where the package lists are there and good, it would only cost time.
    if Step::new(&*name, install(&missing)).quiet_failure().try_run(context)?.is_ok() {
        return Ok(());
    }
    Step::new("apt-get update", apt_get(&["update"])).hint("Is the package mirror reachable?").run(context)?;
    Step::new(name, install(&missing)).hint(hint).run(context)?;
    Ok(())
}

fn install(packages: &[&str]) -> Command {
    // --no-remove: a conflict with what a person chose to install is an error, not a reason to uninstall it.
    let mut command = apt_get(&["install", "--yes", "--no-install-recommends", "--no-remove"]);
    command.args(packages);
    command
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-o", "DPkg::Lock::Timeout=600"]).args(arguments);
    command
}

fn is_installed(package: &str) -> bool {
    capture(Command::new("dpkg-query").args(["--show", "--showformat", "${db:Status-Status}", package]))
        .is_ok_and(|status| status == "installed")
}

fn is_root() -> bool {
    // The owner of our own /proc entry is our effective user; this saves a dependency for one number.
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
