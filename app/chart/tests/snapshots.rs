//! Reviewed pictures: an unintended change of any instrument shows as a difference. The gallery example is for looking.

use chart::{
    AxesSpec, Columns, FineBackend, GaugeSpec, Gutters, Kind, Layout, Mode, Pattern, Plot, Prepared, SeriesStyle,
    SparkSpec, State, TankSpec, Theme, TimeRange, Unit, Zone, axis_max, draw_axes, draw_gauge, draw_series, draw_spans,
    draw_sparkline, draw_tank,
};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;

type Area<'a> = DrawingArea<FineBackend<SVGBackend<'a>>, Shift>;

fn svg((width, height): (u32, u32), draw: impl FnOnce(&Area<'_>, &Theme)) -> String {
    let mut out = String::new();
    let backend = SVGBackend::with_string(&mut out, (width * 8, height * 8));
    let area = FineBackend::new(backend, f64::from(width), f64::from(height)).into_area();
    draw(&area, &Theme::new(Mode::Dark));
    area.present().expect("an SVG in memory");
    drop(area);
    out
}

#[test]
fn gauge() {
    let zones = [Zone { from: 1_500.0, to: 2_000.0, state: State::Bad }];
    let spec = GaugeSpec { position: Some(0.63), max: 2_000.0, zones: &zones, ..GaugeSpec::default() };
    insta::assert_snapshot!(svg((200, 150), |area, theme| draw_gauge(area, &spec, theme).unwrap()));
}

#[test]
fn gauge_without_data() {
    let spec = GaugeSpec { max: 5.0, ..GaugeSpec::default() };
    insta::assert_snapshot!(svg((120, 90), |area, theme| draw_gauge(area, &spec, theme).unwrap()));
}

#[test]
fn tank_low() {
    let spec = TankSpec { level: Some(0.11), stale: false };
    insta::assert_snapshot!(svg((200, 150), |area, theme| draw_tank(area, &spec, theme).unwrap()));
}

#[test]
fn sparkline_with_a_gap() {
    let values = [0.0, 1.0, 3.0, f64::NAN, 2.0, f64::NAN, 1.0, 2.0];
    let spec = SparkSpec { values: &values, ..SparkSpec::default() };
    insta::assert_snapshot!(svg((120, 24), |area, theme| draw_sparkline(area, &spec, theme).unwrap()));
}

fn chart(kind: Kind) -> String {
    let t: Vec<f64> = (0..12).map(|i| 1_763_726_400.0 + f64::from(i) * 300.0).collect();
    let a = [2.0, 4.0, 3.0, 5.0, f64::NAN, f64::NAN, 6.0, f64::NAN, 1.0, 2.0, 2.0, 0.0];
    let b = [1.0, 1.0, 2.0, 0.0, f64::NAN, 3.0, 1.0, f64::NAN, 1.0, 0.5, 1e-3, 0.0];
    let range = TimeRange::new(t[0], t[0] + 3_600.0);
    let layout = Layout::new(320.0, 120.0, &Gutters::default());
    let columns = Columns { t: &t, step_s: 300.0, series: &[&a, &b] };
    let mut prepared = Prepared::new();
    let largest = prepared.update(kind, &columns, range, &layout);
    let plot = Plot::new(layout, range, axis_max(largest, layout.y_intervals(), Unit::Number));
    svg((320, 120), |area, theme| {
        let styles = [SeriesStyle::new(theme.accent).filled(), SeriesStyle::new(theme.unknown).with(Pattern::Hatched)];
        let axes = AxesSpec { unit: Unit::Number, suffix: "/s", offset_s_at: &|_| 0 };
        draw_axes(area, &plot, &axes, theme).expect("an SVG in memory");
        draw_series(area, &plot, &mut prepared, &styles, theme).expect("an SVG in memory");
    })
}

#[test]
fn lines() {
    insta::assert_snapshot!(chart(Kind::Lines));
}

#[test]
fn stacked() {
    insta::assert_snapshot!(chart(Kind::Stacked));
}

#[test]
fn repriced_spans() {
    let layout = Layout::new(320.0, 60.0, &Gutters::default());
    let plot = Plot::new(layout, TimeRange::new(0.0, 3_600.0), 1.0);
    // One within, one that is too short to be seen, one that began before, one that is elsewhere.
    let spans = [(1_200.0, 1_800.0), (2_400.0, 2_401.0), (-500.0, 300.0), (9_000.0, 9_500.0)];
    insta::assert_snapshot!(svg((320, 60), |area, theme| draw_spans(area, &plot, &spans, theme).unwrap()));
}

#[test]
fn bars() {
    insta::assert_snapshot!(chart(Kind::Bars));
}
