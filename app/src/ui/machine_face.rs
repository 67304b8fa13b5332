//! The message `perf_metrics` as the header shows it, read by name out of its text: a typed reader would cost every page
//! more than all that the header says of a machine.

use model::format::compact;
use model::host::is_stale;

/// What the popover lists, in this order.
pub(crate) const LABELS: [&str; 6] = ["CPU", "Memory", "GPU", "VRAM", "Tokens, this run", "Tokens, session"];

/// Instead of a figure where there is nothing.
const NONE: &str = "Not available";

/// A machine in words.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Face {
    /// Its name.
    pub host: String,
    /// When it was read, in microseconds since 1970.
    pub at_us: i64,
    /// Whether the town works.
    pub live: bool,
    /// Processors in a few characters, for the header.
    pub cpu: String,
    /// The same of memory.
    pub memory: String,
    /// One text per [`LABELS`].
    pub rows: [String; 6],
}

/// Fields of a JSON object by their path, such as `cpu.percent`.
trait Fields {
    fn number(&self, path: &str) -> Option<f64>;
    fn text(&self, path: &str) -> Option<String>;
    fn is_true(&self, path: &str) -> bool;
    /// RFC 3339, in milliseconds since 1970.
    fn time_ms(&self, path: &str) -> Option<f64>;
}

impl Face {
    /// Reads the message; none when there is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let fields = parse(text)?;
        let number = |path: &str| fields.number(path);
        let percent = |path: &str| number(path).map(|percent| format!("{percent:.0} %"));
        let space = |used: &str, total: &str| {
            const GIB: f64 = 1_073_741_824.0;
            let (used, total) = (number(used)? / GIB, number(total)? / GIB);
            Some(format!("{used:.1} of {total:.1} GiB · {:.0} %", used / total.max(1e-9) * 100.0))
        };
        let is_known = fields.is_true("tokens.available");
        let tokens = |path: &str| number(path).filter(|_| is_known).map(compact);
        let none = || NONE.to_owned();
        let short = |path: &str| percent(path).unwrap_or_else(|| "–".to_owned());
        #[expect(clippy::cast_possible_truncation, reason = "microseconds since 1970 fit in 53 bits until 2255")]
        let at_us = (fields.time_ms("timestamp")? * 1e3) as i64;
        Some(Self {
            host: fields.text("host")?,
            at_us,
            live: fields.text("run.status")? == "live",
            rows: [
                percent("cpu.percent").unwrap_or_else(none),
                space("memory.used_bytes", "memory.total_bytes").unwrap_or_else(none),
                percent("gpu.percent").unwrap_or_else(none),
                space("gpu.vram_used_bytes", "gpu.vram_total_bytes").unwrap_or_else(none),
                tokens("tokens.current_run").unwrap_or_else(none),
                tokens("tokens.total_session").unwrap_or_else(none),
            ],
            cpu: short("cpu.percent"),
            memory: short("memory.percent"),
        })
    }

    /// The machine's state at a time of the server's clock: one word, also for style sheets.
    pub(crate) const fn state(&self, now_us: i64) -> &'static str {
        match (is_stale(now_us - self.at_us), self.live) {
            (true, _) => "Stale",
            (false, true) => "Live",
            (false, false) => "Idle",
        }
    }
}

/// On the server.
#[cfg(feature = "ssr")]
fn parse(text: &str) -> Option<impl Fields> {
    serde_json::from_str::<serde_json::Value>(text).ok()
}

#[cfg(feature = "ssr")]
impl Fields for serde_json::Value {
    fn number(&self, path: &str) -> Option<f64> {
        field(self, path)?.as_f64()
    }
    fn text(&self, path: &str) -> Option<String> {
        field(self, path)?.as_str().map(str::to_owned)
    }
    fn is_true(&self, path: &str) -> bool {
        field(self, path) == Some(&Self::Bool(true))
    }
    fn time_ms(&self, path: &str) -> Option<f64> {
        let at = model::Timestamp::parse_rfc3339(field(self, path)?.as_str()?).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "as in the browser")]
        let ms = (at.0 / 1_000) as f64;
        Some(ms)
    }
}

#[cfg(feature = "ssr")]
fn field<'a>(value: &'a serde_json::Value, path: &str) -> Option<&'a serde_json::Value> {
    path.split('.').try_fold(value, |value, name| value.get(name))
}

/// In the browser, which has a reader of its own.
#[cfg(not(feature = "ssr"))]
fn parse(text: &str) -> Option<impl Fields> {
    js_sys::JSON::parse(text).ok()
}

#[cfg(not(feature = "ssr"))]
impl Fields for wasm_bindgen::JsValue {
    fn number(&self, path: &str) -> Option<f64> {
        field(self, path).as_f64()
    }
    fn text(&self, path: &str) -> Option<String> {
        field(self, path).as_string()
    }
    fn is_true(&self, path: &str) -> bool {
        field(self, path).is_truthy()
    }
    fn time_ms(&self, path: &str) -> Option<f64> {
        self.text(path).map(|text| js_sys::Date::parse(&text)).filter(|ms| ms.is_finite())
    }
}

/// Undefined where there is none.
#[cfg(not(feature = "ssr"))]
fn field(value: &wasm_bindgen::JsValue, path: &str) -> wasm_bindgen::JsValue {
    path.split('.').fold(value.clone(), |value, name| js_sys::Reflect::get(&value, &name.into()).unwrap_or_default())
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    const BARE: &str = r#"{"type":"perf_metrics","timestamp":"2026-02-25T06:15:23.456Z","project":"home","host":"forge",
        "run":{"status":"idle"},"tokens":{"current_run":0,"total_session":0,"available":false},
        "cpu":null,"memory":null,"gpu":null,"disk":null}"#;

    #[test]
    fn what_there_is_not_is_not_available_and_never_zero() {
        let face = Face::read(BARE).unwrap();
        assert_eq!(
            (face.host.as_str(), face.cpu.as_str(), face.memory.as_str(), face.live),
            ("forge", "–", "–", false)
        );
        assert!(face.rows.iter().all(|row| row == NONE), "{:?}", face.rows);
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
        let rows = Face::read(&full).unwrap().rows;
        assert_eq!(rows, ["23 %", "12.0 of 32.0 GiB · 38 %", "88 %", "1.0 of 24.0 GiB · 4 %", "1.2k", "0"]);
    }

    #[test]
    fn a_reading_is_stale_after_ten_seconds_whatever_the_town_does() {
        let face = Face { live: true, ..Face::read(BARE).unwrap() };
        assert_eq!(face.state(face.at_us + 10_000_000), "Live");
        assert_eq!(face.state(face.at_us + 10_000_001), "Stale");
    }

    #[test]
    fn what_is_no_message_is_nothing() {
        for bad in ["", "{}", "[1]", "{\"host\":\"a\"}"] {
            assert_eq!(Face::read(bad), None);
        }
    }
}
