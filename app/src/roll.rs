//! What the Sources page knows: how sources stood when they were read last, and whether they can be read now.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::TownName;

use crate::fetch;
use crate::live::Live;
use crate::reader::ReadError;
use crate::sources::{SourceCard, SourcesPage, Standing};

/// How often it is read again.
const REFRESH: Duration = Duration::from_secs(5);

/// The page's data behind signals.
#[derive(Clone, Copy)]
pub(crate) struct Roll {
    page: RwSignal<Option<SourcesPage>>,
    /// Why it could not be read the last time.
    pub failed: RwSignal<Option<ReadError>>,
}

impl Roll {
    /// Begins with what the page came with.
    pub(crate) fn new(read: Result<SourcesPage, ReadError>) -> Self {
        let (page, failed) = match read {
            Ok(page) => (Some(page), None),
            Err(error) => (None, Some(error)),
        };
        Self { page: RwSignal::new(page), failed: RwSignal::new(failed) }
    }

    fn take(self, read: Result<SourcesPage, ReadError>) {
        match read {
            Ok(page) => {
                self.failed.set(None);
                // An answer that was long under way says less than the one after it.
                if self.page.with_untracked(|known| known.as_ref().is_none_or(|known| known.at <= page.at)) {
                    self.page.set(Some(page));
                }
            }
            Err(error) => self.failed.set(Some(error)),
        }
    }

    /// Reads it again while it is looked at, and at once when a lost link is back.
    pub(crate) fn follow(self, live: Live, town: TownName) {
        Effect::new(move |_| {
            let town = town.clone();
            let read = move || {
                if !document().hidden() {
                    let town = town.clone();
                    spawn_local_scoped_with_cancellation(async move { self.take(fetch::sources(town).await) });
                }
            };
            // The first whole snapshots are the document's and the socket's own.
            if live.snapshots() > 2 {
                read();
            }
            if let Ok(timer) = set_interval_with_handle(read, REFRESH) {
                on_cleanup(move || timer.clear());
            }
        });
    }

    /// Seconds since it was read, by the server's clock; none when it never was. Tracked.
    pub(crate) fn age_s(self, live: Live) -> Option<i64> {
        let at = self.page.with(|page| page.as_ref().map(|page| page.at))?;
        Some((live.now.get().micros_since(at) / 1_000_000).max(0))
    }

    /// One source. Tracked.
    pub(crate) fn card(self, name: &str) -> Option<SourceCard> {
        self.page.with(|page| page.as_ref()?.sources.iter().find(|card| card.name == name).cloned())
    }

    /// Something of all sources. Tracked.
    pub(crate) fn with<T>(self, read: impl FnOnce(&SourcesPage) -> T) -> Option<T> {
        self.page.with(|page| page.as_ref().map(read))
    }

    /// The names of those that are connected in any way. Tracked.
    pub(crate) fn connected(self) -> Vec<String> {
        let is_connected = |card: &&SourceCard| card.standing != Standing::NeverStarted;
        self.with(|page| page.sources.iter().filter(is_connected).map(|card| card.name.clone()).collect())
            .unwrap_or_default()
    }
}
