//! What the Tank page says of the stop, in words. Pure.

use app::panel::{Line, StopCard};
use model::format::{ago, dollars, grouped};
use model::stop::{Asker, Balance, StopFail, StopMode, StopView, StopWindows, WindowLevel};
use model::time::{MICROS_PER_SECOND, Timestamp};

/// What switches it on.
const SWITCH_ON: &str = "stop = \"empty\"\nstop_reserve_usd = 5\nstop_fail = \"open\"";

/// The panel's words.
#[must_use]
pub fn card(view: &StopView) -> StopCard {
    let (state, verdict) = verdict(view);
    let minutes = view.lately_s / 60;
    let obeying: Vec<Line> = view.obeying.iter().map(|asker| line(asker, view.at)).collect();
    let asked = if obeying.is_empty() {
        format!(
            "None: no hook asked in the last {minutes} minutes. Connect Claude Code as below; each agent shows here with its next tool."
        )
    } else {
        format!("Their hooks asked in the last {minutes} minutes:")
    };
    let named = |(rig, name): &(Option<model::RigName>, model::AgentName)| match rig {
        Some(rig) => format!("{rig}/{name}"),
        None => name.to_string(),
    };
    StopCard {
        mode: view.policy.mode.name().to_owned(),
        state: state.to_owned(),
        verdict,
        rule: rule(view),
        switch_on: (view.policy.mode == StopMode::Off).then(|| SWITCH_ON.to_owned()),
        counts: format!(
            "{} questions since the server\u{2019}s start: {} answered with a stop, {} while the balance was not known.",
            count(view.asked),
            count(view.denied),
            count(view.failed)
        ),
        asked,
        obeying,
        deaf: view.deaf.iter().map(named).collect::<Vec<_>>().join(", "),
        http_hooks: http_hooks(view),
        command_hooks: command_hooks(view),
        keys_required: view.keys_required,
    }
}

fn line(asker: &Asker, now: Timestamp) -> Line {
    let session = asker.session.as_ref().map_or_else(|| "a hook without a session".to_owned(), ToString::to_string);
    let cells = vec![
        asker.rig.as_ref().map_or_else(|| "\u{2013}".to_owned(), ToString::to_string),
        count(asker.asked),
        count(asker.denied),
        ago(now.micros_since(asker.at) / MICROS_PER_SECOND),
    ];
    let head = asker.agent.as_ref().map_or_else(|| session.clone(), ToString::to_string);
    Line { head, title: session, cells, class: String::new() }
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

#[cfg(test)]
mod tests {
    use model::stop::StopPolicy;
    use model::{AgentName, Nanodollars, RigName, SessionId, TownName};

    use app::StopPanel;
    use leptos::prelude::*;

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
        let card = card(&view);
        Owner::new().with(|| view! { <StopPanel card/> }.to_html())
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
