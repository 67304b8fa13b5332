//! What the dial of the gas tank shows: of several tanks the one that runs dry first. Pure.

use model::fuel::{FuelState, FuelTank, first_dry, span};
use model::tank::Zone;
use model::wire::Gauges;

use super::instrument::{Instrument, Reading};

/// A tank's dial: the needle's place, its zone, and what stands under it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TankFace {
    /// 0 to 1; none where there is no figure.
    pub level: Option<f64>,
    pub zone: Option<Zone>,
    pub reading: Reading,
    /// It is the meter; else somebody else reads it.
    pub meter: bool,
    /// Its name.
    pub name: String,
}

/// The tank that runs dry first, and how many there are.
pub(crate) fn first_face(gauges: &Gauges, tanks: &[FuelTank]) -> TankFace {
    let first = first_dry(gauges.tank.map(|tank| (tank, gauges.pace)), tanks, gauges.at);
    let mut face = match first.and_then(|index| tanks.get(index)) {
        Some(tank) => tank_face(tank, gauges),
        None => meter_face(gauges, tanks),
    };
    let count = usize::from(gauges.tank.is_some()) + tanks.iter().filter(|tank| !tank.meter).count();
    // A warning is more urgent than where it comes from.
    if face.reading.warning.is_none() && count > 1 {
        face.reading.which = Some(format!("{}, first of {count} tanks", face.name));
    } else if face.reading.warning.is_none() && !face.meter {
        face.reading.which = Some(face.name.clone());
    }
    face
}

/// The meter's dial.
pub(crate) fn meter_face(gauges: &Gauges, tanks: &[FuelTank]) -> TankFace {
    let behind = tanks.iter().find(|tank| tank.meter);
    let mut reading = Instrument::Tank.reading(gauges);
    reading.warning = behind.filter(|tank| tank.trouble.is_some()).map(|tank| format!("{}: no reading", tank.name));
    TankFace {
        level: gauges.tank.map(|tank| tank.level()),
        zone: gauges.tank.map(|tank| tank.zone()),
        reading,
        meter: true,
        name: behind.map_or_else(|| "Meter".to_owned(), |tank| tank.name.clone()),
    }
}

/// The dial of a tank beside the meter.
pub(crate) fn tank_face(tank: &FuelTank, gauges: &Gauges) -> TankFace {
    let now = gauges.at;
    let known = tank.is_known(now);
    let (number, unit) = if known { tank.figure() } else { ("–".to_owned(), tank.figure().1) };
    let age = tank.read_at.map(|at| span(now.seconds() - at.seconds()));
    let warning = match (tank.state(now), age) {
        (FuelState::Stale, Some(age)) => Some(format!("read {age} ago")),
        _ if known && tank.trouble.is_some() => Some("no new reading".to_owned()),
        _ => None,
    };
    TankFace {
        level: known.then(|| tank.gas().level()),
        zone: known.then(|| tank.gas().zone()),
        reading: Reading { number, unit: unit.to_owned(), note: tank.note(now), warning, which: None },
        meter: false,
        name: tank.name.clone(),
    }
}

/// A zone in a word, so that nothing is said by colour alone.
pub(crate) const fn zone_word(zone: Zone) -> &'static str {
    match zone {
        Zone::Green => "above half",
        Zone::Yellow => "below half",
        Zone::Red => "low",
        Zone::Empty => "empty",
    }
}

/// A zone as style sheets know it; `none` where there is no figure.
pub(crate) const fn zone_key(zone: Option<Zone>) -> &'static str {
    match zone {
        Some(Zone::Green) => "green",
        Some(Zone::Yellow) => "yellow",
        Some(Zone::Red) => "red",
        Some(Zone::Empty) => "empty",
        None => "none",
    }
}

#[cfg(test)]
mod tests {
    use model::Nanodollars;
    use model::fuel::{FuelKind, WINDOW_FULL};
    use model::tank::{GasTank, Pace};
    use model::time::Timestamp;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn gauges(balance: Option<i64>) -> Gauges {
        let capacity = Nanodollars(100_000_000_000);
        let tank = balance.map(|dollars| GasTank { balance: Nanodollars(dollars * 1_000_000_000), capacity });
        Gauges { at: NOW, flow: None, working: 0, known: 0, tank, pace: Pace::default(), store_down_since: None }
    }

    fn window(left: i64) -> FuelTank {
        FuelTank {
            name: "Codex 5 h".into(),
            source: String::new(),
            kind: FuelKind::Window,
            meter: false,
            left,
            full: WINDOW_FULL,
            currency: String::new(),
            resets_at: Some(NOW.plus_seconds(7_800)),
            read_at: Some(NOW),
            trouble: None,
            band: None,
        }
    }

    fn check(balance: Option<i64>, tanks: &[FuelTank], text: &str) {
        let TankFace { reading: Reading { number, unit, note, warning, which }, .. } =
            first_face(&gauges(balance), tanks);
        let rest: String =
            [warning.map(|w| format!(" ! {w}")), which.map(|w| format!(" | {w}"))].into_iter().flatten().collect();
        assert_eq!(format!("{number} {unit} | {note}{rest}"), text);
    }

    #[test]
    fn the_dial_says_which_tank_it_shows_when_there_are_several() {
        check(Some(50), &[], "$50.00 remaining | no spend");
        check(Some(50), &[window(300_000)], "30 % left | resets in 2 h 10 min | Codex 5 h, first of 2 tanks");
        check(Some(20), &[window(300_000)], "$20.00 remaining | no spend | Meter, first of 2 tanks");
        check(None, &[window(300_000)], "30 % left | resets in 2 h 10 min | Codex 5 h");
        check(None, &[], "– remaining | no balance yet");
    }

    #[test]
    fn an_old_figure_is_said_to_be_old_and_one_of_before_the_reset_is_not_shown() {
        let stale = FuelTank { read_at: Some(NOW.plus_seconds(-2 * 3_600)), ..window(300_000) };
        check(None, &[stale], "30 % left | resets in 2 h 10 min ! read 2 h ago");
        let reset = FuelTank { resets_at: Some(NOW), ..window(300_000) };
        check(None, &[reset], "– left | reset; no reading since | Codex 5 h");
    }

    #[test]
    fn a_provider_that_does_not_tell_is_named() {
        let money =
            FuelTank { kind: FuelKind::Money, meter: true, resets_at: None, trouble: Some("x".into()), ..window(5) };
        let money = FuelTank { name: "Kilo".into(), ..money };
        check(Some(50), std::slice::from_ref(&money), "$50.00 remaining | no spend ! Kilo: no reading");
        check(None, &[money], "– remaining | no balance yet ! Kilo: no reading");
    }
}
