//! The right edge of a page out of the hub: exact at once, where the coarser tiers follow a second later.

use model::series::{Metric, SeriesPage};
use model::time::Timestamp;
use model::wire::Edge;

/// Puts the hub's newest buckets over those of the database.
pub fn overlay(page: &mut SeriesPage, edges: &[Edge], now: Timestamp) {
    // A bucket that is empty in the hub says nothing: it may lie before the first start.
    let shown = |edge: &&Edge| edge.step_s == page.step_s && edge.from_s <= now.seconds() && !edge.sum.is_zero();
    for edge in edges.iter().filter(shown) {
        let sums = match page.metric {
            Metric::Cost => edge.cost_by_role.iter().map(|cost| cost.0).collect(),
            metric => match metric.headline(&edge.sum) {
                Some(sums) => sums,
                // Agents: the worker makes them out of presence.
                None => continue,
            },
        };
        let Some(place) = page.bucket_at(edge.from_s) else { continue };
        for (series, sum) in page.series.iter_mut().zip(sums) {
            if let Some(slot) = series.sums.get_mut(place) {
                *slot = Some(sum);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use model::{Aggregate, Nanodollars};

    use super::*;

    #[test]
    fn the_newest_bucket_comes_from_the_hub() {
        let mut page = SeriesPage::empty(Metric::Lines, 0, 120, 60);
        let sum = Aggregate { lines_added: 7, lines_removed: 2, lines_landed_added: 5, ..Aggregate::default() };
        let edge = |step_s, from_s| Edge { step_s, from_s, sum, cost_by_role: [Nanodollars::ZERO; 7] };
        overlay(&mut page, &[edge(60, 60), edge(10, 0), edge(60, 6_000)], Timestamp::from_seconds(70));
        assert_eq!(page.series[0].sums, [None, Some(7)]);
        assert_eq!(page.series[1].sums, [None, Some(2)]);
        assert_eq!(page.series[2].sums, [None, Some(5)]);
    }
}
