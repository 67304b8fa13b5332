//! A chart with everything around it: title, current value, legend, plot, and its text twin.

use leptos::prelude::*;
use model::id::ToolName;
use model::series::Metric;

use super::chart_canvas::{ChartCanvas, ChartState};
use super::legend::Legend;
use super::stream_filter::Choice;
use super::truth_mark::TruthMark;
use super::twin::Twin;
use crate::live::Live;
use crate::observe::board::Board;
use crate::observe::{csv, words};
use crate::reader::SeriesRange;
use crate::truth::Truth;

/// What a chart is, for its parts.
#[derive(Clone, Copy)]
pub(crate) struct ChartContext {
    /// The board it hangs on.
    pub board: Board,
    /// What it shows.
    pub metric: Metric,
    /// One bit per series that the viewer switched off.
    pub hidden: RwSignal<u16>,
}

impl ChartContext {
    /// Whether a series is shown. Tracked.
    pub(crate) fn shows(self, series: usize) -> bool {
        self.hidden.get() & (1 << series) == 0
    }
    /// The bucket under the shared cursor. Tracked.
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    pub(crate) fn cursor_bucket(self) -> Option<usize> {
        let at = self.board.cursor.get()?;
        self.board.slot(self.metric).with(|data| data.page.bucket_at(at.floor() as i64)).flatten()
    }
}

/// One metric.
#[component]
pub(crate) fn ChartCard(board: Board, metric: Metric) -> impl IntoView {
    let chart = ChartContext { board, metric, hidden: RwSignal::new(0) };
    let slot = board.slot(metric);
    let current = Memo::new(move |_| {
        let cursor = chart.cursor_bucket();
        slot.with(|data| words::short_value(metric, words::headline(data, cursor.or_else(|| data.newest()))))
    });
    let truth = Memo::new(move |_| board.truth());
    let instead = Memo::new(move |_| match slot.with(|data| (data.is_empty(), data.is_quiet())) {
        None => Some(("unread", truth.get().instead())),
        Some((true, _) | (_, true)) if truth.get() == Truth::Never => {
            Some(("never", "Nothing was ever heard of this town"))
        }
        Some((true, _)) => Some(("empty", "Nothing recorded in this range")),
        Some((false, true)) => Some(("zero", words::quiet(metric))),
        Some((false, false)) => None,
    });
    let title = format!("chart-{}", metric.name());
    let stale = move || truth.get().is_old();
    view! {
        <section
            class="panel chart"
            data-metric=metric.name()
            data-truth=move || truth.get().name()
            class:stale=stale
            aria-labelledby=title
        >
            <header>
                <h2 id=title.clone()>{metric.title()}</h2>
                <span class="unit">{words::axis_unit(metric)}</span>
                {(metric == Metric::Latency).then(|| view! { <ToolChoice board/> })}
                <TruthMark truth/>
                <span class="current">
                    <span class="unit">{words::headline_label(metric)}" "</span>
                    <strong>{current}</strong>
                </span>
            </header>
            <Legend chart/>
            <div class="plot-box">
                <ChartCanvas chart state=ChartState::shared()/>
                {move || instead.get().map(|(kind, text)| view! { <p class="plot-empty" data-kind=kind>{text}</p> })}
            </div>
            <footer>
                <Twin chart/>
                <ExportButton chart/>
            </footer>
        </section>
    }
}

/// Whose latency is shown.
#[component]
fn ToolChoice(board: Board) -> impl IntoView {
    let options = Memo::new(move |_| {
        let mut names = board.tools.get();
        // One that was not used lately, out of the address.
        let chosen = board.tool.get().map(|tool| tool.to_string());
        names.extend(chosen.filter(|chosen| !names.contains(chosen)));
        names.into_iter().map(|name| (name.clone(), name)).collect::<Vec<_>>()
    });
    let chosen = Signal::derive(move || board.tool.get().map(|tool| tool.to_string()));
    let choose = move |name: Option<String>| board.choose_tool(name.and_then(|name| ToolName::new(&name).ok()));
    view! { <Choice label="Tool" all="all tools" options chosen choose/> }
}

#[component]
fn ExportButton(chart: ChartContext) -> impl IntoView {
    let label = format!("Save {} as CSV", chart.metric.title().to_ascii_lowercase());
    view! {
        <button r#type="button" class="quiet" aria-label=label on:click=move |_| export(chart)>"CSV"</button>
    }
}

/// Hands what is shown to the browser as a file.
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
fn export(chart: ChartContext) {
    let view = chart.board.view.get_untracked();
    let (from_s, to_s) = (view.from_s as i64, view.to_s as i64);
    let town = live_town(chart.board.live);
    let slot = chart.board.slot(chart.metric);
    let made = slot.look(|data| {
        let text = slot.look_before(|before| csv::csv(data, Some(before), from_s, to_s));
        let text = text.unwrap_or_else(|| csv::csv(data, None, from_s, to_s));
        (text, csv::file_name(&town, data, from_s))
    });
    if let Some((text, name)) = made {
        // A browser that refuses a download says so itself.
        let _ = download(&text, &name);
    }
}

fn live_town(live: Live) -> String {
    live.town.get_untracked().map(|town| town.to_string()).unwrap_or_default()
}

fn download(text: &str, name: &str) -> Result<(), wasm_bindgen::JsValue> {
    use wasm_bindgen::JsCast;
    let options = web_sys::BlobPropertyBag::new();
    options.set_type("text/csv");
    let blob = web_sys::Blob::new_with_str_sequence_and_options(&js_sys::Array::of1(&text.into()), &options)?;
    let url = web_sys::Url::create_object_url_with_blob(&blob)?;
    let link: web_sys::HtmlAnchorElement = document().create_element("a")?.unchecked_into();
    link.set_href(&url);
    link.set_download(name);
    link.click();
    web_sys::Url::revoke_object_url(&url)
}

/// A range in words: `the last 1 h`, or from when to when.
pub(crate) fn range_words(board: Board, zone: crate::zone::Zone) -> String {
    match board.range.get() {
        SeriesRange::Window(window) => format!("the last {}", window.name()),
        SeriesRange::Between(range) => {
            format!("{} to {}", zone.day_clock(range.from().seconds()), zone.day_clock(range.to().seconds()))
        }
    }
}
