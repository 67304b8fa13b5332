//! Colours and kinds of the charts' series, for canvases and for swatches in the document.

use chart::{Color, Kind, Pattern, SeriesStyle, State, Theme};
use model::series::Metric;

/// How a metric is drawn.
pub(crate) const fn kind(metric: Metric) -> Kind {
    match metric {
        Metric::Tokens | Metric::Cost => Kind::Stacked,
        Metric::Agents | Metric::Lines | Metric::Latency | Metric::Requests => Kind::Lines,
        Metric::Beads | Metric::Errors => Kind::Bars,
    }
}

/// The series from the bottom of the stack up. Cache reads are by far the largest: at the bottom their shape is seen,
/// and what varies above them too.
pub(crate) const fn stack(metric: Metric) -> &'static [usize] {
    match metric {
        Metric::Tokens => &[2, 4, 3, 0, 1],
        Metric::Cost => &[0, 1, 2, 3, 4, 5, 6],
        Metric::Agents => &[1, 0],
        Metric::Beads | Metric::Latency | Metric::Errors | Metric::Requests => &[0, 1],
        Metric::Lines => &[0, 1, 2, 3],
    }
}

/// The style of a series.
pub(crate) fn style(metric: Metric, series: usize, theme: &Theme) -> SeriesStyle {
    let color: Color = match (metric, series) {
        (Metric::Tokens, kind) => theme.token(kind),
        (Metric::Cost, role) => theme.roles[role.min(theme.roles.len() - 1)],
        (Metric::Agents | Metric::Requests, 0) | (Metric::Beads | Metric::Latency, 1) => theme.accent,
        (Metric::Agents | Metric::Beads | Metric::Latency | Metric::Requests, _) => theme.unknown,
        (Metric::Lines, 0 | 2) => theme.state(State::Ok),
        (Metric::Errors, 0) => theme.state(State::Warn),
        (Metric::Lines | Metric::Errors, _) => theme.state(State::Bad),
    };
    match (metric, series) {
        (Metric::Agents | Metric::Requests, 0) | (Metric::Lines, 0 | 1) => SeriesStyle::new(color).filled(),
        (Metric::Agents | Metric::Lines | Metric::Requests, _) | (Metric::Latency | Metric::Errors, 0) => {
            SeriesStyle::new(color).with(Pattern::Dashed)
        }
        _ => SeriesStyle::new(color),
    }
}

/// The class of a series' swatch.
pub(crate) fn swatch(metric: Metric, name: &str) -> String {
    match metric {
        Metric::Tokens => format!("swatch token-{name}"),
        Metric::Cost => format!("swatch role-text-{name}"),
        Metric::Agents | Metric::Beads | Metric::Lines => format!("swatch series-{name}"),
        // In the colours of others: the first page loads every style too.
        Metric::Latency => if name == "p95" { "swatch series-closed" } else { "swatch" }.to_owned(),
        Metric::Requests => if name == "mean" { "swatch series-closed" } else { "swatch" }.to_owned(),
        Metric::Errors => {
            if name == "tool_calls" { "swatch series-failed" } else { "swatch series-removed" }.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use chart::Mode;
    use model::Role;
    use model::tokens::TokenCounts;

    use super::*;

    /// The value of a custom property of the style sheet: `(light, dark)` as `#rrggbb`.
    fn token(name: &str) -> (String, String) {
        let css = include_str!("../../../style/tokens.css");
        let line = css.lines().find_map(|line| line.trim().strip_prefix(&format!("--{name}:"))).unwrap().trim();
        let value = line.trim_end_matches(';').trim();
        match value.strip_prefix("light-dark(").and_then(|v| v.strip_suffix(')')) {
            Some(pair) => {
                let (light, dark) = pair.split_once(", ").unwrap();
                (light.to_owned(), dark.to_owned())
            }
            None => (value.to_owned(), value.to_owned()),
        }
    }

    fn check(name: &str, read: impl Fn(&Theme) -> Color) {
        let hex = |mode| {
            let color = read(&Theme::new(mode));
            format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2)
        };
        assert_eq!((hex(Mode::Light), hex(Mode::Dark)), token(name), "{name}");
    }

    #[test]
    fn the_style_sheet_and_the_canvases_agree() {
        check("surface", |t| t.surface);
        check("ink", |t| t.ink);
        check("accent", |t| t.accent);
        check("ok", |t| t.state(State::Ok));
        check("warn", |t| t.state(State::Warn));
        check("bad", |t| t.state(State::Bad));
        check("unknown", |t| t.unknown);
        for role in Role::ALL {
            check(&format!("role-{}", role.name()), |t| t.roles[role.index()]);
        }
        for (index, kind) in TokenCounts::KINDS.iter().enumerate() {
            check(&format!("token-{kind}"), |t| t.token(index));
        }
    }

    #[test]
    fn every_series_has_its_place_in_the_stack() {
        for metric in Metric::ALL {
            let mut places = stack(metric).to_vec();
            places.sort_unstable();
            assert_eq!(places, (0..metric.series_names().len()).collect::<Vec<_>>(), "{metric:?}");
        }
    }
}
