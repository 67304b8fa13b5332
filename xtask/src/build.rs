//! Client, site, server, in the order they need each other.

use crate::{
    cargo::Toolchain,
    client,
    context::Context,
    server::{self, SiteLock},
    tools::Tools,
    wasm_target::{self, Purpose},
};
use anyhow::{Result, anyhow};
use std::{path::PathBuf, thread};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Debug,
    Release,
}

pub fn command(context: &Context, mode: Mode) -> Result<()> {
    let binary = all(context, mode)?;
    context.progress.say(&format!("built {}", binary.strip_prefix(&context.root).unwrap_or(&binary).display()));
    Ok(())
}

/// Gives the server's binary.
pub fn all(context: &Context, mode: Mode) -> Result<PathBuf> {
    if server::binary(context, mode).exists() {
        let toolchain = wasm_target::provide(context, Purpose::Build)?;
        in_sequence(context, &toolchain, mode)
    } else {
        overlapping(context, mode)
    }
}

/// One after the other: right when little has changed.
fn in_sequence(context: &Context, toolchain: &Toolchain, mode: Mode) -> Result<PathBuf> {
    let wasm = client::compile(context, toolchain, mode)?;
    client::pack(context, &Tools::default(), &wasm, mode)?;
    server::compile(context, mode)
}

/// From nothing: the client's long, single-threaded end (LTO, wasm-opt, brotli) overlaps with the server's dependencies.
fn overlapping(context: &Context, mode: Mode) -> Result<PathBuf> {
    let tools = Tools::default();
    let site_lock = SiteLock::hold(context)?;
    let (client, server) = thread::scope(|scope| {
        let server = scope.spawn(|| {
            cancel_on_error(context, || {
                tools.pack(context)?;
                if mode == Mode::Release {
                    tools.wasm_opt(context)?;
                }
                server::compile(context, mode)
            })
        });
        let client = cancel_on_error(context, || {
            let toolchain = wasm_target::provide(context, Purpose::Build)?;
            let wasm = client::compile(context, &toolchain, mode)?;
            client::pack(context, &tools, &wasm, mode)
        });
        drop(site_lock);
        (client, server.join().unwrap_or_else(|_| Err(anyhow!("the server's lane panicked"))))
    });
    match (client, server) {
        // The one that was stopped for the other's sake has nothing to say.
        (Err(error), Ok(_)) => return Err(error),
        (Err(error), Err(other)) => return Err(if was_stopped(&error) { other } else { error }),
        (Ok(()), Err(error)) => return Err(error),
        (Ok(()), Ok(_)) => {}
    }
    // Fresh already, unless cargo looked at the site before it was finished.
    server::compile(context, mode)
}

fn cancel_on_error<T>(context: &Context, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let result = work();
    if result.is_err() {
        context.progress.cancel();
    }
    result
}

fn was_stopped(error: &anyhow::Error) -> bool {
    error.downcast_ref::<crate::step::Failed>().is_some_and(crate::step::Failed::was_stopped)
}
