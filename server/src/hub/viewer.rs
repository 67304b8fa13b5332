//! One viewer's socket: frames are written without waiting, and what does not fit is kept, one frame at most.

use std::io::ErrorKind;
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use model::Timestamp;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;

use super::look::Look;

/// Bytes that the kernel buffers for a viewer (it doubles the figure): a snapshot fits, seconds of backlog do not.
const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// A viewer whose socket takes nothing for this long is dropped.
pub const STUCK_S: i64 = 30;
/// A viewer that answered no ping for this long is dropped.
pub const SILENT_S: i64 = 70;

/// The part of a viewer that its reader shares.
#[derive(Debug)]
pub struct Link {
    /// The socket.
    pub stream: TcpStream,
    /// When the viewer was last heard, in seconds since 1970.
    heard_s: AtomicU32,
}

impl Link {
    /// Notes that the viewer is alive.
    pub fn heard(&self, now: Timestamp) {
        self.heard_s.store(u32::try_from(now.seconds()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }
    fn silent_s(&self, now: Timestamp) -> i64 {
        now.seconds() - i64::from(self.heard_s.load(Ordering::Relaxed))
    }
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    /// Everything is with the kernel.
    All,
    /// Something is left: wait until the socket takes more.
    Blocked,
    /// The viewer is gone.
    Gone,
}

/// A viewer of a town.
#[derive(Debug)]
pub struct Viewer {
    /// Increasing in the order of joining.
    pub id: u64,
    link: Arc<Link>,
    /// What is left of the frame being written.
    pending: Option<Bytes>,
    /// A frame was left out: the viewer needs a snapshot before anything else.
    behind: bool,
    /// Somebody waits for the socket to take more.
    pub waited_for: bool,
    /// Since when the pending frame has made no progress.
    stuck_since: Timestamp,
    /// Somebody looks at the hosts.
    pub look: Option<Look>,
    /// To be taken off the list.
    pub gone: bool,
    _permit: OwnedSemaphorePermit,
}

impl Viewer {
    /// A viewer that has been told nothing yet.
    #[must_use]
    pub fn new(id: u64, stream: TcpStream, permit: OwnedSemaphorePermit, now: Timestamp) -> Self {
        let socket = SockRef::from(&stream);
        // Best effort: a socket without these works too, only less well.
        let _ = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
        let _ = socket.set_tcp_nodelay(true);
        let link = Arc::new(Link { stream, heard_s: AtomicU32::new(0) });
        link.heard(now);
        Self {
            id,
            link,
            pending: None,
            behind: false,
            waited_for: false,
            stuck_since: now,
            look: None,
            gone: false,
            _permit: permit,
        }
    }

    /// What its reader needs.
    #[must_use]
    pub fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link)
    }

    /// Whether a frame is still being written.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether everything that there was to write is with the kernel.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.pending.is_none() && !self.behind
    }

    /// Whether the viewer needs a snapshot, now that its socket is free.
    #[must_use]
    pub const fn wants_snapshot(&self) -> bool {
        self.behind && self.pending.is_none()
    }

    /// Asks for a snapshot as soon as the socket is free.
    pub const fn fall_behind(&mut self) {
        self.behind = true;
    }

    /// Writes a frame that continues the last one; `None` when it was left out because the viewer is behind.
    pub fn send(&mut self, frame: &Bytes, now: Timestamp) -> Option<Wrote> {
        if self.pending.is_some() || self.behind {
            self.behind = true;
            return None;
        }
        Some(self.begin(frame, now))
    }

    /// Writes a snapshot, which makes up for everything that was left out.
    pub fn send_snapshot(&mut self, frame: &Bytes, now: Timestamp) -> Wrote {
        self.behind = false;
        self.begin(frame, now)
    }

    /// Writes a control frame if the socket is free.
    pub fn send_control(&mut self, frame: &Bytes, now: Timestamp) -> Option<Wrote> {
        self.pending.is_none().then(|| self.begin(frame, now))
    }

    /// Goes on with the pending frame.
    pub fn resume(&mut self, now: Timestamp) -> Wrote {
        match self.pending.take() {
            Some(rest) => self.write(&rest, now),
            None => Wrote::All,
        }
    }

    /// Whether the viewer should be dropped.
    #[must_use]
    pub fn is_lost(&self, now: Timestamp) -> bool {
        let stuck = self.pending.is_some() && now >= self.stuck_since.plus_seconds(STUCK_S);
        stuck || self.link.silent_s(now) > SILENT_S
    }

    fn begin(&mut self, frame: &Bytes, now: Timestamp) -> Wrote {
        self.stuck_since = now;
        self.write(frame, now)
    }

    fn write(&mut self, frame: &Bytes, now: Timestamp) -> Wrote {
        let mut written = 0;
        loop {
            match self.link.stream.try_write(&frame[written..]) {
                Ok(0) => return Wrote::Gone,
                Ok(n) => {
                    written += n;
                    self.stuck_since = now;
                    if written == frame.len() {
                        return Wrote::All;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.pending = Some(frame.slice(written..));
                    return Wrote::Blocked;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Wrote::Gone,
            }
        }
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        // Ends the reader too: it holds the other half of the socket.
        let _ = SockRef::from(&self.link.stream).shutdown(Shutdown::Both);
    }
}
