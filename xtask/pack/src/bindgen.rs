//! wasm-bindgen's `--target web` output: `NAME.js`, `NAME_bg.wasm` and the snippets.

use crate::snip::snip;
use anyhow::{Context, Result};
use std::path::Path;
use walrus::ModuleConfig;
use wasm_bindgen_cli_support::Bindgen;

/// Whether function names stay in the output, for readable stack traces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Keep,
    Strip,
}

pub fn generate(input: &Path, out: &Path, name: &str, names: Names) -> Result<()> {
    let mut bindgen = Bindgen::new();
    match names {
        Names::Keep => bindgen.input_path(input),
        Names::Strip => {
            // Read as wasm-bindgen itself would: symbols are known until it strips them.
            let mut module = ModuleConfig::new()
                .strict_validate(false)
                .generate_name_section(false)
                .generate_producers_section(false)
                .parse_file(input)
                .with_context(|| format!("cannot read {}", input.display()))?;
            snip(&mut module)?;
            bindgen.input_module(name, module)
        }
    };
    bindgen
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
