//! The server keeps its own Postgres cluster and needs the programs for it; here they are found, or installed on Debian.

use crate::{apt, context::Context, step::capture};
use anyhow::{Context as _, Result};
use std::{path::Path, process::Command};

pub fn provide(context: &Context) -> Result<()> {
    if std::env::var_os("DATABASE_URL").is_some() || is_installed() {
        return Ok(());
    }
    apt::provide(context, &["postgresql"], "for the database")
        .context("no Postgres found: install one (15 or newer), or set DATABASE_URL to one that runs")
}

fn is_installed() -> bool {
    on_path() || in_pg_config_folder() || in_debian_folder()
}

fn on_path() -> bool {
    std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| has_programs(&folder)))
}

fn in_pg_config_folder() -> bool {
    capture(Command::new("pg_config").arg("--bindir")).is_ok_and(|folder| has_programs(Path::new(folder.trim())))
}

fn in_debian_folder() -> bool {
    Path::new("/usr/lib/postgresql")
        .read_dir()
        .is_ok_and(|versions| versions.flatten().any(|version| has_programs(&version.path().join("bin"))))
}

fn has_programs(folder: &Path) -> bool {
    folder.join("initdb").exists() && folder.join("postgres").exists()
}
