//! Shrinks the release client with Binaryen's wasm-opt, when npm can bring it. Optional: without it the client is larger.

use crate::{context::Context, npm, step::Step};
use anyhow::Result;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// By name: with --all-features it writes what Chromium refuses.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// What makes the client smallest on the wire, measured: -Oz leaves a tenth fewer bytes than this, but ones that brotli
/// cannot press any further, so that they come out 5 % larger, and larger than without wasm-opt at all.
const PASSES: [&str; 5] = ["--dae-optimizing", "--remove-unused-module-elements", "-O1", "--dae-optimizing", "-O1"];

/// Everything that the output depends on, beside the module and the version.
pub fn arguments() -> String {
    [FEATURES.as_slice(), PASSES.as_slice()].concat().join(" ")
}

/// The pinned wasm-opt, ready to run.
#[derive(Clone)]
pub struct WasmOpt {
    program: PathBuf,
}

/// None, with a note on the screen, where there is no npm or it cannot install.
pub fn provide(context: &Context) -> Result<Option<WasmOpt>> {
    if !npm::is_installed() {
        context.progress.say("  no npm here: the client is built without wasm-opt, and a little larger");
        return Ok(None);
    }
    let source = context.root.join("xtask/wasm-opt");
    let folder = context.work().join("wasm-opt");
    fs::create_dir_all(&folder)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(source.join(name), folder.join(name))?;
    }
    if let Err(failed) = npm::ci(context, "wasm-opt", &folder)? {
        context.progress.say(&format!("  the client is built without wasm-opt, and a little larger: {failed}"));
        return Ok(None);
    }
    Ok(Some(WasmOpt { program: folder.join("node_modules/binaryen/bin/wasm-opt") }))
}

impl WasmOpt {
    pub fn shrink(&self, context: &Context, page: &str, wasm: &Path) -> Result<()> {
        let shrunk = wasm.with_extension("opt.wasm");
        let mut command = Command::new("node");
        command.arg(&self.program).args(FEATURES).args(PASSES).arg(wasm).arg("-o").arg(&shrunk);
        Step::new(format!("wasm-opt ({page})"), command)
            .hint("Remove target/xtask/wasm-opt and run again; if it stays, report it with the log")
            .run(context)?;
        fs::rename(shrunk, wasm)?;
        Ok(())
    }
}
