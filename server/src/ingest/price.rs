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
/// kept in any case, unless it would not be believed: sums of it have a bound too. `is_sum`: the event stands for who
/// knows how many calls ([`is_sum`]).
#[must_use]
pub fn cost_of(envelope: &Envelope, is_sum: bool, book: &PriceBook) -> Option<Cost> {
    let cost = any_cost_of(envelope, is_sum, book)?;
    Some(match cost.provenance {
        Provenance::Reported => Cost { computed: cost.computed.filter(|amount| check::fits(Some(*amount))), ..cost },
        // By itself it is what counts: the event is refused, with the reason.
        _ => cost,
    })
}

/// As [`cost_of`], for an event that is stored already: none also when the price makes of it what is not believed, so
/// that it keeps the cost that it has.
#[must_use]
pub fn new_cost_of(envelope: &Envelope, is_sum: bool, book: &PriceBook) -> Option<Cost> {
    any_cost_of(envelope, is_sum, book).filter(|cost| check::fits(cost.amount) && check::fits(cost.computed))
}

fn any_cost_of(envelope: &Envelope, is_sum: bool, book: &PriceBook) -> Option<Cost> {
    let Event::ModelCall(call) = &envelope.event else { return None };
    let (computed, price_id, provenance) = by_the_book(envelope.at, call, is_sum, book);
    Some(match call.reported {
        Some(reported) => Cost { amount: Some(reported), provenance: Provenance::Reported, computed, price_id },
        None => Cost { amount: computed, provenance, computed, price_id },
    })
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

#[cfg(test)]
mod tests {
    use model::id::{EventKey, ModelName, Role, SourceName};
    use model::price::{Price, Rates};
    use model::tokens::TokenCounts;

    use super::*;

    #[test]
    fn what_the_book_says_beside_a_reported_cost_is_kept_only_when_it_would_be_believed() {
        let rates = Rates { input: 75_000_000, ..Rates::default() };
        let price = Price { id: 7, model: "m".into(), effective: Timestamp(0), rates, tier: None, fast_percent: 100 };
        let book = PriceBook::new([price]);
        let cost = |input| {
            let tokens = TokenCounts { input, ..TokenCounts::default() };
            let (model, reported) = (ModelName::new("m").unwrap(), Some(Nanodollars(1)));
            let call = ModelCall { model, tokens, reported, duration_us: None, ok: true, fast: false };
            let envelope = Envelope {
                at: Timestamp(1),
                key: EventKey(1),
                claim: None,
                source: SourceName::new("api").unwrap(),
                rig: None,
                role: Role::Other,
                agent: None,
                session: None,
                bead: None,
                event: Event::ModelCall(call),
            };
            cost_of(&envelope, false, &book).unwrap()
        };
        assert_eq!((cost(4).amount, cost(4).computed), (Some(Nanodollars(1)), Some(Nanodollars(300_000))));
        assert_eq!((cost(TokenCounts::MAX).amount, cost(TokenCounts::MAX).computed), (Some(Nanodollars(1)), None));
    }
}
