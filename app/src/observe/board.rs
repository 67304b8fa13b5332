//! The board that the charts hang on: one range, one cursor, one set of data, kept up to date.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::id::ToolName;
use model::series::Metric;
use model::time::{TimeRange, Timestamp};

use super::slot::Slot;
use super::trail::Trail;
use super::{address, asked, range};
use crate::fetch;
use crate::live::{Live, backoff};
use crate::reader::{ChartsAsked, ChartsPage, ReadError, SeriesRange};
use crate::truth::{Signs, Truth};

/// How often charts that touch now are read again: for what edges do not carry, and to heal what was missed.
const HEAL: Duration = Duration::from_secs(30);

/// Readings older than this are stale: three were missed.
const STALE_AFTER_S: i64 = 90;

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
    /// Whose latency is shown; none: that of all tools together.
    pub tool: RwSignal<Option<ToolName>>,
    /// Tools to choose from.
    pub tools: RwSignal<Vec<String>>,
    /// Whether the period before is shown too.
    pub compare: RwSignal<bool>,
    /// Whether a page is being read.
    pub loading: RwSignal<bool>,
    /// Why the newest page could not be read.
    pub failed: RwSignal<Option<ReadError>>,
    /// The server's clock at the last reading; none when there never was one.
    pub read_at: RwSignal<Option<Timestamp>>,
    /// What was read then.
    known: RwSignal<Option<ChartsAsked>>,
    /// Readings that failed since the last one that did not.
    failures: StoredValue<u32>,
    /// Counts readings: the answer to an earlier one is dropped.
    turn: StoredValue<u32>,
    slots: StoredValue<[Slot; Metric::COUNT]>,
}

impl Board {
    /// A board that shows what the address asks for.
    pub(crate) fn new(live: Live, asked: ChartsAsked) -> Self {
        let ChartsAsked { range, tool, before } = asked;
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
            tool: RwSignal::new(tool),
            tools: RwSignal::new(Vec::new()),
            compare: RwSignal::new(before),
            loading: RwSignal::new(false),
            failed: RwSignal::new(None),
            read_at: RwSignal::new(None),
            known: RwSignal::new(None),
            failures: StoredValue::new(0),
            turn: StoredValue::new(0),
            slots: StoredValue::new(std::array::from_fn(|_| Slot::new())),
        }
    }

    /// One metric's data.
    pub(crate) fn slot(self, metric: Metric) -> Slot {
        let index = Metric::ALL.iter().position(|m| *m == metric).unwrap_or_default();
        self.slots.with_value(|slots| slots[index])
    }

    /// What is asked for. Tracked.
    pub(crate) fn asked(self) -> ChartsAsked {
        ChartsAsked { range: self.range.get(), tool: self.tool.get(), before: self.compare.get() }
    }

    /// Takes over what was read.
    pub(crate) fn load(self, asked: ChartsAsked, read: Result<ChartsPage, ReadError>) {
        match read {
            Ok(ChartsPage { at, charts, before, tools }) => {
                let now_s = self.live.now.get_untracked().seconds();
                let mut before = before.into_iter();
                for page in charts {
                    self.slot(page.metric).load(page, before.next(), now_s);
                }
                if self.tools.with_untracked(|known| *known != tools) {
                    self.tools.set(tools);
                }
                self.read_at.set(Some(at));
                self.known.set(Some(asked));
                self.failures.set_value(0);
                self.failed.set(None);
            }
            Err(error) => self.failed.set(Some(error)),
        }
    }

    /// Reads again what is asked for. An answer to a question of before is dropped.
    pub(crate) fn refresh(self) {
        let Some(town) = self.live.town.get_untracked() else { return };
        let asked = untrack(|| self.asked());
        let turn = self.turn.with_value(|turn| turn.wrapping_add(1));
        self.turn.set_value(turn);
        self.loading.set(true);
        spawn_local_scoped_with_cancellation(async move {
            let read = fetch::charts(town, &asked).await;
            if self.turn.try_get_value() == Some(turn) {
                let lost = matches!(read, Err(ReadError::Unavailable | ReadError::Unreachable));
                self.load(asked, read);
                self.loading.set(false);
                if lost {
                    self.try_again_later(turn);
                }
            }
        });
    }

    /// What could not be read is read again by itself, ever less often, while nothing else was read.
    fn try_again_later(self, turn: u32) {
        let failures = self.failures.with_value(|failures| *failures);
        self.failures.set_value(failures.saturating_add(1));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most half a minute")]
        let wait = Duration::from_millis(backoff::delay_ms(failures, js_sys::Math::random()) as u64);
        set_timeout(
            move || {
                if self.turn.try_get_value() == Some(turn) && !document().hidden() {
                    self.refresh();
                }
            },
            wait,
        );
    }

    /// Seconds since the last reading, by the server's clock; none when there never was one. Tracked.
    fn age_s(self) -> Option<i64> {
        let at = self.read_at.get()?;
        Some((self.live.now.get().micros_since(at) / 1_000_000).max(0))
    }

    /// What the charts can be taken for. Tracked.
    pub(crate) fn truth(self) -> Truth {
        let asked = self.asked();
        let touches_now = self.touches_now();
        let truth = Truth::judge(Signs {
            link: self.live.link.get(),
            touches_now,
            failed: self.failed.with(Option::is_some),
            asked: self.loading.get() && self.known.with(|known| *known != Some(asked)),
            age_s: self.age_s(),
            stale_after_s: STALE_AFTER_S,
        });
        if touches_now { truth.or_quiet(self.live) } else { truth }
    }

    /// Keeps the data up to date, in the browser: a new range is read, edges are applied, and now and then everything
    /// is read again.
    pub(crate) fn follow(self) {
        Effect::new(move |_| {
            // The browser's own way back and forward.
            let moved = window_event_listener(leptos::ev::popstate, move |_| {
                let ChartsAsked { range, tool, before } = address::read();
                self.range.set(range);
                self.tool.set(tool);
                self.compare.set(before);
            });
            on_cleanup(move || moved.remove());
        });
        Effect::new(move |_| {
            let range = self.range.get();
            self.trail.update(|trail| trail.visit(range));
            self.moving.set(None);
        });
        // A part of it may be set again to what it was.
        let asked = Memo::new(move |_| self.asked());
        Effect::new(move |before: Option<ChartsAsked>| {
            let asked = asked.get();
            if let Some(before) = before.filter(|before| *before != asked) {
                let less = ChartsAsked { before: false, ..before.clone() };
                let settled = !self.loading.get_untracked() && self.failed.with_untracked(Option::is_none);
                if before.before && less == asked && settled {
                    // There is nothing to read: less is shown.
                    Metric::ALL.into_iter().for_each(|metric| self.slot(metric).forget_before());
                    self.known.set(Some(less));
                } else {
                    self.refresh();
                }
            }
            asked
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
                    let wanted = untrack(|| self.touches_now()) || self.failed.with_untracked(Option::is_some);
                    if !document().hidden() && wanted && !self.loading.get_untracked() {
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

    /// Shows the latency of a tool, or of all together.
    pub(crate) fn choose_tool(self, tool: Option<ToolName>) {
        self.tool.set(tool);
        self.put_into_address();
    }

    /// Shows the period before too, or no more.
    pub(crate) fn toggle_compare(self) {
        self.compare.update(|compare| *compare = !*compare);
        self.put_into_address();
    }

    /// What is no step of the way stands in the address of the step.
    fn put_into_address(self) {
        address::replace(&untrack(|| self.address(self.range.get())));
    }

    /// The address of a range, with the rest of what is asked for.
    pub(crate) fn address(self, range: SeriesRange) -> String {
        let town = self.live.town.get().map(|town| town.to_string()).unwrap_or_default();
        let asked = ChartsAsked { range, ..self.asked() };
        format!("/t/{town}/observability{}", asked::query(&asked))
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
