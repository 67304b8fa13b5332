//! The address of the page: what is shown stands in it, so that it can be sent to somebody, and each range is a step of the
//! browser's history. Runs in the browser.

use leptos::prelude::*;
use wasm_bindgen::JsValue;
use web_sys::UrlSearchParams;

use super::asked;
use crate::reader::ChartsAsked;

/// What the address asks for that the browser shows.
pub(crate) fn read() -> ChartsAsked {
    let query = window().location().search().ok().and_then(|search| UrlSearchParams::new_with_str(&search).ok());
    asked::parse(|name| query.as_ref().and_then(|query| query.get(name)))
}

/// Goes to an address of this page without loading it anew.
pub(crate) fn push(address: &str) {
    if let Ok(history) = window().history() {
        // Refused only when a page pushes hundreds within seconds; then the range changes and the address does not.
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(address));
    }
}

/// Changes the address of this page without a step of the history.
pub(crate) fn replace(address: &str) {
    if let Ok(history) = window().history() {
        // As in [`push`].
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(address));
    }
}
