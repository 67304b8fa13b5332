//! How cargo is called: which toolchain, and nothing leaking in from the cargo that runs xtask itself.

use crate::context::{Context, is_ci};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// A cargo with its compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Toolchain {
    /// The one that runs xtask.
    Current,
    /// The distribution's, beside the current one, with a WASM standard library that xtask built for it.
    System { sysroot: PathBuf },
}

pub const SYSTEM_CARGO: &str = "/usr/bin/cargo";
pub const SYSTEM_RUSTC: &str = "/usr/bin/rustc";
pub const WASM: &str = "wasm32-unknown-unknown";

impl Toolchain {
    /// `cargo SUBCOMMAND --target-dir …`, run at the root of the repository.
    pub fn command(&self, context: &Context, subcommand: &[&str], target_dir: &Path) -> Command {
        let mut command = match (self, subcommand) {
            (Self::Current, _) => Command::new(current_cargo()),
            // `cargo clippy` would find the subcommand of whichever toolchain comes first on PATH.
            (Self::System { .. }, ["clippy", ..]) => Command::new("/usr/bin/cargo-clippy"),
            (Self::System { .. }, _) => Command::new(SYSTEM_CARGO),
        };
        command.current_dir(&context.root);
        scrub(&mut command, &context.target());
        command.args(subcommand).arg("--target-dir").arg(target_dir);
        if is_ci() {
            command.arg("--locked");
        }
        if context.progress.is_terminal() {
            command.args(["--color", "always"]);
        }
        if let Self::System { sysroot } = self {
            system_environment(&mut command);
            // On the command line, because that adds to the flags of .cargo/config.toml, where RUSTFLAGS would replace them.
            command.arg("--config").arg(format!("target.{WASM}.rustflags=[\"--sysroot={}\"]", sysroot.display()));
        }
        command
    }
}

/// Makes a command see the distribution's Rust only, although rustup's shims come first on PATH.
pub fn system_environment(command: &mut Command) {
    command.env("RUSTC", SYSTEM_RUSTC).env("CARGO", SYSTEM_CARGO).env("PATH", path_with_usr_bin_first());
    for name in
        ["RUSTUP_TOOLCHAIN", "RUSTUP_HOME", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "LD_LIBRARY_PATH"]
    {
        command.env_remove(name);
    }
}

fn path_with_usr_bin_first() -> OsString {
    let mut path = OsString::from("/usr/bin");
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}

fn current_cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Takes away what `cargo run` gave to xtask: it describes xtask's package, not the one about to be built.
pub fn scrub(command: &mut Command, target: &Path) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_from_outer_cargo) {
            command.env_remove(name);
        }
    }
    if let Some(path) = std::env::var_os("LD_LIBRARY_PATH") {
        let kept: Vec<PathBuf> =
            std::env::split_paths(&path).filter(|entry| !is_build_directory(entry, target)).collect();
        match std::env::join_paths(&kept) {
            Ok(path) if !kept.is_empty() => command.env("LD_LIBRARY_PATH", path),
            _ => command.env_remove("LD_LIBRARY_PATH"),
        };
    }
}

fn is_from_outer_cargo(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
        || ["CARGO_TARGET_DIR", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
}

fn is_build_directory(entry: &Path, target: &Path) -> bool {
    entry.starts_with(target)
        || entry.components().any(|part| part.as_os_str() == "rustlib" || part.as_os_str() == ".rustup")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_outer_cargo_set_is_taken_away() {
        assert!(is_from_outer_cargo("CARGO_PKG_NAME"));
        assert!(is_from_outer_cargo("CARGO_MANIFEST_DIR"));
        assert!(!is_from_outer_cargo("CARGO_HOME"));
        assert!(!is_from_outer_cargo("CARGO_BUILD_JOBS"));
    }

    #[test]
    fn library_paths_of_the_user_stay() {
        let target = Path::new("/code/target");
        assert!(is_build_directory(Path::new("/code/target/debug/deps"), target));
        assert!(is_build_directory(Path::new("/home/a/.rustup/toolchains/x/lib"), target));
        assert!(!is_build_directory(Path::new("/opt/lib"), target));
    }
}
