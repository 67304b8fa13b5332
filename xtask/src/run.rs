//! `cargo xtask run`: everything the server needs, then the server itself.

use crate::{
    build::{self, Mode},
    cargo,
    context::Context,
    postgres,
};
use anyhow::{Context as _, Result};
use std::{os::unix::process::CommandExt, process::Command};

pub fn run(context: &Context, flags: &[String]) -> Result<()> {
    postgres::provide(context)?;
    let binary = build::all(context, Mode::Release)?;
    let mut server = Command::new(&binary);
    cargo::scrub(&mut server, &context.target());
    server.arg("serve").args(flags);
    // In our place: signals reach the server itself, and its exit status is ours.
    let error = server.exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}
