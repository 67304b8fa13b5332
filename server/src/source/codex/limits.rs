//! What a rollout says of limits, as readings of tanks.

use model::Timestamp;
use model::fuel::FuelKind;
use serde_json::Value;
use serde_json::value::RawValue;

use super::SOURCE;
use super::line::{RateLimits, RateWindow};
use super::memory::kept;
use crate::db::tank::Told;
use crate::source::{Yield, limits};

/// Windows without a length have these, minutes.
const USUAL: [i64; 2] = [300, 10_080];

impl RateLimits<'_> {
    /// Adds a reading for each window, and one for credits that can run out.
    pub(super) fn tell(&self, at: Timestamp, out: &mut Yield) {
        let own = kept(self.limit_name.0.as_deref()).or(kept(self.limit_id.0.as_deref()).filter(|id| *id != "codex"));
        let prefix = own.map_or_else(|| "Codex".to_owned(), |name| format!("Codex {name}"));
        for (window, usual) in [&self.primary, &self.secondary].into_iter().zip(USUAL) {
            let Some(window) = &window.0 else { continue };
            let Some(left) = value(window.used_percent).as_ref().and_then(limits::left_of_percent) else { continue };
            let minutes = value(window.window_minutes).as_ref().and_then(limits::whole).filter(|m| *m > 0);
            out.reading(Told {
                tank: format!("{prefix} {}", limits::window_name(minutes.unwrap_or(usual))),
                kind: FuelKind::Window,
                source: SOURCE.to_owned(),
                currency: String::new(),
                at,
                left,
                resets_at: window.resets(at),
            });
        }
        let Some(credits) = &self.credits.0 else { return };
        let unlimited = value(credits.unlimited) == Some(Value::Bool(true));
        let balance = value(credits.balance).and_then(|balance| match balance {
            Value::String(text) => model::Nanodollars::parse_dollars(&text).ok(),
            Value::Number(number) => model::Nanodollars::parse_dollars(&number.to_string()).ok(),
            _ => None,
        });
        if let Some(balance) = balance.filter(|_| !unlimited) {
            out.reading(Told {
                tank: format!("{prefix} credits"),
                kind: FuelKind::Money,
                source: SOURCE.to_owned(),
                currency: "credits".to_owned(),
                at,
                left: balance.0,
                resets_at: None,
            });
        }
    }
}

impl RateWindow<'_> {
    fn resets(&self, at: Timestamp) -> Option<Timestamp> {
        let said = value(self.resets_at).as_ref().and_then(limits::reset_time);
        said.or_else(|| {
            let seconds = value(self.resets_in_seconds).as_ref().and_then(limits::whole)?;
            at.plus_seconds(seconds.clamp(0, 366 * 86_400)).believed().ok()
        })
    }
}

fn value(raw: Option<&RawValue>) -> Option<Value> {
    serde_json::from_str(raw?.get()).ok()
}
