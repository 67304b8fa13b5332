//! The message `perf_metrics` as the header says it, read by name out of its text: a typed reader would cost every page
//! more than all that the header says of a machine.

use model::format::{ago, compact};
use model::host::is_stale;

/// What the popover lists, in this order.
pub(crate) const LABELS: [&str; 6] = ["CPU", "Memory", "GPU", "VRAM", "Tokens, this run", "Tokens, session"];

/// Takes the texts of the header by their place: the state (one word, also for style sheets), processors and memory in
/// short, the host, a note, and one per [`LABELS`].
pub(crate) type Tell<'a> = &'a mut dyn FnMut(usize, &str);

/// Instead of a figure where there is nothing.
const NONE: &str = "Not available";

/// Fields of a JSON object, or of an object in it; the second name of its own fields is empty.
trait Fields {
    fn number(&self, of: &str, name: &str) -> Option<f64>;
    fn text(&self, of: &str, name: &str) -> Option<String>;
    fn is_true(&self, of: &str, name: &str) -> bool;
    /// RFC 3339, in milliseconds since 1970.
    fn time_ms(&self, of: &str) -> Option<f64>;
}

/// The machine that a message is of; empty for what is no message.
pub(crate) fn host(perf: &str) -> String {
    parse(perf).and_then(|fields| fields.text("host", "")).unwrap_or_default()
}

/// The state of a machine at a time of the server's clock, by the message that was read last: `Live`, `Idle`, `Stale`, or
/// `None` where no machine is read; and how old the message is, in microseconds.
fn state(fields: &impl Fields, now_us: i64) -> Option<(&'static str, i64)> {
    #[expect(clippy::cast_possible_truncation, reason = "microseconds since 1970 fit in 53 bits until 2255")]
    let age_us = now_us - (fields.time_ms("timestamp")? * 1e3) as i64;
    let is_live = fields.text("run", "status")? == "live";
    Some((
        if is_stale(age_us) {
            "Stale"
        } else if is_live {
            "Live"
        } else {
            "Idle"
        },
        age_us,
    ))
}

/// Whether another machine may take the place of the one that a message is of.
pub(crate) fn is_silent(perf: &str, now_us: i64) -> bool {
    parse(perf).and_then(|fields| state(&fields, now_us)).is_none_or(|(state, _)| state == "Stale")
}

/// Tells all texts of a message.
pub(crate) fn tell(perf: &str, now_us: i64, tell: Tell<'_>) {
    if parse(perf).and_then(|fields| tell_known(&fields, now_us, tell)).is_none() {
        tell(0, "None");
        tell(4, "No machine of this town is read");
    }
}

fn tell_known(fields: &impl Fields, now_us: i64, tell: Tell<'_>) -> Option<()> {
    const GIB: f64 = 1_073_741_824.0;
    let (state, age_us) = state(fields, now_us)?;
    tell(0, state);
    tell(3, &fields.text("host", "")?);
    let age = if state == "Stale" { format!("Stale: read {}", ago(age_us / 1_000_000)) } else { state.to_owned() };
    tell(4, &age);
    for (place, part) in [(1, "cpu"), (2, "memory"), (5, "cpu"), (7, "gpu")] {
        let none = if place < 3 { "–" } else { NONE };
        tell(place, &fields.number(part, "percent").map_or_else(|| none.to_owned(), |n| format!("{n:.0} %")));
    }
    for (place, part, used, total) in
        [(6, "memory", "used_bytes", "total_bytes"), (8, "gpu", "vram_used_bytes", "vram_total_bytes")]
    {
        let space = fields.number(part, used).zip(fields.number(part, total)).map(|(used, total)| {
            format!("{:.1} of {:.1} GiB · {:.0} %", used / GIB, total / GIB, used / total.max(1.0) * 100.0)
        });
        tell(place, space.as_deref().unwrap_or(NONE));
    }
    for (place, name) in [(9, "current_run"), (10, "total_session")] {
        let count = fields.number("tokens", name).filter(|_| fields.is_true("tokens", "available")).map(compact);
        tell(place, count.as_deref().unwrap_or(NONE));
    }
    Some(())
}

/// On the server.
#[cfg(feature = "ssr")]
fn parse(text: &str) -> Option<impl Fields> {
    serde_json::from_str::<serde_json::Value>(text).ok()
}

#[cfg(feature = "ssr")]
impl Fields for serde_json::Value {
    fn number(&self, of: &str, name: &str) -> Option<f64> {
        field(self, of, name)?.as_f64()
    }
    fn text(&self, of: &str, name: &str) -> Option<String> {
        field(self, of, name)?.as_str().map(str::to_owned)
    }
    fn is_true(&self, of: &str, name: &str) -> bool {
        field(self, of, name) == Some(&Self::Bool(true))
    }
    fn time_ms(&self, of: &str) -> Option<f64> {
        let at = model::Timestamp::parse_rfc3339(field(self, of, "")?.as_str()?).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "as in the browser")]
        let ms = (at.0 / 1_000) as f64;
        Some(ms)
    }
}

#[cfg(feature = "ssr")]
fn field<'a>(value: &'a serde_json::Value, of: &str, name: &str) -> Option<&'a serde_json::Value> {
    let value = value.get(of)?;
    if name.is_empty() { Some(value) } else { value.get(name) }
}

/// In the browser, which has a reader of its own.
#[cfg(not(feature = "ssr"))]
fn parse(text: &str) -> Option<impl Fields> {
    js_sys::JSON::parse(text).ok()
}

#[cfg(not(feature = "ssr"))]
impl Fields for wasm_bindgen::JsValue {
    fn number(&self, of: &str, name: &str) -> Option<f64> {
        field(self, of, name).as_f64()
    }
    fn text(&self, of: &str, name: &str) -> Option<String> {
        field(self, of, name).as_string()
    }
    fn is_true(&self, of: &str, name: &str) -> bool {
        field(self, of, name).is_truthy()
    }
    fn time_ms(&self, of: &str) -> Option<f64> {
        self.text(of, "").map(|text| js_sys::Date::parse(&text)).filter(|ms| ms.is_finite())
    }
}

/// Undefined where there is none.
#[cfg(not(feature = "ssr"))]
fn field(value: &wasm_bindgen::JsValue, of: &str, name: &str) -> wasm_bindgen::JsValue {
    let get = |value: &wasm_bindgen::JsValue, name: &str| js_sys::Reflect::get(value, &name.into()).unwrap_or_default();
    let value = get(value, of);
    if name.is_empty() { value } else { get(&value, name) }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    /// 2026-02-25T06:15:23.456Z
    const AT_US: i64 = 1_772_000_123_456_000;
    const BARE: &str = r#"{"type":"perf_metrics","timestamp":"2026-02-25T06:15:23.456Z","project":"home","host":"forge",
        "run":{"status":"idle"},"tokens":{"current_run":0,"total_session":0,"available":false},
        "cpu":null,"memory":null,"gpu":null,"disk":null}"#;

    /// All texts, in their places.
    fn texts(perf: &str, now_us: i64) -> Vec<String> {
        let mut texts = vec![String::new(); 11];
        tell(perf, now_us, &mut |place, text| text.clone_into(&mut texts[place]));
        texts
    }

    #[test]
    fn what_there_is_not_is_not_available_and_never_zero() {
        let texts = texts(BARE, AT_US);
        assert_eq!(texts[..5], ["Idle", "–", "–", "forge", "Idle"]);
        assert!(texts[5..].iter().all(|text| text == "Not available"), "{texts:?}");
    }

    #[test]
    fn figures_read_short() {
        let full = BARE
            .replace("\"cpu\":null", "\"cpu\":{\"percent\":23.4}")
            .replace(
                "\"memory\":null",
                "\"memory\":{\"used_bytes\":12884901888,\"total_bytes\":34359738368,\"percent\":37.5}",
            )
            .replace(
                "\"gpu\":null",
                "\"gpu\":{\"percent\":88.0,\"vram_used_bytes\":1073741824,\"vram_total_bytes\":25769803776}",
            )
            .replace(
                "\"current_run\":0,\"total_session\":0,\"available\":false",
                "\"current_run\":1200,\"total_session\":0,\"available\":true",
            );
        let texts = texts(&full, AT_US);
        assert_eq!(texts[1..3], ["23 %", "38 %"]);
        assert_eq!(texts[5..], ["23 %", "12.0 of 32.0 GiB · 38 %", "88 %", "1.0 of 24.0 GiB · 4 %", "1.2k", "0"]);
    }

    #[test]
    fn a_reading_is_stale_after_ten_seconds_whatever_the_town_does() {
        let live = BARE.replace("idle", "live");
        let state = |after_us: i64| texts(&live, AT_US + after_us)[0].clone();
        assert_eq!([state(0), state(10_000_000), state(10_000_001)], ["Live", "Live", "Stale"]);
        assert_eq!(texts(&live, AT_US + 42_000_000)[4], "Stale: read 42 s ago");
    }

    #[test]
    fn what_is_no_message_says_that_no_machine_is_read() {
        for bad in ["", "{}", "[1]", "{\"host\":\"a\"}"] {
            let texts = texts(bad, 0);
            assert_eq!((texts[0].as_str(), texts[4].as_str()), ("None", "No machine of this town is read"));
            assert!(is_silent(bad, 0));
        }
    }
}
