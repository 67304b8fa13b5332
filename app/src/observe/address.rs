//! The address of the page: the range stands in it, so that it can be sent to somebody, and each range is a step of the
//! browser's history. Runs in the browser.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

use super::range;
use crate::reader::SeriesRange;

/// The range of the address that the browser shows.
pub(crate) fn read() -> SeriesRange {
    let query = window().location().search().ok().and_then(|search| UrlSearchParams::new_with_str(&search).ok());
    let get = |name: &str| query.as_ref().and_then(|query| query.get(name));
    range::parse(get("window").as_deref(), get("from").as_deref(), get("to").as_deref())
}

/// Goes to an address of this page without loading it anew.
pub(crate) fn push(address: &str) {
    if let Ok(history) = window().history() {
        // Refused only when a page pushes hundreds within seconds; then the range changes and the address does not.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
    }
}
