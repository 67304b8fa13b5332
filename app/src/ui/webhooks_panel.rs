//! Who is told of alerts, and what came of it.

use leptos::prelude::*;

use super::command::Command;
use super::state::Empty;
use super::table::table;
use crate::panel::HookCard;

/// What makes a webhook.
const EXAMPLE: &str = "[[webhook]]
url = \"https://example.org/hook\"
secret_env = \"TOWNGAUGE_HOOK_SECRET\"
events = [\"tank.empty\", \"agent.restart_loop\", \"errors.spike\"]   # all without it";

/// The panel of webhooks.
#[component]
pub fn WebhooksPanel(
    /// What the server says of each.
    cards: Vec<HookCard>,
) -> impl IntoView {
    let count = cards.len();
    view! {
        <section class="panel actuator" aria-labelledby="webhooks-title">
            <header><h2 id="webhooks-title">"Webhooks"</h2><span class="count">{count}</span></header>
            {if count == 0 {
                view! {
                    <Empty title="Nobody is told of alerts" hint="A table in towngauge.toml names who is: at a low, empty or refilled tank, a silent source, a stalled or looping agent, many errors, a long review queue."/>
                    <Command label="A webhook, in towngauge.toml" text=EXAMPLE/>
                }.into_any()
            } else {
                cards.into_iter().map(hook).collect_view().into_any()
            }}
        </section>
    }
    .into_any()
}

fn hook(HookCard { address, told, deliveries }: HookCard) -> AnyView {
    let list = if deliveries.is_empty() {
        view! { <p class="hint">"Nothing to tell yet. POST /api/webhooks/test tries whether it works."</p> }.into_any()
    } else {
        table(format!("Deliveries to {address}"), &["What", "Town", "When", "Result"], deliveries)
    };
    view! { <h3>{address}</h3><p class="hint">{told}</p>{list} }.into_any()
}
