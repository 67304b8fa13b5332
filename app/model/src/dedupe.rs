//! Which of several reports of the same call counts.
//!
//! Claude Code writes a line per content block, each repeating the call's usage, and resumed or forked sessions copy
//! history. The rule is the one `ccusage` applies (its documentation calls the pair message id and request id), made
//! independent of the order of arrival.
//!
//! OpenTelemetry reports the same calls again, and knows less of them ([`Basis`]): an event knows the request, but not
//! the message; some events know neither; metrics know sums only. What is told with less knowledge counts as long as
//! nobody tells it with more.

use serde::{Deserialize, Serialize};

/// A call's global identity and its rank among reports of the same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// Hash of the message's (or tool call's) id.
    pub message: u128,
    /// Hash of the request id; 0 when the source gave none.
    pub request: u128,
    /// How good this report is.
    pub rank: Rank,
    /// What the report knows of the call.
    pub basis: Basis,
}

/// What a report knows of the call that it reports; it says what [`Claim::message`] and [`Claim::request`] are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Message and request: transcripts. Two reports of different bases with the same request are one call.
    Message,
    /// Message and request, but the call is only a part of what the request was about (an advisor's call).
    Part,
    /// The request alone, which stands in both fields: OpenTelemetry events.
    Request,
    /// Neither: `message` is the group of what the session reports of this kind, `request` this one report. It counts
    /// while nobody reports the group by message.
    Event,
    /// Sums: as [`Basis::Event`], and it counts while nobody reports the group call by call either.
    Metric,
    /// No report at all: keeps for a group that it is reported by something better, which stands in `rank.tokens` as
    /// [`Basis::level`].
    Mark,
}

impl Basis {
    /// Every basis; the position is the number stored in the database, so new ones go to the end.
    pub const ALL: [Self; 6] = [Self::Message, Self::Part, Self::Request, Self::Event, Self::Metric, Self::Mark];

    /// Position in [`Basis::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::Message => 0,
            Self::Part => 1,
            Self::Request => 2,
            Self::Event => 3,
            Self::Metric => 4,
            Self::Mark => 5,
        }
    }
    /// Within a group, what has a lower level counts only while nothing has a higher one.
    #[must_use]
    pub const fn level(self) -> u64 {
        match self {
            Self::Message | Self::Part => 2,
            Self::Request | Self::Event => 1,
            Self::Metric | Self::Mark => 0,
        }
    }
}

impl Claim {
    /// A report that knows message and request.
    #[must_use]
    pub const fn by_message(message: u128, request: u128, rank: Rank) -> Self {
        Self { message, request, rank, basis: Basis::Message }
    }
    /// A report that knows only the request.
    #[must_use]
    pub const fn by_request(request: u128, rank: Rank) -> Self {
        Self { message: request, request, rank, basis: Basis::Request }
    }
    /// Of two reports of one call, one by request and one by message: the larger total, and of equal ones the
    /// message's, which knows how long each part of the cache lives.
    #[must_use]
    pub const fn outweighs_message(&self, by_message: &Self) -> bool {
        self.rank.tokens > by_message.rank.tokens
    }
}

/// How good a report is; a greater one replaces a lesser one.
///
/// In this order: main conversation over side chain, more tokens, one that names its speed, the earlier one, and
/// last the one whose origin sorts first, so that the outcome never depends on who came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rank {
    /// From a side chain (sub-agent or replay).
    pub sidechain: bool,
    /// All tokens of the report.
    pub tokens: u64,
    /// The report names the speed (newer writers do).
    pub has_speed: bool,
    /// Microseconds since 1970.
    pub at: i64,
    /// Hash of where it was read, for a stable choice among equals.
    pub origin: u64,
}

impl Ord for Rank {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key =
            |r: &Self| (!r.sidechain, r.tokens, r.has_speed, std::cmp::Reverse(r.at), std::cmp::Reverse(r.origin));
        key(self).cmp(&key(other))
    }
}
impl PartialOrd for Rank {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What to do with a new report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// A report at least as good is stored: drop the new one.
    Duplicate,
    /// Store it, and take back the reports at these positions of `stored` (none: it is new).
    Store {
        /// Positions in the slice given to [`resolve`].
        replaces: Vec<usize>,
    },
}

/// Decides about `new`, given every stored report with the same `message`.
///
/// Reports with the same (message, request) are one call: the better one counts. Reports that share only the message
/// are one call too as soon as either is a side chain's, because a side chain replays its parent.
#[must_use]
pub fn resolve(stored: &[Claim], new: &Claim) -> Resolution {
    let mut replaces = Vec::new();
    for (position, old) in stored.iter().enumerate() {
        debug_assert_eq!(old.message, new.message);
        let same_call = old.request == new.request || old.rank.sidechain || new.rank.sidechain;
        if !same_call {
            continue;
        }
        if order(old) >= order(new) {
            return Resolution::Duplicate;
        }
        replaces.push(position);
    }
    Resolution::Store { replaces }
}

/// Equals in rank are told apart by their request, so that the outcome never depends on who came first.
const fn order(claim: &Claim) -> (Rank, std::cmp::Reverse<u128>) {
    (claim.rank, std::cmp::Reverse(claim.request))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim(request: u128, sidechain: bool, tokens: u64, at: i64) -> Claim {
        Claim::by_message(1, request, Rank { sidechain, tokens, has_speed: false, at, origin: 0 })
    }

    /// Applies reports one by one and returns what is stored in the end.
    fn fold(reports: &[Claim]) -> Vec<Claim> {
        let mut stored: Vec<Claim> = Vec::new();
        for new in reports {
            if let Resolution::Store { replaces } = resolve(&stored, new) {
                let mut position = 0;
                stored.retain(|_| {
                    position += 1;
                    !replaces.contains(&(position - 1))
                });
                stored.push(*new);
            }
        }
        stored.sort_by_key(|c| (c.request, c.rank.at, c.rank.tokens));
        stored
    }

    #[test]
    fn a_basis_has_its_number() {
        for (number, basis) in Basis::ALL.into_iter().enumerate() {
            assert_eq!(basis.index(), number);
        }
    }

    #[test]
    fn a_larger_total_replaces_and_an_equal_one_does_not() {
        let (small, large) = (claim(1, false, 10, 5), claim(1, false, 20, 6));
        assert_eq!(resolve(&[small], &large), Resolution::Store { replaces: vec![0] });
        assert_eq!(resolve(&[large], &small), Resolution::Duplicate);
        assert_eq!(resolve(&[large], &large), Resolution::Duplicate);
    }

    #[test]
    fn the_main_conversation_wins_over_a_larger_side_chain_of_another_request() {
        let (main, side) = (claim(1, false, 10, 5), claim(2, true, 99, 1));
        assert_eq!(fold(&[main, side]), vec![main]);
        assert_eq!(fold(&[side, main]), vec![main]);
    }

    #[test]
    fn two_requests_of_one_message_are_two_calls_on_the_main_chain() {
        let (a, b) = (claim(1, false, 10, 5), claim(2, false, 10, 5));
        assert_eq!(fold(&[a, b]).len(), 2);
    }

    #[test]
    fn equal_side_chains_of_two_requests_are_one_call_whichever_comes_first() {
        let (a, b) = (claim(0, true, 3, 3), claim(2, true, 3, 3));
        assert_eq!(fold(&[a, b]), vec![a]);
        assert_eq!(fold(&[b, a]), vec![a]);
    }

    proptest! {
        #[test]
        fn the_order_of_arrival_does_not_matter(
            reports in proptest::collection::vec((0_u128..3, any::<bool>(), 0_u64..4, 0_i64..4), 1..8)
                .prop_map(|raw| raw.into_iter().map(|(r, s, t, at)| claim(r, s, t, at)).collect::<Vec<_>>()),
            seed in any::<u64>(),
        ) {
            let mut shuffled = reports.clone();
            let mut state = seed;
            for i in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                shuffled.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
            }
            prop_assert_eq!(fold(&reports), fold(&shuffled));
        }
    }
}
