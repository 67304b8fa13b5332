//! Builds the WASM standard library for the distribution's compiler, once, into a sysroot under target/.
//!
//! Nothing outside target/ changes. The folder carries the compiler's version in its name: cargo rebuilds what was
//! compiled against another one.

use crate::{
    cargo::{SYSTEM_CARGO, SYSTEM_RUSTC, WASM, system_environment},
    context::Context,
    site::content_hash,
    step::{Step, capture},
};
use anyhow::{Context as _, Result, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const STUB: &str = "stub";
const STUB_MANIFEST: &str = r#"[package]
name = "stub"
version = "0.0.0"
edition = "2024"
publish = false

[workspace]

[profile.release]
opt-level = "s"
panic = "abort"
"#;

/// The finished sysroot for the compiler that is installed now, if there is one.
pub fn existing(context: &Context) -> Option<PathBuf> {
    let sysroot = folder(context).ok()?;
    libraries(&sysroot).is_dir().then_some(sysroot)
}

pub fn build(context: &Context) -> Result<PathBuf> {
    let sysroot = folder(context)?;
    if libraries(&sysroot).is_dir() {
        return Ok(sysroot);
    }
    let project = context.work().join("wasm-std");
    fs::create_dir_all(project.join("src"))?;
    fs::write(project.join("Cargo.toml"), STUB_MANIFEST)?;
    fs::write(project.join("src/lib.rs"), "")?;

    let mut command = Command::new(SYSTEM_CARGO);
    system_environment(&mut command);
    command
        .current_dir(&project)
        // The nightly switch of a stable compiler, for the standard library alone.
        .env("RUSTC_BOOTSTRAP", "1")
        // The client links with LTO in release and without it in debug: libraries must carry both forms.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .args(["build", "--release", "-Zbuild-std=std,panic_abort", "--target", WASM, "--target-dir", "target"]);
    Step::new("standard library for WASM (once)", command)
        .hint("Is crates.io reachable? Otherwise add the target with rustup")
        .run(context)?;

    let unfinished = sysroot.with_extension("part");
    let _ = fs::remove_dir_all(&unfinished);
    fs::create_dir_all(libraries(&unfinished))?;
    let copied = copy_libraries(&project.join("target").join(WASM).join("release/deps"), &libraries(&unfinished))?;
    ensure!(copied > 0, "cargo built no WASM standard library: remove target/xtask/wasm-std and run again");
    fs::rename(&unfinished, &sysroot).with_context(|| format!("cannot create {}", sysroot.display()))?;
    fs::remove_dir_all(project)?;
    Ok(sysroot)
}

fn folder(context: &Context) -> Result<PathBuf> {
    let version = capture(Command::new(SYSTEM_RUSTC).arg("-vV"))?;
    let key = content_hash(format!("{version}{STUB_MANIFEST}").as_bytes());
    Ok(context.work().join(format!("wasm-sysroot-{key}")))
}

fn libraries(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(WASM).join("lib")
}

fn copy_libraries(from: &Path, to: &Path) -> Result<usize> {
    let mut copied = 0;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with(&format!("lib{STUB}-")) {
            fs::copy(&path, to.join(name))?;
            copied += 1;
        }
    }
    Ok(copied)
}
