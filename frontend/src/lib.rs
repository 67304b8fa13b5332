//! The WASM entry: takes over the page that the server rendered, nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page's boot script.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(app::App);
}
