//! What the Sources page knows: how sources stood when they were read last.

use model::time::Timestamp;

use crate::poll::{Dated, Poll};
use crate::sources::{SourceCard, SourcesPage, Standing};

/// How sources stand, read again while the page is open.
pub(crate) type Roll = Poll<SourcesPage>;

impl Dated for SourcesPage {
    fn at(&self) -> Timestamp {
        self.at
    }
}

impl Poll<SourcesPage> {
    /// One source. Tracked.
    pub(crate) fn card(self, name: &str) -> Option<SourceCard> {
        self.with(|page| page.sources.iter().find(|card| card.name == name).cloned()).flatten()
    }

    /// The names of those that are connected in any way. Tracked.
    pub(crate) fn connected(self) -> Vec<String> {
        let is_connected = |card: &&SourceCard| card.standing != Standing::NeverStarted;
        self.with(|page| page.sources.iter().filter(is_connected).map(|card| card.name.clone()).collect())
            .unwrap_or_default()
    }
}
