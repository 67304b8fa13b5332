//! Reads what a viewer sends. Without a buffer while nothing comes: thousands of viewers are silent.

use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use bytes::Bytes;
use model::wire::{Canary, ClientMessage};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::canary::Canaries;
use super::command::Command;
use super::frame::CloseCode;
use super::parse::{FrameError, Incoming, take_frame};
use super::viewer::Link;
use crate::clock::Clock;

/// Where a viewer is found: which town, and its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewerId {
    /// Place of the town.
    pub town: usize,
    /// See [`super::viewer::Viewer::id`].
    pub id: u64,
}

/// What a viewer said, as far as the hub has to act on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// Send a snapshot.
    Resync,
    /// Somebody looks at the page, or does not any more.
    Look(bool),
    /// Send a pong.
    Ping(Vec<u8>),
    /// It left, or has to.
    Left(Option<CloseCode>),
    /// Its socket takes more.
    Writable,
}

/// Reads until the viewer leaves or breaks the protocol.
pub async fn read(
    viewer: ViewerId,
    link: Arc<Link>,
    first: Bytes,
    commands: mpsc::Sender<Command>,
    clock: Clock,
    canaries: Canaries,
) {
    let mut unread = Vec::from(first);
    let left = 'reading: loop {
        loop {
            let said = match take_frame(&unread) {
                Ok(None) => break,
                Ok(Some((incoming, used))) => {
                    unread.drain(..used);
                    match incoming {
                        Incoming::Message(ClientMessage::Resync) => Said::Resync,
                        Incoming::Message(ClientMessage::Look) => Said::Look(true),
                        Incoming::Message(ClientMessage::LookAway) => Said::Look(false),
                        Incoming::Message(ClientMessage::Canary { number }) => {
                            // Here, because waiting for the hub is no part of its way.
                            canaries.back(Canary { number }, viewer, clock.now());
                            continue;
                        }
                        Incoming::Ping(payload) => Said::Ping(payload),
                        Incoming::Close => break 'reading Some(CloseCode::Normal),
                        Incoming::Pong | Incoming::Unknown => continue,
                    }
                }
                Err(FrameError::Protocol) => break 'reading Some(CloseCode::ProtocolError),
                Err(FrameError::TooBig) => break 'reading Some(CloseCode::TooBig),
            };
            if commands.send(Command::Said(viewer, said)).await.is_err() {
                return;
            }
        }
        if unread.is_empty() {
            unread = Vec::new();
        }
        if link.stream.readable().await.is_err() {
            break None;
        }
        match read_some(&link.stream, &mut unread) {
            Ok(()) => link.heard(clock.now()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break None,
        }
    };
    // The hub may be gone already.
    let _ = commands.send(Command::Said(viewer, Said::Left(left))).await;
}

/// A function of its own, so that its buffer is not part of the waiting task.
fn read_some(stream: &TcpStream, unread: &mut Vec<u8>) -> Result<()> {
    let mut buffer = [0; 1_024];
    match stream.try_read(&mut buffer)? {
        0 => Err(Error::from(ErrorKind::UnexpectedEof)),
        n => {
            unread.extend_from_slice(&buffer[..n]);
            Ok(())
        }
    }
}
