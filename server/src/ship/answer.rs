//! What a server's answer means for the batches that were sent.

use std::time::Duration;

use super::backoff::Backoff;
use super::wire::{Report, VERSION};

/// Characters of what a server says that are passed on.
const MAX_TOLD: usize = 500;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Stored: the batches can go.
    Stored,
    /// Not now: the same again later, and not before what the server asked for.
    Later {
        /// Why.
        reason: String,
        /// What the server asked for.
        after: Option<Duration>,
    },
    /// Not before somebody has done something; until then everything is kept.
    Held {
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Too much, or something in it is refused: in smaller parts.
    Split {
        /// Why.
        reason: String,
    },
    /// It would never be taken.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Reads an answer: its status, its `Retry-After` in seconds, and its body. `sent` is the number of the last batch that
/// is whole with the request, if one is. Batches go, or are given up, only when Towngauge itself says so: a login page
/// or a proxy answers 200 and 400 as well.
pub(super) fn verdict(status: u16, retry_after_s: Option<u64>, body: &[u8], sent: Option<u64>) -> Verdict {
    let told = told(body);
    let reason =
        told.as_ref().map_or_else(|| format!("the server answers {status}"), |told| format!("{status}: {told}"));
    match status {
        200..=299 => receipt(status, body, sent),
        401 | 403 => Verdict::Held {
            reason: format!(
                "the server does not accept the key ({reason}). Make one there with \"towngauge key create --scope \
                 ingest NAME\" and start again with --key-file or --key-env; everything is kept until then"
            ),
        },
        404 | 405 => Verdict::Held {
            reason: format!(
                "there is no Towngauge that takes shipments at this address ({reason}): check --to, or update the \
                 server; everything is kept until then"
            ),
        },
        409 => Verdict::Held { reason: format!("{reason}; everything is kept until then") },
        300..=399 => Verdict::Held {
            reason: format!("the server answers {status}, a redirection: give its final address with --to"),
        },
        400 | 413 | 422 if told.is_none() => foreign(status),
        413 | 422 => Verdict::Split { reason },
        400 => Verdict::Refused { reason },
        _ => Verdict::Later { reason, after: retry_after_s.map(Backoff::asked) },
    }
}

/// Whether a success is one of ours, and of all that was sent.
fn receipt(status: u16, body: &[u8], sent: Option<u64>) -> Verdict {
    let Ok(Report { ship, taken, .. }) = serde_json::from_slice(body) else { return foreign(status) };
    if ship != VERSION {
        let reason = format!(
            "the server answers in version {ship} of shipments, and this is version {VERSION}: update the older one; \
             everything is kept until then"
        );
        return Verdict::Held { reason };
    }
    match sent {
        Some(seq) if taken < seq => Verdict::Held {
            reason: format!(
                "batch {seq} was sent, and the server answers that it has no more than batch {taken}: check whether \
                 something answers in its place; everything is kept until then"
            ),
        },
        _ => Verdict::Stored,
    }
}

fn foreign(status: u16) -> Verdict {
    let allow = if status == 413 { " (it has to let requests of 1 MB pass)" } else { "" };
    Verdict::Held {
        reason: format!(
            "something else than a Towngauge answered at this address ({status}, in another form): check --to, and what \
             stands between this machine and the server{allow}; everything is kept until then"
        ),
    }
}

/// What our own server says in its errors; nothing of what somebody else answers.
fn told(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Told {
        error: String,
        hint: String,
    }
    let Told { error, hint } = serde_json::from_slice(body).ok()?;
    Some(format!("{error}: {hint}").chars().filter(|c| !c.is_control()).take(MAX_TOLD).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERROR: &[u8] = b"{\"error\":\"no\",\"hint\":\"later\"}";
    const PAGE: &[u8] = b"<!doctype html><title>Sign in</title>";

    fn report(ship: u32, taken: u64) -> Vec<u8> {
        serde_json::to_vec(&Report { ship, taken, ..Report::default() }).unwrap()
    }

    #[test]
    fn stored_is_what_a_report_of_this_version_says_of_the_last_batch() {
        assert_eq!(verdict(200, None, &report(VERSION, 7), Some(7)), Verdict::Stored);
        assert_eq!(verdict(200, None, &report(VERSION, 9), Some(7)), Verdict::Stored, "it knew more already");
        assert_eq!(verdict(200, None, &report(VERSION, 0), None), Verdict::Stored, "of a batch more is to come");
        let held = |body: &[u8], sent, word: &str| match verdict(200, None, body, sent) {
            Verdict::Held { reason } => assert!(reason.contains(word) && reason.contains("kept"), "{reason}"),
            other => panic!("{other:?}"),
        };
        held(&report(VERSION, 6), Some(7), "no more than batch 6");
        held(&report(VERSION + 1, 7), Some(7), "version 2");
        held(&report(VERSION + 1, 7), None, "version 2");
        for foreign in [PAGE, b"", b"{}", b"ok", b"{\"taken\":7}", b"{\"ship\":1}", ERROR] {
            held(foreign, Some(7), "something else than a Towngauge");
            held(foreign, None, "something else than a Towngauge");
        }
        assert!(matches!(verdict(204, None, b"", None), Verdict::Held { .. }));
    }

    #[test]
    fn only_our_own_server_can_refuse() {
        for status in [413, 422] {
            assert!(matches!(verdict(status, None, ERROR, Some(1)), Verdict::Split { .. }), "{status}");
        }
        assert_eq!(verdict(400, None, ERROR, Some(1)), Verdict::Refused { reason: "400: no: later".to_owned() });
        for status in [400, 413, 422] {
            for foreign in [PAGE, b"", b"{\"error\":\"no\"}", b"{\"error\":{\"code\":3},\"hint\":\"\"}"] {
                let Verdict::Held { reason } = verdict(status, None, foreign, Some(1)) else { panic!("{status}") };
                assert!(reason.contains("something else than a Towngauge") && !reason.contains("Sign in"), "{reason}");
            }
        }
    }

    #[test]
    fn everything_else_is_sent_again_later_or_held() {
        for body in [PAGE, ERROR, b""] {
            for status in [408, 429, 500, 502, 503, 504] {
                assert!(matches!(verdict(status, None, body, Some(1)), Verdict::Later { after: None, .. }), "{status}");
            }
            for status in [301, 401, 403, 404, 405, 409] {
                assert!(matches!(verdict(status, None, body, Some(1)), Verdict::Held { .. }), "{status}");
            }
        }
        let asked = verdict(503, Some(7), b"", Some(1));
        assert!(matches!(asked, Verdict::Later { after: Some(after), .. } if after.as_secs() == 7));
    }
}
