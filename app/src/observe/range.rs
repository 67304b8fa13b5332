//! The range in the address: `?window=1h`, or `?from=…&to=…` in RFC 3339.

use model::Window;
use model::time::{TimeRange, Timestamp};

use crate::civil::{parse_rfc3339, rfc3339};
use crate::reader::SeriesRange;

/// Reads the range of an address; what cannot be understood is the last hour.
pub fn parse(window: Option<&str>, from: Option<&str>, to: Option<&str>) -> SeriesRange {
    let instant = |raw: Option<&str>| Timestamp::from_seconds(parse_rfc3339(raw?)?).believed().ok();
    match (instant(from), instant(to)) {
        (Some(from), Some(to)) => {
            TimeRange::new(from, to).map_or_else(|_| SeriesRange::Window(Window::Hour), SeriesRange::Between)
        }
        _ => SeriesRange::Window(window.and_then(|raw| Window::parse(raw).ok()).unwrap_or_default()),
    }
}

/// The query of an address, with its question mark.
pub(crate) fn query(range: SeriesRange) -> String {
    match range {
        SeriesRange::Window(window) => format!("?window={}", window.name()),
        SeriesRange::Between(range) => {
            format!("?from={}&to={}", rfc3339(range.from().seconds()), rfc3339(range.to().seconds()))
        }
    }
}

/// What the charts show of a range at `now`.
#[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
pub(crate) fn view(range: SeriesRange, now: Timestamp) -> chart::TimeRange {
    let range = match range {
        SeriesRange::Window(window) => TimeRange::ending_now(window, now),
        SeriesRange::Between(range) => range,
    };
    chart::TimeRange::new(range.from().seconds() as f64, range.to().seconds() as f64)
}

/// The range of a zoom, in whole seconds; none when it is not one.
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
pub(crate) fn between(view: chart::TimeRange) -> Option<SeriesRange> {
    let at = |s: f64| Timestamp::from_seconds(s.round() as i64).believed().ok();
    TimeRange::new(at(view.from_s)?, at(view.to_s)?).ok().map(SeriesRange::Between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_reading_and_writing() {
        for raw in ["?window=1h", "?window=7d", "?from=2026-02-26T18:00:00Z&to=2026-02-26T18:20:30Z"] {
            let get = |name: &str| raw[1..].split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            assert_eq!(query(parse(get("window"), get("from"), get("to"))), raw);
        }
    }

    #[test]
    fn nonsense_is_the_last_hour() {
        let hour = SeriesRange::Window(Window::Hour);
        assert_eq!(parse(Some("2h"), None, None), hour);
        assert_eq!(parse(None, Some("2026-02-26T18:00:00Z"), None), hour);
        assert_eq!(parse(None, Some("2026-02-26T18:00:00Z"), Some("2026-02-26T17:00:00Z")), hour);
        assert_eq!(parse(None, Some("1500-02-26T18:00:00Z"), Some("2026-02-26T17:00:00Z")), hour);
        assert_eq!(parse(Some("6h"), Some("x"), Some("y")), SeriesRange::Window(Window::SixHours));
    }

    #[test]
    fn a_zoom_keeps_whole_seconds() {
        let range = between(chart::TimeRange::new(1_700_000_000.4, 1_700_000_100.6));
        assert_eq!(range.map(query).as_deref(), Some("?from=2023-11-14T22:13:20Z&to=2023-11-14T22:15:01Z"));
        assert!(between(chart::TimeRange::new(1_700_000_000.1, 1_700_000_000.2)).is_none());
    }
}
