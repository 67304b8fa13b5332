//! How values of a chart read: exact sums, rates, and a chart in one paragraph for those who cannot see it.

use model::format::{compact, duration, exact, grouped};
use model::series::Metric;
use model::unit::Nanodollars;

use super::data::ChartData;

/// A series' name as people read it.
pub(crate) fn series_label(name: &str) -> String {
    match name {
        "cache_write_5m" => "cache write 5 min".to_owned(),
        "cache_write_1h" => "cache write 1 h".to_owned(),
        "p50" | "p95" => name.to_ascii_uppercase(),
        other => other.replace('_', " "),
    }
}

/// The unit of the axis.
pub(crate) const fn axis_unit(metric: Metric) -> &'static str {
    match metric {
        Metric::Tokens => "tokens/s",
        Metric::Cost => "µ$/s",
        Metric::Agents => "agents",
        Metric::Beads => "beads/h",
        Metric::Lines => "lines/s",
        Metric::Latency => "s",
        Metric::Errors => "errors/min",
        Metric::Requests => "requests",
    }
}

/// The exact sum of a bucket with its unit, or its percentile; money to the microdollar.
pub(crate) fn exact_sum(metric: Metric, sum: i64) -> String {
    match metric {
        Metric::Cost => microdollars(Nanodollars(sum)),
        Metric::Agents => format!("{} agent-s", grouped(sum)),
        Metric::Latency => duration(sum.max(0).cast_unsigned()),
        Metric::Requests => format!("{}.{:03}", grouped(sum / 1_000), sum % 1_000),
        Metric::Tokens | Metric::Beads | Metric::Lines | Metric::Errors => grouped(sum),
    }
}

/// Dollars with six decimals: exact to the microdollar.
pub(crate) fn microdollars(amount: Nanodollars) -> String {
    let micros = amount.microdollars();
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let whole = grouped((micros / 1_000_000).cast_signed());
    format!("{sign}${whole}.{:06}", micros % 1_000_000)
}

/// A value on the axis in full, without its unit.
pub(crate) fn exact_value(value: f64) -> String {
    exact(value, if value.abs() < 1.0 { 4 } else { 1 })
}

/// A value on the axis, short.
pub(crate) fn short_value(metric: Metric, value: Option<f64>) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds, of calls")]
    let read =
        |value: f64| if metric == Metric::Latency { duration((value * 1e6).round() as u64) } else { compact(value) };
    value.map_or_else(|| "–".to_owned(), read)
}

/// The figure at the right of a chart's title: the total of what adds up, the first series where nothing does.
pub(crate) fn headline(data: &ChartData, bucket: Option<usize>) -> Option<f64> {
    let bucket = bucket?;
    match data.page.metric {
        Metric::Agents | Metric::Requests => data.value(0, bucket),
        Metric::Beads | Metric::Latency => data.value(1, bucket),
        metric @ (Metric::Tokens | Metric::Cost | Metric::Lines | Metric::Errors) => {
            let values: Vec<f64> =
                (0..parts(metric, data.values.len())).filter_map(|series| data.value(series, bucket)).collect();
            (!values.is_empty()).then(|| values.iter().sum())
        }
    }
}

/// How many of the series make up the total: what landed was edited before, it does not count twice.
const fn parts(metric: Metric, series: usize) -> usize {
    if matches!(metric, Metric::Lines) { 2 } else { series }
}

/// The exact sum of all series in a bucket; none where they do not add up to anything.
pub(crate) fn total(data: &ChartData, bucket: usize) -> Option<i64> {
    let metric = data.page.metric;
    if matches!(metric, Metric::Agents | Metric::Beads | Metric::Latency | Metric::Requests) {
        return None;
    }
    let sums = (0..parts(metric, data.page.series.len())).filter_map(|series| data.sum(series, bucket));
    sums.fold(None, |total: Option<i64>, sum| Some(total.unwrap_or_default().saturating_add(sum)))
}

/// What a series is in a bucket, in full, or why there is nothing: nothing is known, or nothing ran.
pub(crate) fn exact_or_why_not(data: &ChartData, series: usize, bucket: Option<usize>) -> String {
    match bucket.map(|bucket| (data.sum(series, bucket), data.calls(bucket))) {
        Some((Some(sum), _)) => exact_sum(data.page.metric, sum),
        Some((None, Some(_))) => "no calls".to_owned(),
        _ => "no data".to_owned(),
    }
}

/// What there is to say of a bucket of the period before, which began at `when`: `before: $12.34, Nov 20 14:00:00`.
pub(crate) fn before(data: &ChartData, bucket: usize, when: &str) -> String {
    let metric = data.page.metric;
    match total(data, bucket) {
        Some(sum) => format!("before: {}, {when}", exact_sum(metric, sum)),
        None => format!("before: {when}"),
    }
}

/// How many calls the percentiles of a bucket are of.
pub(crate) fn of_calls(data: &ChartData, bucket: usize) -> Option<String> {
    match data.calls(bucket)? {
        0 => None,
        1 => Some("of 1 call".to_owned()),
        calls => Some(format!("of {} calls", grouped(calls))),
    }
}

/// What stands in a chart of which all is known to be nothing.
pub(crate) const fn quiet(metric: Metric) -> &'static str {
    match metric {
        Metric::Latency => "No tool was timed in this range",
        Metric::Errors => "No errors in this range",
        Metric::Requests => "No request was in flight in this range",
        _ => "Nothing happened in this range",
    }
}

/// What the headline figure is.
pub(crate) const fn headline_label(metric: Metric) -> &'static str {
    match metric {
        Metric::Agents => "working",
        Metric::Beads => "closed",
        Metric::Lines => "edited",
        Metric::Latency => "P95",
        Metric::Requests => "mean",
        Metric::Tokens | Metric::Cost | Metric::Errors => "total",
    }
}

/// What there is to say of a stretch of the chart, the newest first: when it happened (`when` spells it), and what.
pub(crate) fn marked(data: &ChartData, from_s: i64, to_s: i64, when: impl Fn(i64) -> String) -> Option<String> {
    let within = data.page.marks.iter().filter(|mark| mark.from_s < to_s && mark.to_s > from_s);
    let said: Vec<String> = within.take(3).map(|mark| format!("{}: {}", when(mark.at_s), mark.note)).collect();
    (!said.is_empty()).then(|| said.join(" · "))
}

/// The chart in a paragraph: per series its total, highest and latest.
pub(crate) fn summary(data: &ChartData, range: &str) -> String {
    let metric = data.page.metric;
    if data.is_empty() {
        return format!("{}, {range}: nothing recorded.", metric.title());
    }
    if data.is_quiet() && data.page.marks.is_empty() {
        return format!("{}, {range}: {}.", metric.title(), quiet(metric));
    }
    let mut text =
        format!("{} in {}, {range}, in steps of {}.", metric.title(), axis_unit(metric), step(data.page.step_s));
    for (index, series) in data.page.series.iter().enumerate() {
        let column = data.values.get(index).map_or(&[][..], |column| column);
        let mut known = column.iter().copied().filter(|v| v.is_finite());
        let highest = known.clone().fold(f64::NAN, f64::max);
        if !highest.is_finite() || (highest == 0.0 && series.sums.iter().flatten().all(|sum| *sum == 0)) {
            continue;
        }
        let sum: i64 = series.sums.iter().flatten().copied().fold(0, i64::saturating_add);
        let latest = known.next_back();
        text.push_str(&format!(
            " {}: highest {}, latest {}",
            series_label(&series.name),
            short_value(metric, Some(highest)),
            short_value(metric, latest)
        ));
        if metric != Metric::Agents && metric.adds_up() {
            text.push_str(&format!(", in all {}", exact_sum(metric, sum)));
        }
        text.push('.');
    }
    for mark in &data.page.marks {
        text.push_str(&format!(" {}.", mark.note));
    }
    text
}

/// A step of time: `10 s`, `5 min`, `6 h`.
pub(crate) fn step(step_s: i64) -> String {
    match step_s {
        s if s % 3_600 == 0 => format!("{} h", s / 3_600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use model::series::SeriesPage;

    use super::*;

    #[test]
    fn sums_are_exact_to_the_microdollar() {
        assert_eq!(exact_sum(Metric::Cost, 1_234_567_890_123), "$1,234.567890");
        assert_eq!(exact_sum(Metric::Cost, 999), "$0.000001");
        assert_eq!(exact_sum(Metric::Cost, -2_500_000), "-$0.002500");
        assert_eq!(exact_sum(Metric::Tokens, 1_234_567), "1,234,567");
        assert_eq!(exact_sum(Metric::Agents, 438), "438 agent-s");
        assert_eq!(exact_sum(Metric::Errors, 1_002), "1,002");
        assert_eq!(exact_sum(Metric::Latency, 2_412_000), "2.4 s");
    }

    #[test]
    fn the_period_before_is_told_with_its_total_and_its_time() {
        let mut page = SeriesPage::empty(Metric::Cost, 0, 20, 10);
        page.series[0].sums = vec![Some(12_000_000_000), None];
        page.series[1].sums = vec![Some(340_000_000), None];
        let data = ChartData::new(page, 10_000);
        assert_eq!(before(&data, 0, "Nov 20 14:00:00"), "before: $12.340000, Nov 20 14:00:00");
        assert_eq!(before(&data, 1, "Nov 20 14:00:10"), "before: Nov 20 14:00:10", "nothing is known of it");
        let mut page = SeriesPage::empty(Metric::Latency, 0, 10, 10);
        page.series[0].sums = vec![Some(5)];
        page.calls = vec![Some(1_200)];
        let data = ChartData::new(page, 10_000);
        assert_eq!(before(&data, 0, "Nov 20 14:00:00"), "before: Nov 20 14:00:00", "percentiles do not add up");
        assert_eq!(of_calls(&data, 0).as_deref(), Some("of 1,200 calls"));
        let told = |series, bucket| exact_or_why_not(&data, series, bucket);
        assert_eq!((told(0, Some(0)).as_str(), told(0, None).as_str()), ("5 µs", "no data"));
        assert_eq!(told(1, Some(0)), "no calls", "it is known that nothing ran");
    }

    #[test]
    fn a_chart_can_be_told() {
        let mut page = SeriesPage::empty(Metric::Lines, 0, 30, 10);
        page.series[0].sums = vec![Some(50), None, Some(20)];
        page.series[1].sums = vec![Some(0), None, Some(0)];
        let data = ChartData::new(page, 10_000);
        let told = summary(&data, "the last 1 h");
        assert_eq!(
            told,
            "Lines of code in lines/s, the last 1 h, in steps of 10 s. added: highest 5, latest 2, in all 70."
        );
        let mut page = SeriesPage::empty(Metric::Latency, 0, 20, 10);
        page.series[1].sums = vec![Some(90_000), Some(41_000)];
        page.calls = vec![Some(2), Some(1)];
        assert_eq!(
            summary(&ChartData::new(page.clone(), 10_000), "the last 1 h"),
            "Tool latency in s, the last 1 h, in steps of 10 s. P95: highest 90 ms, latest 41 ms."
        );
        (page.series[1].sums, page.calls) = (vec![None; 2], vec![Some(0); 2]);
        let quiet = summary(&ChartData::new(page, 10_000), "the last 1 h");
        assert_eq!(quiet, "Tool latency, the last 1 h: No tool was timed in this range.");
        let empty = ChartData::new(SeriesPage::empty(Metric::Beads, 0, 30, 10), 10_000);
        assert_eq!(summary(&empty, "the last 1 h"), "Bead velocity, the last 1 h: nothing recorded.");
    }

    #[test]
    fn what_was_repriced_is_told_where_it_was() {
        use model::series::{Mark, MarkKind};
        let mut page = SeriesPage::empty(Metric::Cost, 0, 30, 10);
        page.series[0].sums = vec![Some(50), None, Some(20)];
        let note = "2 of 3 calls repriced".to_owned();
        page.marks = vec![Mark { from_s: 12, to_s: 20, kind: MarkKind::Repriced, at_s: 99, note }];
        let data = ChartData::new(page, 10_000);
        let said = |from_s: i64| marked(&data, from_s, from_s + 10, |at_s| format!("at {at_s}"));
        assert_eq!((said(0), said(20)), (None, None));
        assert_eq!(said(10).as_deref(), Some("at 99: 2 of 3 calls repriced"));
        assert!(summary(&data, "the last 1 h").ends_with(" 2 of 3 calls repriced."));
    }

    #[test]
    fn the_headline_is_a_total_only_where_series_add_up() {
        let mut page = SeriesPage::empty(Metric::Agents, 0, 60, 60);
        page.series[0].sums = vec![Some(180)];
        page.series[1].sums = vec![Some(720)];
        assert_eq!(headline(&ChartData::new(page, 10_000), Some(0)), Some(3.0));
        let mut page = SeriesPage::empty(Metric::Lines, 0, 60, 60);
        for (series, sum) in page.series.iter_mut().zip([180, 60, 600, 0]) {
            series.sums = vec![Some(sum)];
        }
        assert_eq!(headline(&ChartData::new(page, 10_000), Some(0)), Some(4.0), "landed lines were edited before");
    }
}
