//! A gauge: the dial on canvases, its figures in the document.

use std::cell::RefCell;
use std::rc::Rc;

use chart::{GaugeSpec, Needle, TankSpec, Theme, next_max, share};
use leptos::html::Canvas;
use leptos::prelude::*;

use super::command::Command;
use super::instrument::{Instrument, Reading};
use super::spark::Spark;
use super::state::reduced_motion;
use super::tank_face::{first_face, zone_key};
use super::theme_toggle::use_mode;
use super::truth_cells::{LINK, TOWN, first};
use crate::canvas::{Frame, paint_on};
use crate::live::Live;

/// One instrument of the strip. Its size is fixed by the style sheet, so nothing shifts when figures change.
#[component]
pub(crate) fn Gauge(instrument: Instrument, live: Live) -> impl IntoView {
    // Of several tanks the one that runs dry first.
    let face = Memo::new(move |_| {
        let face = (instrument == Instrument::Tank).then(|| live.with_tanks(first_face)).flatten();
        face.unwrap_or_default()
    });
    let reading = Memo::new(move |_| match instrument {
        Instrument::Tank => face.get().reading,
        _ => live.gauges().map(|gauges| instrument.reading(&gauges)).unwrap_or_default(),
    });
    let value = Memo::new(move |_| match instrument {
        Instrument::Tank => face.with(|face| face.level),
        _ => live.gauges().and_then(|gauges| instrument.value(&gauges)),
    });
    let part = move |read: fn(&Reading) -> String| move || reading.with(read);
    let fresh = Memo::new(move |_| live.link.get().is_fresh());
    // What is left in a tank is no less true when nobody works.
    let kind = if instrument == Instrument::Tank { LINK } else { TOWN };
    let (truth, words) = first(kind, live);
    let state = move || match instrument {
        Instrument::Tank => zone_key(face.with(|face| face.zone)),
        _ if value.get().is_none() => "none",
        _ => "",
    };
    let needs_topup = move || instrument == Instrument::Tank && face.with(|face| face.meter && face.level.is_none());
    let topup = move || {
        let town = live.town.get().map_or_else(|| "TOWN".to_owned(), |town| town.to_string());
        view! { <Command text=format!("towngauge topup --town {town} --usd 50") label="Fill the tank" small=true/> }
    };
    view! {
        <section class="gauge" data-state=state data-tell=kind data-truth=truth aria-label=instrument.name()>
            <header>
                <h2>{instrument.name()}</h2>
                <span class="truth">{words}</span>
            </header>
            {match instrument {
                Instrument::Tank => {
                    let href = move || live.town.get().map(|town| format!("/t/{town}/tank"));
                    view! { <a class="dial-link" href=href aria-label="All tanks, and filling up"><Dial instrument live value fresh/></a> }.into_any()
                }
                _ => view! { <Dial instrument live value fresh/> }.into_any(),
            }}
            <p class="figure">
                <strong>{part(|r| r.number.clone())}</strong>
                " "
                <span class="unit">{part(|r| r.unit.clone())}</span>
            </p>
            <p class="note">
                <span>{part(|r| r.note.clone())}</span>
                {move || reading.with(|r| r.warning.clone()).map(|w| view! { <span class="warning">{w}</span> })}
                {move || reading.with(|r| r.which.clone()).map(|which| view! { <span class="which">{which}</span> })}
            </p>
            {move || {
                if needs_topup() {
                    topup().into_any()
                } else {
                    view! { <Spark instrument live fresh/> }.into_any()
                }
            }}
        </section>
    }
}

/// What moves on a dial, kept between frames.
struct Motion {
    max: f64,
    needle: Option<Needle>,
}

impl Motion {
    /// Takes in a reading: the scale first, then the needle's way to its place on it.
    fn aim(&mut self, instrument: Instrument, live: Live, value: Option<f64>, now_ms: f64) {
        let Some(value) = value else {
            self.needle = None;
            return;
        };
        let peak =
            untrack(|| live.with_trend(|gauges, trend| instrument.recent_peak(gauges, trend))).unwrap_or_default();
        let to = if instrument == Instrument::Tank {
            value
        } else {
            self.max = next_max(self.max, value, peak, instrument.least_max());
            share(value, self.max)
        };
        match &mut self.needle {
            Some(needle) => needle.set(to, now_ms, reduced_motion()),
            None => self.needle = Some(Needle::at(to)),
        }
    }
}

/// The face stands still on one canvas, the hand moves on another.
#[component]
fn Dial(instrument: Instrument, live: Live, value: Memo<Option<f64>>, fresh: Memo<bool>) -> impl IntoView {
    let mode = use_mode();
    let (face, hand) = (NodeRef::<Canvas>::new(), NodeRef::<Canvas>::new());
    let motion = Rc::new(RefCell::new(Motion { max: 0.0, needle: None }));
    let max = RwSignal::new(0.0);
    let has_data = Memo::new(move |_| value.with(Option::is_some));
    let look = move || {
        mode.track();
        fresh.track();
        has_data.track();
    };
    let watch_hand = move || {
        look();
        live.gauges();
    };
    let watch_face = move || {
        look();
        max.track();
    };
    let spec = move |position: Option<f64>, max: f64| GaugeSpec {
        position,
        max: if max > 0.0 { max } else { instrument.least_max() },
        unit: instrument.scale_unit(),
        stale: !fresh.get_untracked(),
        ..GaugeSpec::default()
    };
    let moving = Rc::clone(&motion);
    paint_on(hand, watch_hand, move |surface, now_ms| {
        let mut motion = moving.borrow_mut();
        motion.aim(instrument, live, value.get_untracked(), now_ms);
        if motion.max > 0.0 && (max.get_untracked() - motion.max).abs() > f64::EPSILON {
            max.set(motion.max);
        }
        let position = motion.needle.as_mut().map(|needle| needle.advance(now_ms));
        let again = motion.needle.is_some_and(|needle| needle.moving());
        let theme = Theme::new(mode.get_untracked());
        if let Some(area) = surface.area() {
            // A canvas that refuses to draw shows in the next frame; the figures stand in the document.
            let _ = if instrument == Instrument::Tank {
                chart::draw_tank(area, &TankSpec { level: position, stale: !fresh.get_untracked() }, &theme)
            } else {
                chart::draw_gauge_hand(area, &spec(position, motion.max), &theme)
            };
        }
        if again { Frame::Again } else { Frame::Done }
    });
    paint_on(face, watch_face, move |surface, _| {
        let theme = Theme::new(mode.get_untracked());
        if let Some(area) = surface.area().filter(|_| instrument != Instrument::Tank) {
            let _ = chart::draw_gauge_face(area, &spec(None, max.get_untracked()), &theme);
        }
        Frame::Done
    });
    view! {
        <div class="dial" aria-hidden="true">
            <canvas node_ref=face></canvas>
            <canvas node_ref=hand></canvas>
        </div>
    }
}
