//! The measures of a bucket: a commutative group, so that rollups merge, coarsen and take back exactly.

use serde::{Deserialize, Serialize};

use crate::event::{BeadEdge, Event, PricedEvent};
use crate::tokens::TokenCounts;
use crate::unit::Nanodollars;

/// Number of measures in an [`Aggregate`].
pub const MEASURES: usize = 18;

/// Everything that is summed over a bucket of time. Adding events in any order and any grouping gives the same;
/// subtracting one undoes it.
///
/// On the wire and in the database it is [`MEASURES`] integers in the order of [`Aggregate::NAMES`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[i64; MEASURES]", into = "[i64; MEASURES]")]
pub struct Aggregate {
    /// Events of every kind.
    pub events: i64,
    /// Model calls.
    pub calls: i64,
    /// Model calls that failed.
    pub call_errors: i64,
    /// Tokens by kind, in the order of [`TokenCounts::KINDS`].
    pub tokens: [i64; 5],
    /// Cost of everything that has a price.
    pub cost: Nanodollars,
    /// Tokens of calls without a price.
    pub unpriced_tokens: i64,
    /// Tool calls.
    pub tool_calls: i64,
    /// Tool calls that failed.
    pub tool_errors: i64,
    /// Lines added.
    pub lines_added: i64,
    /// Lines removed.
    pub lines_removed: i64,
    /// Beads created.
    pub beads_created: i64,
    /// Beads closed.
    pub beads_closed: i64,
    /// Lines that commits added to default branches.
    pub lines_landed_added: i64,
    /// Lines that commits removed from them.
    pub lines_landed_removed: i64,
}

impl Aggregate {
    /// Column names, in the order of [`Aggregate::to_array`].
    pub const NAMES: [&'static str; MEASURES] = [
        "events",
        "calls",
        "call_errors",
        "input_tokens",
        "output_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "cost_nanodollars",
        "unpriced_tokens",
        "tool_calls",
        "tool_errors",
        "lines_added",
        "lines_removed",
        "beads_created",
        "beads_closed",
        "lines_landed_added",
        "lines_landed_removed",
    ];

    /// What one event contributes.
    #[must_use]
    pub fn of(priced: &PricedEvent) -> Self {
        let mut sum = Self { events: 1, ..Self::default() };
        match &priced.envelope.event {
            Event::ModelCall(call) => {
                sum.calls = 1;
                sum.call_errors = i64::from(!call.ok);
                sum.tokens = call.tokens.kinds().map(saturate);
                match priced.cost.and_then(|cost| cost.amount) {
                    Some(amount) => sum.cost = amount,
                    None => sum.unpriced_tokens = saturate(call.tokens.total()),
                }
            }
            Event::ToolCall(call) => {
                sum.tool_calls = 1;
                sum.tool_errors = i64::from(!call.ok);
            }
            Event::LinesChanged(lines) => {
                sum.lines_added = lines.added.into();
                sum.lines_removed = lines.removed.into();
            }
            Event::LinesLanded(lines) => {
                sum.lines_landed_added = lines.added.into();
                sum.lines_landed_removed = lines.removed.into();
            }
            Event::Bead(BeadEdge::Created) => sum.beads_created = 1,
            Event::Bead(BeadEdge::Closed) => sum.beads_closed = 1,
            Event::AgentState(_) | Event::Session(_) | Event::CostSnapshot(_) | Event::Request(_) | Event::Log(_) => {}
        }
        sum
    }

    /// The measures in the order of [`Aggregate::NAMES`].
    #[must_use]
    pub const fn to_array(&self) -> [i64; MEASURES] {
        let [input, output, read, write_5m, write_1h] = self.tokens;
        [
            self.events,
            self.calls,
            self.call_errors,
            input,
            output,
            read,
            write_5m,
            write_1h,
            self.cost.0,
            self.unpriced_tokens,
            self.tool_calls,
            self.tool_errors,
            self.lines_added,
            self.lines_removed,
            self.beads_created,
            self.beads_closed,
            self.lines_landed_added,
            self.lines_landed_removed,
        ]
    }

    /// The inverse of [`Aggregate::to_array`].
    #[must_use]
    pub const fn from_array(measures: [i64; MEASURES]) -> Self {
        let [
            events,
            calls,
            call_errors,
            input,
            output,
            read,
            write_5m,
            write_1h,
            cost,
            unpriced_tokens,
            tool_calls,
            tool_errors,
            lines_added,
            lines_removed,
            beads_created,
            beads_closed,
            lines_landed_added,
            lines_landed_removed,
        ] = measures;
        Self {
            events,
            calls,
            call_errors,
            tokens: [input, output, read, write_5m, write_1h],
            cost: Nanodollars(cost),
            unpriced_tokens,
            tool_calls,
            tool_errors,
            lines_added,
            lines_removed,
            beads_created,
            beads_closed,
            lines_landed_added,
            lines_landed_removed,
        }
    }

    /// Adds another bucket's measures.
    pub fn add(&mut self, other: &Self) {
        self.combine(other, i64::saturating_add);
    }
    /// Takes another bucket's measures back.
    pub fn subtract(&mut self, other: &Self) {
        self.combine(other, i64::saturating_sub);
    }
    /// All tokens of all kinds.
    #[must_use]
    pub fn total_tokens(&self) -> i64 {
        self.tokens.iter().copied().fold(0, i64::saturating_add)
    }
    /// Lines added and removed together: what the gauge shows. What landed was edited before, so it is not in it.
    #[must_use]
    pub const fn lines(&self) -> i64 {
        self.lines_added.saturating_add(self.lines_removed)
    }
    /// Nothing at all was counted.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    fn combine(&mut self, other: &Self, operation: fn(i64, i64) -> i64) {
        let (mine, theirs) = (self.to_array(), other.to_array());
        let mut combined = [0; MEASURES];
        for ((slot, a), b) in combined.iter_mut().zip(mine).zip(theirs) {
            *slot = operation(a, b);
        }
        *self = Self::from_array(combined);
    }
}

impl From<[i64; MEASURES]> for Aggregate {
    fn from(measures: [i64; MEASURES]) -> Self {
        Self::from_array(measures)
    }
}
impl From<Aggregate> for [i64; MEASURES] {
    fn from(sum: Aggregate) -> Self {
        sum.to_array()
    }
}

fn saturate(count: u64) -> i64 {
    // TokenCounts::MAX keeps real counts far below; this only guards the type.
    debug_assert!(count <= TokenCounts::MAX * 5);
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_aggregate() -> impl Strategy<Value = Aggregate> {
        proptest::array::uniform18(-1_000_000_000_000_i64..1_000_000_000_000).prop_map(Aggregate::from_array)
    }

    #[test]
    fn what_lands_is_counted_apart_from_what_is_edited() {
        let landed = Aggregate { lines_landed_added: 7, lines_landed_removed: 2, ..Aggregate::default() };
        assert_eq!((landed.lines(), landed.is_zero()), (0, false));
    }

    proptest! {
        #[test]
        fn the_array_form_loses_nothing(sum in any_aggregate()) {
            prop_assert_eq!(Aggregate::from_array(sum.to_array()), sum);
            let json = serde_json::to_string(&sum).unwrap();
            prop_assert_eq!(serde_json::from_str::<Aggregate>(&json).unwrap(), sum);
        }

        #[test]
        fn adding_is_associative_and_commutative_and_subtracting_undoes_it(
            a in any_aggregate(), b in any_aggregate(), c in any_aggregate()
        ) {
            let plus = |mut x: Aggregate, y: &Aggregate| { x.add(y); x };
            prop_assert_eq!(plus(plus(a, &b), &c), plus(a, &plus(b, &c)));
            prop_assert_eq!(plus(a, &b), plus(b, &a));
            let mut back = plus(a, &b);
            back.subtract(&b);
            prop_assert_eq!(back, a);
        }
    }
}
