//! Requests of the made-up town: what its calls were before they were over.

use crate::event::{Envelope, Event};
use crate::id::EventKey;
use crate::request::{RequestEdge, RequestId, RequestStep};
use crate::time::Timestamp;

/// What is over sooner is never seen in flight, in microseconds; telling of it would only crowd the stream.
const SEEN_US: u64 = 2_000_000;

/// Tells the keys of requests from those of the calls that end them.
const APART: u128 = 0x7e90_0e57_0f1a_4b3c_5d2e_6f08_91a2_b3c4;

/// The starts and ends of requests that these events tell the results of, in order of time. A start lies before the first
/// of the events by as long as its call took.
#[must_use]
pub fn requests(events: &[Envelope]) -> Vec<Envelope> {
    let mut steps: Vec<Envelope> = events.iter().filter_map(steps_of).flatten().collect();
    steps.sort_by_key(|step| (step.at, step.key));
    steps
}

/// Both steps of one call; none of what is no call, or was too short.
fn steps_of(call: &Envelope) -> Option<[Envelope; 2]> {
    let (model, tool, ok, duration_us) = match &call.event {
        Event::ModelCall(call) => (Some(call.model.clone()), None, call.ok, call.duration_us),
        Event::ToolCall(call) => (None, Some(call.tool.clone()), call.ok, call.duration_us),
        _ => return None,
    };
    let duration_us = duration_us.filter(|us| *us >= SEEN_US)?;
    let started = Timestamp(call.at.0 - i64::try_from(duration_us).ok()?);
    let request = RequestId::of_key(EventKey(call.key.0 ^ APART));
    let step = |edge, at, ok, duration_us| Envelope {
        at,
        key: request.key(edge),
        claim: None,
        event: Event::Request(RequestStep { edge, model: model.clone(), tool: tool.clone(), ok, duration_us }),
        ..call.clone()
    };
    Some([step(RequestEdge::Started, started, true, None), step(RequestEdge::Ended, call.at, ok, Some(duration_us))])
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::demo::{Demo, LONGEST_REQUEST_MIN, Rhythm};

    /// Monday 2026-03-02 10:00 UTC.
    const MORNING: i64 = 1_772_445_600 / 60;

    #[test]
    fn every_request_starts_once_and_ends_once_after_as_long_as_its_call_took() {
        let demo = Demo::new(42, Rhythm { floor: 0.45, ..Rhythm::steady(1.6) });
        let mut calls = Vec::new();
        for minute in MORNING..MORNING + 120 {
            demo.minute(minute, &mut calls);
        }
        let steps = requests(&calls);
        assert_eq!(steps, requests(&calls), "the same calls have the same requests");
        assert!(steps.is_sorted_by_key(|step| step.at));
        let keys: HashSet<_> = calls.iter().chain(&steps).map(|event| event.key).collect();
        assert_eq!(keys.len(), calls.len() + steps.len(), "each has a key of its own");

        let mut open: HashMap<RequestId, Timestamp> = HashMap::new();
        let (mut most, mut all) = (0, 0);
        for step in &steps {
            let Event::Request(told) = &step.event else { panic!("{step:?}") };
            let id = RequestId::of_key(step.key);
            match told.edge {
                RequestEdge::Started => assert!(open.insert(id, step.at).is_none()),
                RequestEdge::Ended => {
                    let took = step.at.micros_since(open.remove(&id).unwrap());
                    assert_eq!(Some(took), told.duration_us.map(u64::cast_signed));
                    assert!(took <= LONGEST_REQUEST_MIN * 60_000_000, "{took}");
                    all += 1;
                }
                RequestEdge::Lost => panic!("nothing is lost"),
            }
            most = most.max(open.len());
        }
        assert!(open.is_empty() && all > 200 && most >= 3, "{all} in all, {most} at once");
    }
}
