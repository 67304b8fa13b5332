//! Sessions in SQLite: what is new or unfinished in the tables `message` and `part`.

use std::io;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Row};
use serde::{Deserialize, Serialize};

use super::message::{self, Named, Progress};
use super::part;
use crate::db::cursor::Cursor;
use crate::ingest::Rejection;
use crate::source::file_source::Reading;
use crate::source::refusal::Refusal;
use crate::source::tail::Piece;
use crate::source::{Yield, project::Project};

/// Rows after which a piece is handed on.
const PIECE_ROWS: u64 = 2_000;
/// Items that are looked at again until they are complete; of more the oldest are given up.
const MAX_PENDING: usize = 500;
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
    let database = Connection::open_with_flags(reading.path, flags).map_err(io::Error::other)?;
    database.busy_timeout(BUSY).map_err(io::Error::other)?;
    let memory = reading.from.and_then(|from| from.memory.as_deref());
    let memory: Memory = memory.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    let mut scan = Scan { source, reading, memory, found: Yield::default(), stopped: false };
    scan.messages(&database, emit).map_err(io::Error::other)?;
    scan.parts(&database, emit).map_err(io::Error::other)?;
    scan.hand_on(emit);
    Ok(())
}

struct Scan<'s> {
    source: &'s str,
    reading: &'s Reading<'s>,
    memory: Memory,
    found: Yield,
    /// Nobody listens any more.
    stopped: bool,
}

impl Scan<'_> {
    fn messages(&mut self, database: &Connection, emit: &mut dyn FnMut(Piece) -> bool) -> rusqlite::Result<()> {
        let Some(updated) = updated_column(database, "message")? else { return Ok(()) };
        let sql = format!(
            "select m.id, m.session_id, m.data, {updated} as updated from message m \
             where {updated} >= ?1 or m.id in (select value from json_each(?2)) order by updated, m.rowid"
        );
        let from = self.memory.message.clone();
        let mut statement = database.prepare(&sql)?;
        let mut rows = statement.query((from.updated, pending(&from)))?;
        while let Some(row) = rows.next()? {
            let (id, session, data, updated) = columns(row)?;
            let named = Named { id: Some(&id), session: Some(&session) };
            let (source, shared) = (self.source, self.reading.shared);
            let progress = self.item(&id, |out| message::read(data.as_bytes(), named, source, shared, out));
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
        let sql = format!(
            "select p.id, p.session_id, p.data, {updated} as updated, m.data from part p \
             left join message m on m.id = p.message_id \
             where {updated} >= ?1 or p.id in (select value from json_each(?2)) order by updated, p.rowid"
        );
        let from = self.memory.part.clone();
        let mut statement = database.prepare(&sql)?;
        let mut rows = statement.query((from.updated, pending(&from)))?;
        while let Some(row) = rows.next()?.filter(|_| !self.stopped) {
            let (id, session, data, updated) = columns(row)?;
            let of_message: Option<String> = row.get(4)?;
            let named = Named { id: Some(&id), session: Some(&session) };
            let (source, shared) = (self.source, self.reading.shared);
            let progress = self.item(&id, |out| {
                let project = || message::project(of_message.unwrap_or_default().as_bytes(), shared);
                // Most parts are texts, of which only the beginning of their kind is looked at.
                let project = if data.contains("\"tool\"") { project() } else { Project::default() };
                part::read(data.as_bytes(), named, source, &project, out)
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
            let place = format!("{}: {id}", self.reading.file_name());
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

type Columns = (String, String, String, i64);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get::<_, Option<i64>>(3)?.unwrap_or(0)))
}

fn pending(table: &Table) -> String {
    serde_json::to_string(&table.pending).unwrap_or_else(|_| "[]".to_owned())
}

/// What tells when a row of the table last changed: a column of newer versions, or else nothing, and every row is read
/// each time. `None`: there is no such table.
fn updated_column(database: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = database.prepare("select name from pragma_table_info(?1)")?;
    let names: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if names.is_empty() {
        return Ok(None);
    }
    let known = names.iter().any(|name| name == "time_updated");
    Ok(Some(if known { "m.time_updated".to_owned() } else { "0".to_owned() }))
}
