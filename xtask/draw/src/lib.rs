//! P5: three series on a canvas through the chart crate, driven by the same page that drives the peers.

use chart::{
    AxesSpec, Columns, Crosshair, FINE, FineBackend, Gutters, Kind, Layout, Mark, Mode, Plot, Prepared, SeriesStyle,
    Theme, TimeRange, Unit, draw_axes, draw_crosshair, draw_series, next_axis_max,
};
use plotters_canvas::CanvasBackend;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

/// A chart of three lines: axes and series on one canvas, the crosshair on another.
#[wasm_bindgen]
pub struct DrawBench {
    main: Surface,
    overlay: Surface,
    theme: Theme,
    layout: Layout,
    prepared: Prepared,
    t: Vec<f64>,
    v: [Vec<f64>; 3],
    range: TimeRange,
    plot: Option<Plot>,
}

struct Surface {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    width: f64,
    height: f64,
}

impl Surface {
    fn new(canvas: HtmlCanvasElement, width: f64, height: f64, pixel_ratio: f64) -> Result<Self, JsValue> {
        canvas.set_width((width * pixel_ratio) as u32);
        canvas.set_height((height * pixel_ratio) as u32);
        let context = canvas.get_context("2d")?.ok_or("no 2d context")?.dyn_into::<CanvasRenderingContext2d>()?;
        let scale = pixel_ratio / f64::from(FINE);
        context.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0)?;
        context.set_line_join("bevel");
        Ok(Self { canvas, context, width, height })
    }
    fn cleared(&self) -> Result<FineBackend<CanvasBackend>, JsValue> {
        let k = f64::from(FINE);
        self.context.clear_rect(0.0, 0.0, self.width * k, self.height * k);
        let backend = CanvasBackend::with_canvas_object(self.canvas.clone()).ok_or("no canvas")?;
        Ok(FineBackend::new(backend, self.width, self.height))
    }
}

fn shown<E: std::fmt::Debug>(error: E) -> JsValue {
    JsValue::from_str(&format!("{error:?}"))
}

#[wasm_bindgen]
impl DrawBench {
    /// Two canvases of the same size in CSS pixels.
    ///
    /// # Errors
    /// When a canvas gives no context.
    #[wasm_bindgen(constructor)]
    pub fn new(
        main: HtmlCanvasElement,
        overlay: HtmlCanvasElement,
        width: f64,
        height: f64,
        pixel_ratio: f64,
    ) -> Result<DrawBench, JsValue> {
        Ok(Self {
            main: Surface::new(main, width, height, pixel_ratio)?,
            overlay: Surface::new(overlay, width, height, pixel_ratio)?,
            theme: Theme::new(Mode::Dark),
            layout: Layout::new(width, height, &Gutters::default()),
            prepared: Prepared::new(),
            t: Vec::new(),
            v: Default::default(),
            range: TimeRange::new(0.0, 1.0),
            plot: None,
        })
    }

    /// Takes the columns: seconds, and three series.
    pub fn load(&mut self, t: Vec<f64>, a: Vec<f64>, b: Vec<f64>, c: Vec<f64>) {
        if let (Some(first), Some(last)) = (t.first(), t.last()) {
            self.range = TimeRange::new(*first, last + 10.0);
        }
        (self.t, self.v) = (t, [a, b, c]);
    }

    /// Appends one bucket and drops the oldest: what streaming does.
    pub fn push(&mut self, t: f64, a: f64, b: f64, c: f64) {
        self.t.rotate_left(1);
        if let Some(last) = self.t.last_mut() {
            *last = t;
        }
        for (series, value) in self.v.iter_mut().zip([a, b, c]) {
            series.rotate_left(1);
            if let Some(last) = series.last_mut() {
                *last = value;
            }
        }
        self.range = TimeRange::new(self.t.first().copied().unwrap_or_default(), t + 10.0);
    }

    /// Shows another range.
    pub fn zoom(&mut self, from_s: f64, to_s: f64) {
        self.range = TimeRange::new(from_s, to_s);
    }

    /// Draws axes and series.
    ///
    /// # Errors
    /// What the canvas reports.
    pub fn draw(&mut self) -> Result<(), JsValue> {
        let series: [&[f64]; 3] = [&self.v[0], &self.v[1], &self.v[2]];
        let columns = Columns { t: &self.t, step_s: 10.0, series: &series };
        let largest = self.prepared.update(Kind::Lines, &columns, self.range, &self.layout);
        let y_max = next_axis_max(0.0, largest, self.layout.y_intervals(), Unit::Number);
        let plot = Plot::new(self.layout, self.range, y_max);
        let area = self.main.cleared()?.into_area();
        let zone = |_: i64| 0_i32;
        draw_axes(&area, &plot, &AxesSpec { unit: Unit::Number, suffix: "/s", offset_s_at: &zone }, &self.theme)
            .map_err(shown)?;
        let styles = self.theme.tokens.map(SeriesStyle::new);
        draw_series(&area, &plot, &mut self.prepared, &styles[..3], &self.theme).map_err(shown)?;
        self.plot = Some(plot);
        Ok(())
    }

    /// Draws the crosshair on its own canvas.
    ///
    /// # Errors
    /// What the canvas reports.
    pub fn hover(&self, t_s: f64) -> Result<(), JsValue> {
        let Some(plot) = &self.plot else { return Ok(()) };
        let area = self.overlay.cleared()?.into_area();
        let marks = [Mark { value: 1.0, color: self.theme.ink }];
        draw_crosshair(&area, plot, &Crosshair { t_s, step_s: 10.0, marks: &marks }, &self.theme).map_err(shown)
    }
}
