//! What a call costs, and who says so.

use model::dedupe::Basis;
use model::event::{Cost, Envelope, Event, ModelCall, Provenance};
use model::price::PriceBook;
use model::time::Timestamp;
use model::unit::Nanodollars;

use super::check;

/// Claude Code's name for messages that no model made.
const SYNTHETIC: &str = "<synthetic>";

/// Ends the name of a model that a source had to assume: the name is still looked up, but the cost is a guess.
const ASSUMED: &str = "[assumed]";

/// The agent's own figure if it gave one, else tokens times the price book, else none: unpriced. What the book says is
/// kept in any case. `is_sum`: the event stands for who knows how many calls ([`is_sum`]).
#[must_use]
pub fn cost_of(envelope: &Envelope, is_sum: bool, book: &PriceBook) -> Option<Cost> {
    let Event::ModelCall(call) = &envelope.event else { return None };
    let (computed, price_id, provenance) = by_the_book(envelope.at, call, is_sum, book);
    Some(match call.reported {
        Some(reported) => Cost { amount: Some(reported), provenance: Provenance::Reported, computed, price_id },
        None => Cost { amount: computed, provenance, computed, price_id },
    })
}

/// As [`cost_of`], for an event that is stored already: none also when the price makes of it what is not believed, so
/// that it keeps the cost that it has.
#[must_use]
pub fn new_cost_of(envelope: &Envelope, is_sum: bool, book: &PriceBook) -> Option<Cost> {
    cost_of(envelope, is_sum, book).filter(|cost| check::fits(cost.amount))
}

/// Whether the event stands for many calls at once. Its claim says so, which stored events do not carry.
#[must_use]
pub fn is_sum(envelope: &Envelope) -> bool {
    envelope.claim.is_some_and(|claim| claim.basis == Basis::Metric)
}

/// What the price book says, by which of its rows, and how sure that is.
fn by_the_book(
    at: Timestamp,
    call: &ModelCall,
    is_sum: bool,
    book: &PriceBook,
) -> (Option<Nanodollars>, Option<i32>, Provenance) {
    if call.model.as_str() == SYNTHETIC {
        return (Some(Nanodollars::ZERO), None, Provenance::Computed);
    }
    let Some(price) = book.at(call.model.as_str(), at) else { return (None, None, Provenance::Unpriced) };
    // Many calls at once, so none of them is known to be large.
    if is_sum {
        return (Some(price.base_cost(&call.tokens)), Some(price.id), Provenance::Estimated);
    }
    let provenance = if call.model.as_str().ends_with(ASSUMED) { Provenance::Estimated } else { Provenance::Computed };
    (Some(price.cost(&call.tokens, call.fast)), Some(price.id), provenance)
}
