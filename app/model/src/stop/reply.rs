//! What Claude Code's hooks are answered: the shapes that its documentation gives for each event.

use serde::{Deserialize, Serialize};

use super::Decision;

/// Events of hooks, as far as they are answered differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HookEvent {
    /// Before a tool is used.
    PreToolUse,
    /// A person, or another agent, gives a new task.
    UserPromptSubmit,
    /// After a batch of tools, before the next call of the model.
    PostToolBatch,
    /// The agent is done. Never blocked: that would make it go on.
    Stop,
    /// A subagent is done. Never blocked either.
    SubagentStop,
    /// Every other one: nothing to stop there.
    Other,
}

impl HookEvent {
    /// Reads an event's name, as Claude Code writes it or with dashes as in an address (`pre-tool-use`).
    #[must_use]
    pub fn parse(raw: &str) -> Self {
        let plain: String = raw.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        match plain.to_ascii_lowercase().as_str() {
            "pretooluse" => Self::PreToolUse,
            "userpromptsubmit" => Self::UserPromptSubmit,
            "posttoolbatch" => Self::PostToolBatch,
            "stop" => Self::Stop,
            "subagentstop" => Self::SubagentStop,
            _ => Self::Other,
        }
    }
    /// Whether an answer to it can stop an agent.
    #[must_use]
    pub const fn stops(self) -> bool {
        matches!(self, Self::PreToolUse | Self::UserPromptSubmit | Self::PostToolBatch)
    }
}

/// The answer to a hook; the empty object lets the agent go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct HookReply {
    /// `false` halts the agent.
    #[serde(rename = "continue", skip_serializing_if = "Option::is_none")]
    pub go_on: Option<bool>,
    /// Why it halts, for the person who looks on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// `block`, for events other than `PreToolUse`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Why it blocks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What belongs to one event only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook_specific_output: Option<HookSpecific>,
}

/// What `PreToolUse` is answered beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HookSpecific {
    /// `PreToolUse`
    pub hook_event_name: String,
    /// `deny` holds in every permission mode.
    pub permission_decision: String,
    /// Why, for the model.
    pub permission_decision_reason: String,
}

impl HookReply {
    /// The answer to `event` after `decision`.
    #[must_use]
    pub fn to(event: HookEvent, decision: &Decision) -> Self {
        let Decision::Stop(reason) = decision else { return Self::default() };
        match event {
            HookEvent::PreToolUse => Self {
                go_on: Some(false),
                stop_reason: Some(reason.clone()),
                hook_specific_output: Some(HookSpecific {
                    hook_event_name: "PreToolUse".to_owned(),
                    permission_decision: "deny".to_owned(),
                    permission_decision_reason: reason.clone(),
                }),
                ..Self::default()
            },
            HookEvent::UserPromptSubmit | HookEvent::PostToolBatch => {
                Self { decision: Some("block".to_owned()), reason: Some(reason.clone()), ..Self::default() }
            }
            HookEvent::Stop | HookEvent::SubagentStop | HookEvent::Other => Self::default(),
        }
    }
    /// Whether it lets the agent go on.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn each_event_is_answered_in_its_own_shape() {
        let why = "Gas tank empty: $0.00 left";
        let check = |event: &str, want: Value| {
            let reply = HookReply::to(HookEvent::parse(event), &Decision::Stop(why.to_owned()));
            assert_eq!(serde_json::to_value(reply).unwrap(), want, "{event}");
            let going = HookReply::to(HookEvent::parse(event), &Decision::Go);
            assert_eq!(serde_json::to_value(going).unwrap(), json!({}), "{event}");
        };
        let deny = json!({"continue": false, "stopReason": why, "hookSpecificOutput": {
            "hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": why}});
        check("PreToolUse", deny.clone());
        check("pre-tool-use", deny);
        check("UserPromptSubmit", json!({"decision": "block", "reason": why}));
        check("PostToolBatch", json!({"decision": "block", "reason": why}));
        for event in [
            "Stop",
            "SubagentStop",
            "StopFailure",
            "PostToolUse",
            "PostToolUseFailure",
            "SessionStart",
            "SessionEnd",
            "",
        ] {
            check(event, json!({}));
        }
    }

    #[test]
    fn only_what_can_stop_an_agent_says_so() {
        let stops = |raw| HookEvent::parse(raw).stops();
        assert!(stops("PreToolUse") && stops("UserPromptSubmit") && stops("PostToolBatch"));
        assert!(!stops("Stop") && !stops("SubagentStop") && !stops("StopFailure") && !stops("anything"));
    }
}
