//! The client: Rust to WASM, wasm-bindgen, wasm-opt, and then the site's files.

use crate::{
    build::Mode,
    cargo::{Toolchain, WASM},
    context::Context,
    site,
    step::Step,
    tools::{Quality, Tools},
};
use anyhow::{Context as _, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A folder of its own: its compiler may be another one, and both sides can build at the same time.
pub fn target_dir(context: &Context) -> PathBuf {
    context.target().join("wasm")
}

pub fn compile(context: &Context, toolchain: &Toolchain, mode: Mode) -> Result<PathBuf> {
    let (profile, folder) = match mode {
        Mode::Debug => ("dev", "debug"),
        Mode::Release => ("wasm-release", "wasm-release"),
    };
    let target_dir = target_dir(context);
    let subcommand = ["build", "--package", "frontend", "--lib", "--target", WASM, "--profile", profile];
    Step::new(format!("build the client ({folder})"), toolchain.command(context, &subcommand, &target_dir))
        .hint("Fix what the compiler says above; `cargo xtask check` is the quick way to see it again")
        .run(context)?;
    Ok(target_dir.join(WASM).join(folder).join("frontend.wasm"))
}

/// Brings target/site up to date with the compiled client and style/.
pub fn pack(context: &Context, tools: &Tools, wasm: &Path, mode: Mode) -> Result<()> {
    let bindgen_output = context.work().join(match mode {
        Mode::Debug => "client-debug",
        Mode::Release => "client",
    });
    let stamp = bindgen_output.with_extension("stamp");
    let wanted = inputs(context, wasm)?;
    if !fs::read_to_string(&stamp).is_ok_and(|existing| existing == wanted) {
        let _ = fs::remove_file(&stamp);
        let _ = fs::remove_dir_all(&bindgen_output);
        bind(context, tools, wasm, &bindgen_output, mode)?;
        fs::write(&stamp, wanted)?;
    }
    let quality = match mode {
        Mode::Debug => Quality::Fast,
        Mode::Release => Quality::Best,
    };
    site::assemble(context, &bindgen_output, tools, quality)
}

fn bind(context: &Context, tools: &Tools, wasm: &Path, output: &Path, mode: Mode) -> Result<()> {
    let mut command = Command::new(tools.pack(context)?);
    command.arg("bindgen");
    if mode == Mode::Debug {
        command.arg("--debug");
    }
    command.arg(wasm).arg(output);
    Step::new("wasm-bindgen", command)
        .hint("Are the versions of wasm-bindgen in Cargo.toml and of wasm-bindgen-cli-support in xtask/pack/Cargo.toml equal?")
        .run(context)?;
    if mode == Mode::Release
        && let Some(wasm_opt) = tools.wasm_opt(context)?
    {
        wasm_opt.shrink(context, &output.join("towngauge_bg.wasm"))?;
    }
    Ok(())
}

/// Changes when wasm-bindgen's or wasm-opt's output may change.
fn inputs(context: &Context, wasm: &Path) -> Result<String> {
    let mut hashes = site::content_hash(&fs::read(wasm).with_context(|| format!("cannot read {}", wasm.display()))?);
    for folder in ["xtask/pack", "xtask/wasm-opt"] {
        for (name, content) in site::walk(&context.root.join(folder))? {
            hashes.push_str(&format!("\n{} {folder}/{name}", site::content_hash(&content)));
        }
    }
    Ok(hashes)
}
