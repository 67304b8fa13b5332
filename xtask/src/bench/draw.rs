//! P5: the chart crate in a page of its own, beside the other libraries.

use super::{Bench, browser, measurement::Measurement};
use crate::{
    cargo::WASM,
    client,
    step::Step,
    tools::Tools,
    wasm_target::{self, Purpose},
};
use anyhow::{Context as _, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What the page asks for.
const NAME: &str = "draw_bench";

pub fn run(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let page = build(bench)?;
    let rounds = if bench.quick { "3" } else { "7" };
    browser::script(bench, "run-draw.mjs", [page.as_os_str(), rounds.as_ref()])
}

/// The page's folder: our WASM as the product's is made, and the peers in one bundle.
fn build(bench: &Bench<'_>) -> Result<PathBuf> {
    let context = bench.context;
    let page = context.target().join("bench/draw");
    let wasm = compile(bench)?;
    let tools = Tools::default();
    let mut bindgen = Command::new(tools.pack(context)?);
    bindgen.arg("bindgen").args([&wasm, &page]).arg(NAME);
    Step::new("wasm-bindgen (drawing)", bindgen)
        .hint("Are the versions of wasm-bindgen in Cargo.toml and xtask/pack/Cargo.toml equal?")
        .run(context)?;
    if let Some(wasm_opt) = tools.wasm_opt(context)? {
        wasm_opt.shrink(context, "draw", &page.join(format!("{NAME}_bg.wasm")))?;
    }

    let source = browser::provide_peers(bench)?;
    bundle(bench, &source, &page)?;
    for name in ["draw.html", "draw.js", "node_modules/uplot/dist/uPlot.min.css"] {
        let from = source.join(name);
        let to = page.join(from.file_name().context("a file has a name")?);
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(page)
}

fn compile(bench: &Bench<'_>) -> Result<PathBuf> {
    let context = bench.context;
    let toolchain = wasm_target::provide(context, Purpose::Build)?;
    let target = client::target_dir(context);
    let subcommand = ["build", "--package", "draw-bench", "--target", WASM, "--profile", "wasm-release"];
    Step::new("build the chart for P5", toolchain.command(context, &subcommand, &target))
        .hint("Fix what the compiler says above")
        .run(context)?;
    Ok(target.join(WASM).join("wasm-release").join(format!("{NAME}.wasm")))
}

fn bundle(bench: &Bench<'_>, source: &Path, page: &Path) -> Result<()> {
    let mut esbuild = Command::new(source.join("node_modules/.bin/esbuild"));
    esbuild
        .current_dir(source)
        .args(["peers.js", "--bundle", "--minify", "--define:process.env.NODE_ENV=\"production\""])
        .arg(format!("--outfile={}", page.join("peers.bundle.js").display()));
    Step::new("bundle the peers", esbuild)
        .hint("Remove end2end/bench/node_modules and run again")
        .run(bench.context)?;
    Ok(())
}
