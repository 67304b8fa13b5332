//! LiteLLM's list, `model_prices_and_context_window.json`: what of it becomes prices, and what of that is new.
//!
//! Names stay as LiteLLM writes them, in lower case: what a provider asks for a model under a name of its own
//! (`azure/eu/gpt-5`) is a price of its own, and is added only where the price that the name finds anyway differs.
//! What the list does not say (a multiplier of fast mode, a tier) does not differ.

use std::collections::BTreeMap;

use model::id::ModelName;
use model::price::{Price, PriceBook, Tier, TierRule};
use model::time::Timestamp;
use serde_json::value::RawValue;

use super::{AmountError, Named, scaled};
use crate::db::price::NewPrice;

/// Entries of a list at most; LiteLLM's has some three thousand.
const MAX_ENTRIES: usize = 50_000;
/// Modes of calls that are measured here; the others are counted as skipped.
const MODES: [&str; 3] = ["chat", "completion", "responses"];
/// Where Claude's tier begins that takes each kind of token on its own, as ccusage 20.0.24 applies it.
const CLAUDE_TIER_TOKENS: u64 = 200_000;
/// The entry that explains the others.
const SAMPLE: &str = "sample_spec";

/// Why a list cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not JSON of the expected shape.
    #[error("this is not LiteLLM's model_prices_and_context_window.json, an object with an entry per model: {0}")]
    Shape(#[from] serde_json::Error),
    /// More than a list has.
    #[error("the list has {0} entries; at most {MAX_ENTRIES} are read")]
    TooMany(usize),
    /// Nothing in it is a price.
    #[error("the list has no price per token of any model; is it LiteLLM's model_prices_and_context_window.json?")]
    Nothing,
}

/// Why an entry is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is about images, audio, embeddings and the like.
    OtherMode,
    /// It names no price per input and output token.
    NoTokenPrice,
    /// It asks nothing, which is LiteLLM's word for free and for unknown.
    Zero,
    /// It has several higher tiers; the price book has one.
    SeveralTiers,
    /// An amount is finer than prices are kept, or none.
    Amount,
    /// The model's name is none.
    Name,
    /// It is no object, or the explanation of the others.
    NoModel,
}

impl Reason {
    /// In words, after a number.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::OtherMode => "of images, audio, embeddings and the like",
            Self::NoTokenPrice => "without a price per token",
            Self::Zero => "listed at 0, free or unknown",
            Self::SeveralTiers => "with several higher tiers",
            Self::Amount => "with an amount that cannot be kept exactly",
            Self::Name => "with a name that is none",
            Self::NoModel => "that are no model",
        }
    }
}

/// A list that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Import {
    /// Shorter names first, so that a model is known before those that are called after it.
    listed: Vec<Listed>,
    /// How many entries were skipped, by reason.
    pub skipped: BTreeMap<Reason, usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Listed {
    model: String,
    base: Named,
    above: Option<(u64, Named)>,
    fast_percent: Option<u32>,
}

/// Fields of an entry.
type Fields<'a> = BTreeMap<&'a str, &'a RawValue>;

/// Reads a list.
///
/// # Errors
/// Not a list, or nothing in it is a price.
pub fn read(text: &str) -> Result<Import, ImportError> {
    let entries: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
    if entries.len() > MAX_ENTRIES {
        return Err(ImportError::TooMany(entries.len()));
    }
    let mut import = Import::default();
    for (name, raw) in entries {
        match listed(&name, raw) {
            Ok(listed) => import.listed.push(listed),
            Err(reason) => *import.skipped.entry(reason).or_default() += 1,
        }
    }
    if import.listed.is_empty() {
        return Err(ImportError::Nothing);
    }
    import.listed.sort_by(|a, b| (a.model.len(), &a.model).cmp(&(b.model.len(), &b.model)));
    import.listed.dedup_by(|a, b| a.model == b.model);
    Ok(import)
}

fn listed(name: &str, raw: &RawValue) -> Result<Listed, Reason> {
    let fields: Fields<'_> = serde_json::from_str(raw.get()).map_err(|_| Reason::NoModel)?;
    if name == SAMPLE {
        return Err(Reason::NoModel);
    }
    let mode = fields.get("mode").map(|mode| mode.get().trim_matches('"'));
    if mode.is_some_and(|mode| !MODES.contains(&mode)) {
        return Err(Reason::OtherMode);
    }
    let model = name.to_ascii_lowercase();
    ModelName::new(&model).map_err(|_| Reason::Name)?;
    let amount = |field: &str| match fields.get(field) {
        Some(raw) if raw.get() != "null" => per_token(raw).map(Some),
        _ => Ok(None),
    };
    let (Some(input), Some(output)) = (amount("input_cost_per_token")?, amount("output_cost_per_token")?) else {
        return Err(Reason::NoTokenPrice);
    };
    if input == 0 && output == 0 {
        return Err(Reason::Zero);
    }
    let base = Named {
        input,
        output,
        cache_read: amount("cache_read_input_token_cost")?,
        cache_write_5m: amount("cache_creation_input_token_cost")?,
        cache_write_1h: amount("cache_creation_input_token_cost_above_1hr")?,
    };
    let above = match thresholds(&fields)[..] {
        [] => None,
        [thousands] => {
            let above = |field: &str| amount(&format!("{field}_above_{thousands}k_tokens"));
            let input = above("input_cost_per_token")?.ok_or(Reason::NoTokenPrice)?;
            // What the tier does not name costs as below it, but Claude's cache, which follows from its input price. What
            // only the tier names is no price: the list has a write price of Gemini's there that nobody is asked.
            let or_base = |named: Option<i64>, base: Option<i64>| {
                let kept = if model.contains("claude") { None } else { base };
                base.and(named.or(kept))
            };
            let named = Named {
                input,
                output: above("output_cost_per_token")?.unwrap_or(output),
                cache_read: or_base(above("cache_read_input_token_cost")?, base.cache_read),
                cache_write_5m: or_base(above("cache_creation_input_token_cost")?, base.cache_write_5m),
                cache_write_1h: or_base(above("cache_creation_input_token_cost_above_1hr")?, base.cache_write_1h),
            };
            Some((thousands * 1_000, named))
        }
        _ => return Err(Reason::SeveralTiers),
    };
    Ok(Listed { model, base, above, fast_percent: fast(&fields)? })
}

/// Dollars per token as picodollars.
fn per_token(raw: &RawValue) -> Result<i64, Reason> {
    scaled(raw.get().trim_matches('"'), 12).map_err(|_: AmountError| Reason::Amount)
}

/// The thousands of tokens above which the entry has higher prices.
fn thresholds(fields: &Fields<'_>) -> Vec<u64> {
    let threshold = |field: &&str| {
        let middle = field.strip_prefix("input_cost_per_token_above_")?.strip_suffix("k_tokens")?;
        middle.parse().ok().filter(|thousands| (1..=100_000).contains(thousands))
    };
    fields.keys().filter_map(threshold).collect()
}

fn fast(fields: &Fields<'_>) -> Result<Option<u32>, Reason> {
    let Some(own) = fields.get("provider_specific_entry") else { return Ok(None) };
    let own: Fields<'_> = serde_json::from_str(own.get()).map_err(|_| Reason::Amount)?;
    let Some(raw) = own.get("fast") else { return Ok(None) };
    let percent = scaled(raw.get().trim_matches('"'), 2).ok().and_then(|percent| u32::try_from(percent).ok());
    percent.filter(|percent| *percent > 0).map(Some).ok_or(Reason::Amount)
}

impl Import {
    /// The rows to add, so that from `effective` on `book` says what the list says; and how many entries it has that
    /// need none.
    #[must_use]
    pub fn news(&self, book: &PriceBook, effective: Timestamp, source: &str, noted: &str) -> (Vec<NewPrice>, usize) {
        let mut book = book.clone();
        let mut news = Vec::new();
        // Above every stored one: of rows with one date, the added one counts.
        for (listed, id) in self.listed.iter().zip(i32::MAX / 2..) {
            let row = {
                let in_force = book.at(&listed.model, effective);
                if in_force.is_some_and(|price| listed.agrees_with(price)) {
                    continue;
                }
                listed.row(in_force, effective, source, noted)
            };
            book.add(Price {
                id,
                model: row.model.clone(),
                effective,
                rates: row.rates,
                tier: row.tier,
                fast_percent: row.fast_percent,
            });
            news.push(row);
        }
        let unchanged = self.listed.len() - news.len();
        (news, unchanged)
    }
}

impl Listed {
    fn agrees_with(&self, price: &Price) -> bool {
        let tier = self.above.is_none_or(|(tokens, named)| {
            price.tier.is_some_and(|tier| tier.above_tokens == tokens && named.agrees_with(&tier.rates))
        });
        let fast = self.fast_percent.is_none_or(|percent| percent == price.fast_percent);
        self.base.agrees_with(&price.rates) && tier && fast
    }

    fn row(&self, in_force: Option<&Price>, effective: Timestamp, source: &str, noted: &str) -> NewPrice {
        let known = in_force.and_then(|price| price.tier);
        let tier = self.above.map(|(above_tokens, named)| {
            // The list does not say the rule: the one that is known of the model, else its maker's.
            let marginal = self.model.contains("claude") && above_tokens == CLAUDE_TIER_TOKENS;
            let family = if marginal { TierRule::MarginalPerKind } else { TierRule::WholeRequest };
            let rule = known.filter(|tier| tier.above_tokens == above_tokens).map_or(family, |tier| tier.rule);
            Tier { above_tokens, rule, rates: named.complete(&self.model) }
        });
        NewPrice {
            model: self.model.clone(),
            effective,
            rates: self.base.complete(&self.model),
            tier,
            fast_percent: self.fast_percent.or(in_force.map(|price| price.fast_percent)).unwrap_or(100),
            source: source.to_owned(),
            noted: noted.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::source::price_seed;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn book_of(rows: impl IntoIterator<Item = NewPrice>) -> PriceBook {
        PriceBook::new(rows.into_iter().zip(1..).map(|(row, id)| Price {
            id,
            model: row.model,
            effective: row.effective,
            rates: row.rates,
            tier: row.tier,
            fast_percent: row.fast_percent,
        }))
    }

    fn added(list: &str, book: &PriceBook) -> Vec<NewPrice> {
        read(list).unwrap().news(book, NOW, "a test", "2026-11-27").0
    }

    #[test]
    fn a_price_is_taken_over_exactly_with_its_tier_and_its_modes() {
        let list = r#"{
            "Claude-New": {"mode": "chat", "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
                "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
                "cache_read_input_token_cost": 0.0000003, "input_cost_per_token_above_200k_tokens": 6e-06,
                "output_cost_per_token_above_200k_tokens": 2.25e-05, "input_cost_per_token_batches": 1.5e-06,
                "provider_specific_entry": {"us": 1.1, "fast": 2.5}},
            "gpt-new": {"mode": "responses", "input_cost_per_token": "2.5e-6", "output_cost_per_token": 1e-05,
                "cache_read_input_token_cost": 2.5e-07, "input_cost_per_token_above_272k_tokens": 5e-06}
        }"#;
        let rows = added(list, &PriceBook::default());
        let [gpt, claude] = &rows[..] else { panic!("{rows:?}") };
        assert_eq!((claude.model.as_str(), claude.fast_percent), ("claude-new", 250));
        assert_eq!(
            (claude.rates.input, claude.rates.cache_read, claude.rates.cache_write_1h),
            (3_000_000, 300_000, 6_000_000)
        );
        let tier = claude.tier.unwrap();
        assert_eq!((tier.above_tokens, tier.rule), (200_000, TierRule::MarginalPerKind));
        // What the tier does not name follows from its input price, as Claude's prices do.
        assert_eq!(
            (tier.rates.output, tier.rates.cache_read, tier.rates.cache_write_1h),
            (22_500_000, 600_000, 12_000_000)
        );
        let tier = gpt.tier.unwrap();
        assert_eq!((tier.above_tokens, tier.rule, tier.rates.output), (272_000, TierRule::WholeRequest, 10_000_000));
        assert_eq!((tier.rates.cache_read, gpt.rates.cache_write_5m), (250_000, 2_500_000));
    }

    #[test]
    fn what_is_no_price_of_a_call_is_skipped_and_counted() {
        let list = json!({
            "sample_spec": {"mode": "one of: chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
            "dall-e": {"mode": "image_generation", "input_cost_per_pixel": 1e-8},
            "embed": {"mode": "embedding", "input_cost_per_token": 1e-7, "output_cost_per_token": 0},
            "by-the-second": {"mode": "chat", "input_cost_per_second": 1e-4},
            "ollama/any": {"mode": "chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
            "fine": {"mode": "chat", "input_cost_per_token": 1.5e-13, "output_cost_per_token": 1e-6},
            "stairs": {"mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6,
                "input_cost_per_token_above_128k_tokens": 2e-6, "input_cost_per_token_above_256k_tokens": 3e-6},
            "": {"mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6},
            "note": "not an object",
            "good": {"mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6},
        });
        let import = read(&list.to_string()).unwrap();
        assert_eq!(import.listed.len(), 1);
        let want = [
            (Reason::OtherMode, 2),
            (Reason::NoTokenPrice, 1),
            (Reason::Zero, 1),
            (Reason::SeveralTiers, 1),
            (Reason::Amount, 1),
            (Reason::Name, 1),
            (Reason::NoModel, 2),
        ];
        assert_eq!(import.skipped, BTreeMap::from(want));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bad in ["", "[]", "{}", "{\"a\": 1}", "<html>"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_what_differs_from_the_price_in_force_is_added_and_only_once() {
        let entry =
            |input: &str| format!(r#"{{"mode":"chat","input_cost_per_token":{input},"output_cost_per_token":1e-5}}"#);
        let list = format!(
            r#"{{"gpt-5":{},"azure/gpt-5":{},"azure/eu/gpt-5":{},"gpt-5-2025-08-07":{}}}"#,
            entry("1.25e-6"),
            entry("1.25e-6"),
            entry("1.375e-6"),
            entry("2e-6"),
        );
        let mut book = book_of(price_seed::rows().unwrap());
        let rows = added(&list, &book);
        assert_eq!(
            rows.iter().map(|row| row.model.as_str()).collect::<Vec<_>>(),
            ["azure/eu/gpt-5", "gpt-5-2025-08-07"]
        );
        for (row, id) in rows.into_iter().zip(1_000..) {
            let NewPrice { model, effective, rates, tier, fast_percent, .. } = row;
            book.add(Price { id, model, effective, rates, tier, fast_percent });
        }
        assert_eq!(added(&list, &book), []);
        // A later list with a new price of the model: the past stays what it was.
        let later = format!(r#"{{"gpt-5":{}}}"#, entry("1e-6"));
        let rows = added(&later, &book);
        assert_eq!((rows.len(), rows[0].effective), (1, NOW));
        assert_eq!(book.at("gpt-5", Timestamp::from_seconds(1_790_000_000)).unwrap().rates.input, 1_250_000);
    }

    /// The real list (in ../shared, where it is at hand) says of every model of ours what ours says.
    #[test]
    fn every_row_of_ours_agrees_with_the_real_list() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/pricing/litellm-1.109.1-subset.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {} is not there", path.display());
            return;
        };
        let import = read(&text).unwrap();
        assert_eq!(import.skipped, BTreeMap::new());
        assert_eq!(import.listed.len(), 114);
        let rows = price_seed::rows().unwrap();
        let ours = book_of(rows.clone());
        let named: Vec<_> =
            import.listed.iter().filter(|listed| rows.iter().any(|row| row.model == listed.model)).collect();
        assert!(named.len() > 30, "{}", named.len());
        for listed in named {
            let price = ours.at(&listed.model, NOW).unwrap();
            assert!(listed.agrees_with(price), "{listed:?}\n{price:?}");
        }
        let (news, unchanged) = import.news(&ours, NOW, "LiteLLM", "2026-11-27");
        assert_eq!(news.len() + unchanged, 114);
        for row in &news {
            assert!(rows.iter().all(|known| known.model != row.model), "{}", row.model);
        }
    }
}
