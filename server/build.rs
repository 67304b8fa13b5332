//! Embeds the built client: a table of the files under target/site, with their compressed copies.
//!
//! Without a built client the table is empty and the server still compiles; its pages then work without WASM.

use std::fmt::Write as _;
use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let began = SystemTime::now();
    let site = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../target/site");
    // Cargo would build again and again for a folder that does not exist.
    fs::create_dir_all(&site)?;
    // While `cargo xtask` makes the site, it holds this lock: a first build of both sides then compiles the server
    // once. Held until this script ends.
    let lock = fs::File::open(site.with_file_name("site.lock")).ok();
    if let Some(lock) = &lock
        && matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
    {
        lock.lock_shared()?;
        backdate(&site, began)?;
    }
    println!("cargo::rerun-if-changed={}", site.display());
    // A new migration has to be embedded too.
    println!("cargo::rerun-if-changed=../migrations");

    let manifest = site.join("manifest.json");
    let mut table = String::new();
    if manifest.is_file() {
        let _ =
            writeln!(table, "pub static MANIFEST: Option<&str> = Some(include_str!({:?}));", manifest.canonicalize()?);
    } else {
        let _ = writeln!(table, "pub static MANIFEST: Option<&str> = None;");
    }
    let mut files = Vec::new();
    collect(&site.join("pkg"), &mut files)?;
    files.sort();
    let _ = writeln!(table, "pub static FILES: &[Embedded] = &[");
    for file in &files {
        let is_copy = |extension: &str| file.extension().is_some_and(|e| e == extension);
        if is_copy("br") || is_copy("gz") {
            continue;
        }
        let relative = file.strip_prefix(&site).unwrap_or(file).to_string_lossy().replace('\\', "/");
        let copy = |extension: &str| -> io::Result<String> {
            let path = PathBuf::from(format!("{}.{extension}", file.display()));
            Ok(if path.is_file() {
                format!("Some(include_bytes!({:?}))", path.canonicalize()?)
            } else {
                "None".to_owned()
            })
        };
        let _ = writeln!(
            table,
            "Embedded {{ path: {:?}, plain: include_bytes!({:?}), br: {}, gz: {} }},",
            format!("/{relative}"),
            file.canonicalize()?,
            copy("br")?,
            copy("gz")?
        );
    }
    let _ = writeln!(table, "];");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("assets.rs");
    fs::write(out, table)
}

/// What was written while this script waited is embedded by it. Cargo would take it for newer than the script, and
/// compile the server a second time for the same files.
fn backdate(site: &Path, began: SystemTime) -> io::Result<()> {
    // Cargo's own mark is a moment older than the process.
    let before = began - Duration::from_secs(2);
    let mut files = Vec::new();
    collect(site, &mut files)?;
    let mut places: Vec<PathBuf> = files.iter().flat_map(|file| file.ancestors().map(Path::to_owned)).collect();
    places.retain(|place| place.starts_with(site));
    places.push(site.to_owned());
    for place in places {
        let opened = fs::File::open(&place)?;
        if opened.metadata()?.modified()? > before {
            opened.set_modified(before)?;
        }
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
