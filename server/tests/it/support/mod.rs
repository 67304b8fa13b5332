//! Made-up events for the store's tests, and a model of what must become of them.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::dedupe::{Claim, Rank, Resolution, resolve};
use model::event::{
    AgentState, BeadEdge, Envelope, Event, LinesChanged, LinesLanded, ModelCall, PricedEvent, ToolCall,
};
use model::id::{AgentName, EventKey, ModelName, RigName, Role, SourceName, ToolName, TownName};
use model::price::{Price, PriceBook, Rates};
use model::time::Timestamp;
use model::tokens::TokenCounts;
use model::{Aggregate, Nanodollars};
use server::db::Pool;
use server::db::price::Prices;
use server::ingest::{Committed, Intake, IntakeLimits, Outcome, WriterHandle};
use tokio::sync::mpsc;

/// 2025-06-10T23:20:00Z: forty minutes before a new day and a new six hours.
pub const T0: Timestamp = Timestamp::from_seconds(1_749_597_600);

pub fn town(n: u8) -> TownName {
    TownName::new(&format!("town-{n}")).unwrap()
}

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

pub fn intake(pool: &Pool, limits: IntakeLimits) -> (Intake, WriterHandle, mpsc::Receiver<Committed>) {
    let (sender, receiver) = mpsc::channel(10_000);
    let (intake, writer) = Intake::start(pool.clone(), Prices::new(book()), sender, limits);
    (intake, writer, receiver)
}

/// What an event is made of; small ranges, so that everything collides.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    pub town: u8,
    pub minute: u16,
    pub second: u8,
    pub kind: u8,
    pub who: u8,
    pub size: u8,
    /// With a claim: message, request, side chain.
    pub claim: Option<(u8, u8, bool)>,
}

impl Seed {
    /// The same seed always makes the same event.
    pub fn event(self) -> Envelope {
        let at = T0.plus_seconds(i64::from(self.minute) * 60 + i64::from(self.second));
        let role = Role::ALL[usize::from(self.who) % 7];
        let tokens =
            TokenCounts { input: u64::from(self.size) + 1, output: 7, cache_read: 100, ..TokenCounts::default() };
        let model = if self.size.is_multiple_of(4) { "unheard-of" } else { "claude-sonnet-4-20250514" };
        let ok = !self.size.is_multiple_of(5);
        let event = match (self.claim, self.kind % 7) {
            (Some(_), _) | (None, 0) => Event::ModelCall(ModelCall {
                model: ModelName::new(model).unwrap(),
                tokens,
                reported: (self.size.is_multiple_of(7)).then_some(Nanodollars(12_345)),
                duration_us: (self.size != 3).then(|| 900 + u64::from(self.size) * 977),
                ok,
                fast: false,
            }),
            (None, 1) => Event::ToolCall(ToolCall {
                tool: ToolName::new("Bash").unwrap(),
                duration_us: Some(u64::from(self.size) * 50),
                ok,
                file: None,
            }),
            (None, 2) => Event::LinesChanged(LinesChanged {
                added: self.size.into(),
                removed: 1,
                file: Some("src/lib.rs".into()),
            }),
            (None, 3) => Event::AgentState(AgentState::ALL[usize::from(self.size) % 4]),
            (None, 4) => Event::Bead(BeadEdge::Created),
            (None, 5) => Event::LinesLanded(LinesLanded { added: self.size.into(), removed: 2 }),
            (None, _) => Event::Bead(BeadEdge::Closed),
        };
        let identity = format!("{self:?}");
        let key = EventKey(xxhash_rust::xxh3::xxh3_128(identity.as_bytes()));
        let claim = self.claim.map(|(message, request, sidechain)| {
            let origin = xxhash_rust::xxh3::xxh3_64(identity.as_bytes());
            let rank = Rank { sidechain, tokens: tokens.total(), has_speed: false, at: at.0, origin };
            Claim::by_message(message.into(), request.into(), rank)
        });
        Envelope {
            at,
            key,
            claim,
            source: SourceName::new(["claude_code", "api"][usize::from(self.who % 2)]).unwrap(),
            rig: (!self.who.is_multiple_of(3)).then(|| RigName::new("rig").unwrap()),
            role,
            agent: (self.who % 5 != 4).then(|| AgentName::new(&format!("agent-{}", self.who)).unwrap()),
            session: None,
            bead: None,
            event,
        }
    }
}

/// A claim, and the time and key of the report that holds it.
type Held = (Claim, Timestamp, EventKey);

/// What the store must hold after events arrived in an order: nothing but the rules.
#[derive(Debug, Default)]
pub struct Expected {
    events: HashMap<(u8, Timestamp, EventKey), PricedEvent>,
    claims: HashMap<(u8, u128), Vec<Held>>,
}

impl Expected {
    /// Applies one batch and returns what each event must be answered.
    pub fn apply(&mut self, town: u8, batch: &[Envelope]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::new();
        let mut here: HashMap<(Timestamp, EventKey), usize> = HashMap::new();
        for (i, event) in batch.iter().enumerate() {
            let id = (town, event.at, event.key);
            if let Some(claim) = event.claim {
                let rivals = self.claims.entry((town, claim.message)).or_default();
                let claims: Vec<Claim> = rivals.iter().map(|(claim, ..)| *claim).collect();
                match resolve(&claims, &claim) {
                    Resolution::Duplicate => {
                        outcomes.push(Outcome::Duplicate);
                        continue;
                    }
                    Resolution::Store { replaces } => {
                        for position in replaces.into_iter().rev() {
                            let (_, at, key) = rivals.remove(position);
                            self.events.remove(&(town, at, key));
                            if let Some(&earlier) = here.get(&(at, key)) {
                                outcomes[earlier] = Outcome::Duplicate;
                            }
                        }
                        rivals.push((claim, event.at, event.key));
                    }
                }
            }
            let priced = PricedEvent { envelope: event.clone(), cost: price(event) };
            if let Entry::Vacant(free) = self.events.entry(id) {
                free.insert(priced);
                here.insert((event.at, event.key), i);
                outcomes.push(Outcome::Stored);
            } else {
                outcomes.push(Outcome::Duplicate);
            }
        }
        outcomes
    }

    /// What is stored of a town.
    pub fn events(&self, town: u8) -> impl Iterator<Item = &PricedEvent> {
        self.events.iter().filter(move |((t, ..), _)| *t == town).map(|(_, event)| event)
    }

    pub fn total(&self, town: u8) -> Aggregate {
        let mut sum = Aggregate::default();
        for event in self.events(town) {
            sum.add(&Aggregate::of(event));
        }
        sum
    }

    /// What agents said, and what the book says, of the calls in all towns that have both figures.
    pub fn both_costs(&self) -> (i64, i64) {
        let calls = self.events.values().filter_map(|event| match &event.envelope.event {
            Event::ModelCall(call) => Some((call.reported?.0, by_the_book(&event.envelope, call)?.0)),
            _ => None,
        });
        calls.fold((0, 0), |(reported, computed), call| (reported + call.0, computed + call.1))
    }
}

fn by_the_book(envelope: &Envelope, call: &ModelCall) -> Option<Nanodollars> {
    book().at(call.model.as_str(), envelope.at).map(|price| price.cost(&call.tokens, call.fast))
}

fn price(envelope: &Envelope) -> Option<model::event::Cost> {
    use model::event::{Cost, Provenance};
    let Event::ModelCall(call) = &envelope.event else { return None };
    let computed = by_the_book(envelope, call);
    let amount = call.reported.or(computed);
    Some(Cost { amount, provenance: Provenance::Computed, computed, price_id: None })
}

/// Sums of a tier over all time.
pub async fn total(pool: &Pool, table: &str, town: &TownName) -> Aggregate {
    let columns = Aggregate::NAMES.map(|name| format!("coalesce(sum({name}), 0)::bigint")).join(", ");
    let statement =
        format!("select array[{columns}] from {table} where town_id = (select town_id from town where name = $1)");
    let (sums,): (Vec<i64>,) =
        sqlx::query_as(sqlx::AssertSqlSafe(statement)).bind(town.as_str()).fetch_one(pool).await.unwrap();
    Aggregate::from_array(sums.try_into().unwrap())
}

pub async fn count(pool: &Pool, table: &str) -> i64 {
    let statement = format!("select count(*) from {table}");
    let (n,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_one(pool).await.unwrap();
    n
}

pub async fn assert_holds(pool: &Pool) {
    let report = server::db::verify::run(pool).await.unwrap();
    assert!(report.holds(), "{report:#?}");
    assert_eq!(report.pending, 0);
}

/// A small pseudo-random generator, for tests that only need variety.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
    pub fn seed(&mut self) -> Seed {
        let mut small = |sides| u8::try_from(self.roll(sides)).unwrap();
        let claim = (small(3) == 0).then(|| (small(6), small(3), small(4) == 0));
        let (town, kind, who, size, second) = (small(2), small(7), small(6), small(20), small(60));
        Seed { town, minute: u16::try_from(self.roll(90)).unwrap(), second, kind, who, size, claim }
    }
}
