//! What the hub's task shares with its handles.

use std::sync::Arc;

use super::canary::Canaries;
use super::look::Lookers;
use super::stats::HubStats;

/// What the task shares with whoever has a handle; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    /// Counters.
    pub stats: Arc<HubStats>,
    /// Who looks at the hosts of which town.
    pub lookers: Lookers,
    /// What shows how long the way of events is.
    pub canaries: Canaries,
}
