//! The runway's band as a small drawing: from the tenth to the ninetieth percentile, the middle, and what is awaited.

use leptos::prelude::*;
use model::fuel::span;
use model::runway::RunwayBand;

/// Width of the drawing in its own units.
const WIDTH: i64 = 1_000;

/// A place on the drawing.
fn place(seconds: i64, end_s: i64) -> i64 {
    let place = i128::from(seconds.max(0)) * i128::from(WIDTH) / i128::from(end_s.max(1));
    i64::try_from(place).unwrap_or(WIDTH).min(WIDTH)
}

/// The end of the axis: a little more than the longest, but no further than twice the awaited moment, behind which
/// nothing matters.
fn end_s(band: RunwayBand, until_s: Option<i64>) -> i64 {
    let longest = band.p90_s.max(until_s.unwrap_or(0));
    let longest = until_s.filter(|until| *until > 0).map_or(longest, |until| longest.min(until.saturating_mul(2)));
    longest.saturating_add(longest / 12).max(60)
}

/// The band in words and as a drawing; `until_s` is when the tank is filled again or begins anew, seconds from now.
#[component]
pub(crate) fn RunwayBar(band: RunwayBand, until_s: Option<i64>) -> impl IntoView {
    let end = end_s(band, until_s);
    let at = move |seconds: i64| place(seconds, end).to_string();
    let width = (place(band.p90_s, end) - place(band.p10_s, end)).max(6);
    let mark = until_s.filter(|until| *until > 0).map(|until| {
        view! { <path class="until" d=format!("M{0} 0V24", place(until, end).clamp(2, WIDTH - 2)) vector-effect="non-scaling-stroke"/> }
    });
    view! {
        <svg class="runway" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">
            <path class="axis" d="M0 12H1000" vector-effect="non-scaling-stroke"/>
            <rect class="band" x=at(band.p10_s) y="5" width=width.to_string() height="14"/>
            <path class="middle" d=format!("M{} 3V21", at(band.p50_s)) vector-effect="non-scaling-stroke"/>
            {mark}
        </svg>
        <dl class="runway-figures">
            <div><dt>"P50"</dt><dd>{span(band.p50_s)}</dd></div>
            <div><dt>"P10 to P90"</dt><dd>{format!("{} to {}", span(band.p10_s), span(band.p90_s))}</dd></div>
        </dl>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_its_place_on_the_drawing() {
        let band = RunwayBand { p10_s: 600, p50_s: 1_200, p90_s: 1_800 };
        assert_eq!(end_s(band, None), 1_950);
        assert_eq!(end_s(band, Some(2_400)), 2_600);
        // A week of runway and a reset in an hour: the axis ends after two hours.
        assert_eq!(end_s(RunwayBand { p90_s: 600_000, ..band }, Some(3_600)), 7_800);
        assert_eq!((place(0, 100), place(50, 100), place(i64::MAX, 100), place(5, 0)), (0, 500, 1_000, 1_000));
    }
}
