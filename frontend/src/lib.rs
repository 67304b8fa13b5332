//! The WASM entry: takes over the page that the server rendered, nothing else.
//!
//! Each page's client is this crate with one feature; with all of them, as `cargo leptos watch` builds it, one client
//! takes over every page.

// As in `app`: a page's view is one type, as deep as its markup.
#![recursion_limit = "512"]

use app::browser;
use leptos::mount::hydrate_body;
use leptos::prelude::*;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page's boot script. Without a seed the page stays as it was rendered.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    match browser::client().as_str() {
        #[cfg(feature = "towns")]
        "towns" => {
            // Neither can be read as the other.
            if let Some(notice) = browser::take() {
                hydrate_body(|| view! { <browser::NoticePage notice/> });
            } else if let Some(seed) = browser::take() {
                hydrate_body(|| view! { <browser::TownsPage seed/> });
            }
        }
        #[cfg(feature = "overview")]
        "overview" => {
            if let Some(seed) = browser::take() {
                hydrate_body(|| view! { <browser::OverviewPage seed/> });
            }
        }
        #[cfg(feature = "live")]
        "live" => {
            if let Some(seed) = browser::take() {
                hydrate_body(|| view! { <browser::LivePage seed/> });
            }
        }
        #[cfg(feature = "observability")]
        "observability" => {
            if let Some(seed) = browser::take() {
                hydrate_body(|| view! { <browser::ObservabilityPage seed/> });
            }
        }
        #[cfg(feature = "machine")]
        "machine" => {
            if let Some(seed) = browser::take() {
                hydrate_body(|| view! { <browser::MachineView seed/> });
            }
        }
        #[cfg(feature = "sources")]
        "sources" => {
            if let Some(seed) = browser::take() {
                hydrate_body(|| view! { <browser::SourcesView seed/> });
            }
        }
        #[cfg(feature = "tank")]
        "tank" => {
            if let Some(seed) = browser::take() {
                hydrate_body(|| view! { <browser::TankPage seed/> });
            }
        }
        _ => {}
    }
}
