//! How long tools and models take: percentiles over five minutes, an hour and a day.

use chart::{SparkSpec, Theme};
use leptos::html::Canvas;
use leptos::prelude::*;
use model::format::{duration, grouped};
use model::live_stats::{Latency, LatencyStats, LatencyWindow, LiveStats};

use super::blank::Blank;
use super::theme_toggle::use_mode;
use super::truth_mark::TruthMark;
use crate::canvas::{Frame, paint_on};
use crate::live::Live;
use crate::poll::Poll;

/// Milliseconds as people read them; a dash when nothing was timed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "durations are positive and below years")]
fn time(ms: Option<f64>) -> String {
    ms.map_or_else(|| "–".to_owned(), |ms| duration((ms.max(0.0) * 1e3).round() as u64))
}

/// `0.4 %`; none of many is `0 %`, and some are never `0 %`.
fn share(row: &Latency) -> String {
    match row.error_rate() {
        None => "–".to_owned(),
        Some(rate) if row.errors > 0 && rate < 0.001 => "< 0.1 %".to_owned(),
        Some(rate) => format!("{} %", model::format::exact(rate * 100.0, 1)),
    }
}

/// Whose rows a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Tools.
    Tools,
    /// Models' makers.
    Providers,
}

impl Subject {
    fn rows(self, stats: &LatencyStats) -> &[Latency] {
        match self {
            Self::Tools => &stats.tools,
            Self::Providers => &stats.providers,
        }
    }
}

/// The table of tools, with its windows.
#[component]
pub(crate) fn LatencyPanel(poll: Poll<LiveStats>, live: Live, window: RwSignal<LatencyWindow>) -> impl IntoView {
    let rule = move || {
        poll.with(|stats| {
            let rules = stats.sources.iter().filter(|source| source.last_event.is_some());
            rules
                .filter_map(|source| Some(format!("{}: {}", source.title, source.latency_rule.as_ref()?)))
                .collect::<Vec<_>>()
        })
        .unwrap_or_default()
    };
    let truth = poll.truth(live);
    let pending = move || poll.with(|stats| stats.watermarks.sketches_pending > 0).unwrap_or(false);
    view! {
        <section
            class="panel latency"
            class:stale=move || truth.get().is_old()
            data-truth=move || truth.get().name()
            aria-labelledby="latency-title"
        >
            <header>
                <h2 id="latency-title">"Tool latency"</h2>
                <TruthMark truth/>
                {move || pending().then(|| view! { <span class="count">"history is still being read"</span> })}
                <WindowButtons window/>
            </header>
            <LatencyTable poll window subject=Subject::Tools/>
            <footer class="rules">
                {move || rule().into_iter().map(|rule| view! { <p>{rule}</p> }).collect_view()}
            </footer>
        </section>
    }
}

/// 5m, 1h, 24h.
#[component]
fn WindowButtons(window: RwSignal<LatencyWindow>) -> impl IntoView {
    let buttons = LatencyWindow::ALL.map(|each| {
        let pressed = move || (window.get() == each).to_string();
        view! { <button type="button" aria-pressed=pressed on:click=move |_| window.set(each)>{each.name()}</button> }
    });
    view! { <div class="segments" role="group" aria-label="Window">{buttons.collect_view()}</div> }
}

/// n, percentiles, errors and the sparkline of P95 per row.
#[component]
pub(crate) fn LatencyTable(poll: Poll<LiveStats>, window: RwSignal<LatencyWindow>, subject: Subject) -> impl IntoView {
    let with = move |read: &mut dyn FnMut(&LatencyStats)| {
        poll.with(|stats| stats.latency.iter().find(|latency| latency.window == window.get()).map(read));
    };
    let names = Memo::new(move |_| {
        let mut names = Vec::new();
        with(&mut |stats| names = subject.rows(stats).iter().map(|row| row.name.clone()).collect());
        names
    });
    let left_out = move || {
        let mut left_out = 0;
        with(&mut |stats| left_out = stats.left_out);
        left_out
    };
    let row = move |name: String| {
        let row = Memo::new(move |_| {
            let mut found = None;
            with(&mut |stats| found = subject.rows(stats).iter().find(|row| row.name == name).cloned());
            found
        });
        view! { <LatencyRow row subject/> }
    };
    let (title, empty, hint) = match subject {
        Subject::Tools => ("Tool", "No tool was used in this window", "Tools appear here with their first call."),
        Subject::Providers => {
            ("Provider", "No model was called in this window", "Models appear here with their first call.")
        }
    };
    move || {
        if names.with(Vec::is_empty) {
            return view! { <Blank poll title=empty hint/> }.into_any();
        }
        let dropped = (subject == Subject::Tools && left_out() > 0)
            .then(|| view! { <p class="left-out">{format!("{} more with fewer calls", left_out())}</p> });
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Latency by {}", title.to_ascii_lowercase())>
                <table class="figures-table">
                    <thead>
                        <tr>
                            <th scope="col">{title}</th>
                            <th scope="col">"n"</th>
                            <th scope="col">{if subject == Subject::Tools { "P50" } else { "Mean" }}</th>
                            <th scope="col">"P95"</th>
                            <th scope="col">"P99"</th>
                            <th scope="col">"Errors"</th>
                            <th scope="col" class="trend">"P95 over time"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || names.get() key=String::clone let:name>{row(name)}</For>
                    </tbody>
                </table>
                {dropped}
            </div>
        }
        .into_any()
    }
}

#[component]
fn LatencyRow(row: Memo<Option<Latency>>, subject: Subject) -> impl IntoView {
    let of =
        move |read: fn(&Latency) -> String| move || row.with(|row| row.as_ref().map_or_else(|| "–".to_owned(), read));
    let failed = move || row.with(|row| row.as_ref().is_some_and(|row| row.errors > 0));
    view! {
        <tr>
            <th scope="row">{of(|row| row.name.clone())}</th>
            <td>{of(|row| grouped(row.n))}</td>
            <td>{of(if subject == Subject::Tools { |row| time(row.p50_ms) } else { |row| time(row.mean_ms) })}</td>
            <td>{of(|row| time(row.p95_ms))}</td>
            <td>{of(|row| time(row.p99_ms))}</td>
            <td class:bad=failed>{of(share)}</td>
            <td class="trend"><TrendLine row/></td>
        </tr>
    }
}

/// P95 over the window.
#[component]
fn TrendLine(row: Memo<Option<Latency>>) -> impl IntoView {
    let node = NodeRef::<Canvas>::new();
    let mode = use_mode();
    let watch = move || {
        row.track();
        mode.track();
    };
    paint_on(node, watch, move |surface, _| {
        let points = |row: &Latency| row.spark_p95_ms.iter().map(|ms| ms.unwrap_or(f64::NAN)).collect::<Vec<f64>>();
        let values = row.with_untracked(|row| row.as_ref().map(points)).unwrap_or_default();
        let theme = Theme::new(mode.get_untracked());
        if let Some(area) = surface.area() {
            let _ = chart::draw_sparkline(area, &SparkSpec { values: &values, ..SparkSpec::default() }, &theme);
        }
        Frame::Done
    });
    view! { <canvas class="trend-line" node_ref=node aria-hidden="true"></canvas> }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: i64, errors: i64) -> Latency {
        Latency { n, errors, ..Latency::default() }
    }

    #[test]
    fn a_failure_among_many_is_never_none() {
        assert_eq!(share(&row(0, 0)), "–");
        assert_eq!(share(&row(10, 0)), "0 %");
        assert_eq!(share(&row(1_000_000, 1)), "< 0.1 %");
        assert_eq!(share(&row(8, 1)), "12.5 %");
    }

    #[test]
    fn what_was_not_timed_has_no_time() {
        assert_eq!(time(None), "–");
        assert_eq!(time(Some(12.4)), "12 ms");
        assert_eq!(time(Some(1_400.0)), "1.4 s");
    }
}
