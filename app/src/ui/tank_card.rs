//! One tank on the Tank page: its dial, its figures, how long it lasts, and how it knows.

use leptos::prelude::*;
use model::fuel::{FuelTank, first_dry, span};
use model::runway::RunwayBand;
use model::time::Timestamp;
use model::wire::Gauges;

use super::runway_bar::RunwayBar;
use super::tank_dial::TankDial;
use super::tank_face::{TankFace, meter_face, tank_face, zone_key, zone_word};
use super::truth_mark::TruthMark;
use crate::live::Live;
use crate::reader::TankPage;
use crate::truth::Truth;
use crate::zone::use_zone;

/// What a card shows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TankCardData {
    pub face: TankFace,
    /// It runs dry before the others.
    first: bool,
    band: Option<RunwayBand>,
    /// What is awaited, and when.
    until: Option<(&'static str, Timestamp)>,
    read_at: Option<Timestamp>,
    trouble: Option<String>,
}

/// Every tank: the meter first, then those beside it by name.
pub(crate) fn cards(gauges: &Gauges, tanks: &[FuelTank], page: &TankPage) -> Vec<TankCardData> {
    let first = first_dry(gauges.tank.map(|tank| (tank, gauges.pace)), tanks, gauges.at);
    let behind = tanks.iter().find(|tank| tank.meter);
    let several = usize::from(gauges.tank.is_some()) + tanks.iter().filter(|tank| !tank.meter).count() > 1;
    let meter = TankCardData {
        face: meter_face(gauges, tanks),
        first: several && first.is_none(),
        band: page.band.filter(|_| gauges.tank.is_some()),
        until: page.next_topup.map(|at| ("usual top-up", at)),
        read_at: behind.and_then(|tank| tank.read_at),
        trouble: behind.and_then(|tank| tank.trouble.clone()),
    };
    let other = |(index, tank): (usize, &FuelTank)| TankCardData {
        face: tank_face(tank, gauges),
        first: several && first == Some(index),
        band: tank.band.filter(|_| tank.is_known(gauges.at)),
        until: tank.resets_at.map(|at| ("reset", at)),
        read_at: tank.read_at,
        trouble: tank.trouble.clone(),
    };
    let others = tanks.iter().enumerate().filter(|(_, tank)| !tank.meter).map(other);
    std::iter::once(meter).chain(others).collect()
}

/// A card; `card` gives its newest data, none once the tank is gone.
#[component]
pub(crate) fn TankCard(live: Live, card: Memo<Option<TankCardData>>) -> impl IntoView {
    let zone = use_zone();
    let read =
        move |part: fn(&TankCardData) -> String| move || card.with(|card| card.as_ref().map(part)).unwrap_or_default();
    let level = Memo::new(move |_| card.with(|card| card.as_ref().and_then(|card| card.face.level)));
    let truth = Memo::new(move |_| Truth::of_link(live));
    let stale = Memo::new(move |_| truth.get().is_old());
    let state = move || card.with(|card| zone_key(card.as_ref().and_then(|card| card.face.zone)));
    let word = move || card.with(|card| card.as_ref().and_then(|card| card.face.zone).map(zone_word));
    let first = Memo::new(move |_| card.with(|card| card.as_ref().is_some_and(|card| card.first)));
    let age = move || {
        let read_at = card.with(|card| card.as_ref().and_then(|card| card.read_at))?;
        let age = span((live.now.get().seconds() - read_at.seconds()).max(0));
        Some(if age == "<1 min" { "read just now".to_owned() } else { format!("read {age} ago") })
    };
    let runway = Memo::new(move |_| {
        let now = live.now.get().seconds();
        card.with(|card| {
            let card = card.as_ref()?;
            // By the minute: the drawing does not move with every second.
            Some((card.band, card.until.map(|(what, at)| (what, at.seconds(), (at.seconds() - now) / 60 * 60))))
        })
    });
    let clock = move |at_s: i64| {
        let today = zone.day_clock(live.now.get_untracked().seconds());
        let then = zone.day_clock(at_s);
        let day = |text: &str| text.rsplit_once(' ').map(|(day, _)| day.to_owned());
        let minutes = then.rsplit_once(':').map_or(then.clone(), |(minutes, _)| minutes.to_owned());
        if day(&today) == day(&then) {
            minutes.rsplit_once(' ').map_or(minutes.clone(), |(_, clock)| clock.to_owned())
        } else {
            minutes
        }
    };
    let lasts = move || {
        let (band, (what, at_s, in_s)) = runway.get().and_then(|(band, until)| Some((band?, until?)))?;
        Some(band.lasts(in_s).words(what, &clock(at_s)))
    };
    let bar = move || {
        let (band, until) = runway.get()?;
        let until_s = until.map(|(_, _, in_s)| in_s);
        Some(match band {
            Some(band) => view! { <RunwayBar band until_s/> }.into_any(),
            None => view! { <p class="no-band">"No band yet: it needs half an hour of history with some spending in it."</p> }.into_any(),
        })
    };
    view! {
        <article class="tank-card" data-state=state data-truth=move || truth.get().name() class:first=move || first.get() class:stale=move || stale.get()>
            <header>
                <h2>{read(|card| card.face.name.clone())}</h2>
                {move || first.get().then(|| view! { <span class="dry-first">"runs dry first"</span> })}
                <TruthMark truth/>
                <span class="age">{age}</span>
            </header>
            <TankDial level stale/>
            <p class="figure">
                <strong>{read(|card| card.face.reading.number.clone())}</strong>
                " "
                <span class="unit">{read(|card| card.face.reading.unit.clone())}</span>
            </p>
            <p class="note">
                <span>{read(|card| card.face.reading.note.clone())}</span>
                {move || word().map(|word| view! { <span class="zone-word">{word}</span> })}
            </p>
            {move || lasts().map(|text| view! { <p class="lasts">{text}</p> })}
            {bar}
            {move || card.with(|card| card.as_ref().and_then(|card| card.trouble.clone())).map(|text| view! { <p class="trouble warning">{text}</p> })}
        </article>
    }
}
