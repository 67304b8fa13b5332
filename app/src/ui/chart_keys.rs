//! A chart by keyboard: arrows read values, plus and minus zoom, shift and arrows pan, backspace goes back.

use chart::{Step, TimeRange, step_bucket};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;

use super::chart_card::ChartContext;

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Ask {
    Read(Step),
    Zoom(f64),
    /// By a share of the span.
    Pan(f64),
    Back,
    Clear,
}

fn ask(key: &str, shift: bool) -> Option<Ask> {
    Some(match (key, shift) {
        ("ArrowLeft", true) => Ask::Pan(-0.25),
        ("ArrowRight", true) => Ask::Pan(0.25),
        ("ArrowLeft", false) => Ask::Read(Step::Left),
        ("ArrowRight", false) => Ask::Read(Step::Right),
        ("Home", _) => Ask::Read(Step::Home),
        ("End", _) => Ask::Read(Step::End),
        ("+" | "=", _) => Ask::Zoom(0.5),
        ("-" | "_", _) => Ask::Zoom(2.0),
        ("Backspace", _) => Ask::Back,
        ("Escape", _) => Ask::Clear,
        _ => return None,
    })
}

/// Handles a key on a chart.
pub(crate) fn keys(chart: ChartContext, event: &KeyboardEvent) {
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let Some(ask) = ask(&event.key(), event.shift_key()) else { return };
    event.prevent_default();
    let board = chart.board;
    let view: TimeRange = board.view.get_untracked();
    match ask {
        Ask::Read(step) => {
            let cursor = untrack(|| chart.cursor_bucket());
            let next = board.slot(chart.metric).look(|data| {
                #[expect(clippy::cast_precision_loss, reason = "seconds of a bucket")]
                let step_s = data.page.step_s as f64;
                step_bucket(&data.t, step_s, view, cursor, step).map(|bucket| data.t[bucket])
            });
            board.held.set(Some(chart.metric));
            board.cursor.set(next.flatten());
        }
        Ask::Zoom(factor) => {
            let middle = board.cursor.get_untracked().unwrap_or(f64::midpoint(view.from_s, view.to_s));
            board.goto_view(view.zoom_about(middle, factor, &board.limits()));
        }
        Ask::Pan(share) => board.goto_view(view.pan(view.span_s() * share, &board.limits())),
        Ask::Back => board.back(),
        Ask::Clear => {
            board.cursor.set(None);
            board.held.set(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shift_turns_reading_into_panning() {
        assert_eq!(ask("ArrowLeft", false), Some(Ask::Read(Step::Left)));
        assert_eq!(ask("ArrowLeft", true), Some(Ask::Pan(-0.25)));
        assert_eq!(ask("+", true), Some(Ask::Zoom(0.5)));
        assert_eq!(ask("a", false), None);
    }
}
