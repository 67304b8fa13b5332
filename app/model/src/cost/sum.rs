//! What model calls used and cost: a commutative group, as [`Aggregate`](crate::Aggregate) is.

use serde::{Deserialize, Serialize};

use crate::event::{Event, PricedEvent};
use crate::unit::Nanodollars;

/// Number of measures in a [`SpendSum`].
pub const SPEND_MEASURES: usize = 8;

/// Sums of model calls. Adding calls in any order and any grouping gives the same; subtracting one undoes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[i64; SPEND_MEASURES]", into = "[i64; SPEND_MEASURES]")]
pub struct SpendSum {
    /// Model calls.
    pub calls: i64,
    /// Tokens by kind, in the order of `TokenCounts::KINDS`.
    pub tokens: [i64; 5],
    /// Cost of every call that has a price.
    pub cost: Nanodollars,
    /// Tokens of the calls without a price.
    pub unpriced_tokens: i64,
}

impl SpendSum {
    /// What one event contributes; nothing, unless it is a model call.
    #[must_use]
    pub fn of(priced: &PricedEvent) -> Self {
        let Event::ModelCall(call) = &priced.envelope.event else { return Self::default() };
        let saturate = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let amount = priced.cost.and_then(|cost| cost.amount);
        Self {
            calls: 1,
            tokens: call.tokens.kinds().map(saturate),
            cost: amount.unwrap_or_default(),
            unpriced_tokens: if amount.is_some() { 0 } else { saturate(call.tokens.total()) },
        }
    }
    /// Adds another sum.
    pub fn add(&mut self, other: &Self) {
        *self = Self::combine(self, other, i64::saturating_add);
    }
    /// Takes another sum back.
    pub fn subtract(&mut self, other: &Self) {
        *self = Self::combine(self, other, i64::saturating_sub);
    }
    /// All tokens of all kinds.
    #[must_use]
    pub fn total_tokens(&self) -> i64 {
        self.tokens.iter().fold(0, |sum, tokens| sum.saturating_add(*tokens))
    }
    /// Whether nothing is in it.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    fn combine(a: &Self, b: &Self, with: fn(i64, i64) -> i64) -> Self {
        let (mut sum, b) = (<[i64; SPEND_MEASURES]>::from(*a), <[i64; SPEND_MEASURES]>::from(*b));
        for (measure, other) in sum.iter_mut().zip(b) {
            *measure = with(*measure, other);
        }
        sum.into()
    }
}

impl From<SpendSum> for [i64; SPEND_MEASURES] {
    fn from(sum: SpendSum) -> Self {
        let [input, output, read, write_5m, write_1h] = sum.tokens;
        [sum.calls, input, output, read, write_5m, write_1h, sum.cost.0, sum.unpriced_tokens]
    }
}

impl From<[i64; SPEND_MEASURES]> for SpendSum {
    fn from([calls, input, output, read, write_5m, write_1h, cost, unpriced_tokens]: [i64; SPEND_MEASURES]) -> Self {
        let tokens = [input, output, read, write_5m, write_1h];
        Self { calls, tokens, cost: Nanodollars(cost), unpriced_tokens }
    }
}

impl std::iter::Sum for SpendSum {
    fn sum<I: Iterator<Item = Self>>(sums: I) -> Self {
        sums.fold(Self::default(), |mut total, sum| {
            total.add(&sum);
            total
        })
    }
}
