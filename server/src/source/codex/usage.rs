//! Model calls of a rollout: what each `token_count` adds.

use model::dedupe::{Basis, Claim, Rank};
use model::event::{Event, EventKind, ModelCall};
use model::id::ModelName;
use model::time::Timestamp;
use model::tokens::TokenCounts;

use super::line::{Info, Usage};
use super::memory::kept;
use super::reader::RolloutReader;
use crate::source::project::Speaker;
use crate::source::{Yield, identity};

/// What is assumed of a call whose model nobody named; marked, so that nobody takes it for certain.
pub(super) const ASSUMED_MODEL: &str = "gpt-5[assumed]";

impl Usage {
    /// What was used since `before`. A count that fell began anew.
    fn since(self, before: Self) -> Self {
        let fell = self.input_tokens < before.input_tokens || self.output_tokens < before.output_tokens;
        if fell {
            return self;
        }
        Self {
            input_tokens: self.input_tokens - before.input_tokens,
            cached_input_tokens: self.cached_input_tokens.saturating_sub(before.cached_input_tokens),
            cache_write_input_tokens: self.cache_write_input_tokens.saturating_sub(before.cache_write_input_tokens),
            output_tokens: self.output_tokens - before.output_tokens,
            reasoning_output_tokens: self.reasoning_output_tokens.saturating_sub(before.reasoning_output_tokens),
        }
    }

    fn bytes(self) -> Vec<u8> {
        let counts = [
            self.input_tokens,
            self.cached_input_tokens,
            self.cache_write_input_tokens,
            self.output_tokens,
            self.reasoning_output_tokens,
        ];
        counts.iter().flat_map(|count| count.to_le_bytes()).collect()
    }

    /// The disjoint counts; a cached part beyond the whole is cut to it.
    fn tokens(self) -> TokenCounts {
        let cache_read = self.cached_input_tokens.min(self.input_tokens);
        let cache_write_5m = self.cache_write_input_tokens.min(self.input_tokens - cache_read);
        TokenCounts {
            input: self.input_tokens - cache_read - cache_write_5m,
            output: self.output_tokens,
            cache_read,
            cache_write_5m,
            cache_write_1h: 0,
        }
    }
}

impl RolloutReader<'_> {
    /// A `token_count`; `replayed`: it is the parent's, and only its total matters.
    pub(super) fn token_count(
        &mut self,
        info: &Info<'_>,
        replayed: bool,
        who: &Speaker,
        at: Timestamp,
        out: &mut Yield,
    ) -> Result<(), String> {
        let before = self.memory.total;
        if let Some(total) = info.total.0 {
            self.memory.total = Some(total);
        }
        let repeated = info.total.0.is_some() && info.total.0 == before;
        let used = match (info.last.0, info.total.0) {
            _ if replayed || repeated => return Ok(()),
            (Some(last), _) => last,
            (None, Some(total)) => total.since(before.unwrap_or_default()),
            (None, None) => return Ok(()),
        };
        if let Some(model) = kept(info.model.0.as_deref()) {
            self.memory.model = Some(model.to_owned());
        }
        let message = identity::hash("codex usage", &[&at.0.to_le_bytes(), &used.bytes()]);
        self.call(used, message, Basis::Message, who, at, out)
    }

    /// A turn of `codex exec --json`; `used` is what its thread used so far. Of a named thread there is a rollout too, or
    /// telemetry, which tells the same call by call: then the turn, which is a sum, does not count.
    pub(super) fn headless_turn(
        &mut self,
        used: Usage,
        who: &Speaker,
        at: Timestamp,
        out: &mut Yield,
    ) -> Result<(), String> {
        let turn = self.memory.turns;
        self.memory.turns += 1;
        let grown = used.since(self.memory.total.unwrap_or_default());
        self.memory.total = Some(used);
        let session = who.session.as_str().as_bytes();
        if self.memory.session.is_some() {
            // Another file of the thread numbers its turns anew, but goes on counting its tokens.
            let report = identity::hash("codex turn", &[session, &used.bytes()]);
            return self.call(grown, report, Basis::Metric, who, at, out);
        }
        let message = identity::hash("codex turn", &[session, &turn.to_le_bytes()]);
        self.call(grown, message, Basis::Message, who, at, out)
    }

    /// One call, or with [`Basis::Metric`] a sum of some; `id` tells it from others.
    fn call(
        &self,
        used: Usage,
        id: u128,
        basis: Basis,
        who: &Speaker,
        at: Timestamp,
        out: &mut Yield,
    ) -> Result<(), String> {
        let tokens = used.tokens();
        if tokens.kinds().iter().any(|count| *count > TokenCounts::MAX) {
            return Err("a token count is beyond a million million".to_owned());
        }
        if tokens.total() == 0 {
            return Ok(());
        }
        let name = self.memory.model.as_deref().unwrap_or(ASSUMED_MODEL);
        let call = ModelCall {
            model: ModelName::new(name).map_err(|error| error.to_string())?,
            tokens,
            reported: None,
            duration_us: None,
            ok: true,
            fast: self.memory.fast,
        };
        let rank = Rank {
            sidechain: self.memory.parent.is_some(),
            tokens: tokens.total(),
            has_speed: false,
            at: at.0,
            origin: self.origin,
        };
        let (message, request) = match basis {
            Basis::Metric => (identity::group(EventKind::ModelCall.name(), who.session.as_str()), id),
            _ => (id, 0),
        };
        let key = identity::hash("codex call", &[&id.to_le_bytes(), self.stem.as_bytes()]);
        let claim = Claim { message, request, rank, basis };
        out.events.push(who.did(at, key, Some(claim), Event::ModelCall(call)));
        Ok(())
    }
}
