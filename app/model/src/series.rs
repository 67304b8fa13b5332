//! Timeseries as columns: exact sums per bucket on one shared time axis, gaps as `None`.

use serde::{Deserialize, Serialize};

use crate::aggregate::Aggregate;
use crate::id::Role;
use crate::time::{Resolution, TimeRange};
use crate::tokens::TokenCounts;

/// What a chart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Tokens by kind.
    Tokens,
    /// Cost by role.
    Cost,
    /// Agents: working and known.
    Agents,
    /// Beads created and closed.
    Beads,
    /// Lines added and removed by edits, and apart from them by commits that landed.
    Lines,
    /// How long tool calls take: percentiles.
    Latency,
    /// Tool calls and model calls that failed.
    Errors,
    /// Requests in flight: their mean, and the most at once.
    Requests,
}

impl Metric {
    /// Every metric, in the order of the page.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Tokens, Self::Cost, Self::Agents, Self::Beads, Self::Lines, Self::Latency, Self::Errors, Self::Requests];
    /// How many there are.
    pub const COUNT: usize = 8;

    /// As in addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Cost => "cost",
            Self::Agents => "agents",
            Self::Beads => "beads",
            Self::Lines => "lines",
            Self::Latency => "latency",
            Self::Errors => "errors",
            Self::Requests => "requests",
        }
    }
    /// Reads [`Metric::name`].
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == raw)
    }
    /// As a chart's title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Tokens => "Token throughput",
            Self::Cost => "Cost",
            Self::Agents => "Agent utilization",
            Self::Beads => "Bead velocity",
            Self::Lines => "Lines of code",
            Self::Latency => "Tool latency",
            Self::Errors => "Errors",
            Self::Requests => "Requests in flight",
        }
    }
    /// Unit of [`SeriesPage::value`]: flows are per second, levels are means, percentiles are what they are.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Tokens => "tokens/s",
            Self::Cost => "microdollars/s",
            Self::Agents => "agents",
            Self::Beads => "beads/s",
            Self::Lines => "lines/s",
            Self::Latency => "ms",
            Self::Errors => "errors/s",
            Self::Requests => "requests",
        }
    }
    /// What one unit of the shown value is in units of the stored sums: nanodollars are shown as microdollars,
    /// microseconds as milliseconds, thousandths of a request as requests.
    #[must_use]
    pub const fn scale(self) -> f64 {
        match self {
            Self::Cost | Self::Latency | Self::Requests => 1e-3,
            Self::Tokens | Self::Agents | Self::Beads | Self::Lines | Self::Errors => 1.0,
        }
    }
    /// Whether its numbers are sums over a bucket. Percentiles are not, nor are means: they do not add up, and have no rate.
    #[must_use]
    pub const fn adds_up(self) -> bool {
        !matches!(self, Self::Latency | Self::Requests)
    }
    /// Whether its numbers are percentiles, which say of how many calls they are.
    #[must_use]
    pub const fn is_percentile(self) -> bool {
        matches!(self, Self::Latency)
    }
    /// Names of the series, in stacking order.
    #[must_use]
    pub fn series_names(self) -> Vec<&'static str> {
        match self {
            Self::Tokens => TokenCounts::KINDS.to_vec(),
            Self::Cost => Role::ALL.map(Role::name).to_vec(),
            Self::Agents => vec!["working", "known"],
            Self::Beads => vec!["created", "closed"],
            Self::Lines => vec!["added", "removed", "landed_added", "landed_removed"],
            Self::Latency => vec!["p50", "p95"],
            Self::Errors => vec!["tool_calls", "model_calls"],
            Self::Requests => vec!["mean", "most"],
        }
    }
    /// Whether it is kept in buckets of `tier`: presence of agents is kept per minute, and sketches of latency are not,
    /// because most machines would have as many of them per minute as per 10 seconds.
    #[must_use]
    pub const fn is_kept(self, tier: Resolution) -> bool {
        match self {
            Self::Agents => !matches!(tier, Resolution::S10),
            Self::Latency => !matches!(tier, Resolution::M1),
            Self::Tokens | Self::Cost | Self::Beads | Self::Lines | Self::Errors | Self::Requests => true,
        }
    }
    /// The finest tier in which it is kept that shows `range` in at most [`MAX_POINTS`](crate::time::MAX_POINTS) points.
    #[must_use]
    pub fn tier(self, range: TimeRange) -> Resolution {
        let wanted = range.resolution();
        Resolution::ALL.into_iter().find(|tier| *tier >= wanted && self.is_kept(*tier)).unwrap_or(Resolution::H6)
    }
    /// The metric's sums out of a bucket's headline measures, in the order of [`Metric::series_names`]; none for
    /// those that need more ([`Metric::Cost`], [`Metric::Agents`], [`Metric::Latency`], [`Metric::Requests`]).
    #[must_use]
    pub fn headline(self, sum: &Aggregate) -> Option<Vec<i64>> {
        match self {
            Self::Tokens => Some(sum.tokens.to_vec()),
            Self::Beads => Some(vec![sum.beads_created, sum.beads_closed]),
            Self::Lines => {
                Some(vec![sum.lines_added, sum.lines_removed, sum.lines_landed_added, sum.lines_landed_removed])
            }
            Self::Errors => Some(vec![sum.tool_errors, sum.call_errors]),
            Self::Cost | Self::Agents | Self::Latency | Self::Requests => None,
        }
    }
}

/// One metric over a range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesPage {
    /// What it shows.
    pub metric: Metric,
    /// First bucket's beginning, seconds since 1970.
    pub from_s: i64,
    /// End of the last bucket, seconds since 1970.
    pub to_s: i64,
    /// Seconds per bucket.
    pub step_s: i64,
    /// The series; each has one value per bucket.
    pub series: Vec<Series>,
    /// Of percentiles: how many calls each bucket's are of, 0 where it is known that there were none. Else empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Option<i64>>,
    /// Spans of which something has to be said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}

/// The same of the period before ([`TimeRange::before_s`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BeforePage {
    /// How much earlier it is in seconds: what stands at `t` is compared with what was at `t - shift_s`. Whole buckets,
    /// and elapsed time: across a change of clocks the same hour of the day is an hour off.
    pub shift_s: i64,
    /// What was then. Its buckets are longer where finer ones are not kept for so long.
    pub page: SeriesPage,
}

/// A span of a chart of which something has to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Beginning, seconds since 1970.
    pub from_s: i64,
    /// End, seconds since 1970.
    pub to_s: i64,
    /// What happened.
    pub kind: MarkKind,
    /// When it happened, seconds since 1970.
    pub at_s: i64,
    /// In words.
    pub note: String,
}

/// What happened to a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// Its calls were priced again.
    Repriced,
}

/// One line or layer of a chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// As in the legend.
    pub name: String,
    /// Exact sums per bucket (tokens, nanodollars, lines, beads, agent-seconds, errors), percentiles in microseconds, or thousandths of requests;
    /// `None` where nothing is known, and where there is nothing to take a percentile of.
    pub sums: Vec<Option<i64>>,
}

impl SeriesPage {
    /// A page of gaps, to be filled.
    #[must_use]
    pub fn empty(metric: Metric, from_s: i64, to_s: i64, step_s: i64) -> Self {
        let buckets = usize::try_from((to_s - from_s) / step_s.max(1)).unwrap_or_default();
        let series = metric
            .series_names()
            .into_iter()
            .map(|name| Series { name: name.to_owned(), sums: vec![None; buckets] })
            .collect();
        let calls = if metric.is_percentile() { vec![None; buckets] } else { Vec::new() };
        Self { metric, from_s, to_s, step_s, series, calls, marks: Vec::new() }
    }
    /// Number of buckets.
    #[must_use]
    pub fn buckets(&self) -> usize {
        usize::try_from((self.to_s - self.from_s) / self.step_s.max(1)).unwrap_or_default()
    }
    /// Beginnings of the buckets, seconds since 1970.
    pub fn times(&self) -> impl Iterator<Item = i64> + '_ {
        (self.from_s..self.to_s).step_by(usize::try_from(self.step_s.max(1)).unwrap_or(1))
    }
    /// Position of the bucket that holds `at_s`.
    #[must_use]
    pub fn bucket_at(&self, at_s: i64) -> Option<usize> {
        if at_s < self.from_s || at_s >= self.to_s {
            return None;
        }
        usize::try_from((at_s - self.from_s) / self.step_s.max(1)).ok()
    }
    /// The value that is shown for a sum: per second for flows, the mean for levels, a percentile as it is, in
    /// [`Metric::unit`].
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "display only; the exact sum stands beside it")]
    pub fn value(&self, sum: i64) -> f64 {
        let per = if self.metric.adds_up() { self.step_s.max(1) as f64 } else { 1.0 };
        sum as f64 * self.metric.scale() / per
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Timestamp, Window};

    #[test]
    fn a_page_has_one_slot_per_bucket() {
        let page = SeriesPage::empty(Metric::Tokens, 100, 160, 10);
        assert_eq!(page.buckets(), 6);
        assert_eq!(page.times().collect::<Vec<_>>(), [100, 110, 120, 130, 140, 150]);
        assert!(page.series.iter().all(|s| s.sums.len() == 6));
        assert_eq!(
            (page.bucket_at(99), page.bucket_at(100), page.bucket_at(159), page.bucket_at(160)),
            (None, Some(0), Some(5), None)
        );
    }

    #[test]
    fn a_percentile_is_what_it_is_in_a_bucket_of_any_length() {
        let page = SeriesPage::empty(Metric::Latency, 0, 3_600, 1_800);
        assert!((page.value(2_400_000) - 2_400.0).abs() < 1e-9);
        assert_eq!(page.calls, [None, None]);
        assert!(SeriesPage::empty(Metric::Errors, 0, 20, 10).calls.is_empty());
    }

    #[test]
    fn a_metric_is_read_from_the_finest_tier_that_fits_and_is_kept() {
        let tiers = |metric: Metric| {
            Window::ALL.map(|window| metric.tier(TimeRange::ending_now(window, Timestamp::from_seconds(1_700_000_000))))
        };
        use Resolution::{H6, M1, M5, M30, S10};
        assert_eq!(tiers(Metric::Tokens), [S10, M1, M5, M30]);
        assert_eq!(tiers(Metric::Errors), [S10, M1, M5, M30]);
        assert_eq!(tiers(Metric::Agents), [M1, M1, M5, M30]);
        assert_eq!(tiers(Metric::Latency), [S10, M5, M5, M30]);
        let year = TimeRange::new(Timestamp::from_seconds(0), Timestamp::from_seconds(366 * 86_400)).unwrap();
        assert_eq!(Metric::Latency.tier(year), H6);
    }

    #[test]
    fn money_is_shown_in_microdollars_per_second() {
        let page = SeriesPage::empty(Metric::Cost, 0, 10, 10);
        assert!((page.value(25_000_000) - 2_500.0).abs() < 1e-9);
    }
}
