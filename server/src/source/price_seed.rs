//! The price list that comes with the program (`prices.toml`), as rows for the price book.

use model::price::{Rates, Tier, TierRule};
use model::time::Timestamp;
use serde::Deserialize;

use crate::db::price::NewPrice;
use crate::price_list::{AmountError, Named, scaled};

/// The list itself.
const LIST: &str = include_str!("../../prices.toml");

/// What is wrong with a price list.
#[derive(Debug, thiserror::Error)]
pub enum PriceListError {
    /// Not the expected shape.
    #[error("the price list cannot be read: {0}")]
    Shape(#[from] toml::de::Error),
    /// Not an amount of dollars per million tokens.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// Not a date.
    #[error("\"{0}\" is not a date, such as 2026-11-20")]
    Date(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    table: Vec<Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    source: String,
    noted: toml::value::Datetime,
    effective: toml::value::Datetime,
    prices: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    models: Vec<String>,
    #[serde(flatten)]
    amounts: Amounts,
    fast: Option<String>,
    above: Option<Above>,
}

#[derive(Deserialize)]
struct Above {
    tokens: u64,
    rule: TierRule,
    #[serde(flatten)]
    amounts: Amounts,
}

#[derive(Deserialize)]
struct Amounts {
    input: String,
    output: String,
    write_5m: Option<String>,
    write_1h: Option<String>,
    read: Option<String>,
}

/// The rows of the list that comes with the program, ready for [`crate::db::price::seed`].
///
/// # Errors
/// The list is malformed; a test keeps it from being so.
pub fn rows() -> Result<Vec<NewPrice>, PriceListError> {
    parse(LIST)
}

/// Reads a list in the form of `prices.toml`.
///
/// # Errors
/// Anything in it is malformed.
pub fn parse(list: &str) -> Result<Vec<NewPrice>, PriceListError> {
    let list: List = toml::from_str(list)?;
    let mut rows = Vec::new();
    for table in list.table {
        let date = table.effective.to_string();
        let effective =
            Timestamp::parse_rfc3339(&format!("{date}T00:00:00Z")).map_err(|_| PriceListError::Date(date))?;
        for row in table.prices {
            for model in &row.models {
                let tier = match &row.above {
                    None => None,
                    Some(above) => Some(Tier {
                        above_tokens: above.tokens,
                        rule: above.rule,
                        rates: rates(&above.amounts, model)?,
                    }),
                };
                rows.push(NewPrice {
                    model: model.clone(),
                    effective,
                    rates: rates(&row.amounts, model)?,
                    tier,
                    fast_percent: row.fast.as_deref().map_or(Ok(100), percent)?,
                    source: table.source.clone(),
                    noted: table.noted.to_string(),
                });
            }
        }
    }
    Ok(rows)
}

fn rates(amounts: &Amounts, model: &str) -> Result<Rates, PriceListError> {
    let optional = |amount: &Option<String>| amount.as_deref().map(|amount| scaled(amount, 6)).transpose();
    let named = Named {
        input: scaled(&amounts.input, 6)?,
        output: scaled(&amounts.output, 6)?,
        cache_read: optional(&amounts.read)?,
        cache_write_5m: optional(&amounts.write_5m)?,
        cache_write_1h: optional(&amounts.write_1h)?,
    };
    Ok(named.complete(model))
}

fn percent(multiplier: &str) -> Result<u32, PriceListError> {
    let percent = scaled(multiplier, 2)?;
    u32::try_from(percent).map_err(|_| AmountError::TooLarge(multiplier.to_owned()).into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Path;

    use model::price::{Price, PriceBook};
    use model::tokens::TokenCounts;
    use model::unit::Nanodollars;

    use super::*;

    fn book() -> PriceBook {
        PriceBook::new(rows().unwrap().into_iter().zip(1..).map(|(row, id)| Price {
            id,
            model: row.model,
            effective: row.effective,
            rates: row.rates,
            tier: row.tier,
            fast_percent: row.fast_percent,
        }))
    }

    fn price(model: &str) -> Price {
        book().at(model, Timestamp::from_seconds(1_760_000_000)).unwrap().clone()
    }

    #[test]
    fn every_model_stands_in_the_list_once_and_in_lower_case() {
        let rows = rows().unwrap();
        let mut seen = HashSet::new();
        for row in &rows {
            assert!(seen.insert((row.model.clone(), row.effective)), "{} twice", row.model);
            assert_eq!(row.model, row.model.to_ascii_lowercase());
            assert_eq!(row.noted.len(), 10);
        }
    }

    #[test]
    fn every_model_that_sources_name_has_a_price_and_long_contexts_their_tier() {
        let plain = "gpt-5 gpt-5-codex gpt-5.1 gpt-5.1-codex gpt-5.2 gpt-5.2-codex gpt-5.3-codex gpt-5-mini gpt-5-nano o3 \
             o4-mini gemini-2.5-flash gemini-2.5-flash-lite gemini-3-flash-preview gemini-3.5-flash";
        let tiered =
            "gpt-5.4 gpt-5.5 gpt-5.6 gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna gemini-2.5-pro gemini-3.1-pro-preview";
        for model in plain.split_whitespace() {
            assert_eq!(price(model).tier, None, "{model}");
        }
        for model in tiered.split_whitespace() {
            assert!(price(model).tier.is_some(), "{model}");
        }
        assert_eq!(price("gpt-5[assumed]").rates, price("gpt-5").rates);
    }

    #[test]
    fn missing_cache_prices_follow_the_provider() {
        let list = |model: &str| {
            format!(
                "[[table]]\nsource='s'\nnoted=2026-01-01\neffective=2026-01-01\nprices=[{{models=['{model}'],input='4',output='8'}}]"
            )
        };
        let kinds = |model: &str| {
            let rates = parse(&list(model)).unwrap()[0].rates;
            [rates.cache_read, rates.cache_write_5m, rates.cache_write_1h]
        };
        assert_eq!(kinds("claude-x"), [400_000, 5_000_000, 8_000_000]);
        assert_eq!(kinds("gpt-x"), [4_000_000, 4_000_000, 4_000_000]);
    }

    #[test]
    fn known_costs_come_out() {
        let input = |n| TokenCounts { input: n, ..TokenCounts::default() };
        let check = |model: &str, tokens: TokenCounts, fast: bool, nanos: i64| {
            assert_eq!(price(model).cost(&tokens, fast), Nanodollars(nanos), "{model}");
        };
        check("claude-sonnet-4-20250514", input(300_000), false, 1_200_000_000);
        check("gpt-5.4", input(300_000), false, 1_500_000_000);
        check("gpt-5.4", TokenCounts { output: 300_000, ..TokenCounts::default() }, false, 4_500_000_000);
        check("claude-opus-4-6", input(1_000), true, 30_000_000);
        check("claude-opus-5-5", TokenCounts { cache_read: 1_000, ..TokenCounts::default() }, false, 200_000);
    }

    /// Every price that LiteLLM's list (in ../shared, where it is at hand) has for a model of ours is ours too.
    #[test]
    fn the_list_agrees_with_litellm() {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures/pricing/litellm-1.109.1-subset.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {} is not there", path.display());
            return;
        };
        let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
        let models = whole.get("models").unwrap_or(&whole).as_object().unwrap();
        let mut compared = 0;
        for row in rows().unwrap() {
            let Some(theirs) = models.get(&row.model) else { continue };
            #[expect(clippy::cast_possible_truncation, reason = "a price of a few dollars")]
            let per_token = |field: &str| theirs.get(field).and_then(|v| v.as_f64()).map(|v| (v * 1e12).round() as i64);
            let mut check = |field: &str, ours: i64| {
                if let Some(theirs) = per_token(field) {
                    assert_eq!(ours, theirs, "{} {field}", row.model);
                    compared += 1;
                }
            };
            check("input_cost_per_token", row.rates.input);
            check("output_cost_per_token", row.rates.output);
            check("cache_read_input_token_cost", row.rates.cache_read);
            check("cache_creation_input_token_cost", row.rates.cache_write_5m);
            check("cache_creation_input_token_cost_above_1hr", row.rates.cache_write_1h);
            if let Some(tier) = row.tier {
                let above = |field: &str| format!("{field}_above_{}k_tokens", tier.above_tokens / 1_000);
                check(&above("input_cost_per_token"), tier.rates.input);
                check(&above("output_cost_per_token"), tier.rates.output);
                check(&above("cache_read_input_token_cost"), tier.rates.cache_read);
            }
        }
        assert!(compared > 100, "only {compared} prices compared");
    }

    /// Keeps the price list and the book's look-up in step.
    #[test]
    fn every_listed_model_is_found_with_a_date_behind_it() {
        let rows = rows().unwrap();
        let book = PriceBook::new(rows.iter().zip(1..).map(|(row, id)| Price {
            id,
            model: row.model.clone(),
            effective: row.effective,
            rates: row.rates,
            tier: row.tier,
            fast_percent: row.fast_percent,
        }));
        for row in &rows {
            let dated = format!("{}-20260101", row.model);
            assert!(book.at(&dated, Timestamp::from_seconds(1_767_225_600)).is_some(), "{dated}");
        }
    }
}
