//! Tanks beside the meter: balances that providers tell, and the windows of subscriptions. Which runs dry first.

use serde::{Deserialize, Serialize};

use crate::format::dollars;
use crate::runway::RunwayBand;
use crate::tank::{GasTank, Pace, Runway};
use crate::time::Timestamp;
use crate::unit::Nanodollars;

/// A whole window, in the unit of [`FuelTank::left`]: millionths.
pub const WINDOW_FULL: i64 = 1_000_000;
/// A balance that was not read for this long is old: providers are asked about once a minute.
pub const MONEY_STALE_S: i64 = 600;
/// A window that was not told of for this long is old. It is told while an agent works, and hardly changes else.
pub const WINDOW_STALE_S: i64 = 3_600;

/// What lasts longer than this does not run dry as far as one can see: the runway's text ends there too, a week.
const HORIZON_S: i64 = 7 * 86_400;

/// What a tank holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FuelKind {
    /// Money, in billionths of its currency.
    Money,
    /// A share of what a subscription allows until a reset, in millionths.
    Window,
}

/// A tank that somebody else reads: a provider's balance, or a subscription's window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FuelTank {
    /// What it is called, such as `OpenRouter` or `Claude Code 5 h`.
    pub name: String,
    /// Whose it is: the source that tells of it, such as `claude_code`. Known to the server only.
    #[serde(skip)]
    pub source: String,
    /// What it holds.
    pub kind: FuelKind,
    /// It is the balance that corrects the meter, and the dial of the meter stands for it.
    pub meter: bool,
    /// What is left by the newest reading, billionths of the currency or [`WINDOW_FULL`]ths.
    pub left: i64,
    /// What counts as full, in the same unit; 0 when nobody knows.
    pub full: i64,
    /// `USD`, `CNY`, `credits`; empty for windows.
    pub currency: String,
    /// When a window begins anew.
    pub resets_at: Option<Timestamp>,
    /// When the newest reading was true; none before the first one.
    pub read_at: Option<Timestamp>,
    /// Why the last attempt to read it failed, in plain words.
    pub trouble: Option<String>,
    /// How long it lasts by what was burnt lately.
    pub band: Option<RunwayBand>,
}

/// How much a tank's figure is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FuelState {
    /// Never read.
    Unread,
    /// The window began anew since, and nobody has told of the new one.
    Reset,
    /// Read a while ago.
    Stale,
    /// As good as it gets.
    Fresh,
}

impl FuelTank {
    /// What its figure is worth at `now`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> FuelState {
        let stale_s = match self.kind {
            FuelKind::Money => MONEY_STALE_S,
            FuelKind::Window => WINDOW_STALE_S,
        };
        match self.read_at {
            None => FuelState::Unread,
            _ if self.resets_at.is_some_and(|at| at <= now) => FuelState::Reset,
            Some(at) if at.plus_seconds(stale_s) < now => FuelState::Stale,
            Some(_) => FuelState::Fresh,
        }
    }

    /// Whether there is a figure to show at `now`.
    #[must_use]
    pub fn is_known(&self, now: Timestamp) -> bool {
        matches!(self.state(now), FuelState::Stale | FuelState::Fresh)
    }

    /// Its level and zone, as of a gas tank.
    #[must_use]
    pub const fn gas(&self) -> GasTank {
        GasTank { balance: Nanodollars(self.left), capacity: Nanodollars(self.full) }
    }

    /// What is left in its own unit, such as `$47.23`, `110.00 CNY` or `63 %`, and the word beside it.
    #[must_use]
    pub fn figure(&self) -> (String, &'static str) {
        match self.kind {
            FuelKind::Window => {
                let left = self.left.clamp(0, WINDOW_FULL);
                let percent = left / 10_000 + i64::from(left % 10_000 >= 5_000);
                (if left > 0 && percent == 0 { "<1 %".to_owned() } else { format!("{percent} %") }, "left")
            }
            FuelKind::Money if self.currency == "USD" => (dollars(Nanodollars(self.left)), "remaining"),
            FuelKind::Money => {
                let cents = self.left / 10_000_000;
                let (sign, cents) = (if cents < 0 { "-" } else { "" }, cents.unsigned_abs());
                (format!("{sign}{}.{:02} {}", cents / 100, cents % 100, self.currency), "remaining")
            }
        }
    }

    /// Seconds until it is dry, by the middle of its band. None: not before its reset, not at all, or nobody knows.
    #[must_use]
    pub fn dry_in_s(&self, now: Timestamp) -> Option<i64> {
        if !self.is_known(now) {
            return None;
        }
        if self.left <= 0 {
            return Some(0);
        }
        let dry = self.band?.p50_s;
        self.resets_at.is_none_or(|at| at.seconds() - now.seconds() > dry).then_some(dry)
    }

    /// What stands under its figure: how long it lasts, or when it begins anew.
    #[must_use]
    pub fn note(&self, now: Timestamp) -> String {
        let resets = || self.resets_at.map(|at| format!("resets in {}", span(at.seconds() - now.seconds())));
        match (self.state(now), self.dry_in_s(now)) {
            (FuelState::Unread, _) => self.trouble.clone().unwrap_or_else(|| "not read yet".to_owned()),
            (FuelState::Reset, _) => "reset; no reading since".to_owned(),
            (_, Some(0)) => resets().unwrap_or_else(|| "empty".to_owned()),
            (_, Some(seconds)) => format!("{} at pace", Runway::Seconds(seconds)),
            (_, None) => resets().unwrap_or_else(|| "no spend seen".to_owned()),
        }
    }
}

/// Which of `tanks` runs dry before all others and before the meter; none: the meter does, or there is nothing else.
/// Where nothing runs dry, the emptiest is first.
#[must_use]
pub fn first_dry(meter: Option<(GasTank, Pace)>, tanks: &[FuelTank], now: Timestamp) -> Option<usize> {
    let rank = |dry_in_s: Option<i64>, tank: &GasTank| {
        (dry_in_s.filter(|seconds| *seconds <= HORIZON_S).unwrap_or(i64::MAX), share_left(tank))
    };
    let mut first = meter.map(|(tank, pace)| {
        let dry = match tank.runway(pace) {
            Runway::Seconds(seconds) => Some(seconds),
            Runway::Empty => Some(0),
            Runway::NoSpend => None,
        };
        (rank(dry, &tank), None)
    });
    let others = tanks.iter().enumerate().filter(|(_, tank)| !tank.meter);
    for (index, tank) in others.clone().filter(|(_, tank)| tank.is_known(now)) {
        let rank = rank(tank.dry_in_s(now), &tank.gas());
        if first.is_none_or(|(least, _)| rank < least) {
            first = Some((rank, Some(index)));
        }
    }
    // With no figure anywhere, one that says why is better than nothing.
    first.map_or_else(|| others.clone().next().map(|(index, _)| index), |(_, index)| index)
}

/// In millionths; a tank whose capacity nobody knows counts as full.
fn share_left(tank: &GasTank) -> i64 {
    if tank.capacity.0 <= 0 && tank.balance.0 > 0 {
        return WINDOW_FULL;
    }
    let share = i128::from(tank.balance.0.max(0)) * i128::from(WINDOW_FULL) / i128::from(tank.capacity.0.max(1));
    i64::try_from(share).unwrap_or(i64::MAX)
}

/// A length of time as people say it: `<1 min`, `42 min`, `2 h 10 min`, `3 d 4 h`.
#[must_use]
pub fn span(seconds: i64) -> String {
    let minutes = seconds / 60;
    let (hours, days) = (minutes / 60, minutes / 1_440);
    match minutes {
        ..1 => "<1 min".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1_440 if minutes % 60 == 0 => format!("{hours} h"),
        60..1_440 => format!("{hours} h {} min", minutes % 60),
        _ if hours % 24 == 0 => format!("{days} d"),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn window(left: i64, resets_in_s: i64, p50_s: Option<i64>) -> FuelTank {
        FuelTank {
            name: "Claude Code 5 h".into(),
            source: "claude_code".into(),
            kind: FuelKind::Window,
            meter: false,
            left,
            full: WINDOW_FULL,
            currency: String::new(),
            resets_at: Some(NOW.plus_seconds(resets_in_s)),
            read_at: Some(NOW.plus_seconds(-60)),
            trouble: None,
            band: p50_s.map(|p50_s| RunwayBand { p10_s: p50_s / 2, p50_s, p90_s: p50_s * 2 }),
        }
    }

    fn money(left: i64, currency: &str) -> FuelTank {
        FuelTank { kind: FuelKind::Money, currency: currency.into(), resets_at: None, ..window(left, 0, None) }
    }

    #[test]
    fn a_window_whose_reset_has_passed_says_so_and_not_the_old_figure() {
        let tank = window(10_000, 60, Some(30));
        assert_eq!((tank.state(NOW), tank.note(NOW).as_str()), (FuelState::Fresh, "<1 min at pace"));
        let later = NOW.plus_seconds(60);
        assert_eq!((tank.state(later), tank.dry_in_s(later)), (FuelState::Reset, None));
        assert_eq!(tank.note(later), "reset; no reading since");
    }

    #[test]
    fn a_reading_grows_old() {
        let tank = window(10_000, 100_000, None);
        assert_eq!(tank.state(NOW.plus_seconds(WINDOW_STALE_S - 60)), FuelState::Fresh);
        assert_eq!(tank.state(NOW.plus_seconds(WINDOW_STALE_S)), FuelState::Stale);
        assert_eq!(money(5, "USD").state(NOW.plus_seconds(MONEY_STALE_S)), FuelState::Stale);
        assert_eq!(FuelTank { read_at: None, ..money(5, "USD") }.state(NOW), FuelState::Unread);
    }

    #[test]
    fn figures_read_in_their_own_unit() {
        let check = |tank: FuelTank, text: &str| assert_eq!(tank.figure().0, text);
        check(window(634_900, 60, None), "63 %");
        check(window(635_000, 60, None), "64 %");
        check(window(4_000, 60, None), "<1 %");
        check(window(-3, 60, None), "0 %");
        check(money(47_230_000_000, "USD"), "$47.23");
        check(money(110_000_000_000, "CNY"), "110.00 CNY");
        check(money(-110_050_000_000, "CNY"), "-110.05 CNY");
    }

    #[test]
    fn a_window_that_lasts_until_its_reset_does_not_run_dry() {
        assert_eq!(window(500_000, 3_600, Some(3_600)).dry_in_s(NOW), None);
        assert_eq!(window(500_000, 3_601, Some(3_600)).dry_in_s(NOW), Some(3_600));
        assert_eq!(window(500_000, 3_600, Some(3_600)).note(NOW), "resets in 1 h");
        assert_eq!(window(0, 2_400, None).note(NOW), "resets in 40 min");
    }

    #[test]
    fn the_tank_that_runs_dry_first_is_shown() {
        let meter = |balance, spent| {
            let tank = GasTank { balance: Nanodollars(balance), capacity: Nanodollars(100) };
            Some((tank, Pace { spent: Nanodollars(spent), over_s: 300 }))
        };
        let tanks = [window(500_000, 90_000, Some(7_200)), window(300_000, 90_000, Some(3_600))];
        // 50 left at one per five minutes: four hours.
        assert_eq!(first_dry(meter(50, 1), &tanks, NOW), Some(1));
        assert_eq!(first_dry(meter(5, 1), &tanks, NOW), None);
        assert_eq!(first_dry(meter(0, 0), &tanks, NOW), None);
        assert_eq!(first_dry(None, &tanks, NOW), Some(1));
        assert_eq!(first_dry(None, &[], NOW), None);
        // Nothing runs dry: the emptiest.
        let still = [window(500_000, 90_000, None), window(300_000, 90_000, None)];
        assert_eq!(first_dry(meter(50, 0), &still, NOW), Some(1));
        assert_eq!(first_dry(meter(20, 0), &still, NOW), None);
        // What lasts more than a week is still as well.
        assert_eq!(first_dry(meter(50, 0), &[window(300_000, 9_000_000, Some(HORIZON_S + 1))], NOW), Some(0));
        assert_eq!(first_dry(meter(20, 0), &[window(300_000, 9_000_000, Some(HORIZON_S + 1))], NOW), None);
        // The provider behind the meter is no tank beside it; one that has no figure comes last.
        assert_eq!(first_dry(None, &[FuelTank { meter: true, ..money(1, "USD") }], NOW), None);
        assert_eq!(first_dry(meter(50, 0), &[window(0, -5, None)], NOW), None);
        assert_eq!(first_dry(None, &[window(0, -5, None)], NOW), Some(0));
        assert_eq!(first_dry(meter(50, 1), &[window(0, 500, None)], NOW), Some(0));
    }

    #[test]
    fn spans_read_as_people_say_them() {
        let check = |seconds, text: &str| assert_eq!(span(seconds), text);
        check(-5, "<1 min");
        check(59, "<1 min");
        check(2_400, "40 min");
        check(7_200, "2 h");
        check(7_800, "2 h 10 min");
        check(86_400, "1 d");
        check(86_400 * 3 + 4 * 3_600, "3 d 4 h");
    }
}
