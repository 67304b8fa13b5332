//! The five instruments of the strip: what each shows of the dials, as figures and words. Pure.

use chart::Unit;
use model::format::{compact, dollars, grouped};
use model::rate::RATE_WINDOW_S;
use model::wire::{Gauges, TREND_POINTS, TREND_STEP_S, TrendPoint};

/// An instrument of the strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instrument {
    /// Tokens per second.
    Tokens,
    /// Lines per second.
    Lines,
    /// Microdollars per second.
    Cost,
    /// Agents at work.
    Agents,
    /// What is left to spend.
    Tank,
}

/// What stands under a dial.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    /// The large number.
    pub number: String,
    /// Beside the number.
    pub unit: String,
    /// Under it.
    pub note: String,
    /// Something that must not be overlooked, such as tokens without a price.
    pub warning: Option<String>,
    /// Which tank is shown, when there are several.
    pub which: Option<String>,
}

impl Instrument {
    /// The strip, from left to right.
    pub(crate) const ALL: [Self; 5] = [Self::Tokens, Self::Lines, Self::Cost, Self::Agents, Self::Tank];

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "Tokens",
            Self::Lines => "Lines of code",
            Self::Cost => "Cost",
            Self::Agents => "Active agents",
            Self::Tank => "Gas tank",
        }
    }

    /// Its value in the unit of its scale; none while nothing is known. The tank's is its level, 0 to 1.
    pub(crate) fn value(self, gauges: &Gauges) -> Option<f64> {
        match self {
            Self::Tokens => gauges.tokens_per_s(),
            Self::Lines => gauges.lines_per_s(),
            Self::Cost => gauges.microdollars_per_s(),
            Self::Agents => (gauges.known > 0).then(|| f64::from(gauges.working)),
            Self::Tank => gauges.tank.map(|tank| tank.level()),
        }
    }

    /// The least scale that makes sense.
    pub(crate) const fn least_max(self) -> f64 {
        match self {
            Self::Tokens => 100.0,
            Self::Lines => 1.0,
            Self::Cost => 1_000.0,
            Self::Agents => 5.0,
            Self::Tank => 1.0,
        }
    }

    /// How the scale writes its numbers.
    pub(crate) const fn scale_unit(self) -> Unit {
        Unit::Number
    }

    /// The figures under the dial.
    pub(crate) fn reading(self, gauges: &Gauges) -> Reading {
        let rate = |value: Option<f64>, unit: &str, note: String| match value {
            Some(value) => Reading { number: compact(value), unit: unit.to_owned(), note, ..Reading::default() },
            None => Reading {
                number: "–".to_owned(),
                unit: unit.to_owned(),
                note: "no events yet".to_owned(),
                ..Reading::default()
            },
        };
        let flow = gauges.flow.unwrap_or_default();
        let minute = |count: i64| format!("{} in the last {RATE_WINDOW_S} s", grouped(count));
        match self {
            Self::Tokens => rate(self.value(gauges), "tokens/s", minute(flow.tokens)),
            Self::Lines => rate(self.value(gauges), "lines/s", minute(flow.lines)),
            Self::Cost => {
                let per_hour = gauges.dollars_per_hour().unwrap_or_default();
                let unpriced = flow.unpriced_tokens;
                // Nothing of it priced: a cost of zero would be a claim.
                let known = self.value(gauges).filter(|_| !(unpriced > 0 && flow.cost.is_zero()));
                let mut reading = rate(known, "µ$/s", format!("{} per hour", hourly(per_hour)));
                if unpriced > 0 {
                    reading.warning = Some(format!("{} tokens unpriced", grouped(unpriced)));
                    if known.is_none() {
                        "no price for the model".clone_into(&mut reading.note);
                    }
                }
                reading
            }
            Self::Agents if gauges.known == 0 => Reading {
                number: "–".to_owned(),
                unit: "working".to_owned(),
                note: "no agents seen in 24 h".to_owned(),
                ..Reading::default()
            },
            Self::Agents => Reading {
                number: gauges.working.to_string(),
                unit: format!("of {}", gauges.known),
                note: format!("working, {} idle or away", gauges.known.saturating_sub(gauges.working)),
                ..Reading::default()
            },
            Self::Tank => match gauges.tank {
                None => Reading {
                    number: "–".to_owned(),
                    unit: "remaining".to_owned(),
                    note: "no balance yet".to_owned(),
                    ..Reading::default()
                },
                Some(tank) => {
                    let runway = tank.runway(gauges.pace).to_string();
                    let at_pace = if runway.starts_with(['~', '>', '<']) { " at pace" } else { "" };
                    Reading {
                        number: dollars(tank.balance),
                        unit: "remaining".to_owned(),
                        note: format!("{runway}{at_pace}"),
                        ..Reading::default()
                    }
                }
            },
        }
    }

    /// What the small line shows, named.
    pub(crate) fn trend_label(self, gauges: &Gauges) -> String {
        match self {
            Self::Tank if gauges.tank.is_some() => {
                let (spent, over_s) = (dollars(gauges.pace.spent), gauges.pace.over_s);
                if over_s < 60 {
                    format!("−{spent} in {over_s} s")
                } else {
                    format!("−{spent} in {} min", (over_s + 30) / 60)
                }
            }
            _ => "5 min".to_owned(),
        }
    }

    /// The small line: one value per slot of the last five minutes, NaN where nothing is known.
    #[expect(clippy::cast_precision_loss, reason = "a line of 24 pixels")]
    pub(crate) fn trend(self, trend: &[TrendPoint]) -> Vec<f64> {
        let mut line = vec![f64::NAN; TREND_POINTS];
        let Some(newest) = trend.last().map(|point| point.end_s) else { return line };
        for point in trend {
            let back = usize::try_from((newest - point.end_s) / TREND_STEP_S).ok();
            if let Some(slot) = back.and_then(|back| TREND_POINTS.checked_sub(back + 1)) {
                line[slot] = match self {
                    Self::Agents => f64::from(point.working),
                    Self::Tokens => point.tokens as f64 / TREND_STEP_S as f64,
                    Self::Lines => point.lines as f64 / TREND_STEP_S as f64,
                    Self::Cost | Self::Tank => point.cost.0 as f64 / 1e3 / TREND_STEP_S as f64,
                };
            }
        }
        line
    }

    /// The highest reading of the dial in the last five minutes, for its scale: readings are means over a minute, so
    /// the line's short peaks must not stretch the scale.
    #[expect(clippy::cast_precision_loss, reason = "counts of at most 60")]
    pub(crate) fn recent_peak(self, gauges: &Gauges, trend: &[TrendPoint]) -> f64 {
        if self == Self::Agents {
            return f64::from(gauges.known);
        }
        let width = usize::try_from(RATE_WINDOW_S / TREND_STEP_S).unwrap_or(1);
        let line: Vec<f64> = self.trend(trend).into_iter().map(|v| if v.is_finite() { v } else { 0.0 }).collect();
        line.windows(width).map(|window| window.iter().sum::<f64>() / width as f64).fold(0.0, f64::max)
    }
}

/// Dollars per hour of a rate: cents from ten cents on, more decimals below.
fn hourly(dollars_per_hour: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a rate for reading, far below the limit")]
    let nanos = (dollars_per_hour * 1e9).round() as i64;
    // A rate has no use for nanodollars.
    dollars(model::Nanodollars(if nanos.abs() < 100_000 { nanos } else { nanos / 10_000 * 10_000 }))
}

#[cfg(test)]
mod tests {
    use model::tank::{GasTank, Pace};
    use model::time::Timestamp;
    use model::unit::Nanodollars;
    use model::wire::Flow;

    use super::*;

    fn gauges() -> Gauges {
        Gauges {
            at: Timestamp::from_seconds(1_700_000_000),
            flow: Some(Flow { tokens: 744_000, lines: 90, cost: Nanodollars(21_000_000), unpriced_tokens: 0 }),
            working: 7,
            known: 12,
            tank: Some(GasTank { balance: Nanodollars(47_230_000_000), capacity: Nanodollars(100_000_000_000) }),
            pace: Pace { spent: Nanodollars(1_230_000_000), over_s: 300 },
            store_down_since: None,
        }
    }

    fn check(instrument: Instrument, gauges: &Gauges, text: &str) {
        let reading = instrument.reading(gauges);
        let warning = reading.warning.map(|w| format!(" ! {w}")).unwrap_or_default();
        assert_eq!(format!("{} {} | {}{warning}", reading.number, reading.unit, reading.note), text);
    }

    #[test]
    fn each_instrument_reads_as_specified() {
        let gauges = gauges();
        check(Instrument::Tokens, &gauges, "12.4k tokens/s | 744,000 in the last 60 s");
        check(Instrument::Lines, &gauges, "1.5 lines/s | 90 in the last 60 s");
        check(Instrument::Cost, &gauges, "350 µ$/s | $1.26 per hour");
        check(Instrument::Agents, &gauges, "7 of 12 | working, 5 idle or away");
        check(Instrument::Tank, &gauges, "$47.23 remaining | ~3.1 hrs at pace");
        assert_eq!(Instrument::Tank.trend_label(&gauges), "−$1.23 in 5 min");
        let young = Gauges { pace: Pace { over_s: 5, ..gauges.pace }, ..gauges };
        assert_eq!(Instrument::Tank.trend_label(&young), "−$1.23 in 5 s");
    }

    #[test]
    fn no_data_is_not_zero() {
        let none = Gauges { flow: None, known: 0, working: 0, tank: None, ..gauges() };
        check(Instrument::Tokens, &none, "– tokens/s | no events yet");
        check(Instrument::Agents, &none, "– working | no agents seen in 24 h");
        check(Instrument::Tank, &none, "– remaining | no balance yet");
        assert!(Instrument::ALL.iter().all(|i| i.value(&none).is_none()));
        let idle = Gauges { flow: Some(Flow::default()), pace: Pace::default(), ..gauges() };
        check(Instrument::Cost, &idle, "0 µ$/s | $0.00 per hour");
        check(Instrument::Tank, &idle, "$47.23 remaining | no spend");
    }

    #[test]
    fn unpriced_is_never_shown_as_zero_dollars() {
        let mut gauges = gauges();
        gauges.flow = Some(Flow { cost: Nanodollars(0), unpriced_tokens: 1_200, ..Flow::default() });
        check(Instrument::Cost, &gauges, "– µ$/s | no price for the model ! 1,200 tokens unpriced");
        gauges.flow = Some(Flow { cost: Nanodollars(21_000_000), unpriced_tokens: 1_200, ..Flow::default() });
        check(Instrument::Cost, &gauges, "350 µ$/s | $1.26 per hour ! 1,200 tokens unpriced");
    }

    #[test]
    fn the_line_ends_with_the_newest_point_and_keeps_gaps() {
        let point = |end_s, tokens| TrendPoint { end_s, tokens, lines: 0, cost: Nanodollars(0), working: 1 };
        let trend = [point(100, 50), point(110, 100)];
        let line = Instrument::Tokens.trend(&trend);
        assert_eq!((line[TREND_POINTS - 1], line[TREND_POINTS - 3]), (20.0, 10.0));
        assert!(line[TREND_POINTS - 2].is_nan() && line[0].is_nan());
        assert!((Instrument::Tokens.recent_peak(&gauges(), &trend) - 2.5).abs() < 1e-9);
    }
}
