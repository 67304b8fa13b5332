//! What of a list of events is stored in the end: for tests of sources.

use model::dedupe::{Claim, Resolution, resolve};
use model::event::{Envelope, Event, ModelCall};

/// The events that count: those without a claim, and of the others the winners.
pub fn stored(events: &[Envelope]) -> Vec<&Envelope> {
    let mut kept: Vec<&Envelope> = Vec::new();
    for event in events {
        let Some(claim) = &event.claim else {
            if !kept.iter().any(|old| (old.at, old.key) == (event.at, event.key)) {
                kept.push(event);
            }
            continue;
        };
        let rivals: Vec<(usize, Claim)> = kept
            .iter()
            .enumerate()
            .filter_map(|(i, old)| Some((i, old.claim?)))
            .filter(|(_, old)| old.message == claim.message)
            .collect();
        let claims: Vec<Claim> = rivals.iter().map(|(_, claim)| *claim).collect();
        if let Resolution::Store { replaces } = resolve(&claims, claim) {
            for position in replaces.iter().rev() {
                kept.remove(rivals[*position].0);
            }
            kept.push(event);
        }
    }
    kept
}

/// The model calls that count.
pub fn calls(events: &[Envelope]) -> Vec<&ModelCall> {
    let mut calls = Vec::new();
    for event in stored(events) {
        if let Event::ModelCall(call) = &event.event {
            calls.push(call);
        }
    }
    calls
}

/// All their tokens, by kind.
pub fn tokens(events: &[Envelope]) -> [u64; 5] {
    let mut sum = [0; 5];
    for call in calls(events) {
        for (slot, count) in sum.iter_mut().zip(call.tokens.kinds()) {
            *slot += count;
        }
    }
    sum
}
