//! The gas tank: what is left, how fast it drains, and when it is empty.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::unit::Nanodollars;

/// Pace is always measured over this many seconds, so that runway stays calm.
pub const PACE_WINDOW_S: i64 = 300;

/// A town's balance against what counts as full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GasTank {
    /// What is left; negative when more was spent than filled.
    pub balance: Nanodollars,
    /// What counts as full: configured, or the balance right after the last top-up.
    pub capacity: Nanodollars,
}

/// Which part of the scale the needle is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// Above half.
    Green,
    /// Above a fifth.
    Yellow,
    /// A fifth or less.
    Red,
    /// Nothing left.
    Empty,
}

impl GasTank {
    /// Share that is left, 0 to 1; the needle's place.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the needle's place, not an amount")]
    pub fn level(&self) -> f64 {
        if self.capacity.0 <= 0 {
            return 0.0;
        }
        (self.balance.0.max(0) as f64 / self.capacity.0 as f64).min(1.0)
    }
    /// The zone, decided in integers.
    #[must_use]
    pub fn zone(&self) -> Zone {
        let balance = i128::from(self.balance.0);
        let capacity = i128::from(self.capacity.0);
        if balance <= 0 {
            Zone::Empty
        } else if balance * 2 > capacity {
            Zone::Green
        } else if balance * 5 > capacity {
            Zone::Yellow
        } else {
            Zone::Red
        }
    }
    /// How long the balance lasts at `pace`.
    #[must_use]
    pub fn runway(&self, pace: Pace) -> Runway {
        if self.balance.0 <= 0 {
            return Runway::Empty;
        }
        if pace.spent.0 <= 0 || pace.over_s <= 0 {
            return Runway::NoSpend;
        }
        let seconds = i128::from(self.balance.0) * i128::from(pace.over_s) / i128::from(pace.spent.0);
        Runway::Seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

/// Mean spending over the last [`PACE_WINDOW_S`], or since the first sample when younger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// What was spent.
    pub spent: Nanodollars,
    /// In how many seconds.
    pub over_s: i64,
}

/// How long the tank lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Runway {
    /// At pace.
    Seconds(i64),
    /// Nothing was spent lately.
    NoSpend,
    /// Nothing is left.
    Empty,
}

/// `>7 d`, `~31 h`, `~3.2 hrs`, `~42 min`, `<1 min`, `no spend` or `empty`.
impl fmt::Display for Runway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HOUR: i64 = 3_600;
        match *self {
            Self::Empty => f.write_str("empty"),
            Self::NoSpend => f.write_str("no spend"),
            Self::Seconds(s) if s > 7 * 24 * HOUR => f.write_str(">7 d"),
            Self::Seconds(s) if s >= 10 * HOUR => write!(f, "~{} h", s / HOUR),
            Self::Seconds(s) if s >= HOUR => write!(f, "~{}.{} hrs", s / HOUR, s % HOUR * 10 / HOUR),
            Self::Seconds(s) if s >= 60 => write!(f, "~{} min", s / 60),
            Self::Seconds(_) => f.write_str("<1 min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DOLLAR: i64 = 1_000_000_000;

    fn tank(balance: i64) -> GasTank {
        GasTank { balance: Nanodollars(balance), capacity: Nanodollars(100 * DOLLAR) }
    }

    #[test]
    fn zones_begin_where_the_scale_says() {
        let check = |balance: i64, zone| assert_eq!(tank(balance).zone(), zone, "{balance}");
        check(100 * DOLLAR, Zone::Green);
        check(50 * DOLLAR + 1, Zone::Green);
        check(50 * DOLLAR, Zone::Yellow);
        check(20 * DOLLAR + 1, Zone::Yellow);
        check(20 * DOLLAR, Zone::Red);
        check(1, Zone::Red);
        check(0, Zone::Empty);
        check(-5, Zone::Empty);
    }

    #[test]
    fn runway_reads_as_specified() {
        let check = |seconds: i64, text: &str| assert_eq!(Runway::Seconds(seconds).to_string(), text);
        check(7 * 86_400 + 1, ">7 d");
        check(7 * 86_400, "~168 h");
        check(31 * 3_600 + 59, "~31 h");
        check(11_520, "~3.2 hrs");
        check(3_600, "~1.0 hrs");
        check(3_599, "~59 min");
        check(42 * 60, "~42 min");
        check(59, "<1 min");
        assert_eq!(tank(0).runway(Pace { spent: Nanodollars(5), over_s: 300 }).to_string(), "empty");
        assert_eq!(tank(5).runway(Pace { spent: Nanodollars(0), over_s: 300 }).to_string(), "no spend");
    }

    #[test]
    fn runway_is_balance_over_pace() {
        let pace = Pace { spent: Nanodollars(3 * DOLLAR), over_s: 300 };
        assert_eq!(tank(36 * DOLLAR).runway(pace), Runway::Seconds(3_600));
    }

    proptest! {
        #[test]
        fn the_needle_stays_on_the_scale(balance in any::<i64>(), capacity in any::<i64>()) {
            let level = GasTank { balance: Nanodollars(balance), capacity: Nanodollars(capacity) }.level();
            prop_assert!((0.0..=1.0).contains(&level));
        }

        #[test]
        fn spending_faster_never_lasts_longer(balance in 1_i64..i64::MAX, spent in 1_i64..1_000_000_000_000, more in 0_i64..1_000_000_000_000) {
            let seconds = |spent| match tank(balance).runway(Pace { spent: Nanodollars(spent), over_s: 300 }) {
                Runway::Seconds(s) => s,
                Runway::NoSpend | Runway::Empty => panic!("there is balance and spend"),
            };
            prop_assert!(seconds(spent + more) <= seconds(spent));
        }
    }
}
