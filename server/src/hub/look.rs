//! Who looks at the hosts of a town: counted, so that machines are read fast only while somebody does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::id::TownName;
use tokio::sync::Notify;

/// The count of each town; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Lookers {
    counts: Arc<Mutex<HashMap<TownName, usize>>>,
    began: Arc<Notify>,
}

/// One viewer that looks; it stops looking when this is dropped.
#[derive(Debug)]
pub struct Look {
    lookers: Lookers,
    town: TownName,
}

impl Lookers {
    /// One more.
    #[must_use]
    pub fn begin(&self, town: &TownName) -> Look {
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(town.clone()).or_default() += 1;
        self.began.notify_one();
        Look { lookers: self.clone(), town: town.clone() }
    }
    /// How many look at a town.
    #[must_use]
    pub fn of(&self, town: &TownName) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(town).copied().unwrap_or_default()
    }
    /// The towns that somebody looks at.
    #[must_use]
    pub fn towns(&self) -> Vec<TownName> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
    /// Waits until somebody begins to look. For one task only.
    pub async fn began(&self) {
        self.began.notified().await;
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        let mut counts = self.lookers.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.town) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.town);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_goes_does_not_look_any_more() {
        let (lookers, town) = (Lookers::default(), TownName::new("home").unwrap());
        let (first, second) = (lookers.begin(&town), lookers.begin(&town));
        assert_eq!((lookers.of(&town), lookers.towns()), (2, vec![town.clone()]));
        drop(first);
        assert_eq!(lookers.of(&town), 1);
        drop(second);
        assert_eq!((lookers.of(&town), lookers.towns()), (0, Vec::new()));
    }
}
