//! A chart's data as CSV: exact sums, with units in the head.

use model::series::Metric;

use super::before::Before;
use super::data::ChartData;
use crate::civil::rfc3339;

const fn sum_unit(metric: Metric) -> &'static str {
    match metric {
        Metric::Tokens => "tokens",
        Metric::Cost => "nanodollars",
        Metric::Agents => "agent_seconds",
        Metric::Beads => "beads",
        Metric::Lines => "lines",
        Metric::Latency => "microseconds",
        Metric::Errors => "errors",
        Metric::Requests => "thousandths_of_requests",
    }
}

/// One line per bucket in `from_s..to_s`: when it begins, how long it is, and the exact sum of every series; behind them
/// the same of the period before where that is shown. A gap is an empty field.
pub(crate) fn csv(data: &ChartData, before: Option<&Before>, from_s: i64, to_s: i64) -> String {
    let mut text = String::from("bucket_start,bucket_seconds");
    heads(&mut text, data, "");
    if let Some(before) = before {
        text.push_str(",before_start,before_seconds");
        heads(&mut text, &before.data, "before_");
    }
    text.push('\n');
    for (bucket, at) in data.page.times().enumerate() {
        if at + data.page.step_s <= from_s || at >= to_s {
            continue;
        }
        text.push_str(&format!("{},{}", rfc3339(at), data.page.step_s));
        figures(&mut text, data, Some(bucket));
        if let Some(before) = before {
            let bucket = before.bucket_at(at);
            match bucket.and_then(|bucket| before.begins_s(bucket)) {
                Some(begins_s) => text.push_str(&format!(",{},{}", rfc3339(begins_s), before.data.page.step_s)),
                None => text.push_str(",,"),
            }
            figures(&mut text, &before.data, bucket);
        }
        text.push('\n');
    }
    text
}

fn heads(text: &mut String, data: &ChartData, prefix: &str) {
    let unit = sum_unit(data.page.metric);
    for series in &data.page.series {
        text.push_str(&format!(",{prefix}{}_{unit}", series.name));
    }
    if data.page.metric.is_percentile() {
        text.push_str(&format!(",{prefix}calls"));
    }
}

fn figures(text: &mut String, data: &ChartData, bucket: Option<usize>) {
    let mut put = |figure: Option<i64>| {
        text.push(',');
        text.extend(figure.map(|figure| figure.to_string()));
    };
    (0..data.page.series.len()).for_each(|series| put(bucket.and_then(|bucket| data.sum(series, bucket))));
    if data.page.metric.is_percentile() {
        put(bucket.and_then(|bucket| data.calls(bucket)));
    }
}

/// A file name that sorts by metric and begins with the town.
pub(crate) fn file_name(town: &str, data: &ChartData, from_s: i64) -> String {
    format!("{town}-{}-{}.csv", data.page.metric.name(), rfc3339(from_s).replace(':', ""))
}

#[cfg(test)]
mod tests {
    use model::series::{BeforePage, SeriesPage};

    use super::*;

    #[test]
    fn the_period_before_stands_behind_with_its_own_times() {
        let mut page = SeriesPage::empty(Metric::Latency, 1_700_000_000, 1_700_000_020, 10);
        page.series[1].sums = vec![None, Some(1_500)];
        page.calls = vec![Some(0), Some(2)];
        let mut then = SeriesPage::empty(Metric::Latency, 1_699_999_980, 1_700_000_000, 10);
        then.series[0].sums[0] = Some(7);
        let before = Before::new(BeforePage { shift_s: 20, page: then }, 2_000_000_000);
        assert_eq!(
            csv(&ChartData::new(page, 2_000_000_000), Some(&before), 1_700_000_000, 1_700_000_020),
            "bucket_start,bucket_seconds,p50_microseconds,p95_microseconds,calls,before_start,before_seconds,\
             before_p50_microseconds,before_p95_microseconds,before_calls\n\
             2023-11-14T22:13:20Z,10,,,0,2023-11-14T22:13:00Z,10,7,,\n\
             2023-11-14T22:13:30Z,10,,1500,2,2023-11-14T22:13:10Z,10,,,\n"
        );
    }

    #[test]
    fn sums_are_whole_numbers_and_gaps_are_empty() {
        let mut page = SeriesPage::empty(Metric::Cost, 1_700_000_000, 1_700_000_030, 10);
        page.series.truncate(2);
        page.series[0].sums = vec![Some(1), None, Some(3)];
        page.series[1].sums = vec![Some(-5), Some(0), Some(9)];
        let data = ChartData::new(page, 2_000_000_000);
        assert_eq!(
            csv(&data, None, 1_700_000_005, 1_700_000_020),
            "bucket_start,bucket_seconds,mayor_nanodollars,polecat_nanodollars\n\
             2023-11-14T22:13:20Z,10,1,-5\n2023-11-14T22:13:30Z,10,,0\n"
        );
        assert_eq!(file_name("t", &data, 1_700_000_000), "t-cost-2023-11-14T221320Z.csv");
    }
}
