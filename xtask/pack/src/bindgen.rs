//! wasm-bindgen's `--target web` output: `NAME.js`, `NAME_bg.wasm` and the snippets.

use anyhow::{Context, Result};
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

/// Whether function names stay in the output, for readable stack traces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Keep,
    Strip,
}

pub fn generate(input: &Path, out: &Path, name: &str, names: Names) -> Result<()> {
    Bindgen::new()
        .input_path(input)
        .web(true)?
        .out_name(name)
        .typescript(false)
        // The boot script passes the hashed address; a default would name a file that does not exist.
        .omit_default_module_path(true)
        .keep_debug(names == Names::Keep)
        .remove_name_section(names == Names::Strip)
        .remove_producers_section(true)
        .generate(out)
        .with_context(|| format!("wasm-bindgen could not read {}", input.display()))
}
