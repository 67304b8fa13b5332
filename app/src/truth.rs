//! What an instrument can be taken for: the present, or what was known before something went wrong.

use leptos::prelude::*;
use model::format::ago;

use crate::live::{Link, Live, Quiet};

/// What is known about an instrument's readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signs {
    /// The live link.
    pub link: Link,
    /// Whether the view reaches the present.
    pub touches_now: bool,
    /// Whether the newest attempt to read failed.
    pub failed: bool,
    /// Whether something else was asked for, and is being read.
    pub asked: bool,
    /// Seconds since the last reading; none when there never was one.
    pub age_s: Option<i64>,
    /// Readings older than this are stale, in seconds: a few times as long as from one to the next.
    pub stale_after_s: i64,
}

/// What an instrument says of itself besides its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// It is what it says.
    Fresh,
    /// It is what it says, and nothing was heard of the town for so many seconds.
    Silent(i64),
    /// Nothing was ever heard of the town.
    Never,
    /// What was asked for is on its way.
    Reading,
    /// It is older than it should be, and nobody said why.
    Stale(Option<i64>),
    /// The server has lost its database.
    Degraded(Option<i64>),
    /// The server cannot be reached.
    Down(Option<i64>),
    /// The server could not read it.
    Failed(Option<i64>),
}

impl Truth {
    /// Judges the signs. What is over does not age: without a link it stays what it is.
    pub(crate) fn judge(signs: Signs) -> Self {
        let Signs { link, touches_now, failed, asked, age_s, stale_after_s } = signs;
        let concerns = touches_now || failed || age_s.is_none();
        match link {
            Link::Down { .. } if concerns => Self::Down(age_s),
            Link::Degraded { .. } if concerns => Self::Degraded(age_s),
            _ if failed => Self::Failed(age_s),
            _ if asked || age_s.is_none() => Self::Reading,
            Link::Stale { .. } if touches_now => Self::Stale(age_s),
            _ if touches_now && age_s.is_some_and(|age| age > stale_after_s) => Self::Stale(age_s),
            _ => Self::Fresh,
        }
    }

    /// Judges what is read again every few seconds: as long as answers come, a link that is down takes nothing from them.
    /// Tracked.
    pub(crate) fn of_answer(live: Live, failed: bool, age_s: Option<i64>, stale_after_s: i64) -> Self {
        let touches_now = age_s.is_some_and(|age| age > stale_after_s);
        Self::judge(Signs { link: live.link.get(), touches_now, failed, asked: false, age_s, stale_after_s })
    }

    /// Judges what comes over the link alone. Tracked.
    pub(crate) fn of_link(live: Live) -> Self {
        match live.link.get() {
            Link::Connecting | Link::Live => Self::Fresh,
            Link::Stale { silent_s } => Self::Stale(Some(silent_s)),
            Link::Degraded { down_s } => Self::Degraded(Some(down_s)),
            Link::Down { silent_s, .. } => Self::Down(silent_s),
        }
    }

    /// The same with the town's silence in view: a zero that is heard is not one of which nobody tells. Tracked.
    pub(crate) fn of_town(live: Live) -> Self {
        Self::of_link(live).or_quiet(live)
    }

    /// What is fresh may still be silent. Tracked.
    pub(crate) fn or_quiet(self, live: Live) -> Self {
        match (self, live.quiet()) {
            (Self::Fresh, Quiet::Never) => Self::Never,
            (Self::Fresh, Quiet::For(seconds)) => Self::Silent(seconds),
            _ => self,
        }
    }

    /// As in the document.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Silent(_) => "silent",
            Self::Never => "never",
            Self::Reading => "reading",
            Self::Stale(_) => "stale",
            Self::Degraded(_) => "degraded",
            Self::Down(_) => "down",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether the values are older than they should be.
    pub(crate) const fn is_old(self) -> bool {
        matches!(self, Self::Stale(_) | Self::Degraded(_) | Self::Down(_) | Self::Failed(_))
    }

    /// Whether there never was a reading.
    pub(crate) const fn is_unread(self) -> bool {
        matches!(self, Self::Reading | Self::Degraded(None) | Self::Down(None) | Self::Failed(None))
    }

    /// A sign for it, so that it is not told by colour alone.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Fresh => "",
            Self::Silent(_) | Self::Never => "○ ",
            Self::Reading => "… ",
            Self::Stale(_) | Self::Degraded(_) => "▲ ",
            Self::Down(_) => "⊘ ",
            Self::Failed(_) => "✕ ",
        }
    }

    /// What stands beside the title; none when there is nothing to say.
    pub(crate) fn text(self) -> Option<String> {
        let since = |word: &str, age_s: Option<i64>| {
            Some(age_s.map_or_else(|| word.to_owned(), |age_s| format!("{word}, read {}", ago(age_s.max(2)))))
        };
        match self {
            Self::Fresh => None,
            Self::Silent(seconds) => Some(format!("Silent for {}", ago(seconds).trim_end_matches(" ago"))),
            Self::Never => Some("Never heard".to_owned()),
            Self::Reading => Some("Reading".to_owned()),
            Self::Stale(age_s) => since("Stale", age_s),
            Self::Degraded(age_s) => since("Database lost", age_s),
            Self::Down(age_s) => since("Link down", age_s),
            Self::Failed(None) => Some("Not read".to_owned()),
            Self::Failed(age_s) => since("Not refreshed", age_s),
        }
    }

    /// What stands instead of a chart that was never read.
    pub(crate) const fn instead(self) -> &'static str {
        match self {
            Self::Failed(_) | Self::Degraded(_) => "Could not be read; trying again",
            Self::Down(_) => "Not read: the server cannot be reached",
            _ => "Reading",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Signs =
        Signs { link: Link::Live, touches_now: true, failed: false, asked: false, age_s: Some(20), stale_after_s: 90 };
    const DOWN: Link = Link::Down { silent_s: Some(40), retry_s: 3 };

    #[test]
    fn every_state_has_its_own_name_and_words() {
        let check = |signs, name: &str, text: Option<&str>| {
            let truth = Truth::judge(signs);
            assert_eq!((truth.name(), truth.text().as_deref()), (name, text), "{signs:?}");
        };
        check(FRESH, "fresh", None);
        check(Signs { asked: true, ..FRESH }, "reading", Some("Reading"));
        check(Signs { age_s: None, ..FRESH }, "reading", Some("Reading"));
        check(Signs { failed: true, age_s: Some(70), ..FRESH }, "failed", Some("Not refreshed, read 1 min ago"));
        check(Signs { failed: true, age_s: None, ..FRESH }, "failed", Some("Not read"));
        check(Signs { link: DOWN, ..FRESH }, "down", Some("Link down, read 20 s ago"));
        check(Signs { link: DOWN, failed: true, ..FRESH }, "down", Some("Link down, read 20 s ago"));
        check(Signs { link: Link::Stale { silent_s: 14 }, ..FRESH }, "stale", Some("Stale, read 20 s ago"));
        let lost = Link::Degraded { down_s: 9 };
        check(Signs { link: lost, failed: true, ..FRESH }, "degraded", Some("Database lost, read 20 s ago"));
        check(Signs { age_s: Some(91), ..FRESH }, "stale", Some("Stale, read 1 min ago"));
    }

    #[test]
    fn what_is_over_does_not_age() {
        let over = Signs { touches_now: false, age_s: Some(4_000), ..FRESH };
        assert_eq!(Truth::judge(over), Truth::Fresh);
        assert_eq!(Truth::judge(Signs { link: DOWN, ..over }), Truth::Fresh);
        assert_eq!(Truth::judge(Signs { link: DOWN, failed: true, ..over }).name(), "down");
    }
}
