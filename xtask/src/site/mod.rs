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
    client::{PAGES, Part},
    context::Context,
    tools::{Quality, Tools},
};
use anyhow::Result;
use serde_json::json;
use std::{collections::BTreeMap, path::PathBuf};

/// Path below target/site -> content.
type Files = BTreeMap<String, Vec<u8>>;

/// Where the browser finds `pkg/NAME`.
fn address(path: &str) -> String {
    format!("/{path}")
}

/// Writes target/site from wasm-bindgen's outputs, one per part of the client, and style/.
pub fn assemble(context: &Context, outputs: &[(Part, PathBuf)], tools: &Tools, quality: Quality) -> Result<()> {
    let mut files = Files::new();
    let mut clients = BTreeMap::new();
    for (part, output) in outputs {
        let client = client::collect(part.name(), output, &mut files)?;
        let names = match part {
            Part::All => PAGES.to_vec(),
            Part::Page(page) => vec![*page],
        };
        for name in names {
            let addresses =
                json!({ "js": address(&client.js), "wasm": address(&client.wasm), "boot": address(&client.boot) });
            clients.insert(name, addresses);
        }
    }
    let style = style::collect(&context.root.join("style"), &mut files)?;
    let manifest = json!({
        "clients": clients,
        "css": address(&style.css),
        "assets": style.assets.iter().map(|(name, path)| (name.clone(), address(path))).collect::<BTreeMap<_, _>>(),
    });

    let site = context.site();
    let uncompressed = folder::sync(&site, &files)?;
    tools.compress(context, &uncompressed, quality)?;
    // Last: whoever reads the manifest finds all that it names.
    folder::write_if_different(&site.join("manifest.json"), format!("{manifest:#}\n").as_bytes())
}
