//! What became of submitted events.

use model::event::PricedEvent;
use model::id::TownName;
use model::wire::Canary;

/// What became of one event. `received = stored + duplicate + rejected`, always.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Committed; it is new, or replaced a lesser report of the same call.
    Stored,
    /// Already there; nothing changed.
    Duplicate,
    /// Not stored, with the reason.
    Rejected(String),
}

/// A committed change of one town: what the hub folds into its live state.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Events that were stored.
    pub added: Vec<PricedEvent>,
    /// Events that were replaced and taken back.
    pub removed: Vec<PricedEvent>,
}

/// [`Changes`] with the town they belong to.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Which town.
    pub town: TownName,
    /// What changed.
    pub changes: Changes,
    /// What flew with it.
    pub canary: Option<Canary>,
}

/// Why events were not taken. Nothing of the submission was stored, and it may be sent again as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The queue is full; try again after `retry_after_s`.
    #[error("the intake queue is full; send again in {retry_after_s} s")]
    Full {
        /// Seconds to wait.
        retry_after_s: u32,
    },
    /// The server is stopping.
    #[error("the server is stopping")]
    Closed,
    /// The store refused or does not answer; the log has the reason.
    #[error("the store does not answer; send again later")]
    Unavailable,
}
