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
                    events: !delta.events.is_empty() || delta.skipped > 0,
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
                town.events.splice(0..0, delta.events);
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
    use crate::id::TownName;
    use crate::tank::Pace;
    use crate::wire::{BeadCounts, Delta, Flow, Gauges};

    fn gauges(at_s: i64, tokens: i64) -> Gauges {
        Gauges {
            at: Timestamp::from_seconds(at_s),
            flow: Some(Flow { tokens, ..Flow::default() }),
            working: 0,
            known: 0,
            tank: None,
            pace: Pace::default(),
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
            events: Vec::new(),
            edges: Vec::new(),
        }))
    }

    fn delta(rev: u64, tokens: i64) -> ServerMessage {
        ServerMessage::Delta(Box::new(Delta {
            rev,
            gauges: gauges(1, tokens),
            trend: Vec::new(),
            roster: Vec::new(),
            beads: None,
            events: Vec::new(),
            skipped: 0,
            edges: Vec::new(),
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
    fn another_protocol_is_noticed() {
        let mut state = LiveState::default();
        let welcome = ServerMessage::Welcome { protocol: crate::wire::PROTOCOL + 1, build: "x".into() };
        assert_eq!(state.apply(welcome), Applied::OtherProtocol);
    }

    #[test]
    fn frames_survive_json() {
        for message in [snapshot(3), delta(4, 9)] {
            let json = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<ServerMessage>(&json).unwrap(), message);
        }
    }
}
