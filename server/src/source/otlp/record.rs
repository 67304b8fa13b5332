//! A log record or a span, as the mappings see it: a name, a time, attributes.

use model::dedupe::{Claim, Rank};
use model::event::{Envelope, Event, ModelCall, ToolCall};
use model::id::ToolName;
use model::time::Timestamp;
use model::tokens::TokenCounts;

use super::attributes::{Attributes, Reason};
use super::belonging::{Belonging, event_claim, group};
use crate::source::{identity, rfc3339};

/// What a mapping makes of a record: events; none of its business; or why not.
pub(super) type Mapped = Result<Option<Vec<Envelope>>, Reason>;

/// A record that is to become events.
pub(super) struct Record<'a> {
    /// Bare name, such as `api_request`.
    pub name: &'a str,
    /// When, by the sender's clock.
    pub at: Timestamp,
    /// What is said of it.
    pub attributes: Attributes<'a>,
    /// Whose it is.
    pub who: Belonging,
    /// Its conversation, or the process that stands for one (`belonging::conversation`).
    pub conversation: &'a str,
    /// Tells it apart from others of its conversation with the same name and time: a sequence number, a span's id.
    pub serial: Vec<u8>,
}

/// Microseconds of nanoseconds since 1970, if they are a believable time.
pub(super) fn time(nanos: u64) -> Option<Timestamp> {
    Timestamp(i64::try_from(nanos / 1_000).ok()?).believed().ok()
}

/// When a record happened: what the tool says, else its time, else when it was observed.
pub(super) fn time_of(attributes: &Attributes<'_>, nanos: [u64; 2]) -> Result<Timestamp, Reason> {
    let said = attributes.text("event.timestamp").and_then(|raw| rfc3339::parse(raw).ok());
    let sent = || nanos.into_iter().filter(|nanos| *nanos != 0).find_map(time);
    said.or_else(sent).ok_or_else(|| "no believable time".to_owned())
}

impl Record<'_> {
    /// Hash that tells this record apart, from nothing but what its sender says.
    pub(super) fn id(&self, content: &[&[u8]]) -> u128 {
        let time = self.at.0.to_le_bytes();
        let mut parts: Vec<&[u8]> = vec![self.conversation.as_bytes(), self.name.as_bytes(), &time, &self.serial];
        parts.extend_from_slice(content);
        identity::hash("otel record", &parts)
    }

    /// A call that names no request.
    pub(super) fn call(&self, call: ModelCall) -> Envelope {
        let counts = call.tokens.kinds().map(u64::to_le_bytes).concat();
        let id = self.id(&[&counts, &[u8::from(call.ok)]]);
        let rank = self.rank(call.tokens.total());
        let event = Event::ModelCall(call);
        let claim = event_claim(group(&event, self.conversation), id, rank);
        self.who.envelope(self.at, id, Some(claim), event)
    }

    /// A call that names its request with an id that is unique in the world.
    pub(super) fn call_of(&self, request: &str, call: ModelCall) -> Envelope {
        let request = identity::hash("request", &[request.as_bytes()]);
        let total = call.tokens.total();
        let key = identity::hash("otel call", &[&request.to_le_bytes(), &total.to_le_bytes()]);
        let claim = Claim::by_request(request, self.rank(total));
        self.who.envelope(self.at, key, Some(claim), Event::ModelCall(call))
    }

    /// A tool's use, by the id that transcripts know it by, if it has one. This report wins over a transcript's: its
    /// duration is the tool's own, without the wait for permission.
    pub(super) fn tool(&self, id: Option<&str>, call: ToolCall) -> Envelope {
        let rank = self.rank(1);
        match id {
            Some(id) => {
                let key = identity::hash("otel tool", &[id.as_bytes()]);
                let claim = Claim::by_message(identity::tool(id), 0, rank);
                self.who.envelope(self.at, key, Some(claim), Event::ToolCall(call))
            }
            None => {
                let duration = call.duration_us.unwrap_or(0).to_le_bytes();
                let id = self.id(&[call.tool.as_str().as_bytes(), &duration, &[u8::from(call.ok)]]);
                let event = Event::ToolCall(call);
                let claim = event_claim(group(&event, self.conversation), id, rank);
                self.who.envelope(self.at, id, Some(claim), event)
            }
        }
    }

    /// The tool call that the usual attributes speak of.
    pub(super) fn tool_call(&self, name_key: &str) -> Result<ToolCall, Reason> {
        Ok(ToolCall {
            tool: self.attributes.name(name_key, ToolName::new)?,
            duration_us: self.attributes.duration_us("duration_ms")?,
            ok: self.attributes.flag("success").unwrap_or(true),
            file: None,
        })
    }

    fn rank(&self, tokens: u64) -> Rank {
        Rank { sidechain: false, tokens, has_speed: true, at: self.at.0, origin: 0 }
    }
}

/// Counts that can be stored.
pub(super) fn bounded(tokens: TokenCounts) -> Result<TokenCounts, Reason> {
    if tokens.kinds().iter().any(|count| *count > TokenCounts::MAX) {
        return Err(format!("a call of more than {} tokens is not believed", TokenCounts::MAX));
    }
    Ok(tokens)
}
