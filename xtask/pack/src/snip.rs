//! Empties functions that nothing can reach, but that vtables still name, so that wasm-opt cannot see it.
//!
//! Leptos' erased views carry an asynchronous twin of hydration beside the synchronous one. Our client hydrates
//! synchronously (`mount::hydrate_body`); the twins, an eighth of its code, are called by nothing but each other. Should
//! one ever run, it traps, and every browser test fails.

use anyhow::{Result, ensure};
use walrus::{
    FunctionKind, Module, ModuleConfig,
    ir::{Instr, Unreachable},
};

/// Part of the names, in rustc's mangling, of what is emptied.
const UNREACHABLE: &str = "hydrate_async";

pub fn snip(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut config = ModuleConfig::new();
    config.generate_name_section(true).generate_producers_section(false);
    let mut module = config.parse(wasm)?;
    let snipped = empty(&mut module);
    ensure!(snipped > 0, "no function's name contains {UNREACHABLE}: is the client built with its names, or has Leptos changed?");
    Ok(module.emit_wasm())
}

fn empty(module: &mut Module) -> usize {
    let mut snipped = 0;
    for function in module.funcs.iter_mut() {
        if !function.name.as_deref().is_some_and(|name| name.contains(UNREACHABLE)) {
            continue;
        }
        if let FunctionKind::Local(local) = &mut function.kind {
            let entry = local.entry_block();
            let body = &mut local.block_mut(entry).instrs;
            body.clear();
            body.push((Instr::Unreachable(Unreachable {}), walrus::InstrLocId::default()));
            snipped += 1;
        }
    }
    snipped
}
