//! Reading a growing file line by line from where reading stopped, through rotation, truncation and half lines.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use super::{LineReader, Spot, Yield};
use crate::db::cursor::Cursor;
use crate::ingest::Rejection;

/// Bytes read at once.
const CHUNK_BYTES: usize = 1 << 20;
/// Longest line that is taken; a longer one is rejected.
pub const MAX_LINE_BYTES: usize = 64 << 20;
/// Events, bad lines and beads after which a piece is handed on.
const PIECE_ITEMS: usize = 2_000;

/// What was read of a file, and how far reading came with it.
#[derive(Debug)]
pub struct Piece {
    /// Events and bad lines.
    pub found: Yield,
    /// To be kept once the events are committed.
    pub cursor: Cursor,
    /// Bytes read for this piece.
    pub bytes: u64,
}

/// How a file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastLine {
    /// A last line without an end is being written: it waits.
    Wait,
    /// It is taken if it is whole JSON; the cursor stays before it, so that it is met again (as a duplicate).
    Take,
}

/// Reads `path` from `from` to its end, handing on pieces until `emit` says `false`.
///
/// The file is read from its beginning when it is not the one that `from` is about: when it begins otherwise, is
/// shorter, or has no line end where reading stopped.
///
/// # Errors
/// The file cannot be opened or read.
pub fn read<'r>(
    path: &Path,
    from: Option<&Cursor>,
    last_line: LastLine,
    open: &mut dyn FnMut(Option<&str>) -> Box<dyn LineReader + 'r>,
    emit: &mut dyn FnMut(Piece) -> bool,
) -> io::Result<()> {
    let mut file = File::open(path)?;
    let start = match from {
        Some(cursor) if continues(&mut file, cursor)? => cursor.clone(),
        _ => Cursor::default(),
    };
    let mut reading = Reading::new(path, file, start, open)?;
    reading.run(last_line, emit)
}

/// Whether the file still begins, and ends where reading stopped, as when `cursor` was kept, and has a line end where reading stopped.
fn continues(file: &mut File, cursor: &Cursor) -> io::Result<bool> {
    if cursor.position == 0 || file.metadata()?.len() < cursor.position {
        return Ok(false);
    }
    if head(file, cursor.position)? != cursor.head {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(cursor.position - 1))?;
    let mut end = [0];
    file.read_exact(&mut end)?;
    Ok(end == *b"\n")
}

/// Hash of the first bytes, of as many as were read, and of as many before where reading stopped: a file out of whose
/// middle something was taken begins as before.
fn head(file: &mut File, position: u64) -> io::Result<i64> {
    let mut bytes = Vec::new();
    let size = position.min(Cursor::HEAD_BYTES);
    for from in [0, position - size] {
        file.seek(SeekFrom::Start(from))?;
        file.by_ref().take(size).read_to_end(&mut bytes)?;
    }
    Ok(xxh3_64(&bytes).cast_signed())
}

struct Reading<'r> {
    name: String,
    file: File,
    reader: Box<dyn LineReader + 'r>,
    cursor: Cursor,
    /// Read and not yet taken: the beginning of a line.
    carry: Vec<u8>,
    /// A line that is too long: bytes of it that were thrown away.
    skipped: u64,
    found: Yield,
    bytes: u64,
}

impl<'r> Reading<'r> {
    fn new(
        path: &Path,
        mut file: File,
        cursor: Cursor,
        open: &mut dyn FnMut(Option<&str>) -> Box<dyn LineReader + 'r>,
    ) -> io::Result<Self> {
        file.seek(SeekFrom::Start(cursor.position))?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let reader = open(cursor.memory.as_deref());
        Ok(Self { name, file, reader, cursor, carry: Vec::new(), skipped: 0, found: Yield::default(), bytes: 0 })
    }

    fn run(&mut self, last_line: LastLine, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let n = self.file.read(&mut chunk)?;
            if n == 0 {
                break;
            }
            self.take(&chunk[..n]);
            if self.found.items() >= PIECE_ITEMS && !self.hand_on(emit)? {
                return Ok(());
            }
        }
        self.reader.report(&mut self.found);
        // The cursor is settled before a half line is looked at, which it must not include.
        let settled = self.settled()?;
        if last_line == LastLine::Take && self.skipped == 0 && is_json(&self.carry) {
            self.found.lines += 1;
            let spot = Spot { line: self.cursor.lines + 1, offset: self.cursor.position };
            self.reader.line(&self.carry, spot, &mut self.found);
        }
        emit(Piece { found: std::mem::take(&mut self.found), cursor: settled, bytes: std::mem::take(&mut self.bytes) });
        Ok(())
    }

    fn hand_on(&mut self, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<bool> {
        self.reader.report(&mut self.found);
        let cursor = self.settled()?;
        Ok(emit(Piece { found: std::mem::take(&mut self.found), cursor, bytes: std::mem::take(&mut self.bytes) }))
    }

    /// The cursor with what belongs to it.
    fn settled(&mut self) -> io::Result<Cursor> {
        let here = self.file.stream_position()?;
        self.cursor.head = head(&mut self.file, self.cursor.position)?;
        self.file.seek(SeekFrom::Start(here))?;
        self.cursor.memory = self.reader.memory();
        Ok(self.cursor.clone())
    }

    fn take(&mut self, chunk: &[u8]) {
        self.bytes += length(chunk);
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', chunk) {
            let tail = &chunk[start..end];
            start = end + 1;
            if self.skipped > 0 {
                let whole = std::mem::take(&mut self.skipped) + length(tail) + 1;
                self.too_long(whole);
            } else if self.carry.is_empty() {
                self.line(tail);
            } else {
                let mut line = std::mem::take(&mut self.carry);
                line.extend_from_slice(tail);
                self.line(&line);
                line.clear();
                self.carry = line;
            }
        }
        let rest = &chunk[start..];
        if self.skipped > 0 {
            self.skipped += length(rest);
        } else if self.carry.len() + rest.len() > MAX_LINE_BYTES {
            self.skipped = length(&self.carry) + length(rest);
            self.carry = Vec::new();
        } else {
            self.carry.extend_from_slice(rest);
        }
    }

    fn line(&mut self, line: &[u8]) {
        if line.len() > MAX_LINE_BYTES {
            return self.too_long(length(line) + 1);
        }
        self.found.lines += 1;
        let spot = Spot { line: self.cursor.lines + 1, offset: self.cursor.position };
        self.reader.line(line, spot, &mut self.found);
        self.cursor.lines += 1;
        self.cursor.position += length(line) + 1;
    }

    fn too_long(&mut self, bytes: u64) {
        self.found.lines += 1;
        self.cursor.lines += 1;
        self.cursor.position += bytes;
        let place = format!("{}:{}", self.name, self.cursor.lines);
        let reason = format!("the line is longer than {} MiB", MAX_LINE_BYTES >> 20);
        self.found.rejected.push(Rejection { place, reason });
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn is_json(line: &[u8]) -> bool {
    line.trim_ascii_end().ends_with(b"}") && serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;

    /// Hands every line out, and remembers how many it saw.
    struct Echo(Arc<Mutex<Vec<String>>>, u64);
    impl LineReader for Echo {
        fn line(&mut self, line: &[u8], spot: Spot, _: &mut Yield) {
            self.1 += 1;
            let text = format!("{}@{}:{}", String::from_utf8_lossy(line), spot.offset, spot.line);
            self.0.lock().unwrap().push(text);
        }
        fn memory(&self) -> Option<String> {
            Some(self.1.to_string())
        }
    }

    fn read_on(path: &Path, from: Option<&Cursor>, last: LastLine) -> (Vec<String>, Cursor, Yield) {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (mut cursor, mut found) = (Cursor::default(), Yield::default());
        let mut open = |memory: Option<&str>| {
            let seen = memory.map_or(0, |memory| memory.parse().unwrap());
            Box::new(Echo(Arc::clone(&lines), seen)) as Box<dyn LineReader>
        };
        read(path, from, last, &mut open, &mut |piece| {
            cursor = piece.cursor;
            found.rejected.extend(piece.found.rejected);
            true
        })
        .unwrap();
        let lines = lines.lock().unwrap().clone();
        (lines, cursor, found)
    }

    fn file(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jsonl");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn a_half_line_waits_until_it_is_whole() {
        let (_dir, path) = file("one\ntw");
        let (lines, cursor, _) = read_on(&path, None, LastLine::Wait);
        assert_eq!((lines, cursor.position, cursor.lines), (vec!["one@0:1".to_owned()], 4, 1));
        std::fs::write(&path, "one\ntwo\nthree\n").unwrap();
        let (lines, cursor, _) = read_on(&path, Some(&cursor), LastLine::Wait);
        assert_eq!(lines, ["two@4:2", "three@8:3"]);
        assert_eq!((cursor.position, cursor.lines, cursor.memory.as_deref()), (14, 3, Some("3")));
    }

    #[test]
    fn a_whole_last_line_without_an_end_is_taken_when_asked_but_not_passed() {
        let (_dir, path) = file("{\"a\":1}\n{\"b\":2}");
        let (lines, cursor, _) = read_on(&path, None, LastLine::Take);
        assert_eq!((lines.len(), cursor.position), (2, 8));
        std::fs::write(&path, "{\"a\":1}\n{\"b\":").unwrap();
        assert_eq!(read_on(&path, None, LastLine::Take).0.len(), 1);
    }

    #[test]
    fn a_file_that_was_cut_or_replaced_is_read_from_its_beginning() {
        let (_dir, path) = file("one\ntwo\n");
        let (_, cursor, _) = read_on(&path, None, LastLine::Wait);
        let again = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_on(&path, Some(&cursor), LastLine::Wait).0
        };
        assert_eq!(again("two\n"), ["two@0:1"]);
        assert_eq!(again("new\nfile\nlonger\n").len(), 3);
        assert_eq!(again("one\ntwo\nthree\n"), ["three@8:3"]);
        assert_eq!(again("one\ntwo\n"), Vec::<String>::new());
        assert_eq!(again("one\nsix\nten\n").len(), 3);
    }

    #[test]
    fn a_line_that_is_too_long_is_rejected_and_the_next_one_read() {
        let (_dir, path) = file("");
        let mut text = vec![b'x'; MAX_LINE_BYTES + 5];
        text.extend_from_slice(b"\nnext\n");
        std::fs::write(&path, &text).unwrap();
        let (lines, cursor, found) = read_on(&path, None, LastLine::Wait);
        assert_eq!(found.rejected.len(), 1);
        assert_eq!(lines, [format!("next@{}:2", MAX_LINE_BYTES + 6)]);
        assert_eq!(cursor.position, length(&text));
    }

    #[test]
    fn bad_lines_alone_make_pieces_too() {
        struct Refuse;
        impl LineReader for Refuse {
            fn line(&mut self, _: &[u8], _: Spot, out: &mut Yield) {
                out.rejected.push(Rejection { place: String::new(), reason: String::new() });
            }
            fn memory(&self) -> Option<String> {
                None
            }
        }
        let (_dir, path) = file(&"x\n".repeat(2 * CHUNK_BYTES));
        let mut pieces = 0;
        let mut open = |_: Option<&str>| Box::new(Refuse) as Box<dyn LineReader>;
        read(&path, None, LastLine::Wait, &mut open, &mut |_| {
            pieces += 1;
            true
        })
        .unwrap();
        assert_eq!(pieces, 5, "one for each chunk, and the end");
    }

    proptest! {
        #[test]
        fn any_appends_give_the_lines_of_the_whole(text in "[ab\n]{0,60}", cuts in proptest::collection::vec(0..60_usize, 0..5)) {
            let (_dir, path) = file(&text);
            let whole = read_on(&path, None, LastLine::Wait).0;
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.sort_unstable();
            cuts.push(text.len());
            let (mut lines, mut cursor) = (Vec::new(), None);
            for cut in cuts {
                std::fs::write(&path, &text[..cut]).unwrap();
                let (more, next, _) = read_on(&path, cursor.as_ref(), LastLine::Wait);
                lines.extend(more);
                cursor = Some(next);
            }
            prop_assert_eq!(lines, whole);
        }
    }
}
