//! Reading a file that is rewritten as a whole whenever something in it changes.

use std::io::{self, Read as _};

use xxhash_rust::xxh3::xxh3_64;

use super::Yield;
use super::file_source::Reading;
use super::tail::{LastLine, Piece};
use crate::db::cursor::Cursor;

/// Largest file that is taken.
const MAX_BYTES: u64 = 256 << 20;

/// Hands the content to `parse`, unless it is the same as when it was read before. A file that is being written may be
/// met without its end: with [`LastLine::Wait`] one that does not end like JSON waits for its next change.
///
/// # Errors
/// The file cannot be opened or read, or is too large.
pub fn read(
    reading: &Reading<'_>,
    emit: &mut dyn FnMut(Piece) -> bool,
    parse: &dyn Fn(&[u8], &mut Yield),
) -> io::Result<()> {
    let mut content = Vec::new();
    std::fs::File::open(reading.path)?.take(MAX_BYTES + 1).read_to_end(&mut content)?;
    let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
    if bytes > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("is larger than {} MiB", MAX_BYTES >> 20)));
    }
    let cursor = Cursor { head: xxh3_64(&content).cast_signed(), position: bytes, lines: 0, memory: None };
    let unchanged = reading.from.is_some_and(|from| (from.head, from.position) == (cursor.head, cursor.position));
    let unfinished = !matches!(content.trim_ascii_end().last(), Some(b'}' | b']'));
    if unchanged || (unfinished && reading.last_line == LastLine::Wait) {
        return Ok(());
    }
    let mut found = Yield::default();
    parse(&content, &mut found);
    emit(Piece { found, cursor, bytes });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::file_source::Shared;

    #[test]
    fn the_same_content_is_read_once_and_a_half_one_waits() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        let shared = Shared { projects: std::sync::Arc::default(), no_paths: false };
        let read_on = |text: &str, from: Option<&Cursor>, last_line: LastLine| {
            std::fs::write(&path, text).unwrap();
            let mut cursor = None;
            let reading = Reading { path: &path, from, last_line, shared: &shared };
            let parse = |bytes: &[u8], out: &mut Yield| out.lines += u64::try_from(bytes.len()).unwrap();
            read(
                &reading,
                &mut |piece| {
                    assert_eq!(piece.found.lines, piece.bytes);
                    cursor = Some(piece.cursor);
                    true
                },
                &parse,
            )
            .unwrap();
            cursor
        };
        let first = read_on("{\"a\":1}\n", None, LastLine::Wait);
        assert!(first.is_some());
        assert_eq!(read_on("{\"a\":1}\n", first.as_ref(), LastLine::Wait), None);
        assert_eq!(read_on("{\"a\":1", first.as_ref(), LastLine::Wait), None);
        assert!(read_on("{\"a\":1", None, LastLine::Take).is_some());
        assert!(read_on("{\"a\":2}\n", first.as_ref(), LastLine::Wait).is_some());
    }
}
