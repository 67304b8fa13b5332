//! What a host uses: processor, memory, GPU and disk, in coarse numbers, and how long they are good for.
//!
//! Nothing else of a machine is known here: no paths, no user names, no command lines.

mod history;
mod own;
mod percent;
mod perf;
mod run;
mod sample;
mod tally;
mod utc;

pub use history::{HostColumns, HostHistory, Instrument};
pub use own::{EventToPixel, OwnCost};
pub use percent::Percent;
pub use perf::{CpuMetrics, GpuMetrics, PerfMetrics, Run, RunStatus, SpaceMetrics, TokenMetrics};
pub use run::{WorkRun, newest_run};
pub use sample::{Bytes, GpuUse, HostSample, Space};
pub use tally::Tally;

/// A reading older than this is stale.
pub const STALE_AFTER_S: i64 = 10;
/// How often a host is read while somebody looks and the town runs.
pub const RUNNING_EVERY_S: i64 = 1;
/// The same while it idles.
pub const IDLE_EVERY_S: i64 = 3;
/// The step of the finest history, and how often a host is read for it while nobody looks.
pub const HISTORY_STEP_S: i64 = 15;
/// Hosts of a town at most.
pub const MAX_HOSTS: usize = 32;

/// How often a host is to be read.
#[must_use]
pub const fn pace_s(looked_at: bool, running: bool) -> i64 {
    match (looked_at, running) {
        (false, _) => HISTORY_STEP_S,
        (true, true) => RUNNING_EVERY_S,
        (true, false) => IDLE_EVERY_S,
    }
}

/// Whether a reading of `age_us` is too old to be taken for the present.
#[must_use]
pub const fn is_stale(age_us: i64) -> bool {
    age_us > STALE_AFTER_S * crate::time::MICROS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_reading_is_stale_after_ten_seconds_and_not_before() {
        assert!(!is_stale(10_000_000));
        assert!(is_stale(10_000_001));
        assert!(!is_stale(-5), "a clock that is a little ahead");
    }

    #[test]
    fn nobody_looks_nothing_is_read_fast() {
        assert_eq!([pace_s(false, true), pace_s(false, false)], [15, 15]);
        assert_eq!([pace_s(true, true), pace_s(true, false)], [1, 3]);
    }

    proptest! {
        #[test]
        fn what_is_stale_stays_stale(age in 0_i64..100_000_000, later in 0_i64..100_000_000) {
            prop_assert!(!is_stale(age) || is_stale(age + later));
        }
        #[test]
        fn whoever_looks_is_shown_fresh_readings(running: bool) {
            prop_assert!(!is_stale(pace_s(true, running) * 1_000_000 * 2), "one may be missed");
        }
    }
}
