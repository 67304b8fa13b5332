//! Packs the client; a crate of its own, so that `cargo xtask check` never waits for wasm-bindgen to compile.
//!
//!     pack bindgen [--debug] IN.wasm OUT_DIR [NAME]
//!     pack compress [--fast] FILE…

mod bindgen;
mod compress;
mod snip;

use anyhow::{Result, bail};
use std::path::PathBuf;

/// What the client's files are called.
const CLIENT: &str = "towngauge";

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    let (flags, paths): (Vec<String>, Vec<String>) = arguments.partition(|argument| argument.starts_with("--"));
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();

    match (command.as_deref(), flags.as_slice(), paths.as_slice()) {
        (Some("bindgen"), [], [input, out]) => bindgen::generate(input, out, CLIENT, bindgen::Names::Strip),
        (Some("bindgen"), [], [input, out, name]) => {
            bindgen::generate(input, out, &name.to_string_lossy(), bindgen::Names::Strip)
        }
        (Some("bindgen"), ["--debug"], [input, out]) => bindgen::generate(input, out, CLIENT, bindgen::Names::Keep),
        (Some("compress"), [], files) => compress::all(files, compress::Effort::Best),
        (Some("compress"), ["--fast"], files) => compress::all(files, compress::Effort::Fast),
        _ => bail!("usage: pack bindgen [--debug] IN.wasm OUT_DIR [NAME] | pack compress [--fast] FILE…"),
    }
}
