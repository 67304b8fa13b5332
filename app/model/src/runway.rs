//! How long a tank lasts, as a band: what was burnt lately is played again from different moments on.
//!
//! The method is a replay. The last day's burn, in buckets of five minutes, is a loop. From each bucket on the loop is
//! played forward until the tank is dry; the tenth, fiftieth and ninetieth percentile of these times are the band. Idle
//! time counts, because the question is when the tank is dry by the clock. But the replay begins only at moments like
//! the present one: at work when somebody worked in the last quarter of an hour, else idle. A town that burns money by
//! day is so told by day what its day costs, and not the mean of day and night.
//!
//! Nothing is drawn by chance: the same burn gives the same band. Amounts are integers of any one unit (nanodollars,
//! millionths of a window).

use serde::{Deserialize, Serialize};

use crate::fuel::span;
use crate::time::Timestamp;

/// Seconds of a bucket of burn.
pub const BURN_STEP_S: i64 = 300;
/// How far back the burn is looked at.
pub const BURN_SPAN_S: i64 = 86_400;
/// With less history than this there is no band: half an hour.
pub const MIN_BUCKETS: usize = 6;
/// The newest buckets that say whether somebody is at work now: a quarter of an hour.
const NOW_BUCKETS: usize = 3;

/// Times until a tank is dry, seconds from now. `p10_s ≤ p50_s ≤ p90_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunwayBand {
    /// Nine times out of ten it lasts longer.
    pub p10_s: i64,
    /// As often longer as shorter.
    pub p50_s: i64,
    /// One time out of ten it lasts longer.
    pub p90_s: i64,
}

/// Whether a tank lasts until something, such as a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    /// Even by the short end of the band.
    Yes,
    /// By the middle of the band, but not by its short end.
    Probably,
    /// It runs dry this much before, by the middle of the band, seconds.
    ShortBy(i64),
}

impl RunwayBand {
    /// The band of a tank that holds `left`, by the `burn` of whole buckets, oldest first. None when the history is too
    /// short, nothing was burnt, or nothing is left.
    #[must_use]
    pub fn of(left: i64, burn: &[i64]) -> Option<Self> {
        let newest = burn.len().saturating_sub(NOW_BUCKETS);
        let burn: Vec<i128> = burn.iter().map(|amount| i128::from((*amount).max(0))).collect();
        let lap: i128 = burn.iter().sum();
        if left <= 0 || lap <= 0 || burn.len() < MIN_BUCKETS {
            return None;
        }
        let at_work = burn[newest..].iter().any(|amount| *amount > 0);
        let like_now = |from: &usize| at_work == (burn[*from] > 0);
        let mut times: Vec<i64> = (0..burn.len()).filter(like_now).map(|from| replay(left, &burn, lap, from)).collect();
        times.sort_unstable();
        let percentile = |percent: usize| times.get((times.len().saturating_sub(1)) * percent / 100).copied();
        Some(Self { p10_s: percentile(10)?, p50_s: percentile(50)?, p90_s: percentile(90)? })
    }

    /// Whether it lasts another `for_s` seconds.
    #[must_use]
    pub const fn lasts(self, for_s: i64) -> Lasts {
        if self.p10_s >= for_s {
            Lasts::Yes
        } else if self.p50_s >= for_s {
            Lasts::Probably
        } else {
            Lasts::ShortBy(for_s - self.p50_s)
        }
    }
}

impl Lasts {
    /// As a sentence without its end, such as `lasts until the reset at 18:00` or `runs dry about 40 min before the
    /// reset`. `what` is awaited, at `clock`.
    #[must_use]
    pub fn words(self, what: &str, clock: &str) -> String {
        match self {
            Self::Yes => format!("lasts until the {what} at {clock}"),
            Self::Probably => format!("probably lasts until the {what} at {clock}"),
            Self::ShortBy(seconds) => format!("runs dry about {} before the {what}", span(seconds)),
        }
    }
}

/// Gaps between top-ups that are shorter belong to one: an hour.
const LEAST_GAP_S: i64 = 3_600;

/// When the next top-up is usual: the median gap after the last one. None with fewer than two, or when that time has
/// passed. `topups` are their times, newest first.
#[must_use]
pub fn next_topup(topups: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let gaps = topups.windows(2).filter_map(|pair| Some(pair.first()?.seconds() - pair.get(1)?.seconds()));
    let mut gaps: Vec<i64> = gaps.filter(|gap| *gap >= LEAST_GAP_S).collect();
    gaps.sort_unstable();
    let usual = gaps.get(gaps.len() / 2)?;
    topups.first().map(|last| last.plus_seconds(*usual)).filter(|next| *next > now)
}

/// Seconds until `left` is burnt, playing the loop from the bucket `from` on. Within a bucket the burn is even.
fn replay(left: i64, burn: &[i128], lap: i128, from: usize) -> i64 {
    let step_s = i128::from(BURN_STEP_S);
    let buckets = i128::try_from(burn.len()).unwrap_or(i128::MAX);
    // Whole laps at once; what is left for the last one is more than nothing.
    let laps = (i128::from(left) - 1) / lap;
    let mut left = i128::from(left) - laps * lap;
    let mut seconds = laps * buckets * step_s;
    for amount in burn.iter().cycle().skip(from).take(burn.len()) {
        if left <= *amount {
            seconds += left * step_s / amount;
            break;
        }
        left -= amount;
        seconds += step_s;
    }
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: usize = 12;

    fn band(left: i64, burn: &[i64]) -> (i64, i64, i64) {
        let band = RunwayBand::of(left, burn).unwrap();
        (band.p10_s, band.p50_s, band.p90_s)
    }

    #[test]
    fn an_even_burn_has_no_band_to_speak_of() {
        // 100 per five minutes, 1,200 left: an hour, whatever the moment.
        assert_eq!(band(1_200, &[100; 288]), (3_600, 3_600, 3_600));
        // Several days of it.
        assert_eq!(band(100 * 288 * 3 + 50, &[100; 288]), (259_350, 259_350, 259_350));
    }

    #[test]
    fn at_work_the_night_counts_only_where_it_is_reached() {
        // Eight hours of work at 100 a bucket, then idle, work again in the last hour.
        let mut day = vec![0; 288];
        day[..8 * HOUR].fill(100);
        day[287 - HOUR..].fill(100);
        // Two hours of work are left. Mostly two hours; begun near the evening, the night lies in between.
        let (p10, p50, p90) = band(2_400, &day);
        assert_eq!((p10, p50), (7_200, 7_200));
        assert!(p90 > 12 * 3_600, "{p90}");
    }

    #[test]
    fn idle_the_time_until_work_begins_counts() {
        let mut day = vec![0; 288];
        day[..8 * HOUR].fill(100);
        let (p10, p50, p90) = band(1_200, &day);
        // From a moment of the sixteen idle hours to the next work, and an hour of it.
        assert!(p10 < 4 * 3_600 && (8 * 3_600..10 * 3_600).contains(&p50) && p90 > 14 * 3_600, "{p10} {p50} {p90}");
    }

    #[test]
    fn a_burst_widens_the_band() {
        let burn: Vec<i64> = (0..288).map(|i| if i % 12 == 0 { 1_000 } else { 10 }).collect();
        let (p10, p50, p90) = band(1_000, &burn);
        assert!(p10 < p50 && p50 < p90, "{p10} {p50} {p90}");
    }

    #[test]
    fn without_history_burn_or_fuel_there_is_none() {
        assert_eq!(RunwayBand::of(100, &[5; MIN_BUCKETS - 1]), None);
        assert_eq!(RunwayBand::of(100, &[0; 288]), None);
        assert_eq!(RunwayBand::of(0, &[5; 288]), None);
        assert_eq!(RunwayBand::of(-3, &[5; 288]), None);
    }

    #[test]
    fn whether_it_lasts_is_said_by_the_short_end_and_the_middle() {
        let band = RunwayBand { p10_s: 3_000, p50_s: 5_000, p90_s: 9_000 };
        assert_eq!(band.lasts(3_000), Lasts::Yes);
        assert_eq!(band.lasts(5_000), Lasts::Probably);
        assert_eq!(band.lasts(7_400), Lasts::ShortBy(2_400));
    }

    #[test]
    fn it_is_said_in_words() {
        let check = |lasts: Lasts, text: &str| assert_eq!(lasts.words("reset", "18:00"), text);
        check(Lasts::Yes, "lasts until the reset at 18:00");
        check(Lasts::Probably, "probably lasts until the reset at 18:00");
        check(Lasts::ShortBy(2_400), "runs dry about 40 min before the reset");
    }

    #[test]
    fn the_next_top_up_comes_after_the_usual_gap() {
        let day = |n: i64| Timestamp::from_seconds(n * 86_400);
        let at = |days: &[i64]| days.iter().map(|n| day(*n)).collect::<Vec<_>>();
        assert_eq!(next_topup(&at(&[30, 23, 16, 2]), day(31)), Some(day(37)));
        assert_eq!(next_topup(&at(&[30, 23]), day(38)), None, "it is overdue");
        assert_eq!(next_topup(&at(&[30]), day(31)), None);
        assert_eq!(next_topup(&[], day(31)), None);
        let twice = [day(30).plus_seconds(60), day(30), day(23)];
        assert_eq!(next_topup(&twice, day(31)), Some(day(37).plus_seconds(60)));
    }

    proptest! {
        #[test]
        fn the_band_is_in_order_and_more_fuel_never_lasts_shorter(
            burn in proptest::collection::vec(0_i64..1_000_000, MIN_BUCKETS..300),
            left in 1_i64..1_000_000_000_000,
            more in 0_i64..1_000_000_000_000,
        ) {
            let lap: i64 = burn.iter().sum();
            let (less, more) = (RunwayBand::of(left, &burn), RunwayBand::of(left + more, &burn));
            prop_assert_eq!(less.is_some(), lap > 0);
            if let (Some(less), Some(more)) = (less, more) {
                prop_assert!(0 <= less.p10_s && less.p10_s <= less.p50_s && less.p50_s <= less.p90_s);
                prop_assert!(less.p10_s <= more.p10_s && less.p50_s <= more.p50_s && less.p90_s <= more.p90_s);
            }
        }

        /// Over whole laps the mean burn alone decides.
        #[test]
        fn whole_laps_take_whole_days(burn in proptest::collection::vec(1_i64..1_000, MIN_BUCKETS..50), laps in 1_i64..20) {
            let lap: i64 = burn.iter().sum();
            let seconds = i64::try_from(burn.len()).unwrap() * BURN_STEP_S * laps;
            prop_assert_eq!(band(lap * laps, &burn), (seconds, seconds, seconds));
        }

        #[test]
        fn no_amount_overflows(burn in proptest::collection::vec(any::<i64>(), 0..300), left in any::<i64>()) {
            if let Some(band) = RunwayBand::of(left, &burn) {
                prop_assert!(band.p10_s >= 0);
            }
        }
    }
}
