//! Whatever the data and however small the canvas: drawing neither fails nor panics, and writes only numbers.

use chart::{
    AxesSpec, Columns, Crosshair, FineBackend, GaugeSpec, Gutters, Kind, Layout, Mark, Mode, Pattern, Plot, Prepared,
    SeriesStyle, SparkSpec, State, TankSpec, Theme, TimeRange, Unit, Zone, axis_max, draw_axes, draw_crosshair,
    draw_gauge, draw_selection, draw_series, draw_spans, draw_sparkline, draw_tank,
};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use proptest::prelude::*;

type Area<'a> = DrawingArea<FineBackend<SVGBackend<'a>>, Shift>;

fn svg(width: f64, height: f64, draw: impl FnOnce(&Area<'_>)) -> String {
    let mut out = String::new();
    let area = FineBackend::new(SVGBackend::with_string(&mut out, (8, 8)), width, height).into_area();
    draw(&area);
    area.present().expect("an SVG in memory");
    drop(area);
    assert!(!out.contains("NaN") && !out.contains("inf"), "{out}");
    out
}

/// Every kind of number, the awkward ones often.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 0f64..1e6,
        1 => any::<f64>(),
        1 => prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(0.0), Just(-1.0), Just(1e300), Just(1e-300)],
    ]
}

fn size() -> impl Strategy<Value = f64> {
    prop_oneof![0f64..20.0, 20f64..400.0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn instruments_draw_anything(
        width in size(), height in size(), position in prop::option::of(number()), max in number(),
        (from, to) in (number(), number()), sweep in number(), values in prop::collection::vec(number(), 0..40), stale: bool,
    ) {
        let theme = Theme::new(if stale { Mode::Light } else { Mode::Dark });
        let zones = [Zone { from, to, state: State::Warn }];
        for unit in [Unit::Number, Unit::Count, Unit::Nanodollars, Unit::Share, Unit::Microseconds] {
            let spec = GaugeSpec { position, max, unit, zones: &zones, color: None, stale, sweep_deg: sweep };
            svg(width, height, |area| draw_gauge(area, &spec, &theme).unwrap());
        }
        svg(width, height, |area| draw_tank(area, &TankSpec { level: position, stale }, &theme).unwrap());
        let spark = SparkSpec { values: &values, max: position, color: None, stale };
        svg(width, height, |area| draw_sparkline(area, &spark, &theme).unwrap());
    }

    #[test]
    fn charts_draw_anything(
        width in size(), height in size(), a in prop::collection::vec(number(), 0..60), b in prop::collection::vec(number(), 0..60),
        from in -100f64..700.0, span in 0.001f64..1_000.0, step in prop_oneof![Just(10.0), Just(0.0), number()],
        y_max in prop::option::of(number()), pattern in 0usize..4, broken_range: bool, broken in number(),
    ) {
        let theme = Theme::new(Mode::Dark);
        let t: Vec<f64> = (0..50).map(|i| f64::from(i) * 10.0).collect();
        let pattern = [Pattern::Solid, Pattern::Dashed, Pattern::Dotted, Pattern::Hatched][pattern];
        let styles = [SeriesStyle::new(theme.accent).filled(), SeriesStyle::new(theme.unknown).with(pattern)];
        let columns = Columns { t: &t, step_s: step, series: &[&a, &b] };
        let range = TimeRange::new(from, if broken_range { broken } else { from + span });
        let layout = Layout::new(width, height, &Gutters::default());
        for kind in [Kind::Lines, Kind::Stacked, Kind::Bars] {
            let mut prepared = Prepared::new();
            let largest = prepared.update(kind, &columns, range, &layout);
            let plot = Plot::new(layout, range, y_max.unwrap_or(axis_max(largest, layout.y_intervals(), Unit::Number)));
            svg(width, height, |area| {
                let axes = AxesSpec { unit: Unit::Number, suffix: "/s", offset_s_at: &|_| 19_800 };
                draw_axes(area, &plot, &axes, &theme).unwrap();
                draw_series(area, &plot, &mut prepared, &styles, &theme).unwrap();
                let marks = [Mark { value: broken, color: theme.accent }];
                let crosshair = Crosshair { t_s: from, step_s: step, marks: &marks };
                draw_crosshair(area, &plot, &crosshair, &theme).unwrap();
                draw_selection(area, &plot, (from, broken), &theme).unwrap();
                draw_spans(area, &plot, &[(from, broken), (broken, from), (from, from + span)], &theme).unwrap();
            });
        }
    }
}

#[test]
fn what_is_drawn_does_not_grow_with_the_data() {
    let theme = Theme::new(Mode::Dark);
    let length = |count: u32| {
        let t: Vec<f64> = (0..count).map(|i| f64::from(i) * 1e5 / f64::from(count)).collect();
        let v: Vec<f64> = (0..count).map(|i| f64::from(i.wrapping_mul(2_654_435_761) >> 8)).collect();
        let layout = Layout::new(300.0, 100.0, &Gutters::default());
        let range = TimeRange::new(0.0, 1e5);
        let mut prepared = Prepared::new();
        let columns = Columns { t: &t, step_s: 0.0, series: &[&v] };
        let max = prepared.update(Kind::Lines, &columns, range, &layout);
        let plot = Plot::new(layout, range, max);
        let styles = [SeriesStyle::new(theme.accent)];
        svg(300.0, 100.0, |area| draw_series(area, &plot, &mut prepared, &styles, &theme).unwrap())
    };
    let (some, many) = (length(5_000), length(200_000));
    assert_eq!(many.matches("<polyline").count(), some.matches("<polyline").count(), "as many paths");
    assert!(many.len() < some.len() * 11 / 10, "{} {}", some.len(), many.len());
}

#[test]
fn a_hover_draws_a_handful_of_shapes() {
    let theme = Theme::new(Mode::Dark);
    let plot = Plot::new(Layout::new(300.0, 100.0, &Gutters::default()), TimeRange::new(0.0, 100.0), 1.0);
    let marks = [Mark { value: 0.5, color: theme.accent }; 3];
    let crosshair = Crosshair { t_s: 50.0, step_s: 1.0, marks: &marks };
    let out = svg(300.0, 100.0, |area| draw_crosshair(area, &plot, &crosshair, &theme).unwrap());
    assert!(out.lines().count() < 12, "{out}");
}

#[test]
fn no_data_has_no_needle() {
    let theme = Theme::new(Mode::Dark);
    let discs = |position| {
        let spec = GaugeSpec { position, ..GaugeSpec::default() };
        svg(200.0, 150.0, |area| draw_gauge(area, &spec, &theme).unwrap()).matches("<polygon").count()
    };
    assert_eq!((discs(None), discs(Some(0.5))), (1, 3), "the track alone; track, value arc and needle");
}
