//! Events as rows of COPY's binary format, made ready before their turn to be copied: while Postgres takes them in, this
//! process has nothing left to do for them but to hand them over.

use model::event::PricedEvent;
use sqlx::postgres::PgConnection;

use super::{DbError, TownKey, event};

/// Postgres reads 64 KiB at a time; larger pieces only wait in between.
const PIECE_BYTES: usize = 64 << 10;
/// The signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// Encoded events, one after the other.
#[derive(Debug, Default)]
pub struct CopyRows {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
}

impl CopyRows {
    /// All of `events`, in their order.
    pub fn of<'a>(events: impl IntoIterator<Item = (TownKey, &'a PricedEvent)>) -> Self {
        let mut rows = Self::default();
        events.into_iter().for_each(|(town, event)| rows.push(town, event));
        rows
    }

    /// Appends one.
    pub fn push(&mut self, town: TownKey, event: &PricedEvent) {
        event::encode(&mut self.bytes, town, event);
        self.ends.push(self.bytes.len());
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Copies those rows in whose positions `order` names, in that order. Fails as a whole when one of them is stored
    /// already (23505) or its day has no partition (23514).
    ///
    /// # Errors
    /// As above, and whatever Postgres reports.
    pub async fn copy(
        &self,
        connection: &mut PgConnection,
        order: impl Iterator<Item = usize>,
    ) -> Result<u64, DbError> {
        let mut sink = connection.copy_in_raw("copy event from stdin (format binary)").await?;
        let mut piece = Vec::with_capacity(PIECE_BYTES + 4096);
        piece.extend_from_slice(HEADER);
        for row in order {
            piece.extend_from_slice(self.row(row));
            if piece.len() >= PIECE_BYTES {
                sink.send(piece.as_slice()).await?;
                piece.clear();
            }
        }
        piece.extend_from_slice(&(-1_i16).to_be_bytes());
        sink.send(piece.as_slice()).await?;
        Ok(sink.finish().await?)
    }

    fn row(&self, position: usize) -> &[u8] {
        let begin = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[position]]
    }
}
