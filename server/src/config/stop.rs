//! When hooks tell agents to stop, as configured.

use anyhow::{Context as _, bail};
use model::Nanodollars;
use model::stop::{StopFail, StopMode, StopPolicy, StopWindows};

use super::origin::From;

/// `stop`, `stop_reserve_usd`, `stop_fail` and `stop_windows`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSettings {
    /// Whether agents are stopped.
    pub mode: From<StopMode>,
    /// What is left then.
    pub reserve: From<Nanodollars>,
    /// What happens while the balance is not known.
    pub fail: From<StopFail>,
    /// Whether windows of subscriptions stop agents too.
    pub windows: From<StopWindows>,
}

impl StopSettings {
    pub(super) fn resolve(
        mode: From<Option<String>>,
        reserve: From<Option<String>>,
        fail: From<Option<String>>,
        windows: From<Option<String>>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            mode: mode.try_map("stop", |raw| match raw {
                None => Ok(StopMode::default()),
                Some(raw) => StopMode::parse(&raw).with_context(|| format!("\"{raw}\": use off or empty")),
            })?,
            reserve: reserve.try_map("stop_reserve_usd", |raw| {
                let amount = raw.as_deref().map(Nanodollars::parse_dollars).transpose()?.unwrap_or_default();
                if amount.0 < 0 {
                    bail!("a reserve is 0 or more");
                }
                Ok(amount)
            })?,
            fail: fail.try_map("stop_fail", |raw| match raw {
                None => Ok(StopFail::default()),
                Some(raw) => StopFail::parse(&raw).with_context(|| format!("\"{raw}\": use open or closed")),
            })?,
            windows: windows.try_map("stop_windows", |raw| match raw {
                None => Ok(StopWindows::default()),
                Some(raw) => StopWindows::parse(&raw).with_context(|| format!("\"{raw}\": use own or off")),
            })?,
        })
    }

    /// The rule that follows.
    #[must_use]
    pub const fn policy(&self) -> StopPolicy {
        StopPolicy {
            mode: self.mode.value,
            reserve: self.reserve.value,
            fail: self.fail.value,
            windows: self.windows.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Settings};

    #[test]
    fn the_rule_is_said_by_flag_environment_or_file_and_is_off_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("towngauge.toml");
        std::fs::write(
            &file,
            "stop = \"empty\"\nstop_reserve_usd = 12.5\nstop_fail = \"closed\"\nstop_windows = \"off\"\n",
        )
        .unwrap();
        let text = |raw: &str| Some(raw.to_owned());
        let by_file = Settings { config: Some(file), ..Settings::default() };
        let by_flag = Settings {
            stop: text("empty"),
            stop_reserve_usd: text("12.50"),
            stop_fail: text("closed"),
            stop_windows: text("off"),
            ..Settings::default()
        };
        let env = [
            ("TOWNGAUGE_STOP", "empty"),
            ("TOWNGAUGE_STOP_RESERVE_USD", "12.5"),
            ("TOWNGAUGE_STOP_FAIL", "closed"),
            ("TOWNGAUGE_STOP_WINDOWS", "off"),
        ];
        let get = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let rule = StopPolicy {
            mode: StopMode::Empty,
            reserve: Nanodollars(12_500_000_000),
            fail: StopFail::Closed,
            windows: StopWindows::Off,
        };
        let policy = |settings: &Settings| Config::resolve(settings, &|_| None).map(|config| config.stop.policy());
        assert_eq!((policy(&by_file).unwrap(), policy(&by_flag).unwrap()), (rule, rule));
        assert_eq!(Config::resolve(&Settings::default(), &get).unwrap().stop.policy(), rule);
        assert_eq!(policy(&Settings::default()).unwrap(), StopPolicy::default());
        let refused = |settings: Settings| format!("{:#}", policy(&settings).unwrap_err());
        assert!(refused(Settings { stop: text("full"), ..Settings::default() }).contains("off or empty"));
        assert!(refused(Settings { stop_reserve_usd: text("-1"), ..Settings::default() }).contains("0 or more"));
        assert!(refused(Settings { stop_fail: text("shut"), ..Settings::default() }).contains("open or closed"));
        assert!(refused(Settings { stop_windows: text("all"), ..Settings::default() }).contains("own or off"));
    }
}
