//! Made-up events for the benchmarks: the same ones at every run.

use model::event::{AgentState, Cost, Envelope, Event, LinesChanged, ModelCall, PricedEvent, Provenance, ToolCall};
use model::id::{AgentName, EventKey, ModelName, RigName, Role, SessionId, SourceName, ToolName};
use model::price::{Price, PriceBook, Rates};
use model::time::Timestamp;
use model::tokens::TokenCounts;
use model::unit::Nanodollars;

/// A price for the model of [`make`].
pub fn book() -> PriceBook {
    let rates = Rates {
        input: 3_000_000,
        output: 15_000_000,
        cache_read: 300_000,
        cache_write_5m: 3_750_000,
        cache_write_1h: 6_000_000,
    };
    let model = "claude-sonnet-4".to_owned();
    PriceBook::new([Price { id: 1, model, effective: Timestamp(0), rates, tier: None, fast_percent: 100 }])
}

/// `count` events of a town of 24 agents at work, one every `step_us` microseconds from `begin` on: four calls in ten,
/// as many tools, some edits, a heartbeat now and then. Another seed gives other events.
pub fn make(seed: u64, begin: Timestamp, step_us: i64, count: usize) -> Vec<PricedEvent> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ seed;
    let mut roll = move |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let name = |text: String| AgentName::new(&text).expect("a name");
    let agents: Vec<(AgentName, SessionId, RigName, Role)> = (0..24_usize)
        .map(|i| {
            let session = SessionId::new(&format!("0197f3a2-{i:04}-7c11-9d3e-5a0b1c2d{i:04}")).expect("a session");
            let rig = RigName::new(["towngauge", "gastown", "beads"][i % 3]).expect("a rig");
            (name(format!("agent-{i}")), session, rig, Role::ALL[i % 7])
        })
        .collect();
    let source = SourceName::new("claude_code").expect("a source");
    let model = ModelName::new("claude-sonnet-4-20250514").expect("a model");
    let tools: Vec<ToolName> =
        ["Bash", "Read", "Edit", "Grep"].iter().map(|t| ToolName::new(t).expect("a tool")).collect();
    (0..count)
        .map(|i| {
            let (agent, session, rig, role) = &agents[usize::try_from(roll(24)).unwrap_or(0)];
            let file = || Some(compact_str::format_compact!("server/src/ingest/file_{}.rs", i % 50));
            let event = match roll(20) {
                0..8 => Event::ModelCall(ModelCall {
                    model: model.clone(),
                    tokens: TokenCounts {
                        input: roll(900),
                        output: roll(2_000),
                        cache_read: roll(90_000),
                        cache_write_5m: roll(4_000),
                        cache_write_1h: 0,
                    },
                    reported: None,
                    duration_us: Some(roll(20_000_000)),
                    ok: roll(50) > 0,
                    fast: false,
                }),
                8..16 => Event::ToolCall(ToolCall {
                    tool: tools[i % 4].clone(),
                    duration_us: Some(roll(3_000_000)),
                    ok: roll(20) > 0,
                    file: file(),
                }),
                16..19 => Event::LinesChanged(LinesChanged { added: 12, removed: 3, file: file() }),
                _ => Event::AgentState(AgentState::Working),
            };
            let envelope = Envelope {
                at: Timestamp(begin.0 + i64::try_from(i).unwrap_or(0) * step_us),
                key: EventKey(u128::from(roll(u64::MAX)) << 64 | u128::try_from(i).unwrap_or(0)),
                claim: None,
                source: source.clone(),
                rig: Some(rig.clone()),
                role: *role,
                agent: Some(agent.clone()),
                session: Some(session.clone()),
                bead: None,
                event,
            };
            let cost = matches!(envelope.event, Event::ModelCall(_)).then_some(Cost {
                amount: Some(Nanodollars(1_000_000)),
                provenance: Provenance::Computed,
                computed: None,
                price_id: Some(1),
            });
            PricedEvent { envelope, cost }
        })
        .collect()
}
