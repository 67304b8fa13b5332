//! A destination for tests that keeps the events it is told, and knows nothing of before.

use std::sync::Mutex;

use async_trait::async_trait;
use model::event::Envelope;

use super::destination::{Batch, CommitError, Cursors, Destination, Taken};

/// Every event that was told, in that order.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Vec<Envelope>>);

impl Kept {
    /// What was told.
    pub(super) fn events(self) -> Vec<Envelope> {
        self.0.into_inner().unwrap()
    }
}

#[async_trait]
impl Destination for Kept {
    async fn cursors(&self, _: &'static str) -> Result<Cursors, CommitError> {
        Ok(Cursors::default())
    }

    async fn project_names(&self) -> Result<Vec<(String, String)>, CommitError> {
        Ok(Vec::new())
    }

    async fn take(&self, batch: Batch) -> Result<Taken, CommitError> {
        self.0.lock().unwrap().extend(batch.events);
        Ok(Taken::default())
    }
}
