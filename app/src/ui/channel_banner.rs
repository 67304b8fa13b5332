//! What is wrong with the channels as a whole, above everything else on the page: in words that fit the cause.

use leptos::prelude::*;
use model::live_stats::{LiveStats, SourceState};

use crate::poll::Poll;

/// Why something stands above the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Nothing was ever heard.
    NeverStarted,
    /// A source cannot be heard: its reader ended.
    Deaf,
    /// A source is heard, and what it sent last was refused.
    Refused,
    /// Sources are there, and none of them says anything.
    Silent,
}

impl Cause {
    const fn name(self) -> &'static str {
        match self {
            Self::NeverStarted => "never_started",
            Self::Deaf => "error",
            Self::Refused => "refused",
            Self::Silent => "silent",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::NeverStarted | Self::Deaf => "Watcher not running",
            Self::Refused => "Something was refused",
            Self::Silent => "Nothing comes in",
        }
    }

    const fn link(self) -> &'static str {
        match self {
            Self::NeverStarted => "Connect a source",
            Self::Deaf | Self::Silent => "See sources",
            Self::Refused => "See what, and why",
        }
    }
}

/// What is wrong, and what each source concerned says of it. One of many that rests is normal; all of them, one whose
/// reader ended, or one that was refused, is not.
fn judge(sources: &[SourceState]) -> Option<(Cause, String)> {
    let known: Vec<&SourceState> = sources.iter().filter(|source| source.state != "never_started").collect();
    let of = |state: &'static str| known.iter().copied().filter(move |source| source.state == state);
    let cause = if known.is_empty() {
        Cause::NeverStarted
    } else if of("error").next().is_some() {
        Cause::Deaf
    } else if of("refused").next().is_some() {
        Cause::Refused
    } else if of("silent").count() == known.len() {
        Cause::Silent
    } else {
        return None;
    };
    // The same is said once, of all whom it concerns.
    let mut said: Vec<(&str, Vec<&str>)> = Vec::new();
    for source in of(cause.name()) {
        match said.iter_mut().find(|(words, _)| *words == source.words) {
            Some((_, titles)) => titles.push(&source.title),
            None => said.push((&source.words, vec![&source.title])),
        }
    }
    let said: Vec<String> = said.into_iter().map(|(words, titles)| format!("{}: {words}", titles.join(", "))).collect();
    Some((cause, said.join(" · ")))
}

/// The banner; nothing while all is well, or as long as nothing is known.
#[component]
pub(crate) fn ChannelBanner(poll: Poll<LiveStats>, sources: String) -> impl IntoView {
    let wrong = Memo::new(move |_| poll.with(|stats| judge(&stats.sources)).flatten());
    let words = |cause, said: String| {
        match cause {
        Cause::NeverStarted => view! {
            <span>"Nothing has ever been heard of this town. Connect a source, or start "<code>"towngauge watch"</code>"."</span>
        }
        .into_any(),
        _ => view! { <span>{said}</span> }.into_any(),
    }
    };
    move || {
        let sources = sources.clone();
        wrong.get().map(|(cause, said)| {
            view! {
                <div class="banner" data-tone="warn" data-cause=cause.name() role="status">
                    <b>{cause.title()}</b>
                    {words(cause, said)}
                    <a href=sources>{cause.link()}</a>
                </div>
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(title: &str, state: &str) -> SourceState {
        SourceState {
            name: title.to_lowercase(),
            title: title.to_owned(),
            kind: "http".to_owned(),
            state: state.to_owned(),
            words: format!("it is {state}"),
            last_event: None,
            last_heard: None,
            events_per_s: None,
            lag_ms: None,
            latency_rule: None,
        }
    }

    fn check(states: &[(&str, &str)], title: &str, said: &str) {
        let sources: Vec<_> = states.iter().map(|(title, state)| source(title, state)).collect();
        let found = judge(&sources);
        let found = found.as_ref().map_or(("", ""), |(cause, said)| (cause.title(), said.as_str()));
        assert_eq!(found, (title, said), "{states:?}");
    }

    #[test]
    fn the_words_fit_the_cause() {
        check(&[], "Watcher not running", "");
        check(&[("A", "never_started")], "Watcher not running", "");
        check(&[("A", "live"), ("B", "silent"), ("C", "never_started")], "", "");
        check(&[("A", "live"), ("B", "refused"), ("C", "silent")], "Something was refused", "B: it is refused");
        check(&[("A", "silent"), ("B", "refused")], "Something was refused", "B: it is refused");
        check(&[("A", "silent"), ("B", "silent")], "Nothing comes in", "A, B: it is silent");
        check(&[("A", "refused"), ("B", "error"), ("C", "live")], "Watcher not running", "B: it is error");
    }
}
