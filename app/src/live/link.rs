//! The state of the live link, and how it reads.

use model::wire::STALE_AFTER_S;

/// How the page hears from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Link {
    /// The first frame has not come yet; the figures are those the page came with.
    #[default]
    Connecting,
    /// Frames come.
    Live,
    /// Frames come, and say that the server cannot reach its database.
    Degraded {
        /// Seconds since it could.
        down_s: i64,
    },
    /// The socket is open and silent for too long.
    Stale {
        /// Seconds since the last frame.
        silent_s: i64,
    },
    /// There is no socket.
    Down {
        /// Seconds since the last frame; none when there never was one.
        silent_s: Option<i64>,
        /// Seconds until the next attempt; 0 while one is under way.
        retry_s: i64,
    },
}

/// What the link is made of, in milliseconds of the page's own clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Signs {
    /// The present.
    pub now_ms: f64,
    /// When the last frame came.
    pub heard_ms: Option<f64>,
    /// For how many seconds the server has been without its database, as the newest frame says; none when it has it.
    pub store_down_s: Option<i64>,
    /// Whether this socket has brought a frame.
    pub alive: bool,
    /// Whether an earlier attempt failed or a link was lost.
    pub failed: bool,
    /// When the next attempt begins; none while a socket is there.
    pub retry_ms: Option<f64>,
}

#[expect(clippy::cast_possible_truncation, reason = "seconds since the page was opened")]
fn seconds(ms: f64) -> i64 {
    (ms / 1e3).floor().max(0.0) as i64
}

impl Link {
    /// Judges the signs.
    pub(crate) fn judge(signs: Signs) -> Self {
        let silent_s = signs.heard_ms.map(|heard| seconds(signs.now_ms - heard));
        match (signs.alive, silent_s) {
            (true, Some(silent_s)) if silent_s >= STALE_AFTER_S => Self::Stale { silent_s },
            (true, _) => signs.store_down_s.map_or(Self::Live, |down_s| Self::Degraded { down_s: down_s.max(0) }),
            (false, _) if !signs.failed => Self::Connecting,
            (false, _) => {
                let retry_s = signs.retry_ms.map_or(0, |at| seconds(at - signs.now_ms + 999.0));
                Self::Down { silent_s, retry_s }
            }
        }
    }
    /// Whether the figures can be taken for the present.
    pub(crate) const fn is_fresh(self) -> bool {
        matches!(self, Self::Connecting | Self::Live)
    }
    /// Whether the server is heard, whatever it can say of the town.
    pub(crate) const fn is_heard(self) -> bool {
        matches!(self, Self::Connecting | Self::Live | Self::Degraded { .. })
    }
    /// One word.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Live => "Live",
            Self::Degraded { .. } => "Degraded",
            Self::Stale { .. } => "Stale",
            Self::Down { .. } => "Disconnected",
        }
    }
    /// The word with what stands beside it: `Stale · 14 s`, `Disconnected · retry in 5 s`.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Connecting | Self::Live | Self::Degraded { .. } => self.word().to_owned(),
            Self::Stale { silent_s } => format!("Stale · {silent_s} s"),
            Self::Down { retry_s: 0, .. } => "Disconnected · trying".to_owned(),
            Self::Down { retry_s, .. } => format!("Disconnected · retry in {retry_s} s"),
        }
    }
    /// How old the figures are, when they are too old to be called live.
    pub(crate) fn age(self) -> Option<String> {
        match self {
            Self::Degraded { down_s: silent_s }
            | Self::Stale { silent_s }
            | Self::Down { silent_s: Some(silent_s), .. } => Some(model::format::ago(silent_s.max(2))),
            Self::Connecting | Self::Live | Self::Down { silent_s: None, .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Signs =
        Signs { now_ms: 60_000.0, heard_ms: None, alive: false, failed: false, retry_ms: None, store_down_s: None };

    #[test]
    fn the_state_follows_from_the_signs() {
        let check = |signs, text: &str, fresh| {
            let link = Link::judge(signs);
            assert_eq!((link.text().as_str(), link.is_fresh()), (text, fresh), "{signs:?}");
        };
        check(FIRST, "Connecting", true);
        check(Signs { alive: true, heard_ms: Some(59_000.0), ..FIRST }, "Live", true);
        check(Signs { alive: true, heard_ms: Some(48_100.0), ..FIRST }, "Live", true);
        check(Signs { alive: true, heard_ms: Some(48_000.0), ..FIRST }, "Stale · 12 s", false);
        let degraded = Signs { alive: true, heard_ms: Some(59_000.0), store_down_s: Some(14), ..FIRST };
        check(degraded, "Degraded", false);
        assert_eq!(
            (Link::judge(degraded).age().as_deref(), Link::judge(degraded).is_heard()),
            (Some("14 s ago"), true)
        );
        check(Signs { heard_ms: Some(40_000.0), ..degraded }, "Stale · 20 s", false);
        let down = Signs { failed: true, heard_ms: Some(50_000.0), ..FIRST };
        check(down, "Disconnected · trying", false);
        check(Signs { retry_ms: Some(64_200.0), ..down }, "Disconnected · retry in 5 s", false);
        assert_eq!(Link::judge(down).age().as_deref(), Some("10 s ago"));
    }
}
