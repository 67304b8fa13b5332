//! Gemini CLI's chats as a source of files.

use std::io;
use std::path::{Path, PathBuf};

use super::SOURCE;
use super::chat::ChatReader;
use crate::source::file_source::{FileSource, Reading, changed_at};
use crate::source::project::Project;
use crate::source::tail::{self, Piece};
use crate::source::{LineReader, environment, whole};

/// In newer versions a file beside the chats says which folder they belong to.
const PROJECT_ROOT: &str = ".project_root";
/// Longest folder that is believed.
const MAX_ROOT_BYTES: u64 = 4_096;
/// Hexadecimal digits of a hash of a project's folder; the first of them stand for it.
const HASH_DIGITS: usize = 64;
const SHOWN_DIGITS: usize = 8;

/// Chats of Gemini CLI.
#[derive(Debug, Clone, Copy)]
pub struct Chats;

impl FileSource for Chats {
    fn name(&self) -> &'static str {
        SOURCE
    }
    fn word(&self) -> &'static str {
        "gemini"
    }
    fn about(&self) -> &'static str {
        "Gemini CLI: its folder (~/.gemini), a project's chats or a file"
    }
    fn roots(&self) -> Vec<PathBuf> {
        let homes = environment::folders("GEMINI_DATA_DIR", ".gemini");
        homes.into_iter().map(|home| home.join("tmp")).filter(|folder| folder.is_dir()).collect()
    }
    fn owns(&self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_lines = name.ends_with(".jsonl");
        // A sub-agent's: `chats/<session of its parent>/<its session>.jsonl`.
        let is_sub_agent = || path.parent().and_then(Path::parent).is_some_and(|above| above.ends_with("chats"));
        (name.starts_with("session-") && (is_lines || name.ends_with(".json"))) || (is_lines && is_sub_agent())
    }
    fn read(&self, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let part = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let (stem, extension) = (part(reading.path.file_stem()), part(reading.path.extension()));
        let changed = changed_at(reading.path);
        let reader = |memory: Option<&str>| ChatReader::new(&stem, &extension, project(reading), changed, memory);
        if extension == "jsonl" {
            let mut open = |memory: Option<&str>| -> Box<dyn LineReader> { Box::new(reader(memory)) };
            return tail::read(reading.path, reading.from, reading.last_line, &mut open, emit);
        }
        whole::read(reading, emit, &|content, out| reader(None).whole(content, out))
    }
}

/// The project of `<project>/chats/session-….json`: by its folder's path, where that is known, or else by the folder's
/// name, which is a hash of the path or made from it.
fn project(reading: &Reading<'_>) -> Project {
    let Some(folder) = reading.path.ancestors().find(|folder| folder.ends_with("chats")).and_then(Path::parent) else {
        return Project::of("", reading.shared);
    };
    let known = folder.join(PROJECT_ROOT);
    if known.metadata().is_ok_and(|meta| meta.len() <= MAX_ROOT_BYTES)
        && let Ok(root) = std::fs::read_to_string(&known)
    {
        return Project::of(root.trim(), reading.shared);
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let is_hash = name.len() == HASH_DIGITS && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    Project::named(if is_hash { &name[..SHOWN_DIGITS] } else { &name }, reading.shared)
}
