//! The small line of the last five minutes under a gauge.

use chart::{SparkSpec, Theme};
use leptos::html::Canvas;
use leptos::prelude::*;

use super::instrument::Instrument;
use super::theme_toggle::use_mode;
use crate::canvas::{Frame, paint_on};
use crate::live::Live;

/// The line, 24 px high, and what it spans.
#[component]
pub(crate) fn Spark(instrument: Instrument, live: Live, fresh: Memo<bool>) -> impl IntoView {
    let node = NodeRef::<Canvas>::new();
    let mode = use_mode();
    // A point is complete every few seconds; the line need not be drawn more often.
    let newest = Memo::new(move |_| live.with_trend(|_, trend| trend.last().map(|point| point.end_s)).flatten());
    let watch = move || {
        newest.track();
        mode.track();
        fresh.track();
    };
    paint_on(node, watch, move |surface, _| {
        // Without a reading there is no line either: no data is not zero.
        let read = untrack(|| {
            live.with_trend(|gauges, trend| instrument.value(gauges).map(|_| instrument.trend(trend))).flatten()
        });
        let values = read.unwrap_or_default();
        let theme = Theme::new(mode.get_untracked());
        if let Some(area) = surface.area() {
            let spec = SparkSpec { values: &values, stale: !fresh.get_untracked(), ..SparkSpec::default() };
            let _ = chart::draw_sparkline(area, &spec, &theme);
        }
        Frame::Done
    });
    let label = move || live.gauges().map(|gauges| instrument.trend_label(&gauges));
    view! {
        <div class="spark">
            <canvas node_ref=node aria-hidden="true"></canvas>
            <span class="span">{label}</span>
        </div>
    }
}
