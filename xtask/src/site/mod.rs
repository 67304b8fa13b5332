//! The site's files, as the server embeds them: hashed names, compressed copies, and a manifest that says which is which.
//!
//! A name carries the hash of its content, so a file that exists is right: nothing equal is ever written again, and cargo
//! sees no reason to rebuild the server.

mod client;
mod css;
mod folder;
mod naming;
mod scan;
mod style;

pub use folder::walk;
pub use naming::content_hash;

use crate::{
    context::Context,
    tools::{Quality, Tools},
};
use anyhow::Result;
use serde_json::json;
use std::{collections::BTreeMap, path::Path};

/// Path below target/site -> content.
type Files = BTreeMap<String, Vec<u8>>;

/// Where the browser finds `pkg/NAME`.
fn address(path: &str) -> String {
    format!("/{path}")
}

/// Writes target/site from wasm-bindgen's output and style/.
pub fn assemble(context: &Context, bindgen_output: &Path, tools: &Tools, quality: Quality) -> Result<()> {
    let mut files = Files::new();
    let client = client::collect(bindgen_output, &mut files)?;
    let style = style::collect(&context.root.join("style"), &mut files)?;
    let manifest = json!({
        "js": address(&client.js),
        "wasm": address(&client.wasm),
        "boot": address(&client.boot),
        "css": address(&style.css),
        "assets": style.assets.iter().map(|(name, path)| (name.clone(), address(path))).collect::<BTreeMap<_, _>>(),
    });

    let site = context.site();
    let uncompressed = folder::sync(&site, &files)?;
    tools.compress(context, &uncompressed, quality)?;
    // Last: whoever reads the manifest finds all that it names.
    folder::write_if_different(&site.join("manifest.json"), format!("{manifest:#}\n").as_bytes())
}
