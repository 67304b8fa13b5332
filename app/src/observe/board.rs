//! The board that the charts hang on: one range, one cursor, one set of data, kept up to date.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::series::{Metric, SeriesPage};
use model::time::TimeRange;
use model::wire::Edge;

use super::address;
use super::data::ChartData;
use super::range;
use super::trail::Trail;
use crate::fetch;
use crate::live::Live;
use crate::reader::{ReadError, SeriesRange};

/// How often charts that touch now are read again: for what edges do not carry, and to heal what was missed.
const HEAL: Duration = Duration::from_secs(30);

/// One chart's data with a revision; the data never travel through a signal.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    data: StoredValue<Option<ChartData>>,
    /// Raised with every change.
    revision: RwSignal<u32>,
    /// Raised with every page read: what describes the whole chart follows this one.
    loaded: RwSignal<u32>,
}

impl Slot {
    fn new() -> Self {
        Self { data: StoredValue::new(None), revision: RwSignal::new(0), loaded: RwSignal::new(0) }
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
    fn load(self, page: SeriesPage, now_s: i64) {
        self.data.set_value(Some(ChartData::new(page, now_s)));
        self.revision.update(|n| *n = n.wrapping_add(1));
        self.loaded.update(|n| *n = n.wrapping_add(1));
    }
    /// Applies buckets at the right edge that begin before `to_s`, and forgets those that ended before `from_s`. The
    /// hub sends every bucket of every tier, quiet ones too, when it begins and once more when it is over.
    fn advance(self, edges: &[Edge], (from_s, to_s): (i64, i64), now_s: i64) {
        let changed = self.data.try_update_value(|data| {
            data.as_mut().is_some_and(|data| {
                let mut changed = false;
                for edge in edges.iter().filter(|edge| edge.from_s < to_s) {
                    changed |= data.apply(edge, now_s);
                }
                data.forget_before(from_s);
                changed
            })
        });
        if changed == Some(true) {
            self.revision.update(|n| *n = n.wrapping_add(1));
        }
    }
}

/// The state of the page, in context of its charts.
#[derive(Clone, Copy)]
pub(crate) struct Board {
    /// The town's live state.
    pub live: Live,
    /// The range of the address.
    pub range: RwSignal<SeriesRange>,
    /// What is shown: the range at this moment, or where a pan in progress has come.
    pub view: Memo<chart::TimeRange>,
    /// Where a pan in progress has come.
    pub moving: RwSignal<Option<chart::TimeRange>>,
    /// The instant under the crosshair, shared by all charts.
    pub cursor: RwSignal<Option<f64>>,
    /// The chart that the pointer or the focus is on.
    pub held: RwSignal<Option<Metric>>,
    /// The way back and forward.
    pub trail: RwSignal<Trail>,
    /// Whether a page is being read.
    pub loading: RwSignal<bool>,
    /// Why the newest page could not be read.
    pub failed: RwSignal<Option<ReadError>>,
    slots: StoredValue<[Slot; 5]>,
}

impl Board {
    /// A board that shows `range`, which is the address's.
    pub(crate) fn new(live: Live, range: SeriesRange) -> Self {
        let trail = RwSignal::new(Trail::new(range));
        let range = RwSignal::new(range);
        let moving = RwSignal::new(None);
        let base = Memo::new(move |_| {
            let range = range.get();
            // The clock ticks every second, the view moves on with the buckets.
            let now = if let SeriesRange::Window(_) = range { live.now.get() } else { live.now.get_untracked() };
            range::view(range, now)
        });
        let view = Memo::new(move |_| moving.get().unwrap_or_else(|| base.get()));
        Self {
            live,
            range,
            view,
            moving,
            cursor: RwSignal::new(None),
            held: RwSignal::new(None),
            trail,
            loading: RwSignal::new(false),
            failed: RwSignal::new(None),
            slots: StoredValue::new(std::array::from_fn(|_| Slot::new())),
        }
    }

    /// One metric's data.
    pub(crate) fn slot(self, metric: Metric) -> Slot {
        let index = Metric::ALL.iter().position(|m| *m == metric).unwrap_or_default();
        self.slots.with_value(|slots| slots[index])
    }

    /// Takes over what was read.
    pub(crate) fn load(self, read: Result<Vec<SeriesPage>, ReadError>) {
        match read {
            Ok(pages) => {
                let now_s = self.live.now.get_untracked().seconds();
                for page in pages {
                    self.slot(page.metric).load(page, now_s);
                }
                self.failed.set(None);
            }
            Err(error) => self.failed.set(Some(error)),
        }
    }

    /// Reads the range again. An answer to a question of before is dropped.
    pub(crate) fn refresh(self) {
        let Some(town) = self.live.town.get_untracked() else { return };
        let asked = self.range.get_untracked();
        self.loading.set(true);
        spawn_local_scoped_with_cancellation(async move {
            let read = fetch::charts(town, asked).await;
            if self.range.try_get_untracked() == Some(asked) {
                self.load(read);
                self.loading.set(false);
            }
        });
    }

    /// Keeps the data up to date, in the browser: a new range is read, edges are applied, and now and then everything
    /// is read again.
    pub(crate) fn follow(self) {
        Effect::new(move |_| {
            // The browser's own way back and forward.
            let moved = window_event_listener(leptos::ev::popstate, move |_| self.range.set(address::read()));
            on_cleanup(move || moved.remove());
        });
        Effect::new(move |before: Option<SeriesRange>| {
            let range = self.range.get();
            self.trail.update(|trail| trail.visit(range));
            self.moving.set(None);
            if before.is_some_and(|before| before != range) {
                self.refresh();
            }
            range
        });
        Effect::new(move |_| {
            let edges = self.live.take_edges();
            let now = self.live.now.get_untracked();
            let span = match self.range.get_untracked() {
                SeriesRange::Window(window) => (TimeRange::ending_now(window, now).from().seconds(), i64::MAX),
                SeriesRange::Between(range) => (i64::MIN, range.to().seconds()),
            };
            for metric in Metric::ALL {
                self.slot(metric).advance(&edges, span, now.seconds());
            }
        });
        Effect::new(move |before: Option<u32>| {
            let snapshots = self.live.snapshots();
            // The first one of a page is the one it came with, the second the socket's; later ones end a silence.
            if before.is_some_and(|before| before != snapshots) && snapshots > 2 {
                self.refresh();
            }
            snapshots
        });
        Effect::new(move |_| {
            let timer = set_interval_with_handle(
                move || {
                    if !document().hidden() && self.touches_now() && !self.loading.get_untracked() {
                        self.refresh();
                    }
                },
                HEAL,
            );
            if let Ok(timer) = timer {
                on_cleanup(move || timer.clear());
            }
        });
    }

    /// Whether the view reaches the present.
    pub(crate) fn touches_now(self) -> bool {
        match self.range.get() {
            SeriesRange::Window(_) => true,
            SeriesRange::Between(range) => range.to() > self.live.now.get(),
        }
    }

    /// Goes to a range, and puts it into the address and the history.
    pub(crate) fn goto(self, range: SeriesRange) {
        if self.range.get_untracked() != range {
            address::push(&untrack(|| self.address(range)));
            self.range.set(range);
        }
        self.moving.set(None);
    }

    /// Goes to what a zoom or a pan left in view.
    pub(crate) fn goto_view(self, view: chart::TimeRange) {
        match range::between(view) {
            Some(range) => self.goto(range),
            None => self.moving.set(None),
        }
    }

    /// The address of a range.
    pub(crate) fn address(self, range: SeriesRange) -> String {
        let town = self.live.town.get().map(|town| town.to_string()).unwrap_or_default();
        format!("/t/{town}/observability{}", range::query(range))
    }

    /// One step back through the ranges.
    pub(crate) fn back(self) {
        if let Some(range) = self.trail.with_untracked(Trail::before) {
            self.goto(range);
        }
    }

    /// How far views may go: to the present, or to where the range reaches (the end of the running bucket).
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    pub(crate) fn limits(self) -> chart::Limits {
        let now = self.live.now.get_untracked();
        let reached = range::view(self.range.get_untracked(), now).to_s;
        chart::Limits::at((now.seconds() as f64 + 1.0).max(reached))
    }
}
