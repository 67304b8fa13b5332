//! Finds or provides a toolchain that compiles to wasm32-unknown-unknown.
//!
//! 1. The current compiler has the target (rustup or a distribution brought it): nothing to do.
//! 2. rustup can add it.
//! 3. Debian's Rust, installed beside the current one, with a standard library that `wasm_std` builds from Debian's
//!    sources: for machines that reach a package mirror but not static.rust-lang.org.
//!
//! TOWNGAUGE_WASM_TOOLCHAIN=current or =debian takes one way and no other.

use crate::{
    apt,
    cargo::{SYSTEM_RUSTC, Toolchain, WASM},
    context::Context,
    step::{Step, capture},
    wasm_std,
};
use anyhow::{Context as _, Result, bail};
use std::{path::Path, process::Command, time::Duration};

const RUSTUP_TIMEOUT: Duration = Duration::from_secs(90);
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm"];
const CLIPPY_PACKAGE: &str = "rust-web-clippy";
const WAY_NAME: &str = "TOWNGAUGE_WASM_TOOLCHAIN";

/// What the toolchain is wanted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Build,
    BuildAndLint,
}

pub fn provide(context: &Context, purpose: Purpose) -> Result<Toolchain> {
    let way = std::env::var(WAY_NAME).ok();
    match way.as_deref() {
        None | Some("current" | "debian") => {}
        Some(other) => bail!("{WAY_NAME}={other} is not known: use current or debian, or unset it"),
    }
    let may_use_current = way.as_deref() != Some("debian");
    let may_use_debian = way.as_deref() != Some("current");

    if may_use_current && current_has_target() {
        return Ok(Toolchain::Current);
    }
    // Before asking rustup again: where it failed once, each further try would cost its timeout.
    if may_use_debian && let Some(sysroot) = wasm_std::existing(context) {
        return debian(context, purpose, Some(sysroot));
    }
    if may_use_current && rustup_add(context)? {
        return Ok(Toolchain::Current);
    }
    if !may_use_debian {
        bail!("{WAY_NAME}=current, but `rustup target add {WASM}` did not work: its output is above");
    }
    debian(context, purpose, None)
}

fn current_has_target() -> bool {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    capture(Command::new(compiler).args(["--print", "target-libdir", "--target", WASM]))
        .is_ok_and(|folder| has_std(Path::new(folder.trim())))
}

fn has_std(folder: &Path) -> bool {
    folder.read_dir().is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    })
}

fn rustup_add(context: &Context) -> Result<bool> {
    if capture(Command::new("rustup").arg("--version")).is_err() {
        return Ok(false);
    }
    let mut command = Command::new("rustup");
    command.args(["target", "add", WASM]).env("RUSTUP_MAX_RETRIES", "1");
    let added = Step::new("rustup target add", command).timeout(RUSTUP_TIMEOUT).quiet_failure().try_run(context)?;
    if let Err(failed) = &added {
        let last = failed.output.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no answer");
        context
            .progress
            .say(&format!("  rustup cannot add the WASM target here ({}); trying Debian's Rust", last.trim()));
    }
    Ok(added.is_ok() && current_has_target())
}

fn debian(context: &Context, purpose: Purpose, sysroot: Option<std::path::PathBuf>) -> Result<Toolchain> {
    let mut packages = DEBIAN_PACKAGES.to_vec();
    if purpose == Purpose::BuildAndLint {
        packages.push(CLIPPY_PACKAGE);
    }
    apt::provide(context, &packages, "for compiling to WASM").with_context(|| {
        format!("no way to compile to {WASM}: run `rustup target add {WASM}` where rustup reaches its server")
    })?;
    apt::provide(context, &[&linker_package()?], "for linking WASM")?;
    ensure_new_enough()?;
    let sysroot = match sysroot {
        Some(sysroot) => sysroot,
        None => wasm_std::build(context)?,
    };
    Ok(Toolchain::System { sysroot })
}

/// rust-web-llvm brings rust-lld only as a link to the lld of its LLVM version, and does not depend on it.
fn linker_package() -> Result<String> {
    let link = std::fs::read_link("/usr/bin/rust-lld").context("rust-web-llvm brought no /usr/bin/rust-lld")?;
    let name = link.file_name().context("/usr/bin/rust-lld points nowhere")?;
    Ok(name.to_string_lossy().into_owned())
}

fn ensure_new_enough() -> Result<()> {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let text = capture(Command::new(SYSTEM_RUSTC).arg("--version"))?;
    let found = text.split(' ').nth(1).unwrap_or_default();
    if version(found) < version(needed) {
        bail!(
            "{SYSTEM_RUSTC} is {found}, this project needs {needed}: run `rustup target add {WASM}` with a newer Rust instead"
        );
    }
    Ok(())
}

fn version(text: &str) -> Vec<u32> {
    text.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(version("1.100.0") > version("1.95"));
        assert!(version("1.95.0") >= version("1.95"));
        assert!(version("1.85.0") < version("1.95"));
    }

    #[test]
    fn a_folder_without_the_standard_library_is_not_a_target() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_std(folder.path()));
        std::fs::write(folder.path().join("libstd-0123.rlib"), "").unwrap();
        assert!(has_std(folder.path()));
    }
}
