//! The stylesheet in one file, and the pictures and fonts beside it.

use super::{Files, css, folder::walk, naming::hashed_name};
use anyhow::{Context as _, Result};
use std::{collections::BTreeMap, path::Path};

const ENTRY: &str = "main.css";

/// Paths below target/site.
pub struct Style {
    pub css: String,
    /// Name in style/ -> path.
    pub assets: BTreeMap<String, String>,
}

pub fn collect(folder: &Path, files: &mut Files) -> Result<Style> {
    let mut sheets = BTreeMap::new();
    let mut assets = BTreeMap::new();
    for (name, content) in walk(folder)? {
        if name.ends_with(".css") {
            let text = String::from_utf8(content).with_context(|| format!("style/{name} is not UTF-8"))?;
            sheets.insert(name, text);
        } else if !name.ends_with(".md") {
            let path = format!("pkg/{}", hashed_name(&name, &content));
            files.insert(path.clone(), content);
            assets.insert(name, path);
        }
    }
    // The stylesheet lies in pkg/ itself, so what follows pkg/ is relative to it.
    let relative =
        assets.iter().map(|(name, path)| (name.clone(), path.trim_start_matches("pkg/").to_owned())).collect();
    let text = css::bundle(ENTRY, &sheets, &relative)?;
    let path = format!("pkg/{}", hashed_name("towngauge.css", text.as_bytes()));
    files.insert(path.clone(), text.into_bytes());
    Ok(Style { css: path, assets })
}
