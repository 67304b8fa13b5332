//! What stops agents at an empty tank: the rule, whether it would stop them now, who obeys, and how to connect them.

use leptos::prelude::*;

use super::command::Command;
use super::table::table;
use crate::panel::StopCard;

/// The panel of the stop.
#[component]
pub fn StopPanel(
    /// What the server says of it.
    card: StopCard,
) -> impl IntoView {
    let obeying = (!card.obeying.is_empty()).then(|| {
        table("Agents that obey".to_owned(), &["Agent", "Rig", "Asked", "Told to stop", "Last"], card.obeying)
    });
    view! {
        <section class="panel actuator" aria-labelledby="stop-title">
            <header><h2 id="stop-title">"Stop at empty"</h2><span class="count">{card.mode}</span></header>
            <p class="verdict" data-state=card.state role="status">{card.verdict}</p>
            <p class="hint">{card.rule}</p>
            {card.switch_on.map(|text| view! { <Command label="Switch it on, in towngauge.toml" text/> })}
            <p class="hint">{card.counts}</p>
            <h3>"Which agents obey"</h3>
            <p class="hint">{card.asked}</p>
            {obeying}
            {(!card.deaf.is_empty()).then(|| view! {
                <p class="hint">"At work, and not asking, so nothing stops them: "<strong>{card.deaf}</strong></p>
            })}
            <h3>"Connect Claude Code"</h3>
            <p class="hint">"In .claude/settings.json. HTTP hooks need nothing installed, but let agents go on whenever this server cannot be reached:"</p>
            <Command label="HTTP hooks" text=card.http_hooks/>
            <p class="hint">"A command hook can also stop agents when it cannot ask:"</p>
            <Command label="Command hook" text=card.command_hooks/>
            {card.keys_required.then(|| view! {
                <p class="hint">"Both send a key of scope \u{201c}ingest\u{201d}, which they take from the environment variable "<code>"TOWNGAUGE_KEY"</code>"."</p>
            })}
            <p class="hint">"Codex, Gemini CLI and OpenCode ask nobody before they go on: nothing here stops them; a webhook can tell somebody who does. In a Gas Town, "<code>"gt estop"</code>" freezes every agent at once and "<code>"gt thaw"</code>" lets them go on; the file ESTOP alone freezes nobody, so Towngauge does not write it."</p>
        </section>
    }
    .into_any()
}
