//! How long to wait before connecting again.

/// First wait at most, in milliseconds.
const FIRST_MS: f64 = 1_000.0;
/// Longest wait, in milliseconds.
const LONGEST_MS: f64 = 30_000.0;

/// The wait before retry number `attempt` (0 is the first): doubles from one second to thirty, and lies between half
/// of that and all of it, so that many pages do not come back in step. `random` is in 0..1.
pub(crate) fn delay_ms(attempt: u32, random: f64) -> f64 {
    let most = (FIRST_MS * 2_f64.powi(attempt.min(16).cast_signed())).min(LONGEST_MS);
    let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 };
    most * (0.5 + 0.5 * random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_from_one_second_to_thirty() {
        let most = |attempt| delay_ms(attempt, 1.0);
        let waits: Vec<f64> = [0, 1, 2, 3, 4, 5, 6, 1_000, u32::MAX].map(most).into();
        assert_eq!(waits, [1e3, 2e3, 4e3, 8e3, 16e3, 30e3, 30e3, 30e3, 30e3]);
    }

    #[test]
    fn spreads_over_the_upper_half() {
        for attempt in 0..20 {
            let (least, most) = (delay_ms(attempt, 0.0), delay_ms(attempt, 1.0));
            assert!((least * 2.0 - most).abs() < 1e-9);
            for random in [-1.0, 0.3, 0.999, 7.0, f64::NAN] {
                assert!((least..=most).contains(&delay_ms(attempt, random)));
            }
        }
    }
}
