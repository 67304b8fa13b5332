//! Small marks: a role, a status, the demo.

use leptos::prelude::*;
use model::Role;
use model::roster::AgentStatus;

/// A role: its colour and its name.
#[component]
pub(crate) fn RoleChip(role: Role) -> impl IntoView {
    view! { <span class=format!("role role-{}", role.name())>{role.name()}</span> }
}

/// What an agent is doing: a shape, a colour and the word.
#[component]
pub(crate) fn StatusChip(
    /// The status.
    #[prop(into)]
    status: Signal<AgentStatus>,
    /// The status in words, with for how long where that matters.
    #[prop(into)]
    words: Signal<String>,
) -> impl IntoView {
    let name = move || status.get().name();
    view! { <span class="status" data-status=name>{words}</span> }
}

/// Marks a made-up town, on every page of it.
#[component]
pub(crate) fn DemoChip() -> impl IntoView {
    view! { <span class="demo" title="This town is made up: its events come from a generator, not from agents">"Demo"</span> }
}
