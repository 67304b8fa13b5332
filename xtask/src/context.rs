//! What every command needs: where things are, and the one place that writes progress.

use crate::progress::Progress;
use anyhow::{Context as _, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Shared by all steps of one `cargo xtask` call.
pub struct Context {
    pub root: PathBuf,
    pub progress: Progress,
    /// apt-get refuses to run twice at once; parallel lanes queue here.
    pub apt: Mutex<()>,
}

impl Context {
    pub fn new() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask is not inside the repository: run it as `cargo xtask`")?
            .to_owned();
        let context = Self { root, progress: Progress::new(), apt: Mutex::new(()) };
        fs::create_dir_all(context.work()).context("cannot create target/xtask: is the checkout writable?")?;
        Ok(context)
    }

    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// Logs, stamps and what xtask installs for itself.
    pub fn work(&self) -> PathBuf {
        self.target().join("xtask")
    }

    /// What the server embeds.
    pub fn site(&self) -> PathBuf {
        self.target().join("site")
    }
}

/// Continuous integration: no terminal, no questions, the committed lock file as it is.
pub fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}
