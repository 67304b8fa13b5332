//! What stops agents at an empty tank: the rule, whether it would stop them now, who obeys, and how to connect them.

use leptos::prelude::*;
use model::format::{ago, dollars, grouped};
use model::stop::{Asker, Balance, StopFail, StopMode, StopView, StopWindows, WindowLevel};
use model::time::{MICROS_PER_SECOND, Timestamp};

use super::command::Command;

/// The panel of the stop.
#[component]
pub fn StopPanel(
    /// What the server says of it.
    view: StopView,
) -> impl IntoView {
    let (state, verdict) = verdict(&view);
    let counts = format!(
        "{} questions since the server\u{2019}s start: {} answered with a stop, {} while the balance was not known.",
        count(view.asked),
        count(view.denied),
        count(view.failed)
    );
    let off = view.policy.mode == StopMode::Off;
    let http = http_hooks(&view);
    let command = command_hooks(&view);
    let keys = view.keys_required;
    view! {
        <section class="panel actuator" aria-labelledby="stop-title">
            <header><h2 id="stop-title">"Stop at empty"</h2><span class="count">{view.policy.mode.name()}</span></header>
            <p class="verdict" data-state=state role="status">{verdict}</p>
            <p class="hint">{rule(&view)}</p>
            {off.then(|| view! { <Command label="Switch it on, in towngauge.toml" text="stop = \"empty\"\nstop_reserve_usd = 5\nstop_fail = \"open\""/> })}
            <p class="hint">{counts}</p>
            <Obeying view=view.clone()/>
            <h3>"Connect Claude Code"</h3>
            <p class="hint">"In .claude/settings.json. HTTP hooks need nothing installed, but let agents go on whenever this server cannot be reached:"</p>
            <Command label="HTTP hooks" text=http/>
            <p class="hint">"A command hook can also stop agents when it cannot ask:"</p>
            <Command label="Command hook" text=command/>
            {keys.then(|| view! {
                <p class="hint">"Both send a key of scope \u{201c}ingest\u{201d}, which they take from the environment variable "<code>"TOWNGAUGE_KEY"</code>"."</p>
            })}
            <p class="hint">"Codex, Gemini CLI and OpenCode ask nobody before they go on: nothing here stops them; a webhook can tell somebody who does. In a Gas Town, "<code>"gt estop"</code>" freezes every agent at once and "<code>"gt thaw"</code>" lets them go on; the file ESTOP alone freezes nobody, so Towngauge does not write it."</p>
        </section>
    }
}

fn count(n: u64) -> String {
    grouped(i64::try_from(n).unwrap_or(i64::MAX))
}

/// Its state for the colour, and in words.
fn verdict(view: &StopView) -> (&'static str, String) {
    if let Some(reason) = &view.stopping {
        return ("stopping", format!("Agents that ask are told to stop now. {reason}."));
    }
    let by_windows = view.policy.windows == StopWindows::Own && view.windows == WindowLevel::Open;
    let left = match view.balance {
        Balance::Known(left) => format!("{} left", dollars(left)),
        // A subscription is measured by its windows.
        Balance::NoTank if by_windows => {
            "something is left in every window of Claude Code\u{2019}s subscription".to_owned()
        }
        Balance::NoTank => "the tank was never filled".to_owned(),
        Balance::NoTown | Balance::NoAnswer => "the balance is not known".to_owned(),
    };
    match (view.policy.mode, view.balance) {
        (StopMode::Off, _) => ("off", format!("Switched off: agents go on whatever is left ({left}).")),
        (StopMode::Empty, Balance::Known(_)) => ("going", format!("Agents go on: {left}.")),
        (StopMode::Empty, Balance::NoTank) if by_windows => ("going", format!("Agents go on: {left}.")),
        (StopMode::Empty, _) => ("unknown", format!("Agents go on, although {left}.")),
    }
}

fn rule(view: &StopView) -> String {
    let when = match view.policy.reserve.0 {
        0 => "when nothing is left".to_owned(),
        _ => format!("when {} are left", dollars(view.policy.reserve)),
    };
    let fail = match view.policy.fail {
        StopFail::Open => "go on",
        StopFail::Closed => "stop too",
    };
    let windows = match view.policy.windows {
        StopWindows::Own => ", and while a window of Claude Code\u{2019}s own subscription is used up",
        StopWindows::Off => "",
    };
    format!(
        "Switched on, agents stop {when}{windows}: before their next tool, their next prompt, or the next call of the model. While the balance is not known they {fail}."
    )
}

#[component]
fn Obeying(view: StopView) -> impl IntoView {
    let minutes = view.lately_s / 60;
    let now = view.at;
    let row = move |asker: Asker| view! { <AskerLine asker now/> };
    let any = !view.obeying.is_empty();
    let rows = view.obeying.into_iter().map(row).collect_view();
    let deaf: Vec<String> = view
        .deaf
        .iter()
        .map(|(rig, name)| rig.as_ref().map_or_else(|| name.to_string(), |rig| format!("{rig}/{name}")))
        .collect();
    view! {
        <h3>"Which agents obey"</h3>
        {if any {
            view! {
                <p class="hint">{format!("Their hooks asked in the last {minutes} minutes:")}</p>
                <div class="scroll" tabindex="0" role="region" aria-label="Agents that obey">
                    <table>
                        <thead><tr><th scope="col">"Agent"</th><th scope="col">"Rig"</th><th scope="col">"Asked"</th><th scope="col">"Told to stop"</th><th scope="col">"Last"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }.into_any()
        } else {
            view! { <p class="hint">{format!("None: no hook asked in the last {minutes} minutes. Connect Claude Code as below; each agent shows here with its next tool.")}</p> }.into_any()
        }}
        {(!deaf.is_empty()).then(|| view! {
            <p class="hint">"At work, and not asking, so nothing stops them: "<strong>{deaf.join(", ")}</strong></p>
        })}
    }
}

#[component]
fn AskerLine(asker: Asker, now: Timestamp) -> impl IntoView {
    let session = asker.session.map_or_else(|| "a hook without a session".to_owned(), |session| session.to_string());
    let name = asker.agent.map_or_else(|| session.clone(), |agent| agent.to_string());
    view! {
        <tr>
            <th scope="row" title=session>{name}</th>
            <td>{asker.rig.map_or_else(|| "\u{2013}".to_owned(), |rig| rig.to_string())}</td>
            <td>{count(asker.asked)}</td>
            <td>{count(asker.denied)}</td>
            <td>{ago(now.micros_since(asker.at) / MICROS_PER_SECOND)}</td>
        </tr>
    }
}

/// Settings for hooks over HTTP.
fn http_hooks(view: &StopView) -> String {
    let key = if view.keys_required {
        ",\n    \"headers\": {\"Authorization\": \"Bearer $TOWNGAUGE_KEY\"}, \"allowedEnvVars\": [\"TOWNGAUGE_KEY\"]"
    } else {
        ""
    };
    let hook = |event: &str| {
        format!(
            "  \"{event}\": [{{\"hooks\": [{{\"type\": \"http\", \"timeout\": 2,\n    \"url\": \"{}/hooks/claude/{event}?town={}\"{key}}}]}}]",
            view.address, view.town
        )
    };
    settings(hook)
}

/// Settings for hooks that run a command.
fn command_hooks(view: &StopView) -> String {
    let line = format!("towngauge hook --url {} --town {} --fail closed", view.address, view.town);
    let hook = |event: &str| {
        format!(
            "  \"{event}\": [{{\"hooks\": [{{\"type\": \"command\", \"timeout\": 5,\n    \"command\": \"{line}\"}}]}}]"
        )
    };
    settings(hook)
}

fn settings(hook: impl Fn(&str) -> String) -> String {
    let hooks = ["PreToolUse", "UserPromptSubmit", "PostToolBatch"].map(hook).join(",\n");
    format!("{{\"hooks\": {{\n{hooks}\n}}}}")
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use model::stop::StopPolicy;
    use model::{AgentName, Nanodollars, RigName, SessionId, TownName};

    use super::*;

    fn view(mode: StopMode, balance: Balance) -> StopView {
        let now = Timestamp::from_seconds(1_700_000_000);
        StopView {
            town: TownName::new("home").expect("a name"),
            at: now,
            policy: StopPolicy { mode, ..StopPolicy::default() },
            balance,
            windows: WindowLevel::Untold,
            stopping: None,
            asked: 1_234,
            denied: 2,
            failed: 0,
            obeying: Vec::new(),
            deaf: Vec::new(),
            lately_s: 600,
            address: "http://127.0.0.1:4680".to_owned(),
            keys_required: false,
        }
    }

    fn html(view: StopView) -> String {
        Owner::new().with(|| view! { <StopPanel view/> }.to_html())
    }

    #[test]
    fn every_state_says_what_happens_now() {
        let check = |view: StopView, want: &str| {
            let html = html(view);
            assert!(html.contains(want), "{want} in {html}");
        };
        let dollars = Balance::Known(Nanodollars(47_230_000_000));
        check(view(StopMode::Off, dollars), "Switched off: agents go on whatever is left ($47.23 left).");
        check(view(StopMode::Off, dollars), "Switch it on, in towngauge.toml");
        check(view(StopMode::Empty, dollars), "Agents go on: $47.23 left.");
        check(view(StopMode::Empty, Balance::NoTank), "Agents go on, although the tank was never filled.");
        let reason = "Gas tank empty: $0.00 left".to_owned();
        let stopping = StopView { stopping: Some(reason), ..view(StopMode::Empty, Balance::Known(Nanodollars(0))) };
        check(stopping, "Agents that ask are told to stop now. Gas tank empty: $0.00 left.");
        let subscribed = StopView { windows: WindowLevel::Open, ..view(StopMode::Empty, Balance::NoTank) };
        check(subscribed.clone(), "Agents go on: something is left in every window");
        check(subscribed.clone(), "and while a window of Claude Code\u{2019}s own subscription is used up");
        let policy = StopPolicy { windows: StopWindows::Off, ..subscribed.policy };
        check(StopView { policy, ..subscribed }, "Agents go on, although the tank was never filled.");
        check(view(StopMode::Empty, dollars), "None: no hook asked in the last 10 minutes.");
        check(view(StopMode::Empty, dollars), "1,234 questions");
    }

    #[test]
    fn those_who_obey_are_listed_and_those_who_do_not_are_named() {
        let rig = RigName::new("gas").unwrap();
        let asker = Asker {
            session: SessionId::new("s-1").ok(),
            agent: AgentName::new("toast").ok(),
            rig: Some(rig.clone()),
            at: Timestamp::from_seconds(1_700_000_000 - 5),
            asked: 7,
            denied: 1,
        };
        let deaf = vec![(Some(rig), AgentName::new("codex").unwrap())];
        let html = html(StopView { obeying: vec![asker], deaf, ..view(StopMode::Empty, Balance::NoTank) });
        for want in ["toast", "5 s ago", "gas/codex", "gt estop"] {
            assert!(html.contains(want), "{want} in {html}");
        }
    }

    #[test]
    fn where_keys_are_required_the_panel_says_where_hooks_take_theirs_from() {
        let said = "take from the environment variable <code>TOWNGAUGE_KEY</code>";
        let of = |keys_required| html(StopView { keys_required, ..view(StopMode::Empty, Balance::NoTank) });
        assert!(of(true).contains(said), "{}", of(true));
        assert!(!of(false).contains("TOWNGAUGE_KEY"));
    }

    #[test]
    fn what_is_to_be_pasted_is_json_and_asks_for_this_town() {
        let view = StopView { keys_required: true, ..view(StopMode::Empty, Balance::NoTank) };
        for text in [http_hooks(&view), command_hooks(&view)] {
            let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            for event in ["PreToolUse", "UserPromptSubmit", "PostToolBatch"] {
                assert!(json["hooks"][event][0]["hooks"][0].is_object(), "{text}");
            }
            assert!(json["hooks"].get("Stop").is_none(), "blocking Stop would make agents go on");
            assert!(text.contains("home"));
        }
        let http: serde_json::Value = serde_json::from_str(&http_hooks(&view)).unwrap();
        let hook = &http["hooks"]["PreToolUse"][0]["hooks"][0];
        assert_eq!(hook["url"], "http://127.0.0.1:4680/hooks/claude/PreToolUse?town=home");
        assert_eq!(hook["allowedEnvVars"][0], "TOWNGAUGE_KEY");
    }
}
