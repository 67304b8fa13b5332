//! The newest events, newest first.

use leptos::prelude::*;
use model::format::{compact, dollars, duration, grouped};
use model::wire::{EventRow, RowKey};
use model::{AgentName, EventKind, Role};

use super::state::Empty;
use super::truth_cells::{TOWN, first};
use crate::live::Live;
use crate::zone::use_zone;

/// Lines of the list on the Overview.
const SHOWN: usize = 40;

/// What an event says in a few words.
pub(super) fn says(event: &EventRow) -> String {
    let mut words = match (event.kind, &event.text) {
        (EventKind::Log, Some(text)) => vec![format!("{}: {text}", event.what)],
        (EventKind::Request, Some(asked)) => vec![format!("{asked} {}", event.what)],
        (EventKind::Request, None) => vec![format!("request {}", event.what)],
        _ => vec![event.what.clone()],
    };
    if let Some(file) = &event.file {
        words.push(file.clone());
    }
    if let Some((added, removed)) = event.lines {
        words.push(format!("+{added} −{removed}"));
    }
    if let Some(bead) = event.bead.as_ref().filter(|_| event.kind == EventKind::Bead) {
        words.insert(0, bead.to_string());
    }
    words.join(" ")
}

/// The figures at the right of a line: tokens and cost of a call, time of a tool.
#[expect(clippy::cast_precision_loss, reason = "display only")]
pub(super) fn figures(event: &EventRow) -> String {
    let mut figures = Vec::new();
    if let Some(tokens) = event.tokens {
        figures.push(format!("{} tok", compact(tokens as f64)));
        figures.push(event.cost.map_or_else(|| "unpriced".to_owned(), dollars));
    } else if let Some(cost) = event.cost {
        figures.push(format!("total {}", dollars(cost)));
    }
    if let Some(us) = event.duration_us {
        figures.push(duration(us));
    }
    figures.join(" · ")
}

const fn kind(event: &EventRow) -> &'static str {
    match event.kind {
        EventKind::ModelCall => "call",
        EventKind::ToolCall => "tool",
        EventKind::LinesChanged => "lines",
        EventKind::AgentState => "state",
        EventKind::Session => "session",
        EventKind::Bead => "bead",
        EventKind::CostSnapshot => "cost",
        EventKind::LinesLanded => "commit",
        EventKind::Request => "request",
        EventKind::Log => "log",
    }
}

/// A line is made anew when its event is told otherwise: with its agent known, say.
fn told(event: &EventRow) -> (RowKey, Role, Option<AgentName>) {
    (event.key, event.role, event.agent.clone())
}

/// The list.
#[component]
pub(crate) fn Events(live: Live) -> impl IntoView {
    let zone = use_zone();
    let rows = move || live.newest_events(SHOWN);
    let empty = Memo::new(move |_| rows().is_empty());
    let skipped = Memo::new(move |_| live.skipped());
    let (truth, words) = first(TOWN, live);
    let list = move || {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="List of events">
                <ol class="events">
                    <For each=rows key=told let:row>
                        <EventLine event=row/>
                    </For>
                </ol>
            </div>
        }
    };
    view! {
        <section
            class="panel newest"
            data-tell=TOWN
            data-truth=truth
            aria-labelledby="events-title"
        >
            <header>
                <h2 id="events-title">"Newest events"</h2>
                {move || (skipped.get() > 0).then(|| view! {
                    <span class="count">{format!("{} left out for speed", grouped(skipped.get().cast_signed()))}</span>
                })}
                <span class="truth">{words}</span>
                <span class="zone">{move || zone.name()}</span>
            </header>
            {move || if empty.get() {
                view! { <Empty title="No events yet" hint="Whatever agents do appears here as it is committed. If some are at work, connect them on the page Sources."/> }.into_any()
            } else {
                list().into_any()
            }}
        </section>
    }
}

#[component]
fn EventLine(event: EventRow) -> impl IntoView {
    let zone = use_zone();
    let at_s = event.at.seconds();
    let who = match (&event.agent, event.role) {
        (Some(agent), _) => agent.to_string(),
        (None, Role::Other) => "–".to_owned(),
        (None, role) => role.name().to_owned(),
    };
    view! {
        <li data-kind=kind(&event) class:failed=!event.ok>
            <time datetime=crate::civil::rfc3339(at_s)>{move || zone.clock(at_s)}</time>
            <span class="kind">{if event.ok { kind(&event) } else { "error" }}</span>
            <span class=format!("who role-text-{}", event.role.name()) title=event.role.name()>{who}</span>
            <span class="what" title=says(&event)>{says(&event)}</span>
            <span class="figures">{figures(&event)}</span>
        </li>
    }
}

#[cfg(test)]
mod tests {
    use model::SourceName;
    use model::event_line::Level;
    use model::time::Timestamp;
    use model::unit::Nanodollars;

    use super::*;

    fn event(kind: EventKind) -> EventRow {
        EventRow {
            key: RowKey(1),
            at: Timestamp::from_seconds(0),
            kind,
            level: Level::Info,
            source: SourceName::new("api").unwrap(),
            ok: true,
            role: Role::Other,
            rig: None,
            agent: None,
            session: None,
            bead: None,
            what: "Bash".to_owned(),
            text: None,
            file: None,
            tokens: None,
            cost: None,
            provenance: None,
            duration_us: None,
            lines: None,
        }
    }

    #[test]
    fn a_call_without_a_price_says_so() {
        let call = EventRow { tokens: Some(12_400), ..event(EventKind::ModelCall) };
        assert_eq!(figures(&call), "12.4k tok · unpriced");
        assert_eq!(figures(&EventRow { cost: Some(Nanodollars(4_200_000)), ..call }), "12.4k tok · $0.0042");
    }

    #[test]
    fn a_change_of_lines_names_its_file() {
        let lines = EventRow {
            what: "Edit".to_owned(),
            file: Some("src/a.rs".to_owned()),
            lines: Some((12, 3)),
            ..event(EventKind::LinesChanged)
        };
        assert_eq!(says(&lines), "Edit src/a.rs +12 −3");
    }

    #[test]
    fn a_request_names_what_it_asks_and_a_log_line_who_says_it() {
        let request = EventRow { what: "lost".to_owned(), text: Some("Bash".to_owned()), ..event(EventKind::Request) };
        assert_eq!(says(&request), "Bash lost");
        assert_eq!(says(&EventRow { text: None, ..request }), "request lost");
        let log = EventRow { what: "gateway".to_owned(), text: Some("529".to_owned()), ..event(EventKind::Log) };
        assert_eq!(says(&log), "gateway: 529");
    }
}
