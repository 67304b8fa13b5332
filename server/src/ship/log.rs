//! A queue of records on disk: appended durably, read in order, removed from the front. The core of the spool.
//!
//! Records lie in segments, files that are named after the number of their first record. A record is its length, its
//! hash and its bytes. Only the last segment is ever written to, so after a crash only its end can be torn: what was not
//! written whole was never acknowledged to anybody, and is cut off.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

/// The beginning of every segment: what it is, and the version of its form.
const MAGIC: &[u8; 8] = b"TGSHIP1\n";
/// Before each record: its length (4 bytes) and its hash (8 bytes), both little endian.
const FRAME_BYTES: u64 = 12;
/// Longer ones are no records of ours.
const MAX_RECORD_BYTES: u64 = 256 << 20;

/// Why the queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The disk does not do it.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why not.
        error: io::Error,
    },
    /// Something is in the middle of the queue that was never written there.
    #[error("{} is damaged at byte {offset}, in the middle of the queue", path.display())]
    Damaged {
        /// Segment.
        path: PathBuf,
        /// Where it is no longer a record.
        offset: u64,
    },
    /// Written by another version.
    #[error("{} was written by another version of Towngauge", path.display())]
    Version {
        /// Segment.
        path: PathBuf,
    },
}

fn failed(what: &'static str) -> impl FnOnce(io::Error) -> LogError {
    move |error| LogError::Io { what, error }
}

/// One file of the queue.
#[derive(Debug)]
struct Segment {
    path: PathBuf,
    /// Number of its first record.
    first: u64,
    /// Records in it.
    count: u64,
    /// Bytes in it that are whole records, the magic included.
    bytes: u64,
}

/// A record that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its number; the first is 1, and none is ever used twice.
    pub seq: u64,
    /// What was appended.
    pub body: Vec<u8>,
}

/// The queue.
#[derive(Debug)]
pub struct Log {
    folder: PathBuf,
    segments: VecDeque<Segment>,
    /// The last record that was removed.
    acked: u64,
    /// Where the record after it begins in its segment.
    front: u64,
    next: u64,
    segment_bytes: u64,
}

impl Log {
    /// Opens the queue in `folder`, of which everything up to the record `removed` is done with. A segment that has
    /// `segment_bytes` is full.
    ///
    /// # Errors
    /// The folder cannot be read or written, or something in it is not what was written there.
    pub fn open(folder: &Path, removed: u64, segment_bytes: u64) -> Result<Self, LogError> {
        fs::create_dir_all(folder).map_err(failed("the spool's folder cannot be made"))?;
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed("the spool's folder cannot be read"))? {
            let path = entry.map_err(failed("the spool's folder cannot be read"))?.path();
            let first = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok());
            if let (Some(first), Some("seg")) = (first, path.extension().and_then(|extension| extension.to_str())) {
                found.push((first, path));
            }
        }
        found.sort();
        let mut log = Self {
            folder: folder.to_owned(),
            segments: VecDeque::new(),
            acked: removed,
            front: length(MAGIC),
            next: removed + 1,
            segment_bytes,
        };
        let last = found.len().saturating_sub(1);
        let mut end = 0;
        for (place, (first, path)) in found.into_iter().enumerate() {
            let segment = scan(first, path, place == last)?;
            if segment.first < end {
                return Err(LogError::Damaged { path: segment.path, offset: 0 });
            }
            end = segment.first + segment.count;
            log.segments.push_back(segment);
        }
        log.next = log.next.max(end);
        // Files go from the front, and only when they are done with: the note of it may be older than they are.
        let gone = log.segments.front().map_or(0, |segment| segment.first - 1);
        log.acked = log.acked.max(gone);
        log.find_front()?;
        Ok(log)
    }

    /// Appends records; when it returns they survive a crash, all of them, in this order.
    ///
    /// # Errors
    /// The disk is full or fails; then none of them was appended.
    pub fn append(&mut self, bodies: &[Vec<u8>]) -> Result<(), LogError> {
        let goes_on = |last: &Segment| last.bytes < self.segment_bytes && last.first + last.count == self.next;
        if !self.segments.back().is_some_and(goes_on) {
            self.begin_segment()?;
        }
        let Some(last) = self.segments.back_mut() else { return Ok(()) };
        let mut bytes = Vec::with_capacity(bodies.iter().map(|body| body.len() + 12).sum());
        for body in bodies {
            bytes.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend_from_slice(&xxh3_64(body).to_le_bytes());
            bytes.extend_from_slice(body);
        }
        let mut file = OpenOptions::new().write(true).open(&last.path).map_err(failed("the spool cannot be opened"))?;
        let write = |file: &mut File| {
            // Also cuts off what an append that failed may have left.
            file.set_len(last.bytes)?;
            file.seek(SeekFrom::Start(last.bytes))?;
            file.write_all(&bytes)?;
            file.sync_data()
        };
        if let Err(error) = write(&mut file) {
            // If this fails as well, the next append does it, or opening.
            let _ = file.set_len(last.bytes);
            return Err(LogError::Io { what: "the spool cannot be written", error });
        }
        last.bytes += length(&bytes);
        let count = u64::try_from(bodies.len()).unwrap_or(0);
        last.count += count;
        self.next += count;
        Ok(())
    }

    /// The oldest records, in order: at least one if any waits, and no more than `max_bytes` unless one alone is.
    ///
    /// # Errors
    /// The disk fails.
    pub fn peek(&self, max_bytes: u64) -> Result<Vec<Record>, LogError> {
        let mut records = Vec::new();
        let mut taken = 0;
        let mut offset = self.front;
        for segment in self.segments.iter().filter(|segment| segment.first + segment.count > self.acked + 1) {
            let mut file = File::open(&segment.path).map_err(failed("the spool cannot be read"))?;
            file.seek(SeekFrom::Start(offset)).map_err(failed("the spool cannot be read"))?;
            while offset < segment.bytes {
                let damaged = || LogError::Damaged { path: segment.path.clone(), offset };
                let body = read_record(&mut file).map_err(failed("the spool cannot be read"))?.ok_or_else(damaged)?;
                taken += length(&body);
                if taken > max_bytes && !records.is_empty() {
                    return Ok(records);
                }
                offset += FRAME_BYTES + length(&body);
                records.push(Record { seq: self.acked + 1 + length(&records), body });
            }
            offset = length(MAGIC);
        }
        Ok(records)
    }

    /// Hands out every record that is on disk and younger than `seq`, those that are done with too.
    ///
    /// # Errors
    /// The disk fails.
    pub fn replay(&self, seq: u64, take: &mut dyn FnMut(Record)) -> Result<(), LogError> {
        for segment in self.segments.iter().filter(|segment| segment.first + segment.count > seq + 1) {
            let file = File::open(&segment.path).map_err(failed("the spool cannot be read"))?;
            let mut reader = io::BufReader::new(file);
            reader.seek(SeekFrom::Start(length(MAGIC))).map_err(failed("the spool cannot be read"))?;
            for number in segment.first..segment.first + segment.count {
                let damaged = || LogError::Damaged { path: segment.path.clone(), offset: 0 };
                let body = read_record(&mut reader).map_err(failed("the spool cannot be read"))?.ok_or_else(damaged)?;
                if number > seq {
                    take(Record { seq: number, body });
                }
            }
        }
        Ok(())
    }

    /// Everything up to the record `seq` is done with. Its files stay until [`Log::drop_finished`].
    ///
    /// # Errors
    /// The disk fails.
    pub fn acknowledge(&mut self, seq: u64) -> Result<(), LogError> {
        let known = (self.acked + 1, self.front);
        self.acked = self.acked.max(seq.min(self.next - 1));
        self.find_front_from(known)
    }

    /// Whether there are files that hold nothing that waits; a last one that is hardly begun does not count.
    #[must_use]
    pub fn has_finished(&self) -> bool {
        self.segments.front().is_some_and(|segment| self.is_finished(segment, self.segments.len() == 1))
    }

    /// Deletes the files of [`Log::has_finished`].
    ///
    /// # Errors
    /// The disk fails.
    pub fn drop_finished(&mut self) -> Result<(), LogError> {
        while self.has_finished() {
            if let Some(segment) = self.segments.pop_front() {
                fs::remove_file(&segment.path).map_err(failed("a file of the spool cannot be removed"))?;
            }
        }
        self.find_front()
    }

    /// Bytes of the files.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Bytes that wait.
    #[must_use]
    pub fn waiting_bytes(&self) -> u64 {
        let waits = |segment: &&Segment| segment.first + segment.count > self.acked + 1;
        let all: u64 = self.segments.iter().filter(waits).map(|segment| segment.bytes - length(MAGIC)).sum();
        all.saturating_sub(self.front - length(MAGIC))
    }

    /// Records that wait.
    #[must_use]
    pub const fn waiting(&self) -> u64 {
        self.next - 1 - self.acked
    }

    /// The next record gets a number after `seq`.
    pub fn skip_to(&mut self, seq: u64) {
        if self.next <= seq {
            self.next = seq + 1;
            self.acked = seq;
        }
    }

    /// The last record that is done with.
    #[must_use]
    pub const fn acked(&self) -> u64 {
        self.acked
    }

    /// The last record there is.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.next - 1
    }

    const fn is_finished(&self, segment: &Segment, is_last: bool) -> bool {
        // A last one with much in it goes too, or what waits in a small spool would never get room.
        segment.first + segment.count <= self.acked + 1 && (!is_last || segment.bytes >= self.segment_bytes / 4)
    }

    fn begin_segment(&mut self) -> Result<(), LogError> {
        let path = self.folder.join(format!("{:020}.seg", self.next));
        let begin = |path: &Path| {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
            file.write_all(MAGIC)?;
            file.sync_data()?;
            sync_folder(&self.folder)
        };
        begin(&path).map_err(failed("the spool cannot be written"))?;
        self.segments.push_back(Segment { path, first: self.next, count: 0, bytes: length(MAGIC) });
        self.find_front()
    }

    fn find_front(&mut self) -> Result<(), LogError> {
        self.find_front_from((0, 0))
    }

    /// Finds where the record after `acked` begins; of one record it is known already.
    fn find_front_from(&mut self, (seq, offset): (u64, u64)) -> Result<(), LogError> {
        self.front = length(MAGIC);
        let wanted = self.acked + 1;
        // The last one may end there: what is appended to it goes on from its end.
        let Some(segment) = self.segments.iter().rev().find(|segment| segment.first <= wanted) else {
            return Ok(());
        };
        let end = wanted.min(segment.first + segment.count);
        let mut begin = segment.first;
        if (segment.first..=wanted).contains(&seq) {
            (begin, self.front) = (seq, offset);
        }
        let mut file = File::open(&segment.path).map_err(failed("the spool cannot be read"))?;
        for _ in begin..end {
            let mut frame = [0; 4];
            file.seek(SeekFrom::Start(self.front)).map_err(failed("the spool cannot be read"))?;
            file.read_exact(&mut frame).map_err(failed("the spool cannot be read"))?;
            self.front += FRAME_BYTES + u64::from(u32::from_le_bytes(frame));
        }
        Ok(())
    }
}

/// Makes a new file's name survive a crash.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn length<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).unwrap_or(u64::MAX)
}

/// Reads a segment through; the end of the last one is cut off where it is no record.
fn scan(first: u64, path: PathBuf, is_last: bool) -> Result<Segment, LogError> {
    let mut file =
        OpenOptions::new().read(true).write(is_last).open(&path).map_err(failed("the spool cannot be read"))?;
    let size = file.metadata().map_err(failed("the spool cannot be read"))?.len();
    let mut magic = [0; MAGIC.len()];
    if size < length(MAGIC) && is_last {
        // It was being made: nothing was in it yet.
        let begin = |file: &mut File| {
            file.set_len(0)?;
            file.write_all(MAGIC)?;
            file.sync_data()
        };
        begin(&mut file).map_err(failed("the spool cannot be written"))?;
        return Ok(Segment { path, first, count: 0, bytes: length(MAGIC) });
    }
    file.read_exact(&mut magic).map_err(failed("the spool cannot be read"))?;
    if magic != *MAGIC {
        return Err(LogError::Version { path });
    }
    let (mut bytes, mut count) = (length(MAGIC), 0);
    let mut reader = io::BufReader::new(&mut file);
    while bytes < size {
        match read_record(&mut reader).map_err(failed("the spool cannot be read"))? {
            Some(body) => {
                bytes += FRAME_BYTES + length(&body);
                count += 1;
            }
            None if is_last => {
                drop(reader);
                file.set_len(bytes).map_err(failed("the spool cannot be written"))?;
                break;
            }
            None => return Err(LogError::Damaged { path, offset: bytes }),
        }
    }
    Ok(Segment { path, first, count, bytes })
}

/// The next record; none where there is no whole one.
fn read_record(reader: &mut impl io::Read) -> io::Result<Option<Vec<u8>>> {
    let mut frame = [0; 12];
    if !filled(reader.read_exact(&mut frame))? {
        return Ok(None);
    }
    let (size, hash) = frame.split_at(4);
    let size = u64::from(u32::from_le_bytes(size.try_into().unwrap_or_default()));
    if size > MAX_RECORD_BYTES {
        return Ok(None);
    }
    let mut body = Vec::new();
    reader.take(size).read_to_end(&mut body)?;
    let whole = length(&body) == size && xxh3_64(&body).to_le_bytes() == hash;
    Ok(whole.then_some(body))
}

fn filled(read: io::Result<()>) -> io::Result<bool> {
    match read {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
