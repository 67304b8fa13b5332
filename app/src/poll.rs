//! What a page reads again while it is open: the newest answer, how old it is, and whether it can be read now.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::time::Timestamp;

use crate::live::Live;
use crate::reader::ReadError;
use crate::truth::Truth;

/// How often it is read again.
const REFRESH: Duration = Duration::from_secs(5);

/// Answers older than this are stale: four were missed.
const STALE_AFTER_S: i64 = 20;

/// An answer that says when it was made.
pub(crate) trait Dated: Clone + Send + Sync + 'static {
    /// The server's clock at the answer.
    fn at(&self) -> Timestamp;
}

/// The newest answer behind signals.
pub(crate) struct Poll<T: 'static> {
    newest: RwSignal<Option<T>>,
    /// Why it could not be read the last time.
    pub failed: RwSignal<Option<ReadError>>,
}

impl<T> Clone for Poll<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Poll<T> {}

impl<T: Dated> Poll<T> {
    /// Begins with what the page came with.
    pub(crate) fn new(read: Result<T, ReadError>) -> Self {
        let (newest, failed) = match read {
            Ok(answer) => (Some(answer), None),
            Err(error) => (None, Some(error)),
        };
        Self { newest: RwSignal::new(newest), failed: RwSignal::new(failed) }
    }

    fn take(self, read: Result<T, ReadError>) {
        match read {
            Ok(answer) => {
                self.failed.set(None);
                // An answer that was long under way says less than the one after it.
                if self.newest.with_untracked(|known| known.as_ref().is_none_or(|known| known.at() <= answer.at())) {
                    self.newest.set(Some(answer));
                }
            }
            Err(error) => self.failed.set(Some(error)),
        }
    }

    /// Reads it again while it is looked at, at once when a lost link is back, and at once when what `ask` tracks
    /// changes.
    pub(crate) fn follow<A, F>(self, live: Live, ask: A)
    where
        A: Fn() -> F + Copy + 'static,
        F: Future<Output = Result<T, ReadError>> + 'static,
    {
        Effect::new(move |known: Option<()>| {
            // Not sent: only what it is made of is tracked.
            drop(ask());
            let read = move || {
                if !document().hidden() {
                    let answer = untrack(ask);
                    spawn_local_scoped_with_cancellation(async move { self.take(answer.await) });
                }
            };
            // The first whole snapshots are the document's and the socket's own.
            if live.snapshots() > 2 || known.is_some() {
                read();
            }
            if let Ok(timer) = set_interval_with_handle(read, REFRESH) {
                on_cleanup(move || timer.clear());
            }
        });
    }

    /// Seconds since it was read, by the server's clock; none when it never was. Tracked.
    pub(crate) fn age_s(self, live: Live) -> Option<i64> {
        let at = self.newest.with(|answer| answer.as_ref().map(Dated::at))?;
        Some((live.now.get().micros_since(at) / 1_000_000).max(0))
    }

    /// Something of the newest answer; none when there never was one. Tracked.
    pub(crate) fn with<R>(self, read: impl FnOnce(&T) -> R) -> Option<R> {
        self.newest.with(|answer| answer.as_ref().map(read))
    }

    /// What the figures can be taken for. Tracked.
    pub(crate) fn truth(self, live: Live) -> Memo<Truth> {
        Memo::new(move |_| {
            let failed = self.failed.with(Option::is_some);
            Truth::of_answer(live, failed, self.age_s(live), STALE_AFTER_S).or_quiet(live)
        })
    }
}
