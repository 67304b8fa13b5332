//! Token counts: four disjoint kinds, cache writes split by their lifetime because they cost differently.

use serde::{Deserialize, Serialize};

/// What one model call used. The kinds never overlap: `input` is without cache, `output` is with reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenCounts {
    /// Read by the model and not from the cache.
    pub input: u64,
    /// Written by the model, reasoning included.
    pub output: u64,
    /// Read from the prompt cache.
    pub cache_read: u64,
    /// Written to the cache for five minutes.
    pub cache_write_5m: u64,
    /// Written to the cache for one hour.
    pub cache_write_1h: u64,
}

impl TokenCounts {
    /// Names of the kinds, in the order of [`TokenCounts::kinds`].
    pub const KINDS: [&'static str; 5] = ["input", "output", "cache_read", "cache_write_5m", "cache_write_1h"];
    /// No single count may exceed this: beyond it the source is broken.
    pub const MAX: u64 = 1_000_000_000_000;

    /// All tokens of all kinds.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.input
            .saturating_add(self.output)
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }
    /// The counts in the order of [`TokenCounts::KINDS`].
    #[must_use]
    pub const fn kinds(&self) -> [u64; 5] {
        [self.input, self.output, self.cache_read, self.cache_write_5m, self.cache_write_1h]
    }
    /// The inverse of [`TokenCounts::kinds`].
    #[must_use]
    pub const fn from_kinds(kinds: [u64; 5]) -> Self {
        let [input, output, cache_read, cache_write_5m, cache_write_1h] = kinds;
        Self { input, output, cache_read, cache_write_5m, cache_write_1h }
    }
    /// What the model had before it: input and both sides of the cache. Tier thresholds look at this.
    #[must_use]
    pub const fn context(&self) -> u64 {
        self.total().saturating_sub(self.output)
    }
}
