//! A chart's data as CSV: exact sums, with units in the head.

use model::series::Metric;

use super::data::ChartData;
use crate::civil::rfc3339;

const fn sum_unit(metric: Metric) -> &'static str {
    match metric {
        Metric::Tokens => "tokens",
        Metric::Cost => "nanodollars",
        Metric::Agents => "agent_seconds",
        Metric::Beads => "beads",
        Metric::Lines => "lines",
    }
}

/// One line per bucket in `from_s..to_s`: when it begins, how long it is, and the exact sum of every series. A gap is
/// an empty field.
pub(crate) fn csv(data: &ChartData, from_s: i64, to_s: i64) -> String {
    let unit = sum_unit(data.page.metric);
    let mut text = String::from("bucket_start,bucket_seconds");
    for series in &data.page.series {
        text.push_str(&format!(",{}_{unit}", series.name));
    }
    text.push('\n');
    for (bucket, at) in data.page.times().enumerate() {
        if at + data.page.step_s <= from_s || at >= to_s {
            continue;
        }
        text.push_str(&format!("{},{}", rfc3339(at), data.page.step_s));
        for series in 0..data.page.series.len() {
            text.push(',');
            if let Some(sum) = data.sum(series, bucket) {
                text.push_str(&sum.to_string());
            }
        }
        text.push('\n');
    }
    text
}

/// A file name that sorts by metric and begins with the town.
pub(crate) fn file_name(town: &str, data: &ChartData, from_s: i64) -> String {
    format!("{town}-{}-{}.csv", data.page.metric.name(), rfc3339(from_s).replace(':', ""))
}

#[cfg(test)]
mod tests {
    use model::series::SeriesPage;

    use super::*;

    #[test]
    fn sums_are_whole_numbers_and_gaps_are_empty() {
        let mut page = SeriesPage::empty(Metric::Cost, 1_700_000_000, 1_700_000_030, 10);
        page.series.truncate(2);
        page.series[0].sums = vec![Some(1), None, Some(3)];
        page.series[1].sums = vec![Some(-5), Some(0), Some(9)];
        let data = ChartData::new(page, 2_000_000_000);
        assert_eq!(
            csv(&data, 1_700_000_005, 1_700_000_020),
            "bucket_start,bucket_seconds,mayor_nanodollars,polecat_nanodollars\n\
             2023-11-14T22:13:20Z,10,1,-5\n2023-11-14T22:13:30Z,10,,0\n"
        );
        assert_eq!(file_name("t", &data, 1_700_000_000), "t-cost-2023-11-14T221320Z.csv");
    }
}
