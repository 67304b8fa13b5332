//! The period before, laid over what is shown: which of its buckets belongs to which, as time goes on.

use model::series::BeforePage;

use super::data::ChartData;

/// What a chart is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Before {
    /// What was then, with its own times.
    pub data: ChartData,
    /// How much earlier that was, in seconds.
    pub shift_s: i64,
    /// Where its buckets are drawn: their beginnings, moved by the shift.
    pub t: Vec<f64>,
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970, for pixels")]
impl Before {
    /// Takes over a page as of `now_s`.
    pub(crate) fn new(BeforePage { shift_s, page }: BeforePage, now_s: i64) -> Self {
        let t = page.times().map(|at| (at + shift_s) as f64).collect();
        Self { data: ChartData::new(page, now_s), shift_s, t }
    }

    /// The bucket that is compared with the one that begins at `at_s`.
    pub(crate) fn bucket_at(&self, at_s: i64) -> Option<usize> {
        self.data.page.bucket_at(at_s.checked_sub(self.shift_s)?)
    }

    /// When a bucket began.
    pub(crate) fn begins_s(&self, bucket: usize) -> Option<i64> {
        self.data.page.times().nth(bucket)
    }

    /// What the chart shows before `from_s` and is about to forget belongs to the period before from now on; what ended
    /// before that is forgotten.
    pub(crate) fn take_over(&mut self, shown: &ChartData, from_s: i64) {
        if shown.page.step_s == self.data.page.step_s {
            for (bucket, at) in shown.page.times().enumerate().take_while(|(_, at)| *at < from_s) {
                if at == self.data.page.to_s {
                    let sums = (0..shown.page.series.len()).map(|series| shown.sum(series, bucket));
                    self.data.push(sums, shown.calls(bucket));
                    self.t.push((at + self.shift_s) as f64);
                }
            }
        }
        self.data.forget_before(from_s.saturating_sub(self.shift_s));
        self.t.drain(..self.t.len() - self.data.t.len());
    }
}

#[cfg(test)]
mod tests {
    use model::series::{Metric, SeriesPage};
    use model::time::{Resolution, TimeRange, Timestamp, Window};
    use proptest::prelude::*;

    use super::*;

    /// A page whose buckets hold their own number since 1970.
    fn page(metric: Metric, from_s: i64, to_s: i64, step_s: i64) -> SeriesPage {
        let mut page = SeriesPage::empty(metric, from_s, to_s, step_s);
        let numbers: Vec<Option<i64>> = page.times().map(|at| Some(at / step_s)).collect();
        page.series.iter_mut().for_each(|series| series.sums.clone_from(&numbers));
        page
    }

    fn whole(range: TimeRange, step_s: i64) -> SeriesPage {
        page(Metric::Lines, range.from().seconds(), range.to().seconds(), step_s)
    }

    proptest! {
        #[test]
        fn every_bucket_shown_has_the_one_a_period_earlier(from in 1_000_000_000_i64..2_000_000_000, length in 1_i64..8_640_000) {
            let at = Timestamp::from_seconds;
            let range = TimeRange::new(at(from), at(from + length)).unwrap();
            let tier = range.resolution();
            let shown = range.widened_to(tier);
            let shift_s = range.before_s(tier);
            let page = whole(shown.earlier(shift_s), tier.step_s());
            let before = Before::new(BeforePage { shift_s, page }, i64::MAX);
            let shown = whole(shown, tier.step_s());
            prop_assert_eq!(before.t.len(), shown.buckets());
            for (bucket, at) in shown.times().enumerate() {
                prop_assert_eq!(before.bucket_at(at), Some(bucket));
                prop_assert_eq!(before.begins_s(bucket), Some(at - shift_s));
                prop_assert!((before.t[bucket] - at as f64).abs() < 1e-9, "drawn where it is compared");
            }
            prop_assert_eq!(before.bucket_at(shown.from_s - 1), None);
            prop_assert_eq!(before.bucket_at(shown.to_s), None);
        }

        #[test]
        fn it_follows_what_is_live_as_if_it_were_read_again(now in 1_000_000_000_i64..2_000_000_000, steps in proptest::collection::vec(1_i64..4, 0..12)) {
            let window = Window::Hour;
            let step_s = window.resolution().step_s();
            let range = |now| TimeRange::ending_now(window, Timestamp::from_seconds(now));
            let read = |now| Before::new(BeforePage { shift_s: window.seconds(), page: whole(range(now).earlier(window.seconds()), step_s) }, i64::MAX);
            let (mut now, mut shown) = (now, ChartData::new(whole(range(now), step_s), i64::MAX));
            let mut before = read(now);
            for passed in steps {
                now += passed * step_s;
                while shown.page.to_s < range(now).to().seconds() {
                    let number = Some(shown.page.to_s / step_s);
                    shown.push(std::iter::repeat_n(number, 4), None);
                }
                before.take_over(&shown, range(now).from().seconds());
                shown.forget_before(range(now).from().seconds());
                prop_assert_eq!(&before, &read(now));
            }
        }
    }

    #[test]
    fn what_is_kept_in_longer_buckets_is_compared_with_the_one_that_holds_it() {
        let step_s = Resolution::M30.step_s();
        let before = Before::new(BeforePage { shift_s: 3_600, page: page(Metric::Lines, 0, 3_600, step_s) }, i64::MAX);
        assert_eq!(
            (before.bucket_at(3_600), before.bucket_at(5_390), before.bucket_at(5_400)),
            (Some(0), Some(0), Some(1))
        );
        let mut longer = before.clone();
        longer.take_over(&ChartData::new(page(Metric::Lines, 3_600, 7_200, 10), i64::MAX), 3_700);
        assert_eq!(longer, before, "buckets of another length are not taken over");
    }

    #[test]
    fn percentiles_are_taken_over_with_their_calls() {
        let mut shown = page(Metric::Latency, 100, 120, 10);
        shown.calls = vec![Some(3), Some(4)];
        let mut before = Before::new(BeforePage { shift_s: 20, page: page(Metric::Latency, 80, 100, 10) }, i64::MAX);
        before.take_over(&ChartData::new(shown, i64::MAX), 110);
        assert_eq!((before.data.page.from_s, before.data.calls(1), before.data.sum(0, 1)), (90, Some(3), Some(10)));
        assert_eq!((before.t.as_slice(), before.data.t.len()), (&[110.0, 120.0][..], 2));
    }
}
