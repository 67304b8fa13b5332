//! The price book: effective-dated prices per model, and the exact cost of a call.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::tokens::TokenCounts;
use crate::unit::Nanodollars;

/// Prices in picodollars (10⁻¹² $) per token, because a cached token costs a fraction of a microdollar.
/// 1 $ per million tokens is 1,000,000 picodollars per token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rates {
    /// Per input token.
    pub input: i64,
    /// Per output token.
    pub output: i64,
    /// Per token read from the cache.
    pub cache_read: i64,
    /// Per token written to the cache for five minutes.
    pub cache_write_5m: i64,
    /// Per token written to the cache for one hour.
    pub cache_write_1h: i64,
}

impl Rates {
    const fn kinds(&self) -> [i64; 5] {
        [self.input, self.output, self.cache_read, self.cache_write_5m, self.cache_write_1h]
    }
    fn of(&self, tokens: &TokenCounts) -> i128 {
        self.kinds().into_iter().zip(tokens.kinds()).map(|(rate, n)| i128::from(rate) * i128::from(n)).sum()
    }
}

/// Higher prices for large requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    /// Tokens above which the tier begins.
    pub above_tokens: u64,
    /// What the threshold applies to.
    pub rule: TierRule,
    /// Prices in the tier.
    pub rates: Rates,
}

/// How a tier's threshold is applied; differs between providers, so each price says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierRule {
    /// Each kind of token on its own: only the part above the threshold costs more.
    MarginalPerKind,
    /// The whole request costs more once its context (input and cache) exceeds the threshold.
    WholeRequest,
}

impl TierRule {
    /// As in price lists, requests and the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MarginalPerKind => "marginal_per_kind",
            Self::WholeRequest => "whole_request",
        }
    }
    /// Reads [`TierRule::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        [Self::MarginalPerKind, Self::WholeRequest].into_iter().find(|rule| rule.name() == raw)
    }
}

/// One row of the price book. Rows are only ever added: a new price is a new row with a later `effective`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// Number of the row; events keep it as the version of their price.
    pub id: i32,
    /// Model, lower case, without date or provider.
    pub model: String,
    /// From when on the price holds.
    pub effective: Timestamp,
    /// Prices per token.
    pub rates: Rates,
    /// Higher prices for large requests, where there are any.
    pub tier: Option<Tier>,
    /// Multiplier of fast mode in percent; 100 where fast mode costs the same.
    pub fast_percent: u32,
}

impl Price {
    /// Whether both ask the same amounts, whatever they are called and whenever they hold.
    #[must_use]
    pub fn asks_the_same(&self, rates: &Rates, tier: Option<&Tier>, fast_percent: u32) -> bool {
        self.rates == *rates && self.tier.as_ref() == tier && self.fast_percent == fast_percent
    }

    /// Cost of a call, rounded once, half up, to the nanodollar.
    #[must_use]
    pub fn cost(&self, tokens: &TokenCounts, fast: bool) -> Nanodollars {
        let base = match self.tier {
            Some(tier) if tier.rule == TierRule::WholeRequest && tokens.context() > tier.above_tokens => {
                tier.rates.of(tokens)
            }
            Some(tier) if tier.rule == TierRule::MarginalPerKind => {
                let over = tokens.kinds().map(|n| n.saturating_sub(tier.above_tokens));
                let under = tokens.kinds().map(|n| n.min(tier.above_tokens));
                self.rates.of(&TokenCounts::from_kinds(under)) + tier.rates.of(&TokenCounts::from_kinds(over))
            }
            _ => self.rates.of(tokens),
        };
        rounded(base, if fast { self.fast_percent } else { 100 })
    }

    /// Cost of tokens of who knows how many calls, none of which is taken for a large or a fast one; rounded as
    /// [`Price::cost`] is.
    #[must_use]
    pub fn base_cost(&self, tokens: &TokenCounts) -> Nanodollars {
        rounded(self.rates.of(tokens), 100)
    }
}

/// picodollars × percent -> nanodollars: divide by 1000 × 100, half up.
fn rounded(picodollars: i128, percent: u32) -> Nanodollars {
    let nanos = (picodollars * i128::from(percent) + 50_000).div_euclid(100_000);
    Nanodollars(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// All prices, ready to look up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceBook {
    /// By model; each list is sorted by `effective`, ascending.
    by_model: HashMap<String, Vec<Price>>,
}

impl PriceBook {
    /// From rows in any order; of rows with equal model and date, the one with the higher id counts.
    #[must_use]
    pub fn new(rows: impl IntoIterator<Item = Price>) -> Self {
        let mut by_model: HashMap<String, Vec<Price>> = HashMap::new();
        for price in rows {
            by_model.entry(price.model.clone()).or_default().push(price);
        }
        for prices in by_model.values_mut() {
            prices.sort_by_key(|price| (price.effective, price.id));
        }
        Self { by_model }
    }

    /// The price of `model` at `at`. The name is tried as given, then without what providers add to it: a prefix
    /// (`anthropic/`, `us.anthropic.`), a context suffix (`[1m]`), a version (`-v1:0`, `@20250514`), a date
    /// (`-20250514`, `-2025-08-07`) or `-latest`. Of these names the first counts that has a price by then: a fuller name
    /// that comes into the book later does not take away what held before. No guess beyond that: a model that is not in
    /// the book is unpriced.
    #[must_use]
    pub fn at(&self, model: &str, at: Timestamp) -> Option<&Price> {
        let in_force = |prices: &'_ [Price]| prices.iter().rposition(|price| price.effective <= at);
        // Nearly always the name as given.
        if let Some(prices) = self.by_model.get(model)
            && let Some(found) = in_force(prices)
        {
            return prices.get(found);
        }
        let lower = model.to_ascii_lowercase();
        names(&lower)
            .into_iter()
            .filter_map(|name| self.by_model.get(name))
            .find_map(|prices| prices.get(in_force(prices)?))
    }

    /// The book's own name for what `model` is called elsewhere; none: the model is not in the book.
    #[must_use]
    pub fn entry(&self, model: &str) -> Option<&str> {
        self.candidates(model)?.first().map(|price| price.model.as_str())
    }

    /// Every price, by model and date.
    #[must_use]
    pub fn rows(&self) -> Vec<&Price> {
        let mut rows: Vec<&Price> = self.by_model.values().flatten().collect();
        rows.sort_by_key(|price| (&price.model, price.effective, price.id));
        rows
    }

    /// Adds a price; of those with the same model and date, the highest id counts.
    pub fn add(&mut self, price: Price) {
        let prices = self.by_model.entry(price.model.clone()).or_default();
        prices.push(price);
        prices.sort_by_key(|price| (price.effective, price.id));
    }

    fn candidates(&self, model: &str) -> Option<&Vec<Price>> {
        let lower = model.to_ascii_lowercase();
        self.by_model.get(model).or_else(|| names(&lower).into_iter().find_map(|name| self.by_model.get(name)))
    }
}

/// What a model may be called in the book, the fullest name first.
fn names(lower: &str) -> [&str; 3] {
    let name = bare(lower);
    [lower, name, without_date(name)]
}

/// A model's name as a price would be added for it: lower case, without what providers add to it.
#[must_use]
pub fn plain_name(model: &str) -> String {
    let lower = model.to_ascii_lowercase();
    without_date(bare(&lower)).to_owned()
}

/// A lower-case name without provider, context suffix, version and speed.
fn bare(lower: &str) -> &str {
    let mut name = lower.rsplit('/').next().unwrap_or(lower);
    name = name.split_once("anthropic.").map_or(name, |(_, rest)| rest);
    name = name.split_once('[').map_or(name, |(rest, _)| rest);
    name = name.split_once('@').map_or(name, |(rest, _)| rest);
    name = name.split_once("-v1:").map_or(name, |(rest, _)| rest);
    name.strip_suffix("-fast").unwrap_or(name)
}

/// Drops `-20250514`, `-2025-08-07` or `-latest` from the end.
fn without_date(name: &str) -> &str {
    if let Some(rest) = name.strip_suffix("-latest") {
        return rest;
    }
    for shape in ["-dddddddd", "-dddd-dd-dd"] {
        let Some(cut) = name.len().checked_sub(shape.len()) else { continue };
        let Some(tail) = name.get(cut..) else { continue };
        let fits = |(have, want): (u8, u8)| if want == b'd' { have.is_ascii_digit() } else { have == want };
        if tail.bytes().zip(shape.bytes()).all(fits) {
            return &name[..cut];
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SONNET: Rates = Rates {
        input: 3_000_000,
        output: 15_000_000,
        cache_read: 300_000,
        cache_write_5m: 3_750_000,
        cache_write_1h: 6_000_000,
    };

    fn price(id: i32, model: &str, effective: i64) -> Price {
        Price {
            id,
            model: model.to_owned(),
            effective: Timestamp::from_seconds(effective),
            rates: SONNET,
            tier: None,
            fast_percent: 100,
        }
    }

    fn input(n: u64) -> TokenCounts {
        TokenCounts { input: n, ..TokenCounts::default() }
    }

    #[test]
    fn the_cost_of_known_totals_is_exact() {
        let tokens =
            TokenCounts { input: 91, output: 2_266, cache_write_5m: 16_072, cache_read: 503_769, cache_write_1h: 0 };
        assert_eq!(price(1, "m", 0).cost(&tokens, false), Nanodollars(245_663_700));
    }

    #[test]
    fn a_call_is_rounded_once() {
        let mut tiny = price(1, "m", 0);
        tiny.rates = Rates { input: 400, cache_read: 400, ..Rates::default() };
        // 0.4 + 0.4 nanodollars: rounding each would give 0.
        let tokens = TokenCounts { input: 1, cache_read: 1, ..TokenCounts::default() };
        assert_eq!(tiny.cost(&tokens, false), Nanodollars(1));
    }

    #[test]
    fn tiers_follow_their_rule() {
        let upper = Rates { input: 6_000_000, output: 22_500_000, ..SONNET };
        let with = |rule| Price { tier: Some(Tier { above_tokens: 200_000, rule, rates: upper }), ..price(1, "m", 0) };
        assert_eq!(with(TierRule::MarginalPerKind).cost(&input(300_000), false), Nanodollars(1_200_000_000));
        assert_eq!(with(TierRule::WholeRequest).cost(&input(300_000), false), Nanodollars(1_800_000_000));
        assert_eq!(with(TierRule::WholeRequest).cost(&input(200_000), false), Nanodollars(600_000_000));
        let only_output = TokenCounts { output: 300_000, ..TokenCounts::default() };
        assert_eq!(with(TierRule::WholeRequest).cost(&only_output, false), Nanodollars(4_500_000_000));
    }

    #[test]
    fn fast_mode_multiplies() {
        let fast = Price { fast_percent: 250, ..price(1, "m", 0) };
        assert_eq!(fast.cost(&input(1_000), true), Nanodollars(7_500_000));
        assert_eq!(fast.cost(&input(1_000), false), Nanodollars(3_000_000));
    }

    #[test]
    fn the_latest_effective_price_holds() {
        let book = PriceBook::new([price(2, "m", 100), price(1, "m", 0)]);
        let id = |at| book.at("m", Timestamp::from_seconds(at)).map(|p| p.id);
        assert_eq!((id(-1), id(0), id(99), id(100)), (None, Some(1), Some(1), Some(2)));
    }

    #[test]
    fn a_fuller_name_that_comes_later_does_not_take_away_what_held_before() {
        let book =
            PriceBook::new([price(1, "gpt-5", 0), price(2, "gpt-5-2025-08-07", 100), price(3, "azure/gpt-5", 200)]);
        let id = |model: &str, at| book.at(model, Timestamp::from_seconds(at)).map(|p| p.id);
        assert_eq!([99, 100].map(|at| id("gpt-5-2025-08-07", at)), [Some(1), Some(2)]);
        assert_eq!([199, 200].map(|at| id("Azure/gpt-5", at)), [Some(1), Some(3)]);
    }

    #[test]
    fn names_are_found_without_what_providers_add() {
        let book =
            PriceBook::new([price(1, "claude-sonnet-4", 0), price(2, "gpt-5", 0), price(3, "claude-opus-4-5", 0)]);
        let id = |model: &str| book.at(model, Timestamp::from_seconds(1)).map(|p| p.id);
        for model in [
            "claude-sonnet-4",
            "claude-sonnet-4-20250514",
            "anthropic/claude-sonnet-4",
            "claude-sonnet-4[1m]",
            "us.anthropic.claude-sonnet-4-20250514-v1:0",
            "claude-sonnet-4@20250514",
            "Claude-Sonnet-4-latest",
        ] {
            assert_eq!(id(model), Some(1), "{model}");
        }
        assert_eq!(id("gpt-5-2025-08-07"), Some(2));
        assert_eq!(id("claude-opus-4-5-fast"), Some(3));
        assert_eq!(book.entry("us.anthropic.claude-sonnet-4-20250514-v1:0"), Some("claude-sonnet-4"));
        assert_eq!(plain_name("us.anthropic.Claude-New-9-20270101-v1:0"), "claude-new-9");
        for unknown in ["gpt-5-mini", "claude-sonnet-4-5", "claude", "", "<synthetic>"] {
            assert_eq!(id(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_provider_that_asks_its_own_price_is_found_before_the_maker() {
        let mut book = PriceBook::new([price(1, "gpt-5", 0)]);
        book.add(price(2, "azure/eu/gpt-5", 0));
        let id = |model: &str| book.at(model, Timestamp::from_seconds(1)).map(|p| p.id);
        assert_eq!((id("azure/eu/gpt-5"), id("Azure/EU/GPT-5"), id("azure/us/gpt-5")), (Some(2), Some(2), Some(1)));
    }

    proptest! {
        #[test]
        fn more_tokens_never_cost_less(n in 0_u64..1_000_000, more in 0_u64..1_000_000, whole in any::<bool>()) {
            let rule = if whole { TierRule::WholeRequest } else { TierRule::MarginalPerKind };
            let upper = Rates { input: 6_000_000, ..SONNET };
            let p = Price { tier: Some(Tier { above_tokens: 200_000, rule, rates: upper }), ..price(1, "m", 0) };
            prop_assert!(p.cost(&input(n + more), false) >= p.cost(&input(n), false));
        }
    }
}
