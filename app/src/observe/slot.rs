//! One chart's data behind a revision, and what it is compared with.

use leptos::prelude::*;
use model::series::{BeforePage, SeriesPage};
use model::wire::Edge;

use super::before::Before;
use super::data::ChartData;
use super::words;

/// One chart's data with a revision; the data never travel through a signal.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    data: StoredValue<Option<ChartData>>,
    before: StoredValue<Option<Before>>,
    /// Raised with every change.
    revision: RwSignal<u32>,
    /// Raised with every page read: what describes the whole chart follows this one.
    loaded: RwSignal<u32>,
}

impl Slot {
    /// Nothing was read yet.
    pub(super) fn new() -> Self {
        Self {
            data: StoredValue::new(None),
            before: StoredValue::new(None),
            revision: RwSignal::new(0),
            loaded: RwSignal::new(0),
        }
    }
    /// Looks at the data; none before the first page. Not tracked.
    pub(crate) fn look<T>(self, read: impl FnOnce(&ChartData) -> T) -> Option<T> {
        self.data.try_with_value(|data| data.as_ref().map(read)).flatten()
    }
    /// Looks at the data. Tracked.
    pub(crate) fn with<T>(self, read: impl FnOnce(&ChartData) -> T) -> Option<T> {
        self.revision.track();
        self.look(read)
    }
    /// Looks at the data whenever a page was read. Tracked.
    pub(crate) fn with_loaded<T>(self, read: impl FnOnce(&ChartData) -> T) -> Option<T> {
        self.loaded.track();
        self.look(read)
    }
    /// Looks at the period before; none when it is not compared with. Not tracked: it changes with the data.
    pub(crate) fn look_before<T>(self, read: impl FnOnce(&Before) -> T) -> Option<T> {
        self.before.try_with_value(|before| before.as_ref().map(read)).flatten()
    }
    /// What a series was a period before one of its buckets, in words. Tracked.
    pub(crate) fn said_before(self, series: usize, bucket: usize) -> String {
        let at_s = self.with(|data| data.page.times().nth(bucket)).flatten();
        let said = self.look_before(|before| {
            words::exact_or_why_not(&before.data, series, at_s.and_then(|at_s| before.bucket_at(at_s)))
        });
        said.unwrap_or_else(|| "no data".to_owned())
    }
    fn changed(self) {
        self.revision.update(|n| *n = n.wrapping_add(1));
    }
    /// Takes over what was read.
    pub(super) fn load(self, page: SeriesPage, before: Option<BeforePage>, now_s: i64) {
        self.data.set_value(Some(ChartData::new(page, now_s)));
        self.before.set_value(before.map(|page| Before::new(page, now_s)));
        self.changed();
        self.loaded.update(|n| *n = n.wrapping_add(1));
    }
    /// Compares with nothing any more.
    pub(super) fn forget_before(self) {
        self.before.set_value(None);
        self.changed();
        self.loaded.update(|n| *n = n.wrapping_add(1));
    }
    /// Applies buckets at the right edge that begin before `to_s`, and forgets those that ended before `from_s`: they are
    /// of the period before from then on. The hub sends every bucket of every tier, quiet ones too, when it begins and
    /// once more when it is over.
    pub(super) fn advance(self, edges: &[Edge], (from_s, to_s): (i64, i64), now_s: i64) {
        let changed = self.data.try_update_value(|data| {
            data.as_mut().is_some_and(|data| {
                let mut changed = false;
                for edge in edges.iter().filter(|edge| edge.from_s < to_s) {
                    changed |= data.apply(edge, now_s);
                }
                self.before.try_update_value(|before| {
                    if let Some(before) = before {
                        before.take_over(data, from_s);
                    }
                });
                data.forget_before(from_s);
                changed
            })
        });
        if changed == Some(true) {
            self.changed();
        }
    }
}
