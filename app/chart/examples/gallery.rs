//! Renders every instrument in both themes to SVG files in the folder given as argument, for looking at:
//! `cargo run -p chart --example gallery -- /tmp/gallery`.

use std::error::Error;
use std::fs;
use std::path::Path;

use chart::{
    AxesSpec, Columns, Crosshair, FINE, FineBackend, GaugeSpec, Gutters, Kind, Layout, Mark, Mode, Pattern, Plot,
    Prepared, SeriesStyle, SparkSpec, State, TankSpec, Theme, TimeRange, Unit, Zone, axis_max, css, draw_axes,
    draw_crosshair, draw_gauge, draw_selection, draw_series, draw_sparkline, draw_tank, share,
};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;

/// plotters' SVG takes a font's size for 1.24 em.
const SVG_TEXT_SCALE: f64 = 1.24;

type Area<'a> = DrawingArea<FineBackend<SVGBackend<'a>>, Shift>;

/// One sheet: pictures placed on a page in the surface's colour.
struct Sheet {
    theme: Theme,
    body: String,
    width: f64,
    height: f64,
}

impl Sheet {
    fn new(mode: Mode) -> Self {
        Self { theme: Theme::new(mode), body: String::new(), width: 0.0, height: 0.0 }
    }

    fn put(
        &mut self,
        (x, y): (f64, f64),
        (width, height): (f64, f64),
        draw: impl FnOnce(&Area<'_>, &Theme) -> Result<(), Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let k = f64::from(FINE);
        let mut svg = String::new();
        let size = ((width * k) as u32, (height * k) as u32);
        let backend = FineBackend::new(SVGBackend::with_string(&mut svg, size), width, height);
        let area = backend.with_text_scale(SVG_TEXT_SCALE).into_area();
        draw(&area, &self.theme)?;
        area.present()?;
        drop(area);
        // Shown at an eighth of the size it was drawn at, as the canvas is.
        let inner = svg.split_once('>').map_or("", |(_, rest)| rest).trim_end().trim_end_matches("</svg>");
        self.body +=
            &format!("<g transform=\"translate({x} {y}) scale({})\" stroke-linejoin=\"round\">{inner}</g>\n", 1.0 / k);
        self.width = self.width.max(x + width + 24.0);
        self.height = self.height.max(y + height + 24.0);
        Ok(())
    }

    fn caption(&mut self, (x, y): (f64, f64), text: &str, size: f64, strong: bool) {
        let color = css(if strong { self.theme.ink } else { self.theme.muted });
        self.body += &format!(
            "<text x=\"{x}\" y=\"{y}\" font-family=\"Inter\" font-size=\"{size}\" text-anchor=\"middle\" \
             fill=\"{color}\">{text}</text>\n"
        );
    }

    fn save(self, folder: &Path, name: &str) -> Result<(), Box<dyn Error>> {
        let (w, h, surface) = (self.width, self.height, css(self.theme.surface));
        let mode = if self.theme.mode == Mode::Dark { "dark" } else { "light" };
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\">\
             <rect width=\"100%\" height=\"100%\" fill=\"{surface}\"/>\n{}</svg>\n",
            self.body
        );
        fs::write(folder.join(format!("{name}-{mode}.svg")), svg)?;
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("give the folder to write to")?;
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    for mode in [Mode::Dark, Mode::Light] {
        strip(mode)?.save(folder, "strip")?;
        sizes(mode)?.save(folder, "sizes")?;
        states(mode)?.save(folder, "states")?;
        charts(mode)?.save(folder, "charts")?;
        awkward(mode)?.save(folder, "awkward")?;
    }
    Ok(())
}

/// The strip of the Overview: five instruments with their numbers as the page sets them.
fn strip(mode: Mode) -> Result<Sheet, Box<dyn Error>> {
    let mut sheet = Sheet::new(mode);
    let zones = [];
    let gauges = [
        ("Tokens/s", "842", 842.0, 1_000.0, Unit::Number),
        ("Lines/s", "1.4", 1.4, 5.0, Unit::Number),
        ("Cost µ$/s", "1,260", 1_260.0, 2_000.0, Unit::Number),
        ("Agents", "7 of 12", 7.0, 20.0, Unit::Count),
    ];
    for (i, (name, text, value, max, unit)) in gauges.into_iter().enumerate() {
        let x = 24.0 + 240.0 * i as f64;
        sheet.put((x, 24.0), (216.0, 162.0), |area, theme| {
            let spec =
                GaugeSpec { position: Some(share(value, max)), max, unit, zones: &zones, ..GaugeSpec::default() };
            Ok(draw_gauge(area, &spec, theme)?)
        })?;
        sheet.caption((x + 108.0, 206.0), text, 24.0, true);
        sheet.caption((x + 108.0, 224.0), name, 12.0, false);
        sheet.put((x, 236.0), (216.0, 24.0), |area, theme| {
            let values: Vec<f64> = (0..300).map(|t| wave(f64::from(t), i as f64)).collect();
            Ok(draw_sparkline(area, &SparkSpec { values: &values, ..SparkSpec::default() }, theme)?)
        })?;
    }
    let x = 24.0 + 240.0 * 4.0;
    sheet.put((x, 24.0), (216.0, 162.0), |area, theme| {
        Ok(draw_tank(area, &TankSpec { level: Some(0.63), stale: false }, theme)?)
    })?;
    sheet.caption((x + 108.0, 206.0), "$47.23", 24.0, true);
    sheet.caption((x + 108.0, 224.0), "remaining · ~3.2 hrs at pace", 12.0, false);
    Ok(sheet)
}

/// From 120 to 320 px wide.
fn sizes(mode: Mode) -> Result<Sheet, Box<dyn Error>> {
    let mut sheet = Sheet::new(mode);
    let mut x = 24.0;
    for width in [96.0, 120.0, 160.0, 200.0, 260.0, 320.0] {
        let height = width * 0.75;
        sheet.put((x, 24.0), (width, height), |area, theme| {
            let spec = GaugeSpec { position: Some(0.42), max: 5e6, ..GaugeSpec::default() };
            Ok(draw_gauge(area, &spec, theme)?)
        })?;
        sheet.put((x, 284.0), (width, height), |area, theme| {
            Ok(draw_tank(area, &TankSpec { level: Some(0.31), stale: false }, theme)?)
        })?;
        x += width + 24.0;
    }
    Ok(sheet)
}

/// Live, zones, burn, empty, stale, at the stops; the tank likewise.
fn states(mode: Mode) -> Result<Sheet, Box<dyn Error>> {
    let mut sheet = Sheet::new(mode);
    let zones = [
        Zone { from: 0.0, to: 10e9, state: State::Ok },
        Zone { from: 10e9, to: 25e9, state: State::Warn },
        Zone { from: 25e9, to: 50e9, state: State::Bad },
    ];
    let money =
        GaugeSpec { max: 50e9, unit: Unit::Nanodollars, zones: &zones, sweep_deg: 270.0, ..GaugeSpec::default() };
    let gauges = [
        ("zones, low", GaugeSpec { position: Some(0.12), ..money }),
        ("zones, high", GaugeSpec { position: Some(0.71), ..money }),
        ("no data", GaugeSpec { max: 200.0, ..GaugeSpec::default() }),
        ("stale", GaugeSpec { position: Some(0.6), max: 200.0, stale: true, ..GaugeSpec::default() }),
        ("zero", GaugeSpec { position: Some(0.0), max: 1.0, ..GaugeSpec::default() }),
        ("full", GaugeSpec { position: Some(1.0), max: 1.0, unit: Unit::Share, ..GaugeSpec::default() }),
    ];
    for (i, (name, spec)) in gauges.iter().enumerate() {
        let x = 24.0 + 224.0 * i as f64;
        sheet.put((x, 24.0), (200.0, 150.0), |area, theme| Ok(draw_gauge(area, spec, theme)?))?;
        sheet.caption((x + 100.0, 196.0), name, 12.0, false);
    }
    let tanks = [
        ("full", TankSpec { level: Some(1.0), stale: false }),
        ("half", TankSpec { level: Some(0.5), stale: false }),
        ("low", TankSpec { level: Some(0.11), stale: false }),
        ("empty", TankSpec { level: Some(0.0), stale: false }),
        ("stale", TankSpec { level: Some(0.7), stale: true }),
        ("no data", TankSpec::default()),
    ];
    for (i, (name, spec)) in tanks.iter().enumerate() {
        let x = 24.0 + 224.0 * i as f64;
        sheet.put((x, 224.0), (200.0, 150.0), |area, theme| Ok(draw_tank(area, spec, theme)?))?;
        sheet.caption((x + 100.0, 392.0), name, 12.0, false);
    }
    Ok(sheet)
}

const NOW: f64 = 1_763_736_000.0;

/// Plausible and the same every time: a rhythm with bursts.
fn wave(t: f64, seed: f64) -> f64 {
    let slow = (t / 37.0 + seed * 1.7).sin() * 0.5 + 0.6;
    let burst = ((t * 0.61 + seed * 3.1).sin() * (t * 0.173 + seed).cos()).max(0.0).powi(3);
    let jitter = ((t * 12.9898 + seed * 78.233).sin() * 43_758.547).fract().abs();
    (slow * 0.6 + burst + jitter * 0.25).max(0.0)
}

struct Picture<'a> {
    kind: Kind,
    unit: Unit,
    suffix: &'a str,
    styles: &'a [SeriesStyle],
    y_intervals: usize,
    cursor: Option<usize>,
    drag: Option<(f64, f64)>,
}

fn chart(
    area: &Area<'_>,
    theme: &Theme,
    (width, height): (f64, f64),
    columns: &Columns<'_>,
    range: TimeRange,
    picture: &Picture<'_>,
) -> Result<(), Box<dyn Error>> {
    let layout = Layout::new(width, height, &Gutters::default());
    let mut prepared = Prepared::new();
    let largest = prepared.update(picture.kind, columns, range, &layout);
    let intervals = if picture.y_intervals > 0 { picture.y_intervals } else { layout.y_intervals() };
    let plot = Plot::new(layout, range, axis_max(largest, intervals, picture.unit));
    let axes = AxesSpec { unit: picture.unit, suffix: picture.suffix, offset_s_at: &|_| 3_600 };
    draw_axes(area, &plot, &axes, theme)?;
    draw_series(area, &plot, &mut prepared, picture.styles, theme)?;
    if let Some(bucket) = picture.cursor {
        let mut sum = 0.0;
        let marks: Vec<Mark> = picture
            .styles
            .iter()
            .enumerate()
            .map(|(series, style)| {
                let v = columns.value(series, bucket);
                sum += v;
                Mark { value: if picture.kind == Kind::Stacked { sum } else { v }, color: style.color }
            })
            .collect();
        let crosshair = Crosshair { t_s: columns.t[bucket], step_s: columns.step_s, marks: &marks };
        draw_crosshair(area, &plot, &crosshair, theme)?;
    }
    if let Some(drag) = picture.drag {
        draw_selection(area, &plot, drag, theme)?;
    }
    Ok(())
}

fn charts(mode: Mode) -> Result<Sheet, Box<dyn Error>> {
    let mut sheet = Sheet::new(mode);
    let theme = Theme::new(mode);
    let size = (660.0, 220.0);
    let place = |i: usize| (24.0 + 708.0 * (i % 2) as f64, 24.0 + 252.0 * (i / 2) as f64);
    let plain = Picture {
        kind: Kind::Stacked,
        unit: Unit::Number,
        suffix: "",
        styles: &[],
        y_intervals: 0,
        cursor: None,
        drag: None,
    };

    // Tokens by kind, 6 h at 1 min.
    let t: Vec<f64> = (0..360).map(|i| NOW - 21_600.0 + f64::from(i) * 60.0).collect();
    let kinds: Vec<Vec<f64>> = [90.0, 60.0, 700.0, 120.0, 40.0]
        .iter()
        .enumerate()
        .map(|(k, size)| (0..360).map(|i| size * wave(f64::from(i), k as f64)).collect())
        .collect();
    let order = [2, 3, 0, 1, 4];
    let series: Vec<&[f64]> = order.iter().map(|k| kinds[*k].as_slice()).collect();
    let styles = order.map(|k| SeriesStyle::new(theme.token(k)));
    let columns = Columns { t: &t, step_s: 60.0, series: &series };
    let range = TimeRange::last(21_600.0, NOW);
    let tokens = Picture { styles: &styles, suffix: "/s", cursor: Some(220), ..plain };
    sheet.put(place(0), size, |area, theme| chart(area, theme, size, &columns, range, &tokens))?;

    // Cost by role with an unattributed layer and a gap, 24 h at 5 min.
    let t: Vec<f64> = (0..288).map(|i| NOW - 86_400.0 + f64::from(i) * 300.0).collect();
    let costs: Vec<Vec<f64>> = (0..5)
        .map(|k| {
            (0..288)
                .map(|i| {
                    if (150..175).contains(&i) {
                        f64::NAN
                    } else {
                        0.4e9 * wave(f64::from(i), f64::from(k) + 7.0) / f64::from(k + 1)
                    }
                })
                .collect()
        })
        .collect();
    let series: Vec<&[f64]> = costs.iter().map(Vec::as_slice).collect();
    let styles = [
        SeriesStyle::new(theme.role("polecat")),
        SeriesStyle::new(theme.role("refinery")),
        SeriesStyle::new(theme.role("mayor")),
        SeriesStyle::new(theme.role("witness")),
        SeriesStyle::new(theme.unknown).with(Pattern::Hatched),
    ];
    let columns = Columns { t: &t, step_s: 300.0, series: &series };
    let cost = Picture { unit: Unit::Nanodollars, suffix: "/h", styles: &styles, ..plain };
    let day = TimeRange::last(86_400.0, NOW);
    sheet.put(place(1), size, |area, theme| chart(area, theme, size, &columns, day, &cost))?;

    // Agents working of all, 1 h at 10 s, with the hour before dashed.
    let t: Vec<f64> = (0..360).map(|i| NOW - 3_600.0 + f64::from(i) * 10.0).collect();
    let working: Vec<f64> = (0..360).map(|i| (wave(f64::from(i) * 0.4, 3.0) * 7.0).round()).collect();
    let before: Vec<f64> = (0..360).map(|i| (wave(f64::from(i) * 0.3, 9.0) * 6.0).round()).collect();
    let all: Vec<f64> = (0..360).map(|i| if i < 200 { 12.0 } else { 14.0 }).collect();
    let series: [&[f64]; 3] = [&working, &all, &before];
    let styles = [
        SeriesStyle::new(theme.accent).filled(),
        SeriesStyle::new(theme.unknown),
        SeriesStyle::new(theme.accent).with(Pattern::Dashed),
    ];
    let columns = Columns { t: &t, step_s: 10.0, series: &series };
    let agents = Picture { kind: Kind::Lines, styles: &styles, cursor: Some(120), ..plain };
    let hour = TimeRange::last(3_600.0, NOW);
    sheet.put(place(2), size, |area, theme| chart(area, theme, size, &columns, hour, &agents))?;

    // Beads created and closed, 7 d at 30 min.
    let t: Vec<f64> = (0..336).map(|i| NOW - 604_800.0 + f64::from(i) * 1_800.0).collect();
    let bead = |seed: f64| -> Vec<f64> { (0..336).map(|i| (wave(f64::from(i), seed) * 2.0 - 0.8).max(0.0)).collect() };
    let (created, closed) = (bead(1.0), bead(5.0));
    let series: [&[f64]; 2] = [&created, &closed];
    let styles = [SeriesStyle::new(theme.token(0)), SeriesStyle::new(theme.token(1)).with(Pattern::Hatched)];
    let columns = Columns { t: &t, step_s: 1_800.0, series: &series };
    let beads = Picture { kind: Kind::Bars, suffix: "/h", styles: &styles, ..plain };
    let week = TimeRange::last(604_800.0, NOW);
    sheet.put(place(3), size, |area, theme| chart(area, theme, size, &columns, week, &beads))?;

    // Latency P50 and P95 with gaps and lone values, and a drag.
    let t: Vec<f64> = (0..288).map(|i| NOW - 86_400.0 + f64::from(i) * 300.0).collect();
    let latency = |scale: f64, seed: f64| -> Vec<f64> {
        let gap = |i: i32| (60..64).contains(&i) || i == 66 || (200..230).contains(&i) || (232..234).contains(&i);
        (0..288).map(|i| if gap(i) { f64::NAN } else { scale * (0.4 + wave(f64::from(i), seed)) }).collect()
    };
    let (p50, p95) = (latency(0.3e6, 2.0), latency(1.4e6, 4.0));
    let series: [&[f64]; 2] = [&p50, &p95];
    let styles = [SeriesStyle::new(theme.token(0)), SeriesStyle::new(theme.token(3))];
    let columns = Columns { t: &t, step_s: 300.0, series: &series };
    let tools =
        Picture { kind: Kind::Lines, unit: Unit::Microseconds, styles: &styles, drag: Some((220.0, 370.0)), ..plain };
    sheet.put(place(4), size, |area, theme| chart(area, theme, size, &columns, day, &tools))?;

    // More points than pixels: every peak stays.
    let count = 55_550;
    let t: Vec<f64> = (0..count).map(|i| NOW - 86_400.0 + f64::from(i) * 86_400.0 / f64::from(count)).collect();
    let dense: Vec<Vec<f64>> = (0..3)
        .map(|k| (0..count).map(|i| 1e3 * f64::from(k + 1) * wave(f64::from(i) / 150.0, f64::from(k))).collect())
        .collect();
    let series: Vec<&[f64]> = dense.iter().map(Vec::as_slice).collect();
    let styles = [theme.role("polecat"), theme.role("mayor"), theme.role("refinery")].map(SeriesStyle::new);
    let columns = Columns { t: &t, step_s: 0.0, series: &series };
    let many = Picture { kind: Kind::Lines, styles: &styles, ..plain };
    sheet.put(place(5), size, |area, theme| chart(area, theme, size, &columns, day, &many))?;
    Ok(sheet)
}

/// Phone width, one point, nothing at all, all zeros, and what no chart should be sized.
fn awkward(mode: Mode) -> Result<Sheet, Box<dyn Error>> {
    let mut sheet = Sheet::new(mode);
    let theme = Theme::new(mode);
    let styles = [SeriesStyle::new(theme.accent).filled()];
    let base = Picture {
        kind: Kind::Lines,
        unit: Unit::Number,
        suffix: "",
        styles: &styles,
        y_intervals: 0,
        cursor: None,
        drag: None,
    };
    let t: Vec<f64> = (0..360).map(|i| NOW - 3_600.0 + f64::from(i) * 10.0).collect();
    let range = TimeRange::last(3_600.0, NOW);
    let busy: Vec<f64> = (0..360).map(|i| 900.0 * wave(f64::from(i), 1.0)).collect();
    let zeros = vec![0.0; 360];
    let lone: Vec<f64> = (0..360).map(|i| if i == 180 { 5.0 } else { f64::NAN }).collect();
    let tiny: Vec<f64> = busy.iter().map(|v| v * 1e-9).collect();
    let cases: [(&str, &[f64], (f64, f64)); 7] = [
        ("phone", &busy, (330.0, 160.0)),
        ("zeros", &zeros, (330.0, 160.0)),
        ("one point", &lone, (330.0, 160.0)),
        ("empty", &[], (330.0, 160.0)),
        ("tiny values", &tiny, (330.0, 160.0)),
        ("narrow", &busy, (80.0, 160.0)),
        ("low", &busy, (330.0, 40.0)),
    ];
    for (i, (name, v, size)) in cases.into_iter().enumerate() {
        let at = (24.0 + 354.0 * (i % 3) as f64, 24.0 + 200.0 * (i / 3) as f64);
        let columns = Columns { t: &t, step_s: 10.0, series: &[v] };
        sheet.put(at, size, |area, theme| chart(area, theme, size, &columns, range, &base))?;
        sheet.caption((at.0 + size.0 / 2.0, at.1 + size.1 + 14.0), name, 11.0, false);
    }
    let columns = Columns { t: &t, step_s: 10.0, series: &[&lone] };
    let stacked = Picture { kind: Kind::Stacked, ..base };
    sheet.put((378.0, 424.0), (330.0, 160.0), |area, theme| {
        chart(area, theme, (330.0, 160.0), &columns, range, &stacked)
    })?;
    Ok(sheet)
}
