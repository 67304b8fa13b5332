//! The viewer's time zone. The server and the first paint speak UTC; after hydration the browser's zone takes over.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::civil;

/// The zone in which times are shown, in context.
#[derive(Clone, Copy)]
pub(crate) struct Zone {
    /// Name such as `Europe/Zurich`; none while it is UTC for the first paint.
    name: RwSignal<Option<String>>,
}

/// How long after hydration the browser is asked for its zone's name. Its tables take it longer than the whole overview
/// takes to hydrate, and until they are there no click is answered; so the page comes first.
const AFTER: Duration = Duration::from_millis(100);

/// Provides [`Zone`] and switches it to the browser's once the page is alive.
pub(crate) fn provide_zone() {
    let name = RwSignal::new(None);
    provide_context(Zone { name });
    Effect::new(move |_| {
        let learn = move || {
            name.try_set(Some(browser_zone()));
        };
        if let Ok(timer) = set_timeout_with_handle(learn, AFTER) {
            on_cleanup(move || timer.clear());
        }
    });
}

/// The zone in context.
pub(crate) fn use_zone() -> Zone {
    use_context().unwrap_or_else(|| Zone { name: RwSignal::new(None) })
}

impl Zone {
    /// `UTC` or the zone's name. Tracked.
    pub(crate) fn name(self) -> String {
        self.name.get().unwrap_or_else(|| "UTC".to_owned())
    }
    /// Seconds to add to UTC at an instant. Tracked.
    pub(crate) fn offset_s(self, at_s: i64) -> i32 {
        if self.name.with(Option::is_some) { browser_offset_s(at_s) } else { 0 }
    }
    /// `HH:MM:SS`. Tracked.
    pub(crate) fn clock(self, at_s: i64) -> String {
        civil::clock(at_s, self.offset_s(at_s))
    }
    /// `Feb 26 18:21:30`. Tracked.
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
    pub(crate) fn day_clock(self, at_s: i64) -> String {
        chart::time_label(at_s as f64, &|at_s| self.offset_s(at_s))
    }
}

/// Seconds that the browser's zone adds to UTC at an instant.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "JavaScript's numbers are f64")]
pub(crate) fn browser_offset_s(at_s: i64) -> i32 {
    let date = js_sys::Date::new(&JsValue::from_f64(at_s as f64 * 1e3));
    -(date.get_timezone_offset() * 60.0) as i32
}

fn browser_zone() -> String {
    let options = js_sys::Intl::DateTimeFormat::new(&js_sys::Array::new(), &js_sys::Object::new()).resolved_options();
    js_sys::Reflect::get(&options, &JsValue::from_str("timeZone"))
        .ok()
        .and_then(|zone| zone.as_string())
        .unwrap_or_else(|| "local".to_owned())
}
