//! P6, its first half: what each page's files weigh, brotli-compressed, as the server embeds them.

use super::{
    Bench,
    measurement::{Measurement, Wanted},
};
use crate::client::PAGES;
use anyhow::{Context as _, Result};
use std::fs;

const LIMIT_BYTES: f64 = 200.0 * 1024.0;

pub fn run(bench: &Bench<'_>) -> Result<Vec<Measurement>> {
    let site = bench.context.site();
    let manifest = fs::read_to_string(site.join("manifest.json")).context("no site: run `cargo xtask build`")?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest)?;
    PAGES.iter().map(|page| weigh(bench, &manifest, page)).collect()
}

fn weigh(bench: &Bench<'_>, manifest: &serde_json::Value, page: &str) -> Result<Measurement> {
    let site = bench.context.site();
    let client = &manifest["clients"][page];
    let mut bytes = 0;
    for (name, address) in
        [("js", &client["js"]), ("wasm", &client["wasm"]), ("boot", &client["boot"]), ("css", &manifest["css"])]
    {
        let address = address.as_str().with_context(|| format!("the site's manifest names no {name} for {page}"))?;
        let file = site.join(format!("{}.br", address.trim_start_matches('/')));
        bytes += fs::metadata(&file).with_context(|| format!("no {}", file.display()))?.len();
    }
    #[expect(clippy::cast_precision_loss, reason = "a site is smaller than 2^52 bytes")]
    let ours = vec![bytes as f64];
    Ok(Measurement {
        target: "P6".to_owned(),
        what: format!("{page}: WASM + JS + CSS, brotli"),
        unit: "B".to_owned(),
        limit: vec![LIMIT_BYTES],
        peer: Vec::new(),
        ours,
        wanted: Wanted::AtMost(1.0),
    })
}
