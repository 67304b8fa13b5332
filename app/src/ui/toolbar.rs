//! The bar over the charts: windows, the way back and forward, and what is shown.

use leptos::prelude::*;
use model::Window;

use crate::observe::board::Board;
use crate::observe::trail::Trail;
use crate::reader::SeriesRange;
use crate::zone::use_zone;

/// What "before" means.
const ELAPSED: &str =
    "The same length of elapsed time, directly before: where the clocks changed, the same hour is an hour off.";

/// Links and buttons that change the range.
#[component]
pub(crate) fn Toolbar(board: Board) -> impl IntoView {
    let zone = use_zone();
    let windows = Window::ALL.map(|window| {
        let range = SeriesRange::Window(window);
        // A link, so that it opens in a new tab too; a plain click stays on the page.
        let follow = move |event: leptos::ev::MouseEvent| {
            if event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key()) {
                event.prevent_default();
                board.goto(range);
            }
        };
        view! {
            <a
                on:click=follow
                href=move || board.address(range)
                aria-current=move || (board.range.get() == range).then_some("true")
                aria-label=format!("The last {}", window.name())
            >
                {window.name()}
            </a>
        }
    });
    let back = Memo::new(move |_| board.trail.with(Trail::before));
    let after = Memo::new(move |_| board.trail.with(Trail::after));
    let go = move |to: Memo<Option<SeriesRange>>| {
        move |_| {
            if let Some(range) = to.get_untracked() {
                board.goto(range);
            }
        }
    };
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let span = move |shift_s: i64| {
        let view = board.view.get();
        let (from, to) = (zone.day_clock(view.from_s as i64 - shift_s), zone.day_clock(view.to_s as i64 - shift_s));
        // Within one day the date is said once.
        match (from.rsplit_once(' '), to.rsplit_once(' ')) {
            (Some((from_day, _)), Some((to_day, to_clock))) if from_day == to_day => format!("{from} – {to_clock}"),
            _ => format!("{from} – {to}"),
        }
    };
    let shift_s = move || {
        let slot = board.slot(model::series::Metric::Tokens);
        slot.with_loaded(|_| slot.look_before(|before| before.shift_s)).flatten()
    };
    let before = move || {
        let shift_s = shift_s().filter(|_| board.compare.get())?;
        Some(view! { <p class="unit then" title=ELAPSED>{format!("before: {}", span(shift_s))}</p> })
    };
    let step = move || {
        let step_s = board.slot(model::series::Metric::Tokens).with_loaded(|data| data.page.step_s)?;
        Some(format!("{} steps", crate::observe::words::step(step_s)))
    };
    view! {
        <div class="toolbar" role="toolbar" aria-label="Range">
            <nav class="windows" aria-label="Window">{windows.collect_view()}</nav>
            <div class="history">
                <button r#type="button" aria-label="Back to the range before" title="Back" disabled=move || back.get().is_none() on:click=go(back)>
                    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M10 3 5 8l5 5" fill="none" stroke="currentColor" stroke-width="1.75"/></svg>
                </button>
                <button r#type="button" aria-label="Forward" title="Forward" disabled=move || after.get().is_none() on:click=go(after)>
                    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M6 3l5 5-5 5" fill="none" stroke="currentColor" stroke-width="1.75"/></svg>
                </button>
            </div>
            <div class="segments">
                <button
                    r#type="button"
                    title=format!("Compare with the period before. {ELAPSED}")
                    aria-label="Compare with the period before"
                    aria-pressed=move || board.compare.get().to_string()
                    on:click=move |_| board.toggle_compare()
                >
                    "Period before"
                </button>
            </div>
            <p class="range">{move || span(0)}<span class="unit zone-name">{move || zone.name()}</span></p>
            {before}
            <p class="resolution unit">{step}</p>
            <p class="hint unit">"Drag zooms, shift-drag pans, double-click goes back"</p>
            <span class="busy" class:on=move || board.loading.get() role="status">{move || board.loading.get().then_some("Reading")}</span>
        </div>
    }
}
