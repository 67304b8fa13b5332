//! Frames off the socket. The kind is read first and then the frame itself, so that no frame is built twice: serde's
//! own way through a tagged enum costs a tenth of the client's size.

use model::time::Timestamp;
use model::wire::ServerMessage;
use serde::Deserialize;

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(rename = "type")]
    name: &'a str,
}

#[derive(Deserialize)]
struct Welcome {
    protocol: u32,
    build: String,
}

#[derive(Deserialize)]
struct Beat {
    at: Timestamp,
}

/// A frame.
#[derive(Debug, PartialEq)]
pub(crate) enum Frame {
    /// For the reducer.
    Message(ServerMessage),
    /// What a host uses. Pages differ in what they show of it, so it stays text here.
    Perf,
    /// A canary, which goes back as it came.
    Canary,
}

/// Reads a frame; none when it is not one.
pub(crate) fn read(text: &str) -> Option<Frame> {
    let kind: Kind<'_> = serde_json::from_str(text).ok()?;
    match kind.name {
        "perf_metrics" => Some(Frame::Perf),
        "canary" => Some(Frame::Canary),
        name => message(name, text).map(Frame::Message),
    }
}

fn message(name: &str, text: &str) -> Option<ServerMessage> {
    match name {
        "welcome" => {
            let Welcome { protocol, build } = serde_json::from_str(text).ok()?;
            Some(ServerMessage::Welcome { protocol, build })
        }
        "snapshot" => serde_json::from_str(text).ok().map(ServerMessage::Snapshot),
        "delta" => serde_json::from_str(text).ok().map(ServerMessage::Delta),
        "beat" => {
            let Beat { at } = serde_json::from_str(text).ok()?;
            Some(ServerMessage::Beat { at })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use model::TownName;
    use model::tank::Pace;
    use model::wire::{BeadCounts, Canary, Delta, Gauges, PROTOCOL, Snapshot};

    use super::*;

    #[test]
    fn reads_what_the_server_writes() {
        let at = Timestamp::from_seconds(1_700_000_000);
        let gauges =
            Gauges { at, flow: None, working: 1, known: 2, tank: None, pace: Pace::default(), store_down_since: None };
        let snapshot = Snapshot {
            town: TownName::new("t").unwrap(),
            demo: true,
            rev: 7,
            gauges,
            trend: Vec::new(),
            roster: Vec::new(),
            beads: BeadCounts::default(),
            tanks: Vec::new(),
            events: Vec::new(),
            edges: Vec::new(),
            alerts: "<p>&amp;</p>".to_owned(),
        };
        let delta = Delta {
            rev: 8,
            gauges,
            trend: Vec::new(),
            roster: Vec::new(),
            beads: None,
            tanks: None,
            events: Vec::new(),
            gone: vec![model::wire::RowKey(1 << 52)],
            skipped: 3,
            edges: Vec::new(),
            alerts: Some(String::new()),
        };
        for message in [
            ServerMessage::Welcome { protocol: PROTOCOL, build: "1".into() },
            ServerMessage::Snapshot(Box::new(snapshot)),
            ServerMessage::Delta(Box::new(delta)),
            ServerMessage::Beat { at },
        ] {
            assert_eq!(read(&serde_json::to_string(&message).unwrap()), Some(Frame::Message(message)));
        }
        assert_eq!(read("{\"type\":\"perf_metrics\"}"), Some(Frame::Perf));
        assert_eq!(read(&serde_json::to_string(&Canary { number: 7 }).unwrap()), Some(Frame::Canary));
        for bad in ["", "{}", "{\"type\":\"later\"}", "{\"type\":\"beat\"}"] {
            assert_eq!(read(bad), None);
        }
    }
}
