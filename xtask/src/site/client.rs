//! The client's files: the module, its JavaScript, what that imports, and the script which starts it.

use super::{
    Files,
    folder::walk,
    naming::{content_hash, hashed_name},
};
use anyhow::{Context as _, Result};
use std::{fs, path::Path};

/// Paths below target/site.
pub struct Client {
    pub js: String,
    pub wasm: String,
    pub boot: String,
}

/// `name` is the page's, and becomes part of the files' names.
pub fn collect(name: &str, bindgen_output: &Path, files: &mut Files) -> Result<Client> {
    let read =
        |name: &str| fs::read(bindgen_output.join(name)).with_context(|| format!("wasm-bindgen wrote no {name}"));
    let wasm = read("towngauge_bg.wasm")?;
    let mut js = String::from_utf8(read("towngauge.js")?).context("wasm-bindgen's JavaScript is not UTF-8")?;

    let snippets = walk(&bindgen_output.join("snippets"))?;
    if !snippets.is_empty() {
        // Their own folder names follow the crate's version, not its content: not good enough for immutable caching.
        let all: Vec<u8> = snippets.iter().flat_map(|(path, content)| [path.as_bytes(), content].concat()).collect();
        let folder = format!("snippets.{}", content_hash(&all));
        js = js.replace("./snippets/", &format!("./{folder}/"));
        for (path, content) in snippets {
            files.insert(format!("pkg/{folder}/{path}"), content);
        }
    }

    let wasm_name = hashed_name(&format!("{name}.wasm"), &wasm);
    let js_name = hashed_name(&format!("{name}.js"), js.as_bytes());
    let boot = boot_script(&js_name, &wasm_name);
    let boot_name = hashed_name("boot.js", boot.as_bytes());
    let client =
        Client { js: format!("pkg/{js_name}"), wasm: format!("pkg/{wasm_name}"), boot: format!("pkg/{boot_name}") };
    files.insert(client.wasm.clone(), wasm);
    files.insert(client.js.clone(), js.into_bytes());
    files.insert(client.boot.clone(), boot.into_bytes());
    Ok(client)
}

/// A file of its own, because the content security policy forbids inline scripts. The mark says that buttons answer now.
fn boot_script(js_name: &str, wasm_name: &str) -> String {
    format!(
        "import init, {{ hydrate }} from './{js_name}';\n\
         await init({{ module_or_path: new URL('./{wasm_name}', import.meta.url) }});\n\
         hydrate();\n\
         document.documentElement.dataset.hydrated = '';\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bindgen_output(snippet: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("towngauge_bg.wasm"), "module").unwrap();
        fs::write(folder.path().join("towngauge.js"), "import { f } from './snippets/app-1/inline0.js';").unwrap();
        fs::create_dir_all(folder.path().join("snippets/app-1")).unwrap();
        fs::write(folder.path().join("snippets/app-1/inline0.js"), snippet).unwrap();
        folder
    }

    #[test]
    fn every_name_changes_with_what_it_leads_to() {
        let (mut first, mut second) = (Files::new(), Files::new());
        let before = collect("page", bindgen_output("one").path(), &mut first).unwrap();
        let after = collect("page", bindgen_output("two").path(), &mut second).unwrap();
        assert_eq!(before.wasm, after.wasm);
        assert_ne!(before.js, after.js, "the snippet's folder is part of the JavaScript");
        assert_ne!(before.boot, after.boot, "the boot script names the JavaScript");
    }

    #[test]
    fn imports_of_snippets_find_their_file() {
        let mut files = Files::new();
        let client = collect("page", bindgen_output("one").path(), &mut files).unwrap();
        let js = String::from_utf8(files[&client.js].clone()).unwrap();
        let import = js.split('\'').nth(1).unwrap().trim_start_matches("./");
        assert!(files.contains_key(&format!("pkg/{import}")), "{import} in {:?}", files.keys());
    }

    #[test]
    fn the_boot_script_names_both_files() {
        let mut files = Files::new();
        let client = collect("page", bindgen_output("one").path(), &mut files).unwrap();
        let boot = String::from_utf8(files[&client.boot].clone()).unwrap();
        for path in [&client.js, &client.wasm] {
            assert!(boot.contains(&path.replace("pkg/", "./")), "{boot}");
        }
    }
}
