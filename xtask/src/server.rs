//! The server: the `towngauge` binary with target/site inside.

use crate::{build::Mode, cargo::Toolchain, context::Context, step::Step};
use anyhow::{Context as _, Result};
use std::{
    fs::{self, File},
    path::PathBuf,
};

pub fn binary(context: &Context, mode: Mode) -> PathBuf {
    let folder = match mode {
        Mode::Debug => "debug",
        Mode::Release => "release",
    };
    context.target().join(folder).join("towngauge")
}

pub fn compile(context: &Context, mode: Mode) -> Result<PathBuf> {
    let mut subcommand = vec!["build", "--package", "server", "--bin", "towngauge"];
    let name = match mode {
        Mode::Debug => "build the server (debug)",
        Mode::Release => {
            subcommand.push("--release");
            "build the server (release)"
        }
    };
    Step::new(name, Toolchain::Current.command(context, &subcommand, &context.target()))
        .hint("Fix what the compiler says above; `cargo xtask check` is the quick way to see it again")
        .run(context)?;
    Ok(binary(context, mode))
}

/// While this is held, target/site is being made: the server's build script waits for a shared lock on the same file,
/// so that a first build of both sides can overlap and still embeds the finished site. Released with the process.
pub struct SiteLock {
    _file: File,
}

impl SiteLock {
    pub fn hold(context: &Context) -> Result<Self> {
        fs::create_dir_all(context.target())?;
        let path = context.target().join("site.lock");
        let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self { _file: file })
    }
}
