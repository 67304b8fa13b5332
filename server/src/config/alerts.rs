//! Where alerts begin and end, as configured: `--alert NAME=NUMBER`, `TOWNGAUGE_ALERTS`, `[alerts]` in towngauge.toml.

use anyhow::{Context as _, bail};
use model::alert::AlertLimits;

use super::origin::{Env, Origin};
use super::settings::Settings;

/// The limits, and where each comes from.
#[derive(Debug, Clone)]
pub struct AlertSettings {
    /// The limits.
    pub limits: AlertLimits,
    /// Where each comes from, in the order of [`AlertLimits::KNOBS`].
    origins: Vec<Origin>,
}

/// What one place says, by name.
struct Said {
    origin: Origin,
    numbers: Vec<(String, u32)>,
}

/// Two that were there before the others keep names of their own.
const LOW: (&str, &str) = ("low_percent", "TOWNGAUGE_ALERT_LOW_PERCENT");
const SILENT: (&str, &str) = ("silent_minutes", "TOWNGAUGE_ALERT_SILENT_MINUTES");
const ALL: &str = "TOWNGAUGE_ALERTS";

impl AlertSettings {
    pub(super) fn resolve(flags: &Settings, env: Env<'_>, file: &Settings) -> anyhow::Result<Self> {
        let own = |settings: &Settings| {
            let low = settings.alert_low_percent.map(|n| (LOW.0.to_owned(), n.into()));
            let silent = settings.alert_silent_minutes.map(|n| (SILENT.0.to_owned(), n.into()));
            low.into_iter().chain(silent)
        };
        let mut places = Vec::new();
        let numbers = read(flags.alert.iter().map(String::as_str)).context("--alert")?;
        places.push(Said { origin: Origin::Flag, numbers: numbers.into_iter().chain(own(flags)).collect() });
        if let Some(raw) = env(ALL) {
            let numbers = read(super::listed(&raw)).with_context(|| format!("{ALL}=\"{raw}\" cannot be used"))?;
            places.push(Said { origin: Origin::Environment(ALL), numbers });
        }
        for (name, variable) in [LOW, SILENT] {
            if let Some(raw) = env(variable).filter(|raw| !raw.is_empty()) {
                let number = raw.parse().with_context(|| format!("{variable}=\"{raw}\" cannot be used"))?;
                places.push(Said { origin: Origin::Environment(variable), numbers: vec![(name.to_owned(), number)] });
            }
        }
        let table = file.alerts.iter().map(|(name, number)| (name.clone(), *number));
        places.push(Said { origin: Origin::File, numbers: table.chain(own(file)).collect() });
        for Said { origin, numbers } in &places {
            check(numbers).with_context(|| format!("alerts (from {origin})"))?;
        }
        let said = |name: &str| {
            let at = |place: &Said| place.numbers.iter().find(|(known, _)| known == name).map(|(_, number)| *number);
            places.iter().find_map(|place| Some((at(place)?, place.origin.clone())))
        };
        let origin = |name: &str| said(name).map_or(Origin::Default, |(_, origin)| origin);
        let limits = AlertLimits::resolve(|name| said(name).map(|(number, _)| number)).map_err(|error| {
            // A default can be out of bounds only by what was said before it, which it names.
            anyhow::anyhow!("alerts (from {}): {error}", origin(error.name))
        })?;
        let origins = AlertLimits::KNOBS.iter().map(|knob| origin(knob.name)).collect();
        Ok(Self { limits, origins })
    }

    /// Every number by its name, with where it comes from.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&'static str, String, &Origin)> {
        let value = |limits: &AlertLimits, place: usize| AlertLimits::KNOBS[place].value(limits).to_string();
        let limits = self.limits;
        let numbered = AlertLimits::KNOBS.iter().zip(&self.origins).enumerate();
        numbered.map(move |(place, (knob, origin))| (knob.name, value(&limits, place), origin))
    }
}

/// Items such as `review=20`.
fn read<'a>(items: impl Iterator<Item = &'a str>) -> anyhow::Result<Vec<(String, u32)>> {
    let item = |item: &str| {
        let (name, number) = item.split_once('=').with_context(|| format!("\"{item}\": write NAME=NUMBER"))?;
        let number = number.trim().parse().with_context(|| format!("\"{item}\": that is no whole number"))?;
        Ok((name.trim().to_owned(), number))
    };
    items.map(item).collect()
}

fn check(numbers: &[(String, u32)]) -> anyhow::Result<()> {
    for (place, (name, _)) in numbers.iter().enumerate() {
        if AlertLimits::knob(name).is_none() {
            let names: Vec<&str> = AlertLimits::KNOBS.iter().map(|knob| knob.name).collect();
            bail!("there is no \"{name}\": use {}", names.join(", "));
        }
        if numbers[..place].iter().any(|(other, _)| other == name) {
            bail!("{name} is said twice");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn resolve(flags: &[&str], env: &[(&str, &str)], file: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("towngauge.toml");
        std::fs::write(&path, file)?;
        let flags = Settings {
            config: Some(path),
            alert: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            ..Settings::default()
        };
        let get = |name: &str| env.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Config::resolve(&flags, &get)
    }

    #[test]
    fn each_number_is_said_by_flag_environment_or_file_and_has_a_default() {
        let file = "alert_low_percent = 30\n[alerts]\nreview = 40\nerrors = 7\nrestarts = 9\n";
        let env = [("TOWNGAUGE_ALERTS", "errors=8, restarts=8"), ("TOWNGAUGE_ALERT_SILENT_MINUTES", "20")];
        let config = resolve(&["restarts=7"], &env, file).unwrap();
        let limits = config.alerts.limits;
        assert_eq!((limits.restarts, limits.errors, limits.review), (7, 8, 40));
        assert_eq!((limits.low_percent, limits.low_clear_percent, limits.silent_minutes), (30, 35, 20));
        let line = |name: &str| {
            let lines = config.lines().into_iter();
            lines
                .filter(|(known, ..)| *known == name)
                .map(|(_, value, origin)| format!("{value} {origin}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(line("alerts.restarts"), ["7 flag"]);
        assert_eq!(line("alerts.errors"), ["8 environment TOWNGAUGE_ALERTS"]);
        assert_eq!(line("alerts.review"), ["40 towngauge.toml"]);
        assert_eq!(line("alerts.low_percent"), ["30 towngauge.toml"]);
        assert_eq!(line("alerts.silent_minutes"), ["20 environment TOWNGAUGE_ALERT_SILENT_MINUTES"]);
        assert_eq!(line("alerts.review_clear"), ["20 default"]);
    }

    #[test]
    fn the_readme_has_every_number_with_its_default() {
        let readme = include_str!("../../../README.md");
        for knob in AlertLimits::KNOBS {
            let wanted = format!("`{}` {}", knob.name, knob.value(&AlertLimits::default()));
            assert!(readme.contains(&wanted), "{wanted}: {}", knob.means);
        }
    }

    #[test]
    fn what_cannot_be_used_says_which_and_where_from_and_what_can() {
        let refused =
            |flags: &[&str], env: &[(&str, &str)], file: &str| format!("{:#}", resolve(flags, env, file).unwrap_err());
        assert!(refused(&["review"], &[], "").contains("write NAME=NUMBER"));
        assert!(refused(&["review=many"], &[], "").contains("no whole number"));
        assert!(refused(&["reviews=3"], &[], "").contains("there is no \"reviews\": use every_s, low_percent"));
        assert!(refused(&["review=3", "review=4"], &[], "").contains("review is said twice"));
        let twice = refused(&[], &[], "alert_low_percent = 30\n[alerts]\nlow_percent = 20\n");
        assert!(
            twice.contains("alerts (from towngauge.toml)") && twice.contains("low_percent is said twice"),
            "{twice}"
        );
        let bounds = refused(&[], &[("TOWNGAUGE_ALERTS", "error_minutes=9")], "");
        assert_eq!(bounds, "alerts (from environment TOWNGAUGE_ALERTS): error_minutes = 9: use 1 to 5");
        assert!(refused(&[], &[], "[alerts]\nreview = 5\nreview_clear = 5\n").contains("review_clear = 5: use 0 to 4"));
        assert!(refused(&[], &[], "[alerts]\nreview = -1\n").contains("line 2"));
        let low = refused(&[], &[("TOWNGAUGE_ALERT_LOW_PERCENT", "0")], "");
        assert!(low.contains("TOWNGAUGE_ALERT_LOW_PERCENT") && low.contains("use 1 to 90"), "{low}");
    }
}
