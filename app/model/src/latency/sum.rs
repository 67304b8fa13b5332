//! What is summed of the calls of a tool or a model over a bucket of time.

use crate::event::{Event, PricedEvent};

use super::Sketch;

/// Whose calls are summed: a tool's, or a model's, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject<'a> {
    /// A model, as its source names it.
    Model(&'a str),
    /// A tool.
    Tool(&'a str),
}

impl<'a> Subject<'a> {
    /// Whose call an event is, how long it took in microseconds if the source can tell, and whether it went well; none
    /// for everything that is no call.
    #[must_use]
    pub fn of(event: &'a PricedEvent) -> Option<(Self, Option<u64>, bool)> {
        match &event.envelope.event {
            Event::ModelCall(call) => Some((Self::Model(call.model.as_str()), call.duration_us, call.ok)),
            Event::ToolCall(call) => Some((Self::Tool(call.tool.as_str()), call.duration_us, call.ok)),
            _ => None,
        }
    }
}

/// Calls, errors and durations. Adding in any order and any grouping gives the same; the negative takes back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LatencySum {
    /// Calls, those included of which nobody told the duration.
    pub calls: i64,
    /// Calls that failed.
    pub errors: i64,
    /// Microseconds of those whose duration is known.
    pub total_us: i64,
    /// Their durations.
    pub sketch: Sketch,
}

impl LatencySum {
    /// Adds `other`.
    pub fn merge(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.errors = self.errors.saturating_add(other.errors);
        self.total_us = self.total_us.saturating_add(other.total_us);
        self.sketch.merge(&other.sketch);
    }

    /// What merging this takes back.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self {
            calls: self.calls.saturating_neg(),
            errors: self.errors.saturating_neg(),
            total_us: self.total_us.saturating_neg(),
            sketch: self.sketch.negated(),
        }
    }

    /// Whether nothing is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.calls == 0 && self.errors == 0 && self.total_us == 0 && self.sketch.is_empty()
    }

    /// Mean duration in milliseconds; none when no duration is known.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a mean for people")]
    pub fn mean_ms(&self) -> Option<f64> {
        let timed = self.sketch.count();
        (timed > 0).then(|| self.total_us as f64 / timed as f64 / 1_000.0)
    }
}
