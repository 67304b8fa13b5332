//! What the instruments of the Overview say of themselves. Told by one effect over marked elements: a view of its own in
//! each instrument would cost the first page more than all that is said.

use leptos::prelude::*;
use wasm_bindgen::JsCast;

use crate::live::Live;
use crate::truth::Truth;

/// Lives by the link alone.
pub(crate) const LINK: &str = "link";
/// The town's silence is its own, too.
pub(crate) const TOWN: &str = "town";

fn of(kind: &str, live: Live) -> Truth {
    if kind == LINK { Truth::of_link(live) } else { Truth::of_town(live) }
}

fn words(truth: Truth) -> String {
    truth.text().map(|text| truth.sign().to_owned() + &text).unwrap_or_default()
}

/// The name and the words that an instrument begins with, on the server and in the browser alike.
pub(crate) fn first(kind: &str, live: Live) -> (&'static str, String) {
    let truth = untrack(|| of(kind, live));
    (truth.name(), words(truth))
}

/// Keeps every element with `data-tell` up to date: its `data-truth`, its class `stale`, and the words in it.
pub(crate) fn keep_telling(live: Live) {
    Effect::new(move |_| {
        for kind in [LINK, TOWN] {
            let truth = of(kind, live);
            let words = words(truth);
            let Ok(found) = document().query_selector_all(&format!("[data-tell={kind}]")) else { continue };
            for element in (0..found.length()).filter_map(|at| found.get(at)?.dyn_into::<web_sys::Element>().ok()) {
                // Refused by no browser: names that are some.
                let _ = element.set_attribute("data-truth", truth.name());
                let _ = element.class_list().toggle_with_force("stale", truth.is_old());
                if let Ok(Some(mark)) = element.query_selector(".truth") {
                    mark.set_text_content(Some(&words));
                }
            }
        }
    });
}
