//! What a layer of series will draw, decimated and kept until data, range or size change.

use plotters_backend::BackendCoord;

use crate::decimate::{Columns, Pick, decimate};
use crate::layout::{Layout, Plot};
use crate::pen::fine;
use crate::stack::{push_tops, total};
use crate::viewport::TimeRange;

/// How series are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// One line per series, joined at the centres of the buckets.
    #[default]
    Lines,
    /// Areas on top of each other, the first at the bottom.
    Stacked,
    /// One bar per series side by side in each bucket. Buckets too narrow to see are averaged.
    Bars,
}

/// The narrowest group of bars, gap included, in CSS pixels.
const SLOT_PX: f64 = 7.0;

/// Points of a chart's series. Its buffers are reused: after the first frame an update allocates nothing.
#[derive(Debug, Default)]
pub struct Prepared {
    pub(crate) kind: Kind,
    pub(crate) layers: Vec<Layer>,
    /// Length in seconds of a bar's slot: one or several buckets.
    pub(crate) slot_s: f64,
    max: f64,
    placed: Option<Plot>,
    tops: Vec<f64>,
}

/// One series: decimated in its own units, then placed on the fine grid.
#[derive(Debug, Default)]
pub(crate) struct Layer {
    t: Vec<f64>,
    v: Vec<f64>,
    pub(crate) points: Vec<BackendCoord>,
    /// Ends of the uninterrupted stretches of `points`, ascending.
    pub(crate) run_ends: Vec<usize>,
}

impl Prepared {
    /// Empty: draws nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in what `range` shows of the data. Returns the largest value (of the stack, where stacked) for choosing
    /// the y axis; 0 when there is nothing to see.
    // Not inlined: the client is built for size, and this crate for speed, but a function has one way only.
    #[inline(never)]
    pub fn update(&mut self, kind: Kind, columns: &Columns<'_>, range: TimeRange, layout: &Layout) -> f64 {
        self.kind = kind;
        self.placed = None;
        self.layers.resize_with(columns.series.len(), Layer::default);
        self.layers.iter_mut().for_each(Layer::clear);
        let px = layout.plot.width().ceil() as usize;
        match kind {
            Kind::Lines => self.update_lines(columns, range, px),
            Kind::Stacked => self.update_stack(columns, range, px),
            Kind::Bars => self.update_bars(columns, range, layout.plot.width()),
        }
        let values = self.layers.iter().flat_map(|layer| layer.v.iter().copied());
        self.max = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
        self.max
    }

    /// The largest value of the last update.
    pub fn max(&self) -> f64 {
        self.max
    }

    fn update_lines(&mut self, columns: &Columns<'_>, range: TimeRange, px: usize) {
        for (series, layer) in self.layers.iter_mut().enumerate() {
            let column = columns.series[series];
            let v = |i: usize| column.get(i).copied().unwrap_or(f64::NAN);
            decimate(columns, range, px, v, |pick| match pick {
                Pick::At(i) => layer.push(columns.center(i), v(i)),
                Pick::Between(a, b, share) => {
                    layer.push(mix(columns.center(a), columns.center(b), share), mix(v(a), v(b), share));
                }
                Pick::Gap => layer.push(f64::NAN, f64::NAN),
            });
        }
    }

    /// All layers keep the same buckets, those of the total's extremes: so their edges never cross.
    fn update_stack(&mut self, columns: &Columns<'_>, range: TimeRange, px: usize) {
        let Self { layers, tops, .. } = self;
        let count = layers.len();
        decimate(
            columns,
            range,
            px,
            |i| total(columns, i),
            |pick| {
                tops.clear();
                let t = match pick {
                    Pick::At(i) => {
                        push_tops(columns, i, tops);
                        columns.center(i)
                    }
                    Pick::Between(a, b, share) => {
                        push_tops(columns, a, tops);
                        push_tops(columns, b, tops);
                        for k in 0..count {
                            tops[k] = mix(tops[k], tops[count + k], share);
                        }
                        mix(columns.center(a), columns.center(b), share)
                    }
                    Pick::Gap => {
                        tops.resize(count, f64::NAN);
                        f64::NAN
                    }
                };
                layers.iter_mut().zip(&*tops).for_each(|(layer, top)| layer.push(t, *top));
            },
        );
    }

    /// Slots are aligned to whole multiples of their length, so that bars do not change as time moves on.
    fn update_bars(&mut self, columns: &Columns<'_>, range: TimeRange, width_px: f64) {
        let step = if columns.step_s.is_finite() && columns.step_s > 0.0 { columns.step_s } else { 1.0 };
        let px_per_s = width_px / range.span_s();
        let merged = (SLOT_PX / (step * px_per_s)).ceil();
        self.slot_s = step * if merged.is_finite() { merged.clamp(1.0, 1e9) } else { 1.0 };
        let slot_s = self.slot_s;
        let slot_of = |t: f64| (t / slot_s).floor();
        let start = columns.t.partition_point(|t| slot_of(*t) < slot_of(range.from_s));
        let end = columns.t.partition_point(|t| *t < range.to_s).max(start);
        for (series, layer) in self.layers.iter_mut().enumerate() {
            let (mut slot, mut sum, mut count) = (f64::NAN, 0.0, 0.0);
            for i in start..=end {
                let now = if i < end { slot_of(columns.t[i]) } else { f64::NAN };
                if now != slot {
                    if count > 0.0 {
                        layer.push(slot * slot_s, sum / count);
                    }
                    (slot, sum, count) = (now, 0.0, 0.0);
                }
                let v = columns.value(series, i);
                if v.is_finite() && i < end {
                    sum += v;
                    count += 1.0;
                }
            }
        }
    }

    /// Places the points on a plot; nothing to do while the plot is the same.
    pub(crate) fn place(&mut self, plot: &Plot) {
        if self.placed == Some(*plot) {
            return;
        }
        self.placed = Some(*plot);
        // Layers of a stack must keep their points in step.
        let keep_all = self.kind == Kind::Stacked;
        self.layers.iter_mut().for_each(|layer| layer.place(plot, keep_all));
    }

    /// Bars of one series: start of the slot in seconds, and value.
    pub(crate) fn bars(&self, series: usize) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.layers[series].t.iter().copied().zip(self.layers[series].v.iter().copied())
    }
}

impl Layer {
    fn clear(&mut self) {
        self.t.clear();
        self.v.clear();
    }

    fn push(&mut self, t: f64, v: f64) {
        self.t.push(t);
        self.v.push(v);
    }

    fn place(&mut self, plot: &Plot, keep_all: bool) {
        self.points.clear();
        self.run_ends.clear();
        let mut run_start = 0;
        for (t, v) in self.t.iter().zip(&self.v) {
            if !v.is_finite() {
                if self.points.len() > run_start {
                    run_start = self.points.len();
                    self.run_ends.push(run_start);
                }
                continue;
            }
            let point = fine(plot.point(*t, *v));
            if keep_all || self.points.len() == run_start || self.points.last() != Some(&point) {
                self.points.push(point);
            }
        }
        if self.points.len() > run_start {
            self.run_ends.push(self.points.len());
        }
    }

    /// The uninterrupted stretches, as ranges of `points`.
    pub(crate) fn runs(&self) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let starts = std::iter::once(0).chain(self.run_ends.iter().copied());
        starts.zip(&self.run_ends).map(|(from, to)| from..*to)
    }
}

fn mix(a: f64, b: f64, share: f64) -> f64 {
    a + (b - a) * share
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Gutters;

    fn prepare(kind: Kind, t: &[f64], series: &[&[f64]], range: TimeRange) -> (Prepared, f64) {
        let layout = Layout::new(200.0, 100.0, &Gutters::default());
        let mut prepared = Prepared::new();
        let max = prepared.update(kind, &Columns { t, step_s: 10.0, series }, range, &layout);
        prepared.place(&Plot::new(layout, range, max));
        (prepared, max)
    }

    #[test]
    fn the_largest_visible_value_sets_the_axis() {
        let t = [0.0, 10.0, 20.0, 30.0];
        let (a, b): (&[f64], &[f64]) = (&[1.0, 2.0, 3.0, 90.0], &[5.0, f64::NAN, 1.0, 90.0]);
        let range = TimeRange::new(0.0, 26.0);
        assert_eq!(prepare(Kind::Stacked, &t, &[a, b], TimeRange::new(0.0, 25.0)).1, 6.0);
        assert_eq!(prepare(Kind::Bars, &t, &[a, b], range).1, 5.0);
        assert_eq!(prepare(Kind::Lines, &t, &[], range).1, 0.0);
        assert_eq!(prepare(Kind::Lines, &[], &[&[]], range).1, 0.0);
    }

    #[test]
    fn gaps_part_runs_and_single_points_remain() {
        let v = [1.0, f64::NAN, 1.0, f64::NAN];
        let (prepared, _) = prepare(Kind::Lines, &[0.0, 10.0, 20.0, 30.0], &[&v], TimeRange::new(0.0, 40.0));
        let runs: Vec<_> = prepared.layers[0].runs().collect();
        assert_eq!(runs, [0..1, 1..2]);
    }

    #[test]
    fn layers_of_a_stack_keep_in_step() {
        let t: Vec<f64> = (0..1_000).map(|i| f64::from(i) * 10.0).collect();
        let v: Vec<f64> = (0..1_000).map(|i| if i % 97 == 0 { f64::NAN } else { f64::from(i % 7) }).collect();
        let (prepared, _) = prepare(Kind::Stacked, &t, &[&v, &v, &v], TimeRange::new(105.0, 9_000.0));
        let [a, b, c] = &prepared.layers[..] else { panic!("three layers") };
        assert_eq!((a.points.len(), &a.run_ends), (b.points.len(), &c.run_ends));
        assert!(a.points.iter().zip(&b.points).all(|(a, b)| a.0 == b.0 && a.1 >= b.1));
    }

    #[test]
    fn narrow_buckets_share_a_bar_of_their_mean() {
        let t: Vec<f64> = (0..100).map(|i| f64::from(i) * 10.0).collect();
        let v: Vec<f64> = (0..100).map(|i| f64::from(i % 2) * 2.0).collect();
        let (prepared, _) = prepare(Kind::Bars, &t, &[&v], TimeRange::new(0.0, 1_000.0));
        assert_eq!(prepared.slot_s, 60.0);
        let bars: Vec<_> = prepared.bars(0).collect();
        assert_eq!(bars.len(), 17);
        assert!(bars.iter().all(|(t, v)| t % 60.0 == 0.0 && *v == 1.0), "{bars:?}");
    }
}
