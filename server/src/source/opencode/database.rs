//! Sessions in SQLite: what is new or unfinished in the tables `message` and `part`.

use std::io;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, Row};
use serde::{Deserialize, Serialize};

use super::message::{self, Named, Progress, instant};
use super::part;
use super::sessions::log_of;
use crate::db::cursor::Cursor;
use crate::ingest::Rejection;
use crate::source::file_source::{Reading, changed_at};
use crate::source::refusal::Refusal;
use crate::source::tail::Piece;
use crate::source::{Yield, project::Project};

/// Rows after which a piece is handed on.
const PIECE_ROWS: u64 = 2_000;
/// Items that are looked at again until they are complete; of more the oldest are given up.
const MAX_PENDING: usize = 500;
/// Characters of an id that are shown where its row is rejected.
const SHOWN_ID_CHARS: usize = 60;
const MICROS_PER_MILLISECOND: i64 = 1_000;
/// How long to wait for the agent, which is writing.
const BUSY: Duration = Duration::from_secs(2);

/// How far the database was read; kept with its cursor, as JSON.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Memory {
    message: Table,
    part: Table,
}

/// How far one table was read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Table {
    /// The newest `time_updated`.
    updated: i64,
    /// Rows that were not complete.
    pending: Vec<String>,
}

impl Table {
    fn seen(&mut self, id: &str, updated: i64, progress: Progress) {
        self.updated = self.updated.max(updated);
        self.pending.retain(|pending| pending != id);
        if progress == Progress::Pending {
            if self.pending.len() >= MAX_PENDING {
                self.pending.remove(0);
            }
            self.pending.push(id.to_owned());
        }
    }
}

/// Reads what changed since `reading.from`. Opened read-only: the agent's database is never written to.
pub(super) fn read(source: &str, reading: &Reading<'_>, emit: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(reading.path, flags).map_err(failed)?;
    database.busy_timeout(BUSY).map_err(failed)?;
    let memory = reading.from.and_then(|from| from.memory.as_deref());
    let memory: Memory = memory.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let changed = changed_at(reading.path).max(changed_at(&log_of(reading.path)));
    let latest = changed.map_or(i64::MAX, |changed| changed.0 / MICROS_PER_MILLISECOND);
    let sessions = Sessions::of(&database).map_err(failed)?;
    let mut scan = Scan { source, reading, sessions, latest, memory, found: Yield::default(), stopped: false };
    // What one table holds counts, whatever is wrong with the other.
    let messages = scan.messages(&database, emit);
    let parts = scan.parts(&database, emit);
    scan.hand_on(emit);
    messages.and(parts).map_err(failed)
}

/// The kind of what SQLite reports, which is kept where its words, with the path in them, must not be.
fn failed(error: rusqlite::Error) -> io::Error {
    let kind = match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => io::ErrorKind::PermissionDenied,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => io::ErrorKind::ResourceBusy,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => io::ErrorKind::InvalidData,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// Whether the database says when its sessions began. Older ones do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sessions {
    Timed,
    Timeless,
}

impl Sessions {
    fn of(database: &Connection) -> rusqlite::Result<Self> {
        let timed = columns_of(database, "session")?.iter().any(|name| name == "time_created");
        Ok(if timed { Self::Timed } else { Self::Timeless })
    }
    /// What to select, and what to join to the table called `of`.
    fn sql(self, of: &str) -> (&'static str, String) {
        match self {
            Self::Timed => ("s.time_created", format!("left join session s on s.id = {of}.session_id")),
            Self::Timeless => ("null", String::new()),
        }
    }
}

struct Scan<'s> {
    source: &'s str,
    reading: &'s Reading<'s>,
    sessions: Sessions,
    /// When the database changed last, milliseconds since 1970: no row can have changed later, whatever it says.
    latest: i64,
    memory: Memory,
    found: Yield,
    /// Nobody listens any more.
    stopped: bool,
}

impl Scan<'_> {
    fn messages(&mut self, database: &Connection, emit: &mut dyn FnMut(Piece) -> bool) -> rusqlite::Result<()> {
        let Some(updated) = updated_column(database, "message")? else { return Ok(()) };
        let (began, sessions) = self.sessions.sql("m");
        let sql = format!(
            "select m.id, {updated} as updated, m.session_id, {began}, m.data from message m {sessions} \
             where {updated} >= ?1 or m.id in (select value from json_each(?2)) order by updated, m.rowid"
        );
        let from = self.memory.message.clone();
        let mut statement = database.prepare(&sql)?;
        let mut rows = statement.query((from.updated, pending(&from)))?;
        while let Some(row) = rows.next()? {
            let (id, updated) = head(row, self.latest);
            let (source, shared) = (self.source, self.reading.shared);
            let progress = self.item(&id, |out| {
                let body = Body::of(row)?;
                message::read(body.data.as_bytes(), body.named(&id), source, shared, out)
            });
            self.memory.message.seen(&id, updated, progress);
            if self.is_full() && !self.hand_on(emit) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn parts(&mut self, database: &Connection, emit: &mut dyn FnMut(Piece) -> bool) -> rusqlite::Result<()> {
        let Some(updated) = updated_column(database, "part")? else { return Ok(()) };
        let updated = updated.replace("m.", "p.");
        let (began, sessions) = self.sessions.sql("p");
        let sql = format!(
            "select p.id, {updated} as updated, p.session_id, {began}, p.data, m.data from part p \
             left join message m on m.id = p.message_id {sessions} \
             where {updated} >= ?1 or p.id in (select value from json_each(?2)) order by updated, p.rowid"
        );
        let from = self.memory.part.clone();
        let mut statement = database.prepare(&sql)?;
        let mut rows = statement.query((from.updated, pending(&from)))?;
        while let Some(row) = rows.next()?.filter(|_| !self.stopped) {
            let (id, updated) = head(row, self.latest);
            let (source, shared) = (self.source, self.reading.shared);
            let progress = self.item(&id, |out| {
                let body = Body::of(row)?;
                let of_message = || row.get::<_, String>(5).unwrap_or_default();
                let project = || message::project(of_message().as_bytes(), shared);
                // Most parts are texts, of which only the beginning of their kind is looked at.
                let project = if body.data.contains("\"tool\"") { project() } else { Project::default() };
                part::read(body.data.as_bytes(), body.named(&id), source, &project, out)
            });
            self.memory.part.seen(&id, updated, progress);
            if self.is_full() && !self.hand_on(emit) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads one item; a bad one is rejected by its id.
    fn item(&mut self, id: &str, read: impl FnOnce(&mut Yield) -> Result<Progress, Refusal>) -> Progress {
        self.found.lines += 1;
        read(&mut self.found).unwrap_or_else(|reason| {
            let shown: String = id.chars().filter(|c| !c.is_control()).take(SHOWN_ID_CHARS).collect();
            let place = format!("{}: {shown}", self.reading.file_name());
            self.found.rejected.push(Rejection { place, reason: reason.into_owned() });
            Progress::Done
        })
    }

    const fn is_full(&self) -> bool {
        self.found.lines >= PIECE_ROWS
    }

    fn hand_on(&mut self, emit: &mut dyn FnMut(Piece) -> bool) -> bool {
        let memory = serde_json::to_string(&self.memory).ok();
        let found = std::mem::take(&mut self.found);
        let cursor = Cursor { head: 0, position: 0, lines: 0, memory };
        self.stopped = !emit(Piece { found, cursor, bytes: 0 });
        !self.stopped
    }
}

/// A row's id, and when it changed last, but not after `latest`. What is neither is read as nothing.
fn head(row: &Row<'_>, latest: i64) -> (String, i64) {
    let updated: i64 = row.get(1).unwrap_or(0);
    (row.get(0).unwrap_or_default(), updated.min(latest))
}

/// The rest of a row.
struct Body {
    session: String,
    /// When the session began, milliseconds since 1970.
    session_began: Option<f64>,
    data: String,
}

impl Body {
    fn of(row: &Row<'_>) -> Result<Self, Refusal> {
        let texts = row.get(2).and_then(|session| Ok((session, row.get(4)?)));
        let (session, data) = texts.map_err(|_| "a column is no text")?;
        Ok(Self { session, session_began: row.get(3).unwrap_or_default(), data })
    }
    fn named<'b>(&'b self, id: &'b str) -> Named<'b> {
        Named { id: Some(id), session: Some(&self.session), session_began: self.session_began.and_then(instant) }
    }
}

fn pending(table: &Table) -> String {
    serde_json::to_string(&table.pending).unwrap_or_else(|_| "[]".to_owned())
}

/// What tells when a row of the table last changed: a column of newer versions, or else nothing, and every row is read
/// each time. `None`: there is no such table.
fn updated_column(database: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let names = columns_of(database, table)?;
    if names.is_empty() {
        return Ok(None);
    }
    let known = names.iter().any(|name| name == "time_updated");
    Ok(Some(if known { "m.time_updated".to_owned() } else { "0".to_owned() }))
}

/// The names of a table's columns; none when there is no such table.
fn columns_of(database: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = database.prepare("select name from pragma_table_info(?1)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}
