//! Rates of which some are not named: what they are then.

use model::price::Rates;

/// Picodollars per token, as far as a list names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// Per input token.
    pub input: i64,
    /// Per output token.
    pub output: i64,
    /// Per token read from the cache.
    pub cache_read: Option<i64>,
    /// Per token written to the cache for five minutes.
    pub cache_write_5m: Option<i64>,
    /// Per token written to the cache for one hour.
    pub cache_write_1h: Option<i64>,
}

impl Named {
    /// All rates of `model`. What is not named is for Claude 0.1 (read), 1.25 (five minutes) and 2 times (one hour) the
    /// input price, for others the input price; an hour costs no less than five minutes.
    #[must_use]
    pub fn complete(self, model: &str) -> Rates {
        let claude = model.contains("claude");
        let or_times = |named: Option<i64>, percent: i64| {
            named.unwrap_or(if claude { self.input * percent / 100 } else { self.input })
        };
        let cache_write_5m = or_times(self.cache_write_5m, 125);
        Rates {
            input: self.input,
            output: self.output,
            cache_read: or_times(self.cache_read, 10),
            cache_write_5m,
            cache_write_1h: or_times(self.cache_write_1h, 200).max(cache_write_5m),
        }
    }

    /// Whether `rates` are what is named.
    #[must_use]
    pub fn agrees_with(self, rates: &Rates) -> bool {
        let agrees = |named: Option<i64>, rate: i64| named.is_none_or(|named| named == rate);
        self.input == rates.input
            && self.output == rates.output
            && agrees(self.cache_read, rates.cache_read)
            && agrees(self.cache_write_5m, rates.cache_write_5m)
            && agrees(self.cache_write_1h, rates.cache_write_1h)
    }
}
