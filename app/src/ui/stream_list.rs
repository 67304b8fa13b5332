//! The lines of the event stream. Only those in sight are in the document, so that ten thousand scroll like ten.

use leptos::html::{Div, Ol};
use leptos::prelude::*;
use model::event_line::Level;
use model::format::grouped;
use model::wire::EventRow;
use model::{SourceName, TownName};

use super::events::{figures, says};
use super::state::Empty;
use crate::reader::ReadError;
use crate::stream::{Entry, EventFilter, Older, Reel};
use crate::zone::use_zone;

/// Lines in the document beyond those in sight, on either side.
const MARGIN: usize = 12;
/// Lines of the first paint, before anything was measured.
const FIRST: usize = 60;
/// So near to the oldest line, older ones are read.
const READ_AHEAD: usize = 40;

/// What the list's box measures, in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sight {
    /// Of the box's content above its upper edge.
    top: f64,
    /// Of the box.
    height: f64,
    /// Of a line.
    line: f64,
}

impl Sight {
    /// Which of `len` lines are to be in the document.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lines on a screen")]
    fn lines(self, len: usize) -> (usize, usize) {
        let first = (self.top / self.line).floor().max(0.0) as usize;
        let count = (self.height / self.line).ceil() as usize + 1;
        let from = first.min(len).saturating_sub(MARGIN);
        (from, (first + count + MARGIN).min(len))
    }
}

#[expect(clippy::cast_precision_loss, reason = "lines of a list")]
fn px_of(lines: usize, line: f64) -> f64 {
    lines as f64 * line
}

/// The box that scrolls.
#[component]
pub(crate) fn StreamList(reel: Reel, town: TownName) -> impl IntoView {
    let scroller = NodeRef::<Div>::new();
    let above = NodeRef::<Div>::new();
    let below = NodeRef::<Div>::new();
    let lines = NodeRef::<Ol>::new();
    let sight = RwSignal::new(None::<Sight>);
    let last_top = StoredValue::new(0);
    let shown = Memo::new(move |_| {
        let len = reel.len();
        match sight.get() {
            None => (len.saturating_sub(FIRST), len),
            // At the new end, what just came is in sight before the box has moved.
            Some(sight) if reel.following.get() => {
                let (from, to) = sight.lines(len);
                (from.min(len.saturating_sub(to - from)), len)
            }
            Some(sight) => sight.lines(len),
        }
    });
    let measure = move || {
        let (Some(scroller), Some(lines)) = (scroller.get_untracked(), lines.get_untracked()) else { return };
        let line = lines.first_element_child().map_or(24.0, |line| line.get_bounding_client_rect().height()).max(1.0);
        let height = f64::from(scroller.client_height());
        let now = Sight { top: f64::from(scroller.scroll_top()), height, line };
        if sight.get_untracked() != Some(now) {
            sight.set(Some(now));
        }
    };
    let to_end = move || {
        if let Some(scroller) = scroller.get_untracked() {
            scroller.set_scroll_top(scroller.scroll_height());
            last_top.set_value(scroller.scroll_top());
        }
        measure();
    };
    let scrolled = {
        let town = town.clone();
        move |_| {
            let Some(scroller) = scroller.get_untracked() else { return };
            let top = scroller.scroll_top();
            let is_at_end = top + scroller.client_height() >= scroller.scroll_height() - 8;
            // Only a reader moves up; the list itself only grows.
            if is_at_end || top < last_top.get_value() {
                reel.set_following(is_at_end);
            }
            last_top.set_value(top);
            measure();
            if shown.get_untracked().0 < READ_AHEAD {
                reel.read_older(town.clone());
            }
        }
    };
    // The room of what is not in the document.
    Effect::new(move |_| {
        let (from, to) = shown.get();
        let len = reel.len();
        let line = sight.get().map_or(24.0, |sight| sight.line);
        for (node, lines) in [(above, from), (below, len.saturating_sub(to))] {
            if let Some(node) = node.get() {
                // Set as a property: the page's policy refuses styles in markup.
                let _ = web_sys::HtmlElement::style(&node).set_property("height", &format!("{}px", px_of(lines, line)));
            }
        }
    });
    // Where the reader is stays where it is; at the new end, that is the end.
    Effect::new(move |shift_before: Option<i64>| {
        let shift = reel.shift.get();
        reel.len();
        if reel.following.get() {
            request_animation_frame(to_end);
        } else if let Some(before) = shift_before.filter(|before| *before != shift) {
            request_animation_frame(move || {
                let line = sight.get_untracked().map_or(24.0, |sight| sight.line);
                if let Some(scroller) = scroller.get_untracked() {
                    #[expect(
                        clippy::cast_possible_truncation,
                        clippy::cast_precision_loss,
                        reason = "pixels of a list"
                    )]
                    let moved = ((shift - before) as f64 * line).round() as i32;
                    scroller.set_scroll_top((scroller.scroll_top() + moved).max(0));
                    last_top.set_value(scroller.scroll_top());
                }
                measure();
            });
        }
        shift
    });
    {
        let town = town.clone();
        Effect::new(move |_| {
            let fits = sight.get().is_some_and(|sight| px_of(reel.len(), sight.line) < sight.height);
            if fits && reel.older.with(|older| *older == Older::More) {
                reel.fill(town.clone());
            }
        });
    }
    Effect::new(move |_| {
        let resized = window_event_listener(leptos::ev::resize, move |_| measure());
        on_cleanup(move || resized.remove());
    });
    let unread = move || {
        let unread = reel.unread.get();
        (unread > 0 && !reel.following.get()).then(|| {
            view! {
                <button type="button" class="unread" on:click=move |_| { reel.set_following(true); to_end(); }>
                    {format!("{} new ↓", grouped(i64::try_from(unread).unwrap_or(i64::MAX)))}
                </button>
            }
        })
    };
    let again = {
        let town = town.clone();
        Callback::new(move |()| reel.read_older(town.clone()))
    };
    let is_empty = Memo::new(move |_| reel.len() == 0);
    view! {
        <div class="stream-box">
            <div class="scroll stream-scroll" node_ref=scroller tabindex="0" role="log" aria-live="off" aria-label="Event stream" on:scroll=scrolled>
                <OlderNote reel again/>
                <div class="room" node_ref=above></div>
                <ol class="stream-lines" node_ref=lines>
                    <For each=move || { let (from, to) = shown.get(); reel.lines(from, to) } key=Entry::told let:entry>
                        <StreamLine entry/>
                    </For>
                </ol>
                <div class="room" node_ref=below></div>
                {move || (is_empty.get() && reel.older.with(|older| *older == Older::Done)).then(|| view! {
                    {if reel.filter.with(|filter| *filter == EventFilter::default()) {
                        view! { <Empty title="No events yet" hint="Whatever agents do appears here as it is committed."/> }
                    } else {
                        view! { <Empty title="No such event" hint="Clear the filter to see everything."/> }
                    }}
                })}
            </div>
            {unread}
        </div>
    }
}

/// What there is above the oldest line.
#[component]
fn OlderNote(reel: Reel, again: Callback<()>) -> impl IntoView {
    view! {
        <p class="older">
            {move || match reel.older.get() {
                Older::More => view! { <button type="button" class="plain" on:click=move |_| again.run(())>"Older events"</button> }.into_any(),
                Older::Coming => "Reading older events…".into_any(),
                Older::Done => "The beginning: nothing is older.".into_any(),
                Older::Full => "10,000 lines are kept. Filter to see further back.".into_any(),
                Older::Failed(error) => view! {
                    <span class="bad">{match error {
                        ReadError::UnknownTown(_) => "The server no longer knows this town. ",
                        ReadError::Unavailable | ReadError::Unreachable => "Older events could not be read. ",
                    }}</span>
                    <button type="button" class="plain" on:click=move |_| again.run(())>"Try again"</button>
                }
                .into_any(),
            }}
        </p>
    }
}

#[component]
fn StreamLine(entry: Entry) -> impl IntoView {
    match entry {
        Entry::LeftOut { events, .. } => {
            let words = format!("{} events left out here for speed", grouped(events.cast_signed()));
            view! { <li class="gap">{words}</li> }.into_any()
        }
        Entry::Event(event) => view! { <EventLine event/> }.into_any(),
    }
}

/// A source as people write it.
fn source_words(source: &SourceName) -> String {
    source.as_str().replace('_', " ")
}

/// `[HH:MM:SS] [LEVEL] source who: what, figures`.
#[component]
fn EventLine(event: EventRow) -> impl IntoView {
    let zone = use_zone();
    let at_s = event.at.seconds();
    let level = event.level;
    let word = match level {
        Level::Info => "INFO",
        Level::Warn => "WARN",
        Level::Error => "ERROR",
    };
    let who = event.agent.as_ref().map_or_else(|| event.role.name().to_owned(), ToString::to_string);
    let rig = event.rig.as_ref().map(|rig| format!("{rig}/")).unwrap_or_default();
    let whole = format!("{rig}{who} ({})", event.role.name());
    let source = source_words(&event.source);
    view! {
        <li data-level=level.name()>
            <time datetime=crate::civil::rfc3339(at_s)>{move || zone.clock(at_s)}</time>
            <span class="level">{word}</span>
            <span class="source" title=source.clone()>{source.clone()}</span>
            <span class=format!("who role-text-{}", event.role.name()) title=whole>{who}</span>
            <span class="what" title=says(&event)>{says(&event)}</span>
            <span class="figures">{figures(&event)}</span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_in_sight_and_a_margin_are_in_the_document() {
        let sight = |top| Sight { top, height: 480.0, line: 24.0 };
        assert_eq!(sight(0.0).lines(10_000), (0, 33));
        assert_eq!(sight(24.0 * 5_000.0).lines(10_000), (4_988, 5_033));
        // The list became shorter than where its reader was.
        assert_eq!(sight(24.0 * 5_000.0).lines(100), (88, 100));
        assert_eq!(sight(0.0).lines(0), (0, 0));
    }
}
