//! The strip of alerts under the header of a town's pages: nothing at all while all is well.
//!
//! Its markup is made by the server, once for everyone who looks (`alert_markup`), and comes with the page and with the
//! frames of the live link. Here it is only put in place, its times tick, and its buttons are heard: as a view it would be
//! too heavy for pages that have no room left.

use std::cell::RefCell;

use leptos::prelude::*;
use model::format::ago;
use model::fuel::span;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, MouseEvent, XmlHttpRequest};

use super::fixed::fixed;
use crate::live::Live;

/// What holds the markup.
const STRIP: &str = "alerts";
/// What screen readers hear, and where it is said that a button did nothing.
const SAID: &str = "alerts-said";
/// Lists that a person may have unfolded.
pub(super) const FOLDS: [&str; 2] = ["alerts-more", "alerts-snoozed"];

fn element(id: &str) -> Option<Element> {
    document().get_element_by_id(id)
}

/// The strip.
#[component]
pub(crate) fn AlertStrip(live: Live) -> impl IntoView {
    let html = fixed(|| untrack(|| live.with_alerts(str::to_owned)));
    // What the page came with, on both sides; the link may have brought more before the first look.
    let shown = RefCell::new(untrack(|| live.with_alerts(str::to_owned)));
    Effect::new(move |before: Option<i64>| {
        let now_s = live.now.get().seconds();
        let fresh = live.with_alerts(|alerts| {
            let mut shown = shown.borrow_mut();
            let is_new = *shown != alerts && element(STRIP).is_some_and(|strip| put(&strip, alerts));
            if is_new {
                alerts.clone_into(&mut shown);
            }
            is_new
        });
        if fresh || before != Some(now_s) {
            tick(now_s);
        }
        now_s
    });
    view! {
        <section id=STRIP class="alerts" aria-label="Alerts" tabindex="-1" on:click=|event| press(&event) inner_html=html></section>
        <p id=SAID class="alerts-said" role="status"></p>
    }
}

/// Puts new markup in place. What a person has unfolded stays so, and the keyboard stays where it was; while a menu is
/// open, it waits.
fn put(strip: &Element, alerts: &str) -> bool {
    if strip.query_selector(":popover-open").is_ok_and(|open| open.is_some()) {
        return false;
    }
    let active = || document().active_element().filter(|active| strip.contains(Some(active)));
    let focused = active().map(|active| active.id());
    let open = FOLDS.map(|id| element(id).is_some_and(|fold| fold.has_attribute("open")));
    strip.set_inner_html(alerts);
    for (id, _) in FOLDS.into_iter().zip(open).filter(|(_, open)| *open) {
        if let Some(fold) = element(id) {
            // Refused by no browser.
            let _ = fold.set_attribute("open", "");
        }
    }
    if let Some(id) = focused {
        // What was pressed may be folded by now, and takes no focus then.
        for place in [element(&id), element(STRIP)].into_iter().flatten() {
            if active().is_none() {
                let _ = place.unchecked_ref::<HtmlElement>().focus();
            }
        }
    }
    say(
        strip.first_element_child().and_then(|list| list.get_attribute("data-says")).as_deref().unwrap_or("No alerts"),
        "",
    );
    true
}

/// Since when, and until when: by the server's clock.
fn tick(now_s: i64) {
    let Some(strip) = element(STRIP) else { return };
    let times = strip.get_elements_by_tag_name("time");
    let mut place = 0;
    while let Some(time) = times.item(place) {
        place += 1;
        let Some(at_s) = time.get_attribute("data-s").and_then(|at| at.parse::<i64>().ok()) else { continue };
        let text = if at_s > now_s { format!("{} left", span(at_s - now_s + 59)) } else { ago(now_s - at_s) };
        time.set_text_content(Some(&text));
    }
}

fn say(text: &str, kind: &str) {
    if let Some(said) = element(SAID) {
        said.set_text_content(Some(text));
        let _ = said.set_attribute("data-kind", kind);
    }
}

/// A button was pressed, by hand or by key: asks the server. What becomes of it, the live link tells.
fn press(event: &MouseEvent) {
    let target = event.target().map(JsCast::unchecked_into::<Element>);
    let Some(button) = target.and_then(|target| target.closest("[data-post]").ok().flatten()) else { return };
    let (Some(address), Ok(request)) = (button.get_attribute("data-post"), XmlHttpRequest::new()) else { return };
    let minutes = button.get_attribute("data-minutes").unwrap_or_else(until_tomorrow);
    let done = {
        let request = request.clone();
        Closure::once_into_js(move || {
            let status = request.status().unwrap_or_default();
            match status {
                200 => {}
                403 => say("This key may not snooze alerts: it takes scope \u{201c}admin\u{201d}.", "bad"),
                404 => say("That alert has ended.", "bad"),
                _ => say("The server did not do it. Try again.", "bad"),
            }
        })
    };
    request.set_onloadend(Some(done.unchecked_ref()));
    let sent = request
        .open("POST", &address)
        .and_then(|()| request.set_request_header("content-type", "application/json"))
        .and_then(|()| request.send_with_opt_str(Some(&format!("{{\"minutes\":{minutes}}}"))));
    if sent.is_err() {
        say("The server did not do it. Try again.", "bad");
    }
}

/// Minutes until eight in the morning of the next day, where the viewer is. As an integer: the writer of broken numbers
/// would weigh more than the whole strip.
#[expect(clippy::cast_possible_truncation, reason = "minutes of a day or two")]
fn until_tomorrow() -> String {
    let (now, then) = (js_sys::Date::new_0(), js_sys::Date::new_0());
    then.set_hours(24 + 8);
    then.set_minutes(0);
    (((then.get_time() - now.get_time()) / 60e3).ceil() as i64).to_string()
}
