//! The viewers of one town: one frame, encoded once, written to all.

use bytes::Bytes;
use model::Timestamp;
use model::wire::Canary;
use std::sync::atomic::Ordering;
use tokio::sync::mpsc;
use tokio::task::yield_now;

use super::canary::Canaries;
use super::command::Command;
use super::frame::{self, CloseCode};
use super::look::Look;
use super::reader::{Said, ViewerId};
use super::stats::HubStats;
use super::viewer::{Viewer, Wrote};

/// Writes between two chances for other tasks.
const WRITES_PER_TURN: usize = 128;

/// From here on two threads write.
const CROWD: usize = 1_000;

/// The viewers of one town, in the order of joining.
#[derive(Debug)]
pub struct Audience {
    town: usize,
    viewers: Vec<Viewer>,
    commands: mpsc::WeakSender<Command>,
    /// Who was sent a canary last.
    asked: u64,
}

impl Audience {
    /// Nobody yet.
    #[must_use]
    pub const fn new(town: usize, commands: mpsc::WeakSender<Command>) -> Self {
        Self { town, viewers: Vec::new(), commands, asked: 0 }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.viewers.len()
    }
    /// Whether nobody looks.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.viewers.is_empty()
    }

    /// Adds a viewer and tells it where things stand. Its number must be higher than all before.
    pub fn join(&mut self, mut viewer: Viewer, welcome: &Bytes, stats: &HubStats, now: Timestamp) {
        HubStats::count(&stats.snapshots);
        let wrote = viewer.send_snapshot(welcome, now);
        self.viewers.push(viewer);
        let last = self.viewers.len() - 1;
        self.after(last, wrote);
    }

    /// Writes a frame to everyone whose socket is free. For a crowd, another thread writes the second half: the last
    /// viewer then waits half as long.
    pub async fn send(&mut self, frame: &Bytes, stats: &HubStats, now: Timestamp) {
        let mut first = std::mem::take(&mut self.viewers);
        let half = if first.len() < CROWD { first.len() } else { first.len().div_ceil(2) };
        let second = first.split_off(half);
        let second = if second.is_empty() { None } else { Some(tokio::spawn(write_all(second, frame.clone(), now))) };
        let mut rounds = vec![write_all(first, frame.clone(), now).await];
        if let Some(second) = second {
            match second.await {
                Ok(round) => rounds.push(round),
                Err(error) => tracing::error!(%error, "half of the viewers were lost; they will connect again"),
            }
        }
        for Round { viewers, not_all, sent, skipped } in rounds {
            let begin = self.viewers.len();
            self.viewers.extend(viewers);
            not_all.into_iter().for_each(|(place, wrote)| self.after(begin + place, wrote));
            stats.frames.fetch_add(sent, Ordering::Relaxed);
            stats.bytes.fetch_add(sent * u64::try_from(frame.len()).unwrap_or_default(), Ordering::Relaxed);
            stats.skipped.fetch_add(skipped, Ordering::Relaxed);
        }
        self.sweep();
    }

    /// Writes a frame that replaces everything before, such as a snapshot after a reload.
    pub fn replace_all(&mut self, snapshot: &Bytes, stats: &HubStats, now: Timestamp) {
        for place in 0..self.viewers.len() {
            if self.viewers[place].is_busy() {
                self.viewers[place].fall_behind();
            } else {
                HubStats::count(&stats.snapshots);
                let wrote = self.viewers[place].send_snapshot(snapshot, now);
                self.after(place, wrote);
            }
        }
        self.sweep();
    }

    /// Pings everyone, and drops who takes or answers nothing.
    pub fn ping(&mut self, stats: &HubStats, now: Timestamp) {
        let ping = Bytes::from_static(frame::PING);
        for place in 0..self.viewers.len() {
            if self.viewers[place].is_lost(now) {
                HubStats::count(&stats.dropped);
                self.viewers[place].gone = true;
            } else if let Some(wrote) = self.viewers[place].send_control(&ping, now) {
                self.after(place, wrote);
            }
        }
        self.sweep();
    }

    /// Drops who takes nothing.
    pub fn drop_stuck(&mut self, stats: &HubStats, now: Timestamp) {
        for viewer in &mut self.viewers {
            if viewer.is_busy() && viewer.is_lost(now) {
                HubStats::count(&stats.dropped);
                viewer.gone = true;
            }
        }
        self.sweep();
    }

    /// Acts on what a viewer said. `snapshot` is made only when somebody needs one.
    pub fn hear(&mut self, id: u64, said: &Said, snapshot: impl FnOnce() -> Bytes, stats: &HubStats, now: Timestamp) {
        let Ok(place) = self.viewers.binary_search_by_key(&id, |viewer| viewer.id) else { return };
        let viewer = &mut self.viewers[place];
        let wrote = match said {
            Said::Resync => {
                viewer.fall_behind();
                None
            }
            // Whose count it is, only the hub knows: see `look`.
            Said::Look(_) => None,
            Said::Ping(payload) => viewer.send_control(&frame::pong(payload), now),
            Said::Writable => {
                viewer.waited_for = false;
                Some(viewer.resume(now))
            }
            Said::Left(code) => {
                if let Some(code) = code {
                    viewer.send_control(&frame::close(*code), now);
                }
                viewer.gone = true;
                None
            }
        };
        if let Some(wrote) = wrote {
            self.after(place, wrote);
        }
        let viewer = &mut self.viewers[place];
        if !viewer.gone && viewer.wants_snapshot() {
            HubStats::count(&stats.snapshots);
            let wrote = viewer.send_snapshot(&snapshot(), now);
            self.after(place, wrote);
        }
        self.sweep();
    }

    /// Notes that a viewer looks at the hosts, or does not any more.
    pub fn look(&mut self, id: u64, look: Option<Look>) {
        if let Ok(place) = self.viewers.binary_search_by_key(&id, |viewer| viewer.id) {
            self.viewers[place].look = look;
        }
    }

    /// Writes what a host uses to everyone who looks and whose socket is free. Who is behind is left out: the next
    /// reading says all that this one does.
    pub fn send_to_lookers(&mut self, frame: &Bytes, stats: &HubStats, now: Timestamp) {
        let mut sent = 0;
        for place in 0..self.viewers.len() {
            if self.viewers[place].look.is_some()
                && let Some(wrote) = self.viewers[place].send_control(frame, now)
            {
                sent += 1;
                self.after(place, wrote);
            }
        }
        stats.frames.fetch_add(sent, Ordering::Relaxed);
        stats.bytes.fetch_add(sent * u64::try_from(frame.len()).unwrap_or_default(), Ordering::Relaxed);
        self.sweep();
    }

    /// Sends a canary behind the frame that was just written, to one of those who look: another each time. Who did not get
    /// that frame in full does not get the canary either, which is lost with it.
    pub fn send_canary(&mut self, canary: Canary, canaries: &Canaries, now: Timestamp) {
        let looks = |viewer: &Viewer| viewer.look.is_some();
        let next = self.viewers.iter().position(|viewer| looks(viewer) && viewer.id > self.asked);
        let Some(place) = next.or_else(|| self.viewers.iter().position(looks)) else {
            canaries.forget(canary);
            return;
        };
        let viewer = &mut self.viewers[place];
        self.asked = viewer.id;
        // Before it is written: the answer may be quick.
        canaries.ask(canary, ViewerId { town: self.town, id: viewer.id });
        if viewer.is_current()
            && let Ok(frame) = frame::text(&canary)
            && let Some(wrote) = viewer.send_control(&frame, now)
        {
            self.after(place, wrote);
            self.sweep();
        }
    }

    /// Says goodbye to everyone.
    pub fn close(&mut self, now: Timestamp) {
        let goodbye = frame::close(CloseCode::GoingAway);
        for viewer in &mut self.viewers {
            viewer.send_control(&goodbye, now);
        }
        self.viewers.clear();
    }

    fn after(&mut self, place: usize, wrote: Wrote) {
        let viewer = &mut self.viewers[place];
        match wrote {
            Wrote::All => {}
            Wrote::Gone => viewer.gone = true,
            Wrote::Blocked if viewer.waited_for => {}
            Wrote::Blocked => {
                let Some(commands) = self.commands.upgrade() else { return };
                viewer.waited_for = true;
                let (link, viewer) = (viewer.link(), ViewerId { town: self.town, id: viewer.id });
                // Only blocked viewers have this task; it ends with the socket at the latest.
                tokio::spawn(async move {
                    let said = match link.stream.writable().await {
                        Ok(()) => Said::Writable,
                        Err(_) => Said::Left(None),
                    };
                    let _ = commands.send(Command::Said(viewer, said)).await;
                });
            }
        }
    }

    fn sweep(&mut self) {
        if self.viewers.iter().any(|viewer| viewer.gone) {
            self.viewers.retain(|viewer| !viewer.gone);
        }
    }
}

/// What came of writing a frame to some viewers.
struct Round {
    viewers: Vec<Viewer>,
    /// Places at which not everything could be written.
    not_all: Vec<(usize, Wrote)>,
    sent: u64,
    skipped: u64,
}

async fn write_all(mut viewers: Vec<Viewer>, frame: Bytes, now: Timestamp) -> Round {
    let (mut not_all, mut sent, mut skipped) = (Vec::new(), 0, 0);
    for (place, viewer) in viewers.iter_mut().enumerate() {
        match viewer.send(&frame, now) {
            Some(Wrote::All) => sent += 1,
            Some(wrote) => {
                sent += 1;
                not_all.push((place, wrote));
            }
            None => skipped += 1,
        }
        if place % WRITES_PER_TURN == WRITES_PER_TURN - 1 {
            yield_now().await;
        }
    }
    Round { viewers, not_all, sent, skipped }
}
