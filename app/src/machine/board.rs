//! What the page knows: the newest reading of each host, the past of all of them, and the server's own cost.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local_scoped_with_cancellation;
use model::host::{HostColumns, HostHistory, Instrument, OwnCost, PerfMetrics};
use model::{Timestamp, Window};

use crate::fetch;
use crate::live::Live;
use crate::observe::{address, range};
use crate::reader::{MachinePage, ReadError, SeriesRange};
use crate::truth::Truth;

/// How often the past and the server's own cost are read again while the page is looked at.
const REFRESH: Duration = Duration::from_secs(5);

/// What was read longer ago is stale: four answers were missed.
const STALE_AFTER_S: i64 = 20;

/// The page's data behind signals. The past never travels through one.
#[derive(Clone, Copy)]
pub(crate) struct MachineBoard {
    /// The town's live state.
    pub live: Live,
    /// The window of the address.
    pub window: RwSignal<Window>,
    /// The newest reading of each host, in the order of the page.
    hosts: RwSignal<Vec<PerfMetrics>>,
    /// What the server costs.
    pub own: RwSignal<OwnCost>,
    /// The instant under the crosshair, shared by all charts: the beginning of its step.
    pub cursor: RwSignal<Option<f64>>,
    /// The chart that the pointer or the focus is on.
    pub held: RwSignal<Option<(String, Instrument)>>,
    /// Why the newest page could not be read.
    pub failed: RwSignal<Option<ReadError>>,
    /// The server's clock when the page was read the last time; none before the first time.
    pub read_at: RwSignal<Option<Timestamp>>,
    /// Whether a window is being read.
    pub loading: RwSignal<bool>,
    history: StoredValue<HostHistory>,
    revision: RwSignal<u32>,
}

impl MachineBoard {
    /// Begins with what the page came with.
    pub(crate) fn new(live: Live, window: Window, read: Result<MachinePage, ReadError>) -> Self {
        let board = Self {
            live,
            window: RwSignal::new(window),
            hosts: RwSignal::new(Vec::new()),
            own: RwSignal::new(OwnCost::default()),
            cursor: RwSignal::new(None),
            held: RwSignal::new(None),
            failed: RwSignal::new(None),
            read_at: RwSignal::new(None),
            loading: RwSignal::new(false),
            history: StoredValue::new(HostHistory::empty(window, live.now.get_untracked())),
            revision: RwSignal::new(0),
        };
        board.take(read);
        board
    }

    fn take(self, read: Result<MachinePage, ReadError>) {
        match read {
            Ok(page) => {
                // A reading that came over the socket meanwhile is newer.
                let known = self.hosts.get_untracked();
                let newer = |read: PerfMetrics| {
                    let known = known.iter().find(|known| known.host == read.host && known.timestamp > read.timestamp);
                    known.cloned().unwrap_or(read)
                };
                self.hosts.set(page.hosts.into_iter().map(newer).collect());
                self.own.set(page.own);
                self.history.set_value(page.history);
                self.revision.update(|n| *n = n.wrapping_add(1));
                self.read_at.set(Some(self.live.now.get_untracked()));
                self.failed.set(None);
            }
            Err(error) => self.failed.set(Some(error)),
        }
    }

    /// Reads the page again. An answer to a question of before is dropped.
    pub(crate) fn refresh(self) {
        let Some(town) = self.live.town.get_untracked() else { return };
        let asked = self.window.get_untracked();
        spawn_local_scoped_with_cancellation(async move {
            let read = fetch::machine(town, asked).await;
            if self.window.try_get_untracked() == Some(asked) {
                self.take(read);
                self.loading.set(false);
            }
        });
    }

    /// What the past and the server's own cost can be taken for. Tracked.
    pub(crate) fn truth(self) -> Truth {
        let age_s = self.read_at.get().map(|at| (self.live.now.get().micros_since(at) / 1_000_000).max(0));
        Truth::of_answer(self.live, self.failed.with(Option::is_some), age_s, STALE_AFTER_S)
    }

    /// Keeps everything up to date, in the browser.
    pub(crate) fn follow(self) {
        Effect::new(move |_| {
            let text = self.live.perf.get();
            let Ok(read) = serde_json::from_str::<PerfMetrics>(&text) else { return };
            self.hosts.update(|hosts| match hosts.iter_mut().find(|known| known.host == read.host) {
                Some(known) => *known = read,
                None => hosts.push(read),
            });
        });
        Effect::new(move |_| {
            let moved = window_event_listener(leptos::ev::popstate, move |_| {
                if let SeriesRange::Window(window) = address::read().range {
                    self.show(window);
                }
            });
            on_cleanup(move || moved.remove());
        });
        Effect::new(move |_| {
            // The first whole snapshots are the document's and the socket's own.
            if self.live.snapshots() > 2 {
                self.refresh();
            }
            let read = move || {
                if !document().hidden() {
                    self.refresh();
                }
            };
            if let Ok(timer) = set_interval_with_handle(read, REFRESH) {
                on_cleanup(move || timer.clear());
            }
        });
    }

    fn show(self, window: Window) {
        if self.window.get_untracked() != window {
            self.cursor.set(None);
            self.window.set(window);
            self.loading.set(true);
            self.refresh();
        }
    }

    /// Goes to a window, and puts it into the address and the history.
    pub(crate) fn goto(self, window: Window) {
        if self.window.get_untracked() != window {
            address::push(&untrack(|| self.address(window)));
            self.show(window);
        }
    }

    /// The address of a window.
    pub(crate) fn address(self, window: Window) -> String {
        let town = self.live.town.get().map(|town| town.to_string()).unwrap_or_default();
        format!("/t/{town}/machine{}", range::query(SeriesRange::Window(window)))
    }

    /// The hosts by name, in the order of the page. Tracked.
    pub(crate) fn names(self) -> Vec<String> {
        self.hosts.with(|hosts| hosts.iter().map(|metrics| metrics.host.to_string()).collect())
    }

    /// The newest reading of a host. Tracked.
    pub(crate) fn host<T>(self, name: &str, read: impl FnOnce(&PerfMetrics) -> T) -> Option<T> {
        self.hosts.with(|hosts| hosts.iter().find(|metrics| metrics.host.as_str() == name).map(read))
    }

    /// The past of a host, none where nothing is known of it. Tracked.
    pub(crate) fn past<T>(self, name: &str, read: impl FnOnce(&HostHistory, &HostColumns) -> T) -> Option<T> {
        self.revision.track();
        self.look(name, read)
    }

    /// As [`Self::past`], not tracked.
    pub(crate) fn look<T>(self, name: &str, read: impl FnOnce(&HostHistory, &HostColumns) -> T) -> Option<T> {
        let look = |history: &HostHistory| {
            history.hosts.iter().find(|columns| columns.host.as_str() == name).map(|columns| read(history, columns))
        };
        self.history.try_with_value(look).flatten()
    }

    /// What the charts show. Tracked.
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    pub(crate) fn view(self) -> chart::TimeRange {
        self.revision.track();
        self.history.with_value(|history| chart::TimeRange::new(history.from_s as f64, history.to_s as f64))
    }

    /// Seconds per step. Tracked.
    pub(crate) fn step_s(self) -> i64 {
        self.revision.track();
        self.history.with_value(|history| history.step_s)
    }

    /// The step under the crosshair. Tracked.
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    pub(crate) fn cursor_step(self) -> Option<usize> {
        let at_s = self.cursor.get()? as i64;
        self.revision.track();
        self.history.with_value(|history| {
            let step = usize::try_from((at_s - history.from_s).div_euclid(history.step_s.max(1))).ok()?;
            (step < history.steps()).then_some(step)
        })
    }
}
