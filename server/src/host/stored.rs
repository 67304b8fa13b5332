//! Readings of `watch` without a server: they go to the store, where servers find them.

use std::time::Duration;

use async_trait::async_trait;
use model::host::{HISTORY_STEP_S, HostSample};

use super::recorder::Recorder;
use super::sampler::Sink;
use crate::clock::Clock;

/// Writes into the store.
pub struct StoredSink {
    /// The host's way into the store.
    pub recorder: Recorder,
    /// What time it is.
    pub clock: Clock,
}

#[async_trait]
impl Sink for StoredSink {
    async fn take(&mut self, sample: HostSample, weight: Duration) -> Duration {
        self.recorder.take(&sample, self.clock.now(), weight).await;
        Duration::from_secs(self.recorder.wanted_s().unwrap_or(HISTORY_STEP_S).unsigned_abs())
    }
    /// Nobody who looks can be heard here; what they want is read with each writing.
    async fn nudged(&self) {
        std::future::pending().await
    }
}
