//! The machine in the header of every page: a small button, and behind it a popover. The browser itself opens it, closes
//! it on Escape and on a click elsewhere, and gives the focus back.
//!
//! Its markup is made by the server alone, and here only its texts are set: as a view it would be the largest part of the
//! header, on pages that have no room for it.

use std::cell::RefCell;

use leptos::prelude::*;

use super::fixed::fixed;
use super::machine_face::{LABELS, host, is_silent, tell};
use crate::live::Live;

/// The button, which carries the state for style sheets.
const BUTTON: &str = "perf";

/// What stands between the tabs and the link. One machine: the one that the page came with, and another only when that
/// falls silent.
#[component]
pub(crate) fn MachineChip(live: Live, href: String) -> impl IntoView {
    let html = fixed(|| markup(&live.perf.get_untracked(), live.now.get_untracked().0, &href));
    let kept = RefCell::new(String::new());
    Effect::new(move |_| {
        let now_us = live.now.get().0;
        let mut kept = kept.borrow_mut();
        live.perf.with(|text| {
            if is_silent(&kept, now_us) || host(&kept) == host(text) {
                kept.clone_from(text);
            }
        });
        tell(&kept, now_us, &mut |place, text| {
            let element = |id: &str| document().get_element_by_id(id);
            if place == 0
                && let Some(button) = element(BUTTON)
            {
                // Refused by no browser: an attribute of a name that is one.
                let _ = button.set_attribute("data-machine", text);
            }
            if let Some(element) = element(&id(place)) {
                element.set_text_content(Some(text));
            }
        });
    });
    view! { <span class="spring" inner_html=html></span> }
}

fn id(place: usize) -> String {
    format!("perf{place}")
}

fn markup(perf: &str, now_us: i64, href: &str) -> String {
    let mut texts = vec!["–".to_owned(); 5 + LABELS.len()];
    texts[3].clear();
    tell(perf, now_us, &mut |place, text| text.clone_into(&mut texts[place]));
    let text = |place: usize| {
        let safe = texts[place].replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!("<span id=\"{}\">{safe}</span>", id(place))
    };
    let rows: String =
        LABELS.iter().zip(5..).map(|(label, place)| format!("<dt>{label}</dt><dd>{}</dd>", text(place))).collect();
    let (state, cpu, memory, host, note) = (text(0), text(1), text(2), text(3), text(4));
    let word = &texts[0];
    format!(
        "<button id=\"{BUTTON}\" type=\"button\" class=\"machine\" popovertarget=\"machine\" data-machine=\"{word}\">\
         <span class=\"visually-hidden\">Machine: </span><b>{state}</b> <span class=\"wide\">CPU </span>{cpu}\
         <span class=\"wide\"> · Mem {memory}</span></button>\
         <section id=\"machine\" popover=\"auto\" aria-label=\"Machine\"><h2>{host}{note}</h2>\
         <dl>{rows}</dl><a href=\"{href}\">All machines</a></section>"
    )
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_markup() {
        let perf = r#"{"timestamp":"2026-02-25T06:15:23Z","host":"<b onclick=\"x\">&","run":{"status":"idle"}}"#;
        let html = markup(perf, 0, "/t/home/machine");
        assert!(html.contains("<span id=\"perf3\">&lt;b onclick=\"x\"&gt;&amp;</span>"), "{html}");
        assert!(!html.contains("<b onclick"));
    }
}
