//! The roster: who works in the town, at work first.

use leptos::prelude::*;
use model::format::ago;
use model::roster::{AgentRow, AgentStatus};
use model::time::{MICROS_PER_SECOND, Timestamp};
use model::{AgentName, RigName};

use super::chips::{RoleChip, StatusChip};
use super::state::Empty;
use super::truth_cells::{TOWN, first};
use crate::live::Live;

type Key = (Option<RigName>, AgentName);

/// At work first, then those who need help; within that by rig and name, so that rows stay where they are.
fn rank(status: AgentStatus) -> u8 {
    match status {
        AgentStatus::Working => 0,
        AgentStatus::Stuck => 1,
        AgentStatus::GuppViolation => 2,
        AgentStatus::Stalled => 3,
        AgentStatus::Idle => 4,
        AgentStatus::Exiting => 5,
        AgentStatus::Gone => 6,
    }
}

/// Keys of those on the roster at `now`, in the order of the table.
fn ordered(agents: &[AgentRow], now: Timestamp) -> Vec<Key> {
    let mut rows: Vec<(u8, Key)> = agents
        .iter()
        .map(|agent| (rank(agent.status(now)), (agent.rig.clone(), agent.name.clone())))
        .filter(|(rank, _)| *rank < 6)
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, key)| key).collect()
}

/// The table of agents.
#[component]
pub(crate) fn Roster(live: Live) -> impl IntoView {
    let keys = Memo::new(move |_| live.with_roster(|agents| ordered(agents, live.now.get())).unwrap_or_default());
    let empty = Memo::new(move |_| keys.with(Vec::is_empty));
    let count = move || keys.with(Vec::len);
    let (truth, words) = first(TOWN, live);
    let table = move || {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of agents">
                <table class="roster">
                    <thead>
                        <tr>
                            <th scope="col">"Agent"</th>
                            <th scope="col">"Role"</th>
                            <th scope="col">"Rig"</th>
                            <th scope="col">"State"</th>
                            <th scope="col">"Bead"</th>
                            <th scope="col" class="number">"Last seen"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || keys.get() key=Clone::clone let:key>
                            <AgentLine live key/>
                        </For>
                    </tbody>
                </table>
            </div>
        }
    };
    view! {
        <section
            class="panel agents"
            data-tell=TOWN
            data-truth=truth
            aria-labelledby="agents-title"
        >
            <header><h2 id="agents-title">"Agents"</h2><span class="count">{count}</span><span class="truth">{words}</span></header>
            {move || if empty.get() {
                view! { <Empty title="No agents in the last 24 hours" hint="Agents appear with their first event: a model call, a tool, or a state."/> }.into_any()
            } else {
                table().into_any()
            }}
        </section>
    }
}

#[component]
fn AgentLine(live: Live, key: Key) -> impl IntoView {
    let (rig, name) = key.clone();
    let agent = Memo::new(move |_| {
        live.with_roster(|agents| agents.iter().find(|a| a.rig == key.0 && a.name == key.1).cloned()).flatten()
    });
    let status = Signal::derive(move || {
        let now = live.now.get();
        agent.with(|agent| agent.as_ref().map_or(AgentStatus::Gone, |agent| agent.status(now)))
    });
    let status = Memo::new(move |_| status.get());
    // By the clock of the page: it grows without a frame.
    let words = Memo::new(move |_| {
        let now = live.now.get();
        agent.with(|agent| agent.as_ref().map(|agent| agent.status_words(now)).unwrap_or_default())
    });
    let role = Memo::new(move |_| agent.with(|a| a.as_ref().map(|a| a.role).unwrap_or_default()));
    let bead = Memo::new(move |_| agent.with(|a| a.as_ref().and_then(|a| a.bead.as_ref().map(ToString::to_string))));
    let seen = Memo::new(move |_| {
        let now = live.now.get();
        agent.with(|a| a.as_ref().map(|a| ago(now.micros_since(a.last_seen) / MICROS_PER_SECOND)))
    });
    let title = move || agent.with(|a| a.as_ref().map(|a| a.last_seen.seconds())).map(crate::civil::rfc3339);
    view! {
        <tr data-status=move || status.get().name()>
            <th scope="row" class="name" title=name.to_string()>{name.to_string()}</th>
            <td>{move || view! { <RoleChip role=role.get()/> }}</td>
            <td class="rig">{rig.map_or_else(|| "–".to_owned(), |rig| rig.to_string())}</td>
            <td title=words><StatusChip status words/></td>
            <td class="bead">{move || bead.get().unwrap_or_else(|| "–".to_owned())}</td>
            <td class="number"><time datetime=title>{seen}</time></td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use model::event::AgentState;
    use model::hook::Hook;
    use model::{BeadId, Role};

    use super::*;

    #[test]
    fn those_at_work_come_first_and_those_gone_not_at_all() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let agent = |name: &str, worked_s: i64, said: Option<AgentState>| AgentRow {
            said: said.map(|state| (state, now)),
            worked: Some(now.plus_seconds(-worked_s)),
            ..AgentRow::new(None, AgentName::new(name).unwrap(), Role::Polecat, now.plus_seconds(-worked_s))
        };
        let stalled = |name: &str, minutes: i64| {
            let at = now.plus_seconds(-minutes * 60);
            let said = Some((AgentState::Working, at));
            let hook = Hook::said(AgentState::Working, BeadId::new("b-1").ok().as_ref(), at);
            AgentRow { said, hook, ..agent(name, minutes * 60, None) }
        };
        let agents = [
            stalled("stalled", 17),
            stalled("violating", 32),
            agent("gone", 100_000, None),
            agent("nuked", 5, Some(AgentState::Gone)),
            agent("idle", 600, None),
            agent("stuck", 5, Some(AgentState::Stuck)),
            agent("zed", 1, None),
            agent("amy", 1, None),
        ];
        let names: Vec<String> = ordered(&agents, now).into_iter().map(|(_, name)| name.to_string()).collect();
        assert_eq!(names, ["amy", "zed", "stuck", "violating", "stalled", "idle"]);
    }
}
