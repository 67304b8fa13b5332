//! How the figures of a source read.

use model::drift::Drift;
use model::format::{ago, compact, dollars};

use crate::sources::{Machine, MachineStanding, SourceCard, SourceKind, SourcesPage, Standing};

/// How long something took or is behind: `0.4 s`, `42 s`, `5 min`, `3 h`, `2 d`.
pub(super) fn lag(ms: i64) -> String {
    match ms {
        i64::MIN..10_000 => format!("{}.{} s", ms.max(0) / 1_000, ms.max(0) % 1_000 / 100),
        _ => ago(ms / 1_000).trim_end_matches(" ago").to_owned(),
    }
}

/// How far a machine is behind at `now_us`: the age of what waits there longest.
pub(super) fn behind(machine: &Machine, now_us: i64) -> String {
    match machine.oldest {
        Some(oldest) if machine.waiting_bytes > 0 => lag((now_us - oldest.0) / 1_000),
        _ if machine.waiting_bytes > 0 => "–".to_owned(),
        _ => "none".to_owned(),
    }
}

/// An amount of data: `none`, `640 B`, `1.2 kB`, `52.0 MB`.
pub(super) fn bytes(n: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", n / unit, n % unit / (unit / 10));
    match n {
        0 => "none".to_owned(),
        1..1_000 => format!("{n} B"),
        1_000..1_000_000 => tenths(1_000) + " kB",
        1_000_000..1_000_000_000 => tenths(1_000_000) + " MB",
        _ => tenths(1_000_000_000) + " GB",
    }
}

/// How many machines stand how: `2 connected · 1 stale`, and how many are not shown.
pub(super) fn machines(page: &SourcesPage) -> String {
    let count = |standing| page.machines.iter().filter(|machine| machine.standing == standing).count();
    let (connected, stale) = (count(MachineStanding::Connected), count(MachineStanding::Stale));
    let mut words = if connected + stale == 0 { String::new() } else { format!("{connected} connected") };
    if stale > 0 {
        words += &format!(" · {stale} stale");
    }
    let hidden = page.machines_known.saturating_sub(page.machines.len());
    if hidden > 0 {
        words += &format!(" · {hidden} more by GET /api/towns/{{town}}/shippers");
    }
    words
}

/// A rate: `–` while it is not known.
pub(super) fn per_s(rate: Option<f64>) -> String {
    rate.map_or_else(|| "–".to_owned(), compact)
}

/// `+5.00 %`: how much more is reported than computed.
pub(super) fn percent(drift: Drift) -> String {
    match drift.basis_points() {
        None => "no price".to_owned(),
        Some(points) => {
            let sign = if points < 0 { "\u{2212}" } else { "+" };
            let points = points.unsigned_abs();
            format!("{sign}{}.{:02} %", points / 100, points % 100)
        }
    }
}

/// Both figures in a sentence.
pub(super) fn drift(drift: Drift) -> String {
    let (reported, computed) = (dollars(drift.reported), dollars(drift.computed));
    let judged = match (drift.warns(), drift.basis_points()) {
        (true, Some(_)) => {
            format!("{}: more than 2 % apart. Check the model's price and the token rule.", percent(drift))
        }
        (true, None) => "the calls came without tokens.".to_owned(),
        (false, _) => format!("{}: within 2 %, or too little to tell.", percent(drift)),
    };
    format!("Agents report {reported}; for the same calls the price book says {computed}: {judged}")
}

/// What stands under a source's name: how its events come, and what is wrong.
pub(super) fn subtitle(card: &SourceCard) -> String {
    match card.standing {
        Standing::Live if card.received > 0 || card.kind == SourceKind::Demo => card.kind.label().to_owned(),
        _ => format!("{} · {}", card.kind.label(), card.words),
    }
}

/// How many sources stand how: `3 live · 1 silent`.
pub(crate) fn tally(page: &SourcesPage) -> String {
    let count = |standing| page.sources.iter().filter(|card| card.standing == standing).count();
    let parts = [Standing::Live, Standing::Silent, Standing::Refused, Standing::Error]
        .map(|standing| (count(standing), standing));
    let parts = parts.into_iter().filter(|(n, standing)| *n > 0 || *standing == Standing::Live);
    let words: Vec<String> = parts.map(|(n, standing)| format!("{n} {}", standing.label().to_lowercase())).collect();
    words.join(" · ")
}

#[cfg(test)]
mod tests {
    use model::Nanodollars;

    use super::*;

    #[test]
    fn lags_keep_a_decimal_as_long_as_it_means_something() {
        for (ms, text) in [
            (-5, "0.0 s"),
            (430, "0.4 s"),
            (9_999, "9.9 s"),
            (42_000, "42 s"),
            (300_000, "5 min"),
            (172_800_000, "2 d"),
        ] {
            assert_eq!(lag(ms), text);
        }
    }

    #[test]
    fn data_is_told_in_the_unit_that_keeps_it_short() {
        for (n, text) in [
            (0, "none"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_299, "1.2 kB"),
            (52_000_000, "52.0 MB"),
            (2_500_000_000, "2.5 GB"),
        ] {
            assert_eq!(bytes(n), text);
        }
    }

    #[test]
    fn a_drift_has_its_sign_and_both_sums() {
        let of = |reported, computed| Drift { reported: Nanodollars(reported), computed: Nanodollars(computed) };
        assert_eq!(percent(of(1_050_000_000, 1_000_000_000)), "+5.00 %");
        assert_eq!(percent(of(995_000_000, 1_000_000_000)), "\u{2212}0.50 %");
        let said = drift(of(1_050_000_000, 1_000_000_000));
        assert!(said.contains("$1.05") && said.contains("$1.00") && said.contains("more than 2 %"), "{said}");
        assert!(drift(of(500_000_000, 0)).contains("without tokens"));
    }
}
