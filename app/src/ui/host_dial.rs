//! A host's small instrument: a dial of 0 to 100 %, its figure, and what it is of.

use std::cell::Cell;
use std::rc::Rc;

use chart::{GaugeSpec, Needle, State, Theme, Unit, Zone};
use leptos::html::Canvas;
use leptos::prelude::*;
use model::host::Instrument;

use super::state::reduced_motion;
use super::theme_toggle::use_mode;
use crate::canvas::{Frame, paint_on};
use crate::machine::{MachineBoard, figure, note, percent};

/// Room that runs out: a processor at work is no warning.
const ZONES: [Zone; 2] =
    [Zone { from: 0.85, to: 0.95, state: State::Warn }, Zone { from: 0.95, to: 1.0, state: State::Bad }];

const fn zones(instrument: Instrument) -> &'static [Zone] {
    match instrument {
        Instrument::Memory | Instrument::Disk => &ZONES,
        Instrument::Cpu | Instrument::Gpu | Instrument::Vram => &[],
    }
}

/// One instrument of a host.
#[component]
pub(crate) fn HostDial(
    board: MachineBoard,
    host: String,
    instrument: Instrument,
    /// The reading can be taken for the present.
    fresh: Memo<bool>,
) -> impl IntoView {
    let mode = use_mode();
    let node = NodeRef::<Canvas>::new();
    let (name, words, notes) = (host.clone(), host.clone(), host);
    let value = Memo::new(move |_| board.host(&name, |metrics| percent(metrics, instrument)).flatten());
    let needle: Rc<Cell<Option<Needle>>> = Rc::default();
    let watch = move || {
        mode.track();
        fresh.track();
        value.track();
    };
    paint_on(node, watch, move |surface, now_ms| {
        let share = value.get_untracked().map(|share| share.value() / 100.0);
        let mut hand = match (needle.get(), share) {
            (_, None) => None,
            (None, Some(share)) => Some(Needle::at(share)),
            (Some(mut hand), Some(share)) => {
                hand.set(share, now_ms, reduced_motion());
                Some(hand)
            }
        };
        let position = hand.as_mut().map(|hand| hand.advance(now_ms));
        needle.set(hand);
        let spec = GaugeSpec {
            position,
            max: 1.0,
            unit: Unit::Share,
            zones: zones(instrument),
            stale: !fresh.get_untracked(),
            ..GaugeSpec::default()
        };
        if let Some(area) = surface.area() {
            // A canvas that refuses to draw shows in the next frame; the figures stand in the document.
            let _ = chart::draw_gauge(area, &spec, &Theme::new(mode.get_untracked()));
        }
        if hand.is_some_and(|hand| hand.moving()) { Frame::Again } else { Frame::Done }
    });
    let has_none = move || value.get().is_none();
    view! {
        <div class="host-dial" data-instrument=instrument.name() data-none=move || has_none().to_string()>
            <h3>{instrument.label()}</h3>
            <div class="dial" aria-hidden="true"><canvas node_ref=node></canvas></div>
            <p class="host-figure">{move || board.host(&words, |metrics| figure(metrics, instrument))}</p>
            <p class="unit">{move || board.host(&notes, |metrics| note(metrics, instrument))}</p>
        </div>
    }
}
