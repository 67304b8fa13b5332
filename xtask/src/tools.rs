//! The helpers of a client build, made when first needed: `pack` (a crate of this workspace) and wasm-opt.

use crate::{
    cargo::Toolchain,
    context::Context,
    step::Step,
    wasm_opt::{self, WasmOpt},
};
use anyhow::Result;
use std::{
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Two lanes may ask at once: the second waits for what the first is making.
#[derive(Default)]
pub struct Tools {
    pack: Mutex<Option<PathBuf>>,
    wasm_opt: Mutex<Option<Option<WasmOpt>>>,
}

impl Tools {
    pub fn pack(&self, context: &Context) -> Result<PathBuf> {
        let mut pack = self.pack.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(program) = &*pack {
            return Ok(program.clone());
        }
        let target = context.target();
        let command =
            Toolchain::Current.command(context, &["build", "--package", "pack", "--profile", "tool"], &target);
        Step::new("build pack (wasm-bindgen, brotli)", command).hint("Is crates.io reachable?").run(context)?;
        Ok(pack.insert(target.join("tool/pack")).clone())
    }

    /// None when this machine cannot have it.
    pub fn wasm_opt(&self, context: &Context) -> Result<Option<WasmOpt>> {
        let mut wasm_opt = self.wasm_opt.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = &*wasm_opt {
            return Ok(found.clone());
        }
        Ok(wasm_opt.insert(wasm_opt::provide(context)?).clone())
    }

    /// `.br` and `.gz` beside each file.
    pub fn compress(&self, context: &Context, files: &[PathBuf], quality: Quality) -> Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        let mut command = Command::new(self.pack(context)?);
        command.arg("compress");
        if quality == Quality::Fast {
            command.arg("--fast");
        }
        command.args(files);
        Step::new("compress the site", command).hint("Is the disk full?").run(context)?;
        Ok(())
    }
}

/// A debug client is large and read from this machine only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    Fast,
    Best,
}
