//! What an agent of the made-up town does in one minute of a shift.

use compact_str::CompactString;

use super::cast::Actor;
use super::rng::Rng;
use super::{DemoBead, Shift};
use crate::event::{AgentState, BeadEdge, Envelope, Event, LinesChanged, ModelCall, SessionEdge, ToolCall};
use crate::id::{BeadId, EventKey, ModelName, Role, SessionId, SourceName, ToolName};
use crate::time::{MICROS_PER_SECOND, Timestamp};
use crate::tokens::TokenCounts;

const TOOLS: [(&str, u64, bool); 7] = [
    ("Bash", 2_400_000, false),
    ("Read", 40_000, true),
    ("Edit", 90_000, true),
    ("Grep", 160_000, false),
    ("Write", 120_000, true),
    ("Glob", 60_000, false),
    ("Task", 48_000_000, false),
];
const FILES: [&str; 8] = [
    "src/main.rs",
    "src/queue/mod.rs",
    "src/queue/worker.rs",
    "src/merge/gate.rs",
    "internal/cmd/sling.go",
    "internal/mail/router.go",
    "docs/design.md",
    "tests/convoy_test.go",
];
const TITLES: [&str; 8] = [
    "Merge queue stalls when the gate restarts",
    "Sling to a full rig should queue",
    "Mail router drops the last recipient",
    "Witness counts idle polecats twice",
    "Docs: explain handoff between sessions",
    "Convoy progress is off by one",
    "Refinery retries forever on a red branch",
    "Beads export loses labels",
];

/// Appends the events of one actor in one minute.
pub fn minute(seed: u64, actor: &Actor, shift: &Shift, minute: i64, density: f64, events: &mut Vec<Envelope>) {
    let mut rng = Rng::new(seed, actor.number ^ 0x5eed, minute);
    let mut scene = Scene::new(seed, actor, shift, minute);
    if minute == shift.from_minute {
        scene.push(0, Event::Session(SessionEdge::Started), &mut rng, events);
        if actor.takes_beads() {
            scene.push(1, Event::Bead(BeadEdge::Created), &mut rng, events);
        }
    }
    let last = minute == shift.to_minute - 1;
    let mut expected = density * role_pace(actor.role);
    while expected > 0.0 && (expected >= 1.0 || rng.chance(expected)) {
        cycle(actor, &mut scene, &mut rng, events);
        expected -= 1.0;
    }
    if last {
        if let Some(bead) = bead(seed, actor, shift)
            && bead.closed.is_some()
        {
            scene.push(57, Event::Bead(BeadEdge::Closed), &mut rng, events);
        }
        let state = if rng.chance(0.04) { AgentState::Stuck } else { AgentState::Idle };
        scene.push(58, Event::AgentState(state), &mut rng, events);
        scene.push(59, Event::Session(SessionEdge::Ended), &mut rng, events);
    }
}

/// The bead of a shift; none for roles that take none.
pub fn bead(seed: u64, actor: &Actor, shift: &Shift) -> Option<DemoBead> {
    if !actor.takes_beads() {
        return None;
    }
    let mut rng = Rng::new(seed, actor.number ^ 0xbead, shift.slot);
    let id = BeadId::new(&format!("{}-{:08x}", actor.prefix, rng.next() & 0xffff_ffff)).ok()?;
    let title = rng.pick(&TITLES).unwrap_or_default().to_owned();
    let closed = rng.chance(0.86).then(|| Timestamp::from_seconds((shift.to_minute - 1) * 60 + 57));
    let rig = actor.rig.as_ref().map_or("", |rig| rig.as_str());
    let group = if actor.role == Role::Crew { "crew" } else { "polecats" };
    Some(DemoBead {
        id,
        title,
        created: Timestamp::from_seconds(shift.from_minute * 60 + 1),
        closed,
        assignee: format!("{rig}/{group}/{}", actor.name),
        escalation: closed.is_none() && rng.chance(0.2),
    })
}

/// One call of a model, and the tools it asked for.
fn cycle(actor: &Actor, scene: &mut Scene, rng: &mut Rng, events: &mut Vec<Envelope>) {
    let second = rng.below(56);
    let context = rng.around(52_000);
    let write = rng.around(1_400);
    let long_lived = rng.chance(0.2);
    let tokens = TokenCounts {
        input: rng.around(40),
        output: rng.around(420),
        cache_read: context,
        cache_write_5m: if long_lived { 0 } else { write },
        cache_write_1h: if long_lived { write } else { 0 },
    };
    let ok = !rng.chance(0.007);
    let Some(model) = model_of(actor.role, rng) else { return };
    let call = ModelCall {
        model,
        tokens: if ok { tokens } else { TokenCounts::default() },
        reported: None,
        duration_us: Some(1_200_000 + tokens.output * 14_000 + rng.count(0, 900_000)),
        ok,
        fast: false,
    };
    scene.push(second, Event::ModelCall(call), rng, events);
    for _ in 0..rng.below(3) {
        let Some((tool, typical_us, on_file)) = rng.pick(&TOOLS.each_ref()).copied() else { continue };
        let file = on_file.then(|| rng.pick(&FILES)).flatten().map(CompactString::from);
        let ok = !rng.chance(0.04);
        if let Ok(name) = ToolName::new(tool) {
            let call = ToolCall { tool: name, duration_us: Some(rng.around(typical_us)), ok, file: file.clone() };
            scene.push(second + 1, Event::ToolCall(call), rng, events);
        }
        if ok && matches!(tool, "Edit" | "Write") {
            let count = |n: u64| u32::try_from(n.min(900)).unwrap_or_default();
            let (added, removed) = (count(rng.around(14)), if tool == "Edit" { count(rng.around(6)) } else { 0 });
            scene.push(second + 2, Event::LinesChanged(LinesChanged { added, removed, file }), rng, events);
        }
    }
}

const fn role_pace(role: Role) -> f64 {
    match role {
        Role::Polecat => 1.0,
        Role::Crew => 0.8,
        Role::Refinery => 0.5,
        Role::Mayor => 0.6,
        Role::Witness | Role::Deacon | Role::Other => 0.3,
    }
}

fn model_of(role: Role, rng: &mut Rng) -> Option<ModelName> {
    let choices: &[&str] = match role {
        Role::Mayor | Role::Crew => &["claude-opus-4-8", "claude-opus-5-5"],
        Role::Witness | Role::Deacon | Role::Other => &["claude-haiku-4-5", "claude-haiku-5-5"],
        Role::Polecat | Role::Refinery => {
            &["claude-sonnet-4-6", "claude-sonnet-4-6", "claude-sonnet-5", "gpt-5.3-codex", "claude-sonnet-4-6"]
        }
    };
    // A model that no price book knows: pages must show it as unpriced.
    let name = if rng.chance(0.004) { "tumbleweed-preview" } else { rng.pick(choices).unwrap_or_default() };
    ModelName::new(name).ok()
}

/// What all events of an actor in a minute have in common.
struct Scene<'a> {
    actor: &'a Actor,
    minute: i64,
    source: Option<SourceName>,
    session: Option<SessionId>,
    bead: Option<BeadId>,
}

impl<'a> Scene<'a> {
    fn new(seed: u64, actor: &'a Actor, shift: &Shift, minute: i64) -> Self {
        let mut rng = Rng::new(seed, actor.number ^ 0x5e55, shift.slot);
        let session = SessionId::new(&format!("demo-{:016x}", rng.next())).ok();
        let bead = bead(seed, actor, shift).map(|bead| bead.id);
        Self { actor, minute, source: SourceName::new("demo").ok(), session, bead }
    }

    fn push(&mut self, second: i64, event: Event, rng: &mut Rng, events: &mut Vec<Envelope>) {
        let micros = rng.below(MICROS_PER_SECOND);
        let Some(source) = self.source.clone() else { return };
        events.push(Envelope {
            at: Timestamp((self.minute * 60 + second.min(59)) * MICROS_PER_SECOND + micros),
            key: EventKey(rng.wide()),
            claim: None,
            source,
            rig: self.actor.rig.clone(),
            role: self.actor.role,
            agent: Some(self.actor.name.clone()),
            session: self.session.clone(),
            bead: self.bead.clone(),
            event,
        });
    }
}
