//! One listener: what it is told, and from where it goes on.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::tz::TimeZone;
use model::event_line::Ready;
use model::id::TownName;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio::time::timeout;

use super::producer::Piece;
use super::{Feeds, HEARTBEAT_S, message};
use crate::db::feed::{self, Cursor};
use crate::db::{DbError, TownKey};
use crate::read::Reader;

/// How long the store is left alone after it did not answer a listener.
const RETRY: Duration = Duration::from_secs(1);

/// What a listener asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Which town.
    pub town: TownName,
    /// Its number.
    pub key: TownKey,
    /// Where it was (`Last-Event-ID`); none: it begins now.
    pub last: Option<Cursor>,
    /// Days and months begin in this zone.
    pub zone: TimeZone,
    /// The zone's name.
    pub zone_name: String,
}

/// A stream under way. It holds nothing but its place: bytes are made when the socket takes more.
pub struct Listener {
    feeds: Feeds,
    reader: Arc<Reader>,
    asked: Asked,
    cursor: Cursor,
    ring: broadcast::Receiver<Piece>,
    /// What comes next is in the store, not in the ring.
    behind: bool,
    /// To be said before anything else.
    first: Option<Bytes>,
    _place: OwnedSemaphorePermit,
}

impl Listener {
    /// Begins a stream.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn begin(
        feeds: Feeds,
        reader: Arc<Reader>,
        asked: Asked,
        now: model::Timestamp,
        place: OwnedSemaphorePermit,
    ) -> Result<Self, DbError> {
        // Before the place is read, so that nothing falls in between.
        let ring = feeds.subscribe(asked.key, &asked.town);
        let reach = feed::reach(feeds.pool(), asked.key).await?;
        // A place beyond the newest is another database's.
        let last = asked.last.filter(|last| last.seq() <= reach.newest);
        let (cursor, missed) = match last {
            // Nothing is kept of what is behind this place and before the oldest change.
            Some(last) if last < Cursor::behind(reach.oldest - 1) => {
                (Cursor::behind(reach.oldest - 1), reach.oldest - 1 - last.seq())
            }
            Some(last) => (last, 0),
            None => (Cursor::behind(reach.newest), 0),
        };
        let ready = Ready {
            town: asked.town.clone(),
            version: crate::VERSION.to_owned(),
            at: now,
            from: cursor.to_string(),
            resumed: last.is_some(),
            missed: missed.max(0).unsigned_abs(),
            heartbeat_s: HEARTBEAT_S,
        };
        let mut first = BytesMut::from("retry: 1000\n");
        first.extend_from_slice(&message::message("ready", Some(cursor), &ready));
        Ok(Self { feeds, reader, asked, cursor, ring, behind: true, first: Some(first.freeze()), _place: place })
    }

    /// The next bytes, once there are any; none when the server stops.
    pub async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        let stop = self.feeds.stop().clone();
        tokio::select! {
            () = stop.cancelled() => None,
            bytes = self.wait() => bytes,
        }
    }

    async fn wait(&mut self) -> Option<Bytes> {
        loop {
            if self.behind {
                match self.feeds.read(self.asked.key, self.cursor).await {
                    Ok(page) => {
                        self.behind = page.reached != self.cursor;
                        self.cursor = page.reached;
                        if !page.entries.is_empty() {
                            let messages = page.entries.iter().map(|(cursor, entry)| message::of(*cursor, entry));
                            return Some(joined(messages));
                        }
                    }
                    Err(error) => {
                        tracing::debug!(%error, "a stream waits for the store");
                        tokio::time::sleep(RETRY).await;
                        return Some(message::comment("the store does not answer; nothing is lost"));
                    }
                }
                continue;
            }
            match timeout(Duration::from_secs(HEARTBEAT_S), self.ring.recv()).await {
                Err(_) => return Some(message::comment("alive")),
                Ok(Ok(Piece::Tick)) => return Some(self.burn().await),
                Ok(Ok(Piece::Messages { from, reached, messages })) => {
                    if reached <= self.cursor {
                        continue;
                    }
                    if from > self.cursor {
                        self.behind = true;
                        continue;
                    }
                    let news = messages.iter().filter(|(cursor, _)| *cursor > self.cursor);
                    let bytes = joined(news.map(|(_, bytes)| bytes.clone()));
                    self.cursor = reached;
                    if !bytes.is_empty() {
                        return Some(bytes);
                    }
                }
                Ok(Err(RecvError::Lagged(pieces))) => {
                    self.behind = true;
                    let text = format!("{pieces} pieces came too fast for this stream; they are read from the store");
                    return Some(message::comment(&text));
                }
                Ok(Err(RecvError::Closed)) => return None,
            }
        }
    }

    /// What is being spent; it has no id, for it is no event.
    async fn burn(&self) -> Bytes {
        match self.reader.burn(&self.asked.town, &self.asked.zone, &self.asked.zone_name).await {
            Ok(burn) => message::message("burn_tick", None, &burn),
            Err(error) => message::comment(&error.to_string()),
        }
    }
}

fn joined(messages: impl Iterator<Item = Bytes>) -> Bytes {
    let mut all = BytesMut::new();
    messages.for_each(|message| all.extend_from_slice(&message));
    all.freeze()
}
