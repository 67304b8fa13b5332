//! How it stands with each machine that ships its events here. Pure.

use app::sources::{Machine, MachineStanding};
use model::format::ago;
use model::time::{MICROS_PER_SECOND, Timestamp};

use crate::db::shipper::ShipperRow;

/// A shipper that was not heard for this long is stale: it sends a sign of life every 30 s.
const STALE_S: i64 = 90;

/// The machine behind a shipper, at `now`.
#[must_use]
pub fn machine(row: ShipperRow, now: Timestamp) -> Machine {
    let ShipperRow { said, last_batch: _, first_heard, last_heard, came, counted_from } = row;
    let silent_s = now.micros_since(last_heard) / MICROS_PER_SECOND;
    let standing = if silent_s > STALE_S { MachineStanding::Stale } else { MachineStanding::Connected };
    let mut words = Vec::new();
    match (standing, &said.trouble) {
        (MachineStanding::Stale, _) => {
            words.push("It is off, or cannot reach this server; what it reads waits on its disk.".to_owned());
        }
        (MachineStanding::Connected, Some(trouble)) => words.push(format!("Heard again after: {trouble}.")),
        (MachineStanding::Connected, None) => {}
    }
    if said.parked > 0 {
        words.push(
            "What this server refused lies there with the reason, in \u{201c}rejected\u{201d} of its state folder."
                .to_owned(),
        );
    }
    if said.dropped > 0 {
        words.push(format!("{} older of these are gone: more was refused than is kept.", said.dropped));
    }
    if counted_from > first_heard {
        let since = ago(now.micros_since(counted_from) / MICROS_PER_SECOND);
        words.push(format!("Counted since this server began to, {since}."));
    }
    Machine {
        id: said.id.to_string(),
        name: said.name,
        about: format!("{} · {}", said.host, said.version),
        standing,
        words: words.join(" "),
        last_heard,
        waiting_bytes: said.waiting_bytes,
        oldest: said.oldest,
        came: [came.stored, came.duplicate, came.rejected].map(|n| i64::try_from(n).unwrap_or(i64::MAX)),
        parked: said.parked,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::db::shipper::{Came, Shipper};

    const NOW: Timestamp = Timestamp::from_seconds(1_750_000_000);

    fn row(silent_s: i64, trouble: Option<&str>) -> ShipperRow {
        let said = Shipper {
            id: Uuid::from_u128(7),
            name: "laptop".to_owned(),
            host: "linux x86_64".to_owned(),
            version: "1".to_owned(),
            waiting_bytes: 0,
            oldest: None,
            parked: 0,
            dropped: 0,
            trouble: trouble.map(str::to_owned),
        };
        let last_heard = NOW.plus_seconds(-silent_s);
        let first_heard = NOW.plus_seconds(-1_000);
        let came = Came { stored: 5, duplicate: 3, rejected: 2 };
        ShipperRow { said, last_batch: 1, first_heard, last_heard, came, counted_from: first_heard }
    }

    #[test]
    fn a_machine_is_stale_once_three_signs_of_life_are_missing() {
        let of = |silent_s| machine(row(silent_s, None), NOW);
        assert_eq!((of(90).standing, of(90).words.as_str()), (MachineStanding::Connected, ""));
        let stale = of(300);
        assert_eq!(stale.standing, MachineStanding::Stale);
        assert!(stale.words.contains("waits on its disk"), "{}", stale.words);
    }

    #[test]
    fn what_came_is_told_as_three_counts_that_add_up_and_since_when_only_if_not_from_the_start() {
        let told = machine(row(0, None), NOW);
        assert_eq!((told.counts(), told.words.as_str()), ([10, 5, 3, 2], ""));
        let later = ShipperRow { counted_from: NOW, ..row(0, None) };
        assert_eq!(machine(later, NOW).words, "Counted since this server began to, now.");
    }

    #[test]
    fn what_is_put_aside_and_what_was_dropped_by_its_bound_is_said() {
        let mut refused = row(0, None);
        (refused.said.parked, refused.said.dropped) = (4, 9);
        let told = machine(refused, NOW);
        assert!(
            told.words.contains("refused lies there") && told.words.contains("9 older of these are gone"),
            "{}",
            told.words
        );
    }

    #[test]
    fn trouble_of_before_is_told_and_a_stale_machine_says_that_it_is_not_heard_instead() {
        assert_eq!(machine(row(0, Some("503")), NOW).words, "Heard again after: 503.");
        assert!(machine(row(500, Some("503")), NOW).words.starts_with("It is off"));
    }
}
