//! The client's side of the live link: a pure reducer from frames to state.

use crate::time::Timestamp;
use crate::wire::{EVENTS_KEPT, ServerMessage, Snapshot, TREND_POINTS};

/// What a frame did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// The dials, and the trend beneath them.
    pub gauges: bool,
    /// The agents.
    pub roster: bool,
    /// The bead counts.
    pub beads: bool,
    /// The list of events.
    pub events: bool,
    /// The charts' right edge.
    pub edges: bool,
}

impl Changed {
    const ALL: Self = Self { gauges: true, roster: true, beads: true, events: true, edges: true };
}

/// What to do after a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// Repaint what changed.
    Changed(Changed),
    /// A frame is missing: ask for a snapshot, keep showing what there is.
    Gap,
    /// The server speaks another protocol: reload the page.
    OtherProtocol,
}

/// A town as the client knows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LiveState {
    /// The newest state; none before the first snapshot.
    pub town: Option<Box<Snapshot>>,
    /// The server's clock at the newest frame.
    pub heard: Option<Timestamp>,
    /// Events the server left out since the page was opened.
    pub skipped: u64,
    /// The server's build.
    pub build: Option<String>,
}

impl LiveState {
    /// Applies one frame.
    pub fn apply(&mut self, message: ServerMessage) -> Applied {
        match message {
            ServerMessage::Welcome { protocol, build } => {
                self.build = Some(build);
                if protocol == crate::wire::PROTOCOL {
                    Applied::Changed(Changed::default())
                } else {
                    Applied::OtherProtocol
                }
            }
            ServerMessage::Beat { at } => {
                self.heard = Some(at);
                Applied::Changed(Changed::default())
            }
            ServerMessage::Snapshot(snapshot) => {
                self.heard = Some(snapshot.gauges.at);
                self.town = Some(snapshot);
                Applied::Changed(Changed::ALL)
            }
            ServerMessage::Delta(delta) => {
                let Some(town) = self.town.as_mut() else { return Applied::Gap };
                if delta.rev <= town.rev {
                    // Older than the snapshot: already in it.
                    return Applied::Changed(Changed::default());
                }
                if delta.rev != town.rev + 1 {
                    return Applied::Gap;
                }
                let changed = Changed {
                    gauges: true,
                    roster: !delta.roster.is_empty(),
                    beads: delta.beads.is_some(),
                    events: !delta.events.is_empty() || !delta.gone.is_empty() || delta.skipped > 0,
                    edges: !delta.edges.is_empty(),
                };
                town.rev = delta.rev;
                town.gauges = delta.gauges;
                self.heard = Some(delta.gauges.at);
                self.skipped += delta.skipped;
                town.trend.extend(delta.trend);
                let surplus = town.trend.len().saturating_sub(TREND_POINTS);
                town.trend.drain(..surplus);
                for agent in delta.roster {
                    match town.roster.iter_mut().find(|a| a.rig == agent.rig && a.name == agent.name) {
                        Some(known) => *known = agent,
                        None => town.roster.push(agent),
                    }
                }
                if let Some(beads) = delta.beads {
                    town.beads = beads;
                }
                if let Some(tanks) = delta.tanks {
                    town.tanks = tanks;
                }
                if let Some(alerts) = delta.alerts {
                    town.alerts = alerts;
                }
                town.events.retain(|row| !delta.gone.contains(&row.key));
                let mut fresh = Vec::with_capacity(delta.events.len());
                for row in delta.events {
                    match town.events.iter_mut().find(|known| known.key == row.key) {
                        Some(known) => *known = row,
                        None => fresh.push(row),
                    }
                }
                town.events.splice(0..0, fresh);
                town.events.truncate(EVENTS_KEPT);
                for edge in delta.edges {
                    match town.edges.iter_mut().find(|e| e.step_s == edge.step_s) {
                        Some(known) => *known = edge,
                        None => town.edges.push(edge),
                    }
                }
                Applied::Changed(changed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::EventKind;
    use crate::event_line::Level;
    use crate::fuel::{FuelKind, FuelTank};
    use crate::id::{Role, SourceName, TownName};
    use crate::tank::Pace;
    use crate::unit::Nanodollars;
    use crate::wire::{BeadCounts, Delta, EventRow, Flow, Gauges, RowKey};

    fn gauges(at_s: i64, tokens: i64) -> Gauges {
        Gauges {
            at: Timestamp::from_seconds(at_s),
            flow: Some(Flow { tokens, ..Flow::default() }),
            working: 0,
            known: 0,
            tank: None,
            pace: Pace::default(),
            store_down_since: None,
        }
    }

    fn snapshot(rev: u64) -> ServerMessage {
        ServerMessage::Snapshot(Box::new(Snapshot {
            town: TownName::new("t").unwrap(),
            demo: false,
            rev,
            gauges: gauges(0, 0),
            trend: Vec::new(),
            roster: Vec::new(),
            beads: BeadCounts::default(),
            tanks: Vec::new(),
            events: Vec::new(),
            edges: Vec::new(),
            alerts: String::new(),
        }))
    }

    fn delta(rev: u64, tokens: i64) -> ServerMessage {
        ServerMessage::Delta(Box::new(Delta {
            rev,
            gauges: gauges(1, tokens),
            trend: Vec::new(),
            roster: Vec::new(),
            beads: None,
            tanks: None,
            events: Vec::new(),
            gone: Vec::new(),
            skipped: 0,
            edges: Vec::new(),
            alerts: None,
        }))
    }

    #[test]
    fn deltas_follow_a_snapshot_without_a_gap() {
        let mut state = LiveState::default();
        assert_eq!(state.apply(delta(1, 5)), Applied::Gap, "no snapshot yet");
        state.apply(snapshot(7));
        assert!(matches!(state.apply(delta(7, 1)), Applied::Changed(c) if c == Changed::default()), "already in it");
        assert!(matches!(state.apply(delta(8, 2)), Applied::Changed(c) if c.gauges));
        assert_eq!(state.apply(delta(10, 3)), Applied::Gap);
        let tokens = state.town.as_ref().and_then(|t| t.gauges.flow).map(|f| f.tokens);
        assert_eq!(tokens, Some(2), "a gap keeps what there is");
        state.apply(snapshot(10));
        assert!(matches!(state.apply(delta(11, 4)), Applied::Changed(_)));
    }

    #[test]
    fn the_strip_of_alerts_is_what_was_said_last() {
        let mut state = LiveState::default();
        state.apply(snapshot(0));
        for (rev, said, want) in [(1, Some("<ul>"), "<ul>"), (2, None, "<ul>"), (3, Some(""), "")] {
            let ServerMessage::Delta(mut frame) = delta(rev, 0) else { panic!("a delta") };
            frame.alerts = said.map(str::to_owned);
            state.apply(ServerMessage::Delta(frame));
            assert_eq!(state.town.as_ref().unwrap().alerts, want);
        }
    }

    fn row(key: u64, cost: i64) -> EventRow {
        EventRow {
            key: RowKey(key),
            at: Timestamp::from_seconds(1),
            kind: EventKind::ModelCall,
            level: Level::Info,
            source: SourceName::new("api").unwrap(),
            ok: true,
            role: Role::Other,
            rig: None,
            agent: None,
            session: None,
            bead: None,
            what: "m".to_owned(),
            text: None,
            file: None,
            tokens: None,
            cost: Some(Nanodollars(cost)),
            provenance: None,
            duration_us: None,
            lines: None,
        }
    }

    #[test]
    fn a_call_stands_once_in_the_list_whatever_replaces_it() {
        let mut state = LiveState::default();
        state.apply(snapshot(0));
        let mut rev = 0;
        let mut tell = |events: &[EventRow], gone: &[u64]| {
            rev += 1;
            let ServerMessage::Delta(mut frame) = delta(rev, 0) else { panic!("a delta") };
            frame.events = events.to_vec();
            frame.gone = gone.iter().copied().map(RowKey).collect();
            let Applied::Changed(changed) = state.apply(ServerMessage::Delta(frame)) else { panic!("no gap") };
            assert!(changed.events);
            let costs = |row: &EventRow| (row.key.0, row.cost.map_or(0, |cost| cost.0));
            state.town.as_ref().unwrap().events.iter().map(costs).collect::<Vec<_>>()
        };
        assert_eq!(tell(&[row(2, 20), row(1, 10)], &[]), [(2, 20), (1, 10)]);
        // The same row again keeps its place; a better report under another key comes first, and the lesser one goes.
        assert_eq!(tell(&[row(1, 11)], &[]), [(2, 20), (1, 11)]);
        assert_eq!(tell(&[row(3, 30)], &[1]), [(3, 30), (2, 20)]);
        assert_eq!(tell(&[], &[2, 9]), [(3, 30)]);
    }

    #[test]
    fn another_protocol_is_noticed() {
        let mut state = LiveState::default();
        let welcome = ServerMessage::Welcome { protocol: crate::wire::PROTOCOL + 1, build: "x".into() };
        assert_eq!(state.apply(welcome), Applied::OtherProtocol);
    }

    #[test]
    fn tanks_are_replaced_as_a_whole_and_stay_when_nothing_is_said_of_them() {
        let mut state = LiveState::default();
        state.apply(snapshot(0));
        let tank = FuelTank {
            name: "OpenRouter".into(),
            source: String::new(),
            kind: FuelKind::Money,
            meter: true,
            left: 5,
            full: 10,
            currency: "USD".into(),
            resets_at: None,
            read_at: Some(Timestamp(1)),
            trouble: None,
            band: None,
        };
        let ServerMessage::Delta(mut frame) = delta(1, 0) else { panic!("a delta") };
        frame.tanks = Some(vec![tank.clone()]);
        state.apply(ServerMessage::Delta(frame));
        state.apply(delta(2, 0));
        assert_eq!(state.town.as_ref().unwrap().tanks, [tank]);
    }

    #[test]
    fn frames_survive_json() {
        for message in [snapshot(3), delta(4, 9)] {
            let json = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<ServerMessage>(&json).unwrap(), message);
        }
    }
}
