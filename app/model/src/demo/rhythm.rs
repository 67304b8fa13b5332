//! When the made-up town works, and how hard.

use super::rng::Rng;

/// Minutes in a day.
const DAY_MIN: i64 = 1_440;

/// The town's rhythm: working days, lunch, evenings, idle nights, quiet weekends, bursts, and growth over the years.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rhythm {
    /// Cycles (a call and its tools) per minute of a working agent, at the end of the growth.
    pub cycles_per_minute: f64,
    /// The town was half as busy this many days before; 0: no growth.
    pub doubling_days: f64,
    /// Minute at which the growth ends; later the town stays as busy.
    pub grown_at_minute: i64,
    /// The intensity never falls below this: a demo that is opened at night should move.
    pub floor: f64,
}

impl Rhythm {
    /// Without growth, without a floor.
    #[must_use]
    pub const fn steady(cycles_per_minute: f64) -> Self {
        Self { cycles_per_minute, doubling_days: 0.0, grown_at_minute: 0, floor: 0.0 }
    }

    /// How likely agents are at work in this minute, 0 to 1.
    #[must_use]
    pub fn intensity(&self, minute: i64) -> f64 {
        let day = minute.div_euclid(DAY_MIN);
        let hour = minute.rem_euclid(DAY_MIN) / 60;
        // 1970-01-01 was a Thursday: 0 is Monday.
        let weekday = (day + 3).rem_euclid(7);
        let by_hour: f64 = match hour {
            0..=5 => 0.03,
            6 => 0.15,
            7 => 0.45,
            8..=11 | 13..=16 => 1.0,
            12 => 0.7,
            17 => 0.8,
            18..=20 => 0.4,
            _ => 0.12,
        };
        let by_day: f64 = match weekday {
            5 => 0.15,
            6 => 0.08,
            4 => 0.85,
            _ => 1.0,
        };
        // Now and then a night shift works through, and a day is off.
        let mut rng = Rng::new(0x7019, 0, day);
        let special = rng.unit();
        let shaped = if special < 0.04 {
            by_hour * by_day * 0.2
        } else if special > 0.95 && hour < 6 {
            0.6
        } else {
            by_hour * by_day
        };
        shaped.max(self.floor).min(1.0)
    }

    /// Expected cycles per minute of an agent at work: growth, and bursts of some twenty minutes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a made-up density")]
    pub fn density(&self, minute: i64) -> f64 {
        let burst = Rng::new(0xb125, 1, minute.div_euclid(20)).unit();
        let wave = if burst > 0.93 { 2.6 } else { 0.6 + burst * 0.7 };
        let before = (self.grown_at_minute - minute).max(0) as f64 / DAY_MIN as f64;
        let grown = if self.doubling_days > 0.0 { (-before / self.doubling_days).exp2() } else { 1.0 };
        self.cycles_per_minute * wave * grown
    }
}
