//! An event as lists show it.

use model::event::{BeadEdge, Event, PricedEvent, SessionEdge};
use model::event_line::Level;
use model::id::{LoggerName, ModelName, ToolName};
use model::wire::{EventRow, RowKey};
use xxhash_rust::xxh3::xxh3_64;

/// The row of one event.
#[must_use]
pub fn event_row(priced: &PricedEvent) -> EventRow {
    let envelope = &priced.envelope;
    let mut row = EventRow {
        key: row_key(priced),
        at: envelope.at,
        kind: envelope.event.kind(),
        level: Level::of(priced),
        source: envelope.source.clone(),
        ok: true,
        role: envelope.role,
        rig: envelope.rig.clone(),
        agent: envelope.agent.clone(),
        session: envelope.session.clone(),
        bead: envelope.bead.clone(),
        what: String::new(),
        text: None,
        file: None,
        tokens: None,
        cost: None,
        provenance: None,
        duration_us: None,
        lines: None,
    };
    match &envelope.event {
        Event::ModelCall(call) => {
            call.model.as_str().clone_into(&mut row.what);
            row.ok = call.ok;
            row.tokens = Some(call.tokens.total());
            row.duration_us = call.duration_us;
            row.cost = priced.cost.and_then(|cost| cost.amount);
            row.provenance = priced.cost.map(|cost| cost.provenance);
        }
        Event::ToolCall(call) => {
            call.tool.as_str().clone_into(&mut row.what);
            row.ok = call.ok;
            row.duration_us = call.duration_us;
            row.file = call.file.as_ref().map(ToString::to_string);
        }
        Event::LinesChanged(lines) => {
            "lines".clone_into(&mut row.what);
            row.lines = Some((lines.added, lines.removed));
            row.file = lines.file.as_ref().map(ToString::to_string);
        }
        Event::LinesLanded(lines) => {
            "landed".clone_into(&mut row.what);
            row.lines = Some((lines.added, lines.removed));
        }
        Event::Request(step) => {
            step.edge.name().clone_into(&mut row.what);
            row.ok = step.ok;
            row.duration_us = step.duration_us;
            let asked = step.model.as_ref().map(ModelName::as_str);
            row.text = asked.or(step.tool.as_ref().map(ToolName::as_str)).map(str::to_owned);
        }
        Event::Log(line) => {
            line.logger.as_ref().map_or("log", LoggerName::as_str).clone_into(&mut row.what);
            row.ok = line.level != Level::Error;
            row.text = Some(line.text.to_string());
        }
        Event::AgentState(state) => state.name().clone_into(&mut row.what),
        Event::Session(edge) => session_edge(*edge).clone_into(&mut row.what),
        Event::Bead(edge) => bead_edge(*edge).clone_into(&mut row.what),
        Event::CostSnapshot(snapshot) => {
            "total".clone_into(&mut row.what);
            row.cost = Some(snapshot.total);
        }
    }
    row
}

/// What tells an event from every other of its town: its primary key, hashed.
#[must_use]
pub fn row_key(priced: &PricedEvent) -> RowKey {
    let mut place = [0; 24];
    place[..16].copy_from_slice(&priced.envelope.key.0.to_le_bytes());
    place[16..].copy_from_slice(&priced.envelope.at.0.to_le_bytes());
    RowKey(xxh3_64(&place) >> (64 - RowKey::BITS))
}

/// As in [`EventRow::what`].
#[must_use]
const fn session_edge(edge: SessionEdge) -> &'static str {
    match edge {
        SessionEdge::Started => "started",
        SessionEdge::Ended => "ended",
    }
}

/// As in [`EventRow::what`].
#[must_use]
const fn bead_edge(edge: BeadEdge) -> &'static str {
    match edge {
        BeadEdge::Created => "created",
        BeadEdge::Closed => "closed",
    }
}
