//! A price that somebody adds, on the command line or over HTTP: texts that become a row of the price book.

use model::id::ModelName;
use model::price::{Tier, TierRule};
use model::time::{TimeError, Timestamp};
use serde::{Deserialize, Deserializer};

use super::{AmountError, Named, scaled};
use crate::db::price::NewPrice;

/// Length of a source's text.
const MAX_SOURCE_BYTES: usize = 200;
/// A tier begins below this, as no context is larger.
const MAX_ABOVE_TOKENS: u64 = 1_000_000_000;
/// Largest multiplier of fast mode, in percent.
const MAX_FAST_PERCENT: u32 = 10_000;
/// Who says so, unless somebody else is named.
const BY_HAND: &str = "added by hand";

/// An amount as text or as a number; both are read exactly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount(pub String);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Text(String),
            Number(serde_json::Number),
        }
        Ok(Self(match Raw::deserialize(deserializer)? {
            Raw::Text(text) => text,
            Raw::Number(number) => number.to_string(),
        }))
    }
}

/// A price; amounts are dollars per million tokens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Model.
    pub model: String,
    /// Day (in UTC) or instant from which on the price holds; none: today.
    pub effective: Option<String>,
    /// Per input token.
    pub input: Amount,
    /// Per output token.
    pub output: Amount,
    /// Per token read from the cache.
    pub cache_read: Option<Amount>,
    /// Per token written to the cache for five minutes.
    pub write_5m: Option<Amount>,
    /// Per token written to the cache for one hour.
    pub write_1h: Option<Amount>,
    /// Higher prices for large requests.
    pub above: Option<Above>,
    /// Multiplier of fast mode, such as 2.5.
    pub fast: Option<Amount>,
    /// Where the figures come from.
    pub source: Option<String>,
}

/// Higher prices for large requests.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Above {
    /// Tokens above which they hold.
    pub tokens: u64,
    /// What the threshold applies to.
    pub rule: TierRule,
    /// Per input token.
    pub input: Amount,
    /// Per output token.
    pub output: Amount,
    /// Per token read from the cache.
    pub cache_read: Option<Amount>,
    /// Per token written to the cache for five minutes.
    pub write_5m: Option<Amount>,
    /// Per token written to the cache for one hour.
    pub write_1h: Option<Amount>,
}

/// What is wrong with an entry, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not a model's name.
    #[error("model: {0}")]
    Model(String),
    /// Neither a day nor an instant.
    #[error("effective: \"{0}\" is neither a day, such as 2026-11-20, nor a time in RFC 3339")]
    Effective(String),
    /// An amount that is none.
    #[error("{field}: {error}")]
    Amount {
        /// Which.
        field: &'static str,
        /// Why.
        error: AmountError,
    },
    /// A threshold that is none.
    #[error("above: a higher tier begins above 1 to {MAX_ABOVE_TOKENS} tokens")]
    Above,
    /// A multiplier that is none.
    #[error("fast: a multiplier is 0.01 to {}, with at most two decimals", MAX_FAST_PERCENT / 100)]
    Fast,
    /// A text that is too long.
    #[error("source: use 1 to {MAX_SOURCE_BYTES} bytes")]
    Source,
}

impl Entry {
    /// The row for the price book, as noted at `now`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn price(&self, now: Timestamp) -> Result<NewPrice, EntryError> {
        let model = self.model.trim().to_ascii_lowercase();
        ModelName::new(&model).map_err(|error| EntryError::Model(error.to_string()))?;
        let today: String = now.to_string().chars().take_while(|c| *c != 'T').collect();
        let effective = self.effective.as_deref().unwrap_or(&today);
        let named = named(&self.input, &self.output, [&self.cache_read, &self.write_5m, &self.write_1h])?;
        let tier = match &self.above {
            None => None,
            Some(above) if !(1..=MAX_ABOVE_TOKENS).contains(&above.tokens) => return Err(EntryError::Above),
            Some(above) => {
                let kept = [&above.cache_read, &above.write_5m, &above.write_1h];
                let named = named_above(&above.input, &above.output, kept)?;
                Some(Tier { above_tokens: above.tokens, rule: above.rule, rates: named.complete(&model) })
            }
        };
        let fast_percent = self.fast.as_ref().map_or(Ok(100), |fast| {
            let percent = scaled(&fast.0, 2).ok().and_then(|percent| u32::try_from(percent).ok());
            percent.filter(|percent| (1..=MAX_FAST_PERCENT).contains(percent)).ok_or(EntryError::Fast)
        })?;
        let source = self.source.as_deref().unwrap_or(BY_HAND).trim();
        if source.is_empty() || source.len() > MAX_SOURCE_BYTES {
            return Err(EntryError::Source);
        }
        Ok(NewPrice {
            effective: instant(effective).map_err(|_| EntryError::Effective(effective.chars().take(60).collect()))?,
            rates: named.complete(&model),
            model,
            tier,
            fast_percent,
            source: source.to_owned(),
            noted: today,
        })
    }
}

/// A day in UTC, which begins at midnight, or a time in RFC 3339.
///
/// # Errors
/// Neither.
pub fn instant(raw: &str) -> Result<Timestamp, TimeError> {
    if raw.len() == 10 { Timestamp::parse_rfc3339(&format!("{raw}T00:00:00Z")) } else { Timestamp::parse_rfc3339(raw) }
}

fn named(input: &Amount, output: &Amount, kept: [&Option<Amount>; 3]) -> Result<Named, EntryError> {
    named_as(["input", "output", "cache_read", "write_5m", "write_1h"], input, output, kept)
}

fn named_above(input: &Amount, output: &Amount, kept: [&Option<Amount>; 3]) -> Result<Named, EntryError> {
    let fields = ["above input", "above output", "above cache_read", "above write_5m", "above write_1h"];
    named_as(fields, input, output, kept)
}

fn named_as(
    fields: [&'static str; 5],
    input: &Amount,
    output: &Amount,
    [read, write_5m, write_1h]: [&Option<Amount>; 3],
) -> Result<Named, EntryError> {
    let amount = |field, amount: &Amount| scaled(&amount.0, 6).map_err(|error| EntryError::Amount { field, error });
    let optional = |field, raw: &Option<Amount>| raw.as_ref().map(|raw| amount(field, raw)).transpose();
    Ok(Named {
        input: amount(fields[0], input)?,
        output: amount(fields[1], output)?,
        cache_read: optional(fields[2], read)?,
        cache_write_5m: optional(fields[3], write_5m)?,
        cache_write_1h: optional(fields[4], write_1h)?,
    })
}

#[cfg(test)]
mod tests {
    use model::price::Rates;
    use serde_json::json;

    use super::*;

    fn price(entry: serde_json::Value) -> Result<NewPrice, String> {
        let entry: Entry = serde_json::from_value(entry).map_err(|error| error.to_string())?;
        entry.price(Timestamp::parse_rfc3339("2026-11-27T16:00:00Z").unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_becomes_a_row_exactly() {
        let row = price(json!({"model": "New-Model", "effective": "2026-11-01", "input": "0.1", "output": 2.5,
            "cache_read": "0.01", "fast": 2.5, "source": "the maker's page",
            "above": {"tokens": 200_000, "rule": "whole_request", "input": 1, "output": "5", "cache_read": "0.1"}}))
        .unwrap();
        let rates = Rates {
            input: 100_000,
            output: 2_500_000,
            cache_read: 10_000,
            cache_write_5m: 100_000,
            cache_write_1h: 100_000,
        };
        assert_eq!((row.model.as_str(), row.rates, row.fast_percent), ("new-model", rates, 250));
        let tier = row.tier.unwrap();
        assert_eq!(
            (tier.rates.output, tier.rates.cache_write_1h, tier.rule),
            (5_000_000, 1_000_000, TierRule::WholeRequest)
        );
        assert_eq!((row.effective.to_string().as_str(), row.noted.as_str()), ("2026-11-01T00:00:00Z", "2026-11-27"));
    }

    #[test]
    fn what_is_not_named_follows_from_the_input_price() {
        let row = price(json!({"model": "claude-next", "input": "4", "output": "20"})).unwrap();
        let rates = Rates {
            input: 4_000_000,
            output: 20_000_000,
            cache_read: 400_000,
            cache_write_5m: 5_000_000,
            cache_write_1h: 8_000_000,
        };
        assert_eq!((row.rates, row.effective.to_string().as_str()), (rates, "2026-11-27T00:00:00Z"));
        assert_eq!(price(json!({"model": "other", "input": 1, "output": 2})).unwrap().rates.cache_read, 1_000_000);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |change: serde_json::Value, want: &str| {
            let mut entry = json!({"model": "m", "input": "1", "output": "2"});
            entry.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let error = price(entry).unwrap_err();
            assert!(error.contains(want), "{error}");
        };
        check(json!({"model": ""}), "model: ");
        check(json!({"input": "-1"}), "input: \"-1\" is not an amount");
        check(json!({"cache_read": "0.0000001"}), "cache_read: \"0.0000001\" is finer");
        check(json!({"effective": "yesterday"}), "effective: \"yesterday\"");
        check(json!({"fast": "0"}), "fast: ");
        check(json!({"above": {"tokens": 0, "rule": "whole_request", "input": 1, "output": 1}}), "above: ");
        check(json!({"above": {"tokens": 1, "rule": "whole_request", "input": "x", "output": 1}}), "above input: ");
        check(json!({"above": {"tokens": 1, "rule": "any", "input": 1, "output": 1}}), "marginal_per_kind");
        check(json!({"source": " "}), "source: ");
        check(json!({"price": 1}), "unknown field");
    }
}
