//! Makes a folder hold exactly the wanted files, and touches none that is already right.

use super::Files;
use anyhow::{Context as _, Result};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Beside each of these lies a .br and a .gz; the other formats are compressed by themselves.
const COMPRESSIBLE: [&str; 6] = ["js", "css", "wasm", "svg", "json", "txt"];
const COMPRESSED: [&str; 2] = ["br", "gz"];

/// Removes what is not wanted, writes what is missing, and returns the files without their compressed copies.
pub fn sync(site: &Path, files: &Files) -> Result<Vec<PathBuf>> {
    remove_unwanted(site, files)?;
    let mut uncompressed = Vec::new();
    for (path, content) in files {
        let target = site.join(path);
        write_if_different(&target, content)?;
        if is_compressible(path) && COMPRESSED.iter().any(|extension| !with_suffix(&target, extension).exists()) {
            uncompressed.push(target);
        }
    }
    Ok(uncompressed)
}

pub fn write_if_different(target: &Path, content: &[u8]) -> Result<()> {
    if fs::read(target).is_ok_and(|existing| existing == content) {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    // The compressed copies of other content under this name, if there are any, are wrong now.
    for extension in COMPRESSED {
        let _ = fs::remove_file(with_suffix(target, extension));
    }
    fs::write(target, content).with_context(|| format!("cannot write {}", target.display()))
}

/// Every file below `folder` by its path with forward slashes; nothing when there is no such folder.
pub fn walk(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        if !folder.exists() {
            continue;
        }
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                open.push((entry.path(), format!("{path}/")));
            } else if !name.starts_with('.') {
                files.insert(path, fs::read(entry.path())?);
            }
        }
    }
    Ok(files)
}

fn remove_unwanted(site: &Path, files: &Files) -> Result<()> {
    for path in walk(&site.join("pkg"))?.into_keys().map(|name| format!("pkg/{name}")) {
        let original = COMPRESSED.iter().find_map(|extension| path.strip_suffix(extension)?.strip_suffix('.'));
        let is_wanted = files.contains_key(&path)
            || original.is_some_and(|original| files.contains_key(original) && is_compressible(original));
        if !is_wanted {
            fs::remove_file(site.join(&path)).with_context(|| format!("cannot remove {path}"))?;
        }
    }
    remove_empty_folders(&site.join("pkg"))
}

fn remove_empty_folders(folder: &Path) -> Result<()> {
    for entry in folder.read_dir().into_iter().flatten() {
        let path = entry?.path();
        if path.is_dir() {
            remove_empty_folders(&path)?;
            if path.read_dir()?.next().is_none() {
                fs::remove_dir(path)?;
            }
        }
    }
    Ok(())
}

fn is_compressible(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| COMPRESSIBLE.contains(&extension))
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Files {
        paths.iter().map(|path| ((*path).to_owned(), path.as_bytes().to_vec())).collect()
    }

    #[test]
    fn old_files_go_and_compressed_copies_of_the_new_stay() {
        let site = tempfile::tempdir().unwrap();
        sync(site.path(), &files(&["pkg/a.1.js", "pkg/snippets.1/b.js"])).unwrap();
        for name in ["a.1.js.br", "a.1.js.gz", "a.1.js.br.part"] {
            fs::write(site.path().join("pkg").join(name), "").unwrap();
        }

        let uncompressed = sync(site.path(), &files(&["pkg/a.1.js", "pkg/c.1.css"])).unwrap();

        let left: Vec<String> = walk(site.path()).unwrap().into_keys().collect();
        assert_eq!(left, ["pkg/a.1.js", "pkg/a.1.js.br", "pkg/a.1.js.gz", "pkg/c.1.css"]);
        assert_eq!(uncompressed, [site.path().join("pkg/c.1.css")]);
        assert!(!site.path().join("pkg/snippets.1").exists());
    }

    #[test]
    fn an_equal_file_is_not_written_again() {
        let site = tempfile::tempdir().unwrap();
        let file = site.path().join("pkg/a.1.png");
        sync(site.path(), &files(&["pkg/a.1.png"])).unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH;
        fs::File::options().write(true).open(&file).unwrap().set_modified(old).unwrap();

        assert!(sync(site.path(), &files(&["pkg/a.1.png"])).unwrap().is_empty(), "a picture is not compressed again");
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), old);
    }
}
