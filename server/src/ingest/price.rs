//! What a call costs, and who says so.

use model::dedupe::Basis;
use model::event::{Cost, Envelope, Event, Provenance};
use model::price::PriceBook;
use model::unit::Nanodollars;

/// Claude Code's name for messages that no model made.
const SYNTHETIC: &str = "<synthetic>";

/// Ends the name of a model that a source had to assume: the name is still looked up, but the cost is a guess.
const ASSUMED: &str = "[assumed]";

/// The agent's own figure if it gave one, else tokens times the price book, else none: unpriced.
pub(super) fn price(envelope: &Envelope, book: &PriceBook) -> Option<Cost> {
    let Event::ModelCall(call) = &envelope.event else { return None };
    if let Some(reported) = call.reported {
        return Some(Cost { amount: Some(reported), provenance: Provenance::Reported, price_id: None });
    }
    if call.model.as_str() == SYNTHETIC {
        return Some(Cost { amount: Some(Nanodollars::ZERO), provenance: Provenance::Computed, price_id: None });
    }
    Some(match book.at(call.model.as_str(), envelope.at) {
        // Many calls at once, so none of them is known to be large.
        Some(price) if envelope.claim.is_some_and(|claim| claim.basis == Basis::Metric) => Cost {
            amount: Some(price.base_cost(&call.tokens)),
            provenance: Provenance::Estimated,
            price_id: Some(price.id),
        },
        Some(price) => Cost {
            amount: Some(price.cost(&call.tokens, call.fast)),
            provenance: if call.model.as_str().ends_with(ASSUMED) {
                Provenance::Estimated
            } else {
                Provenance::Computed
            },
            price_id: Some(price.id),
        },
        None => Cost { amount: None, provenance: Provenance::Unpriced, price_id: None },
    })
}
