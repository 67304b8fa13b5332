//! When hooks tell agents to stop, as configured.

use anyhow::{Context as _, bail};
use model::Nanodollars;
use model::stop::{StopFail, StopMode, StopPolicy};

use super::origin::From;

/// `stop`, `stop_reserve_usd` and `stop_fail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopSettings {
    /// Whether agents are stopped.
    pub mode: From<StopMode>,
    /// What is left then.
    pub reserve: From<Nanodollars>,
    /// What happens while the balance is not known.
    pub fail: From<StopFail>,
}

impl StopSettings {
    pub(super) fn resolve(
        mode: From<Option<String>>,
        reserve: From<Option<String>>,
        fail: From<Option<String>>,
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
        })
    }

    /// The rule that follows.
    #[must_use]
    pub const fn policy(&self) -> StopPolicy {
        StopPolicy { mode: self.mode.value, reserve: self.reserve.value, fail: self.fail.value }
    }
}
