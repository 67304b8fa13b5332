//! Retention: partitions are made ahead and dropped behind.

/// How many days each store reaches back; `None` keeps forever, which is the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionDays {
    /// Single events, claims and presence.
    pub events: Option<u32>,
    /// The 10 s tier.
    pub tier_10s: Option<u32>,
    /// The 1 min tier.
    pub tier_1m: Option<u32>,
    /// The 5 min tier.
    pub tier_5m: Option<u32>,
    /// The 30 min tier.
    pub tier_30m: Option<u32>,
    /// The 6 h tier.
    pub tier_6h: Option<u32>,
}
