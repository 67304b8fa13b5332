//! The hub's own counters, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start.
#[derive(Debug, Default)]
pub struct HubStats {
    /// Frames handed to the kernel in full or in part.
    pub frames: AtomicU64,
    /// Bytes of these frames.
    pub bytes: AtomicU64,
    /// Frames left out because a viewer was behind.
    pub skipped: AtomicU64,
    /// Snapshots sent, at joining and to catch up.
    pub snapshots: AtomicU64,
    /// Viewers dropped because they took or answered nothing.
    pub dropped: AtomicU64,
    /// Deltas encoded: once per tick and town, however many viewers there are.
    pub encoded: AtomicU64,
    /// Towns loaded from the store.
    pub loads: AtomicU64,
}

impl HubStats {
    /// Adds one.
    pub fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
