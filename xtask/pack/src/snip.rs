//! Takes out of the client what can never run in it: Leptos' asynchronous hydration.
//!
//! Every erased view (`into_any`) carries a pointer to it, for routes that are loaded lazily, so the linker keeps all of
//! it: up to a tenth of a page's client. Nothing here is loaded lazily: `frontend` hydrates at once.

use anyhow::{Result, ensure};
use walrus::{FunctionBuilder, FunctionKind, Module};

/// As symbols spell it; the pollers of its futures are closures of it.
const DEAD: &str = "13hydrate_async";
/// What every client with an erased view has, too.
const ERASES: &str = "8into_any";
const CLOSURE: &str = "28_$u7b$$u7b$closure$u7d$$u7d$";

/// Whether the symbol is such a function, or the poller of one's future. Not what drops such a future: the compiler may
/// have merged that with what drops others.
fn is_dead(symbol: &str) -> bool {
    let Some((_, rest)) = symbol.rsplit_once(DEAD) else { return false };
    let mut rest = rest;
    while let Some(shorter) = rest.strip_prefix(CLOSURE) {
        rest = shorter;
    }
    // Then only the symbol's hash.
    rest.strip_prefix("17h").is_some_and(|hash| hash.len() == 17 && hash.ends_with('E'))
}

/// Each of these becomes a trap; what only they called goes when wasm-bindgen collects garbage.
///
/// # Errors
/// There are erased views and no such functions: symbols are spelled another way now, and this file has to learn it.
pub fn snip(module: &mut Module) -> Result<()> {
    let dead: Vec<_> = module
        .funcs
        .iter()
        .filter(|function| function.name.as_deref().is_some_and(is_dead))
        .filter_map(|function| match &function.kind {
            FunctionKind::Local(local) => Some((function.id(), local.ty())),
            FunctionKind::Import(_) | FunctionKind::Uninitialized(_) => None,
        })
        .collect();
    let erases = module.funcs.iter().any(|function| function.name.as_deref().is_some_and(|name| name.contains(ERASES)));
    ensure!(
        erases != dead.is_empty(),
        "erased views without asynchronous hydration: are symbols named another way now?"
    );
    for (id, ty) in &dead {
        let ty = module.types.get(*ty);
        let (params, results) = (ty.params().to_vec(), ty.results().to_vec());
        let arguments = params.iter().map(|param| module.locals.add(*param)).collect();
        let mut trap = FunctionBuilder::new(&mut module.types, &params, &results);
        trap.func_body().unreachable();
        module.funcs.get_mut(*id).kind = FunctionKind::Local(trap.local_func(arguments));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use walrus::ValType;

    use super::*;

    fn module(symbols: &[&str]) -> Module {
        let mut module = Module::default();
        for symbol in symbols {
            let mut function = FunctionBuilder::new(&mut module.types, &[], &[ValType::I32]);
            function.name((*symbol).to_owned()).func_body().i32_const(7);
            function.finish(Vec::new(), &mut module.funcs);
        }
        module
    }

    #[test]
    fn what_is_dead_traps_and_the_rest_stays_as_it_was() {
        let (dead, alive) =
            ("_ZN8into_any13hydrate_async17h1df85991dd0733eaE", "_ZN8into_any5build17h1df85991dd0733eaE");
        let mut module = module(&[dead, alive]);
        snip(&mut module).unwrap();
        let first = |symbol| {
            let id = module.funcs.by_name(symbol).unwrap();
            let function = module.funcs.get(id).kind.unwrap_local();
            function.block(function.entry_block()).instrs[0].0.clone()
        };
        assert!(first(dead).is_unreachable() && first(alive).is_const());
    }

    #[test]
    fn without_erased_views_there_is_nothing_to_do_and_with_them_something_must_be_found() {
        assert!(snip(&mut module(&["_ZN5build17h1df85991dd0733eaE"])).is_ok());
        let error = snip(&mut module(&["_ZN8into_any5build17h1df85991dd0733eaE"])).unwrap_err();
        assert!(error.to_string().contains("named another way"), "{error}");
    }

    #[test]
    fn the_future_and_its_pollers_are_dead_and_nothing_that_only_names_them() {
        let any = "_ZN53_$LT$T$u20$as$u20$tachys..view..any_view..IntoAny$GT$8into_any";
        let (hash, closure) = ("17h1df85991dd0733eaE", CLOSURE);
        assert!(is_dead(&format!("{any}{DEAD}{hash}")));
        assert!(is_dead(&format!("{any}{DEAD}{closure}{hash}")));
        assert!(is_dead(&format!("{any}{DEAD}{closure}{closure}{hash}")));
        assert!(!is_dead(&format!("{any}19hydrate_from_server{hash}")));
        assert!(!is_dead(&format!(
            "_ZN4core3ptr95drop_in_place$LT$x..hydrate_async..$u7b$$u7b$closure$u7d$$u7d$$GT${hash}"
        )));
        // What a closure calls may be called by others too.
        assert!(!is_dead(&format!("{any}{DEAD}{closure}4prep{hash}")));
    }
}
