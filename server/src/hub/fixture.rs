//! Events for the hub's tests.

use std::sync::atomic::{AtomicU64, Ordering};

use model::event::{Cost, ModelCall, PricedEvent, Provenance};
use model::id::{AgentName, EventKey, ModelName, RigName, SourceName};
use model::{Envelope, Event, Nanodollars, Role, Timestamp, TokenCounts};

/// A moment that is no bucket's beginning.
pub const T0: Timestamp = Timestamp::from_seconds(1_700_000_003);

/// Tells calls at the same time apart.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A call of `toast` in rig `gas` at `at`, with 1,000 tokens and a cost of `nanos`.
pub fn call(at: Timestamp, nanos: i64) -> PricedEvent {
    PricedEvent {
        envelope: Envelope {
            at,
            key: EventKey(NUMBER.fetch_add(1, Ordering::Relaxed).into()),
            claim: None,
            source: SourceName::new("api").unwrap(),
            rig: Some(RigName::new("gas").unwrap()),
            role: Role::Polecat,
            agent: Some(AgentName::new("toast").unwrap()),
            session: None,
            bead: None,
            event: Event::ModelCall(ModelCall {
                model: ModelName::new("claude-sonnet-4").unwrap(),
                tokens: TokenCounts { input: 400, output: 600, ..TokenCounts::default() },
                reported: None,
                duration_us: None,
                ok: true,
                fast: false,
            }),
        },
        cost: Some(Cost {
            amount: Some(Nanodollars(nanos)),
            provenance: Provenance::Computed,
            computed: Some(Nanodollars(nanos)),
            price_id: Some(1),
        }),
    }
}
