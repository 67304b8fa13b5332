//! Where alerts begin and where they end: one table of names, meanings, bounds and defaults, from which configuration,
//! rules and documentation are made.

use std::ops::RangeInclusive;

/// One number of the configuration. Later ones depend on earlier ones: what ends an alert is never beyond what begins it.
pub struct Knob {
    /// Its name under `[alerts]`.
    pub name: &'static str,
    /// What it means, in a few words.
    pub means: &'static str,
    /// What it may be, given those before it.
    pub bounds: fn(&AlertLimits) -> RangeInclusive<u32>,
    /// What it is when nobody says anything, given those before it.
    pub default: fn(&AlertLimits) -> u32,
    slot: fn(&mut AlertLimits) -> &mut u32,
}

impl Knob {
    /// Its value among `limits`.
    #[must_use]
    pub fn value(&self, limits: &AlertLimits) -> u32 {
        let mut limits = *limits;
        *(self.slot)(&mut limits)
    }
}

/// A number that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} = {value}: use {least} to {most}")]
pub struct LimitError {
    /// Which one.
    pub name: &'static str,
    /// What was said.
    pub value: u32,
    /// The least that it may be.
    pub least: u32,
    /// The most.
    pub most: u32,
}

macro_rules! knobs {
    ($($name:ident: $default:expr, $bounds:expr, $means:literal;)*) => {
        /// Every limit. `0` switches a condition off where its bounds allow it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct AlertLimits {
            $(#[doc = $means] pub $name: u32,)*
        }

        impl AlertLimits {
            const ZERO: Self = Self { $($name: 0,)* };
            /// Every number, each behind those that it depends on.
            pub const KNOBS: &[Knob] = &[$(Knob {
                name: stringify!($name),
                means: $means,
                bounds: $bounds,
                default: $default,
                slot: |limits| &mut limits.$name,
            },)*];
        }
    };
}

knobs! {
    every_s: |_| 5, |_| 0..=3_600, "Seconds between two looks; 0: this server leaves it to another";
    low_percent: |_| 20, |_| 1..=90, "A tank is low at this share of full, percent";
    low_clear_percent: |l| (l.low_percent + 5).min(99), |l| l.low_percent..=99, "and no longer low above this";
    runway_minutes: |_| 30, |_| 0..=10_080, "A tank is low, too, when it lasts no longer than this at pace; 0: never";
    runway_clear_minutes: |l| l.runway_minutes + l.runway_minutes / 2, |l| l.runway_minutes..=20_160, "and no longer low above this";
    low_hold_s: |_| 0, |_| 0..=3_600, "Seconds that either must hold";
    silent_minutes: |_| 15, |_| 1..=1_439, "A source is silent after this without a word, while its town works";
    silent_clear_minutes: |l| l.silent_minutes.min(5), |l| 1..=l.silent_minutes, "and not silent when heard within this";
    silent_hold_s: |_| 0, |_| 0..=3_600, "Seconds that either must hold";
    stalled_minutes: |_| 15, |_| 0..=1_440, "An agent has stalled after this without progress on its hooked work; 0: never";
    stalled_clear_minutes: |l| l.stalled_minutes.min(5), |l| l.stalled_minutes.min(1)..=l.stalled_minutes, "and not stalled after progress within this";
    stalled_hold_s: |_| 0, |_| 0..=3_600, "Seconds that either must hold";
    restarts: |_| 5, |_| 0..=1_000, "An agent is in a loop after so many starts; 0: never";
    restart_minutes: |_| 10, |_| 1..=1_440, "within this";
    restarts_clear: |l| l.restarts / 2, |l| 0..=l.restarts.saturating_sub(1), "and no longer at so many or fewer";
    restart_hold_s: |_| 0, |_| 0..=3_600, "Seconds that either must hold";
    errors: |_| 10, |_| 0..=1_000_000, "Errors spike when so many calls fail; 0: never";
    error_percent: |_| 20, |_| 1..=100, "and they are this share of all calls, percent";
    error_minutes: |_| 5, |_| 1..=5, "within this";
    errors_clear: |l| l.errors / 2, |l| 0..=l.errors.saturating_sub(1), "and no longer at so many or fewer";
    error_clear_percent: |l| l.error_percent / 2, |l| 0..=l.error_percent - 1, "or at this share or less";
    error_hold_s: |_| 30, |_| 0..=3_600, "Seconds that either must hold";
    review: |_| 10, |_| 0..=1_000_000, "The review queue is long at so many beads in review or blocked; 0: never";
    review_clear: |l| l.review / 2, |l| 0..=l.review.saturating_sub(1), "and no longer at so many or fewer";
    review_hold_s: |_| 60, |_| 0..=3_600, "Seconds that either must hold";
}

impl AlertLimits {
    /// The limits as far as `said` names them, with defaults for the rest.
    ///
    /// # Errors
    /// The first number that is out of its bounds.
    pub fn resolve(said: impl Fn(&str) -> Option<u32>) -> Result<Self, LimitError> {
        let mut limits = Self::ZERO;
        for knob in Self::KNOBS {
            let bounds = (knob.bounds)(&limits);
            let (least, most) = (*bounds.start(), *bounds.end());
            let value = said(knob.name).unwrap_or_else(|| (knob.default)(&limits));
            if !bounds.contains(&value) {
                return Err(LimitError { name: knob.name, value, least, most });
            }
            *(knob.slot)(&mut limits) = value;
        }
        Ok(limits)
    }

    /// The number of that name.
    #[must_use]
    pub fn knob(name: &str) -> Option<&'static Knob> {
        Self::KNOBS.iter().find(|knob| knob.name == name)
    }
}

impl Default for AlertLimits {
    fn default() -> Self {
        Self::resolve(|_| None).unwrap_or(Self::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn resolve(said: &[(&str, u32)]) -> Result<AlertLimits, LimitError> {
        AlertLimits::resolve(|name| said.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    #[test]
    fn what_ends_an_alert_follows_what_begins_it_and_is_never_beyond_it() {
        let limits = resolve(&[("low_percent", 50), ("review", 40), ("silent_minutes", 2)]).unwrap();
        assert_eq!((limits.low_clear_percent, limits.review_clear, limits.silent_clear_minutes), (55, 20, 2));
        let refused = |said: &[(&str, u32)]| resolve(said).unwrap_err().to_string();
        assert_eq!(refused(&[("low_percent", 91)]), "low_percent = 91: use 1 to 90");
        assert_eq!(refused(&[("low_percent", 50), ("low_clear_percent", 49)]), "low_clear_percent = 49: use 50 to 99");
        assert_eq!(refused(&[("review", 4), ("review_clear", 4)]), "review_clear = 4: use 0 to 3");
        assert_eq!(refused(&[("error_minutes", 6)]), "error_minutes = 6: use 1 to 5");
    }

    #[test]
    fn names_are_told_apart_and_found() {
        for (place, knob) in AlertLimits::KNOBS.iter().enumerate() {
            assert!(AlertLimits::KNOBS[..place].iter().all(|other| other.name != knob.name));
            assert_eq!(
                AlertLimits::knob(knob.name).unwrap().value(&AlertLimits::default()),
                knob.value(&AlertLimits::default())
            );
        }
    }

    proptest! {
        /// Whatever one number is, within its bounds: the defaults of the others are within theirs.
        #[test]
        fn defaults_fit_whatever_is_said(place in 0..AlertLimits::KNOBS.len(), value in 0_u32..2_000_000) {
            let knob = &AlertLimits::KNOBS[place];
            let bounds = (knob.bounds)(&AlertLimits::default());
            let value = value.clamp(*bounds.start(), *bounds.end());
            prop_assert!(resolve(&[(knob.name, value)]).is_ok(), "{} = {value}", knob.name);
        }
    }
}
