//! The client's files: embedded, precompressed, cached for ever under hashed names.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use app::{AssetPaths, Client, ClientPaths};
use serde::Deserialize;

/// One embedded file.
#[derive(Debug)]
pub struct Embedded {
    /// Address, such as `/pkg/towngauge-1f3a.js`.
    pub path: &'static str,
    /// As it is.
    pub plain: &'static [u8],
    /// Compressed with brotli.
    pub br: Option<&'static [u8]>,
    /// Compressed with gzip.
    pub gz: Option<&'static [u8]>,
}

/// Written by build.rs.
mod table {
    use super::Embedded;
    include!(concat!(env!("OUT_DIR"), "/assets.rs"));
}

/// Where the client's files come from.
#[derive(Debug, Clone)]
pub enum Assets {
    /// Out of the binary.
    Embedded,
    /// From the folder that `cargo leptos watch` writes, uncached.
    Folder(PathBuf),
}

#[derive(Deserialize)]
struct Manifest {
    css: String,
    #[serde(default)]
    assets: BTreeMap<String, String>,
    clients: BTreeMap<String, ManifestClient>,
}

#[derive(Deserialize)]
struct ManifestClient {
    js: String,
    wasm: String,
    boot: String,
}

/// An empty picture: better than a browser that asks for one in vain.
const NO_ICON: &str = "data:,";

/// The module that starts the WASM when cargo-leptos built it, which makes none.
pub const WATCH_BOOT: &str = "import init,{hydrate} from '/pkg/towngauge.js';\
init({module_or_path:'/pkg/towngauge.wasm'}).then(()=>hydrate());\n";

impl Assets {
    /// Looks at `LEPTOS_SITE_ROOT`, which `cargo leptos watch` sets.
    #[must_use]
    pub fn find(env: &dyn Fn(&str) -> Option<String>) -> Self {
        env("LEPTOS_SITE_ROOT").map_or(Self::Embedded, |root| Self::Folder(PathBuf::from(root)))
    }

    /// Whether there is a client at all.
    #[must_use]
    pub const fn is_built(&self) -> bool {
        matches!(self, Self::Folder(_)) || table::MANIFEST.is_some()
    }

    /// The addresses that a page with this client names.
    #[must_use]
    pub fn paths(&self, client: Client) -> AssetPaths {
        let embedded = if matches!(self, Self::Folder(_)) { None } else { embedded_paths(client) };
        // cargo-leptos builds one client for all pages, under these names.
        embedded.unwrap_or_else(|| AssetPaths {
            css: "/pkg/towngauge.css".to_owned(),
            icon: NO_ICON.to_owned(),
            client: ClientPaths {
                js: "/pkg/towngauge.js".to_owned(),
                wasm: "/pkg/towngauge.wasm".to_owned(),
                boot: "/pkg/boot.js".to_owned(),
            },
        })
    }

    /// An embedded file.
    #[must_use]
    pub fn embedded(path: &str) -> Option<&'static Embedded> {
        let place = table::FILES.binary_search_by_key(&path, |file| file.path).ok();
        // Sorted by file system path, which may differ from the order of addresses.
        place.and_then(|i| table::FILES.get(i)).or_else(|| table::FILES.iter().find(|file| file.path == path))
    }
}

fn embedded_paths(client: Client) -> Option<AssetPaths> {
    let Manifest { css, mut assets, mut clients } = serde_json::from_str(table::MANIFEST?).ok()?;
    let ManifestClient { js, wasm, boot } = clients.remove(client.name())?;
    let icon = assets.remove("icon.svg").unwrap_or_else(|| NO_ICON.to_owned());
    Some(AssetPaths { css, icon, client: ClientPaths { js, wasm, boot } })
}

/// A file below `root`, unless the address leads out of it.
#[must_use]
pub fn below(root: &Path, path: &str) -> Option<PathBuf> {
    let relative = Path::new(path.trim_start_matches('/'));
    let tame = relative.components().all(|part| matches!(part, Component::Normal(_)));
    tame.then(|| root.join(relative))
}

/// What a file is, by its ending.
#[must_use]
pub fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Whether a name carries a hash of the content: at least eight hexadecimal digits between `-` or `.` and the ending.
#[must_use]
pub fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(['-', '.', '_']).any(|part| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        assert!(is_hashed("/pkg/towngauge-0f3ab1c2.js"));
        assert!(is_hashed("/pkg/main.0123456789abcdef.css"));
        assert!(!is_hashed("/pkg/icon.svg"));
        assert!(!is_hashed("/pkg/towngauge.js"));
    }

    #[test]
    fn addresses_do_not_lead_out_of_the_folder() {
        let root = Path::new("/site");
        assert_eq!(below(root, "/pkg/a.js"), Some(PathBuf::from("/site/pkg/a.js")));
        assert_eq!(below(root, "/pkg/../../etc/passwd"), None);
        assert_eq!(below(root, "//etc/passwd"), Some(PathBuf::from("/site/etc/passwd")));
    }
}
