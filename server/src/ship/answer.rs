//! What a server's answer means for the batches that were sent.

use std::time::Duration;

use super::backoff::Backoff;

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

/// Reads an answer: its status, its `Retry-After` in seconds, and what it says.
pub(super) fn verdict(status: u16, retry_after_s: Option<u64>, said: &str) -> Verdict {
    let reason = if said.is_empty() { format!("the server answers {status}") } else { format!("{status}: {said}") };
    match status {
        200..=299 => Verdict::Stored,
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
        413 | 422 => Verdict::Split { reason },
        400 => Verdict::Refused { reason },
        _ => Verdict::Later { reason, after: retry_after_s.map(Backoff::asked) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_without_a_success_and_only_a_refusal_is_given_up() {
        assert_eq!(verdict(200, None, ""), Verdict::Stored);
        for status in [408, 429, 500, 502, 503, 504] {
            assert!(matches!(verdict(status, None, ""), Verdict::Later { after: None, .. }), "{status}");
        }
        assert!(matches!(verdict(503, Some(7), ""), Verdict::Later { after: Some(after), .. } if after.as_secs() == 7));
        for status in [301, 401, 403, 404, 405, 409] {
            assert!(matches!(verdict(status, None, "no"), Verdict::Held { .. }), "{status}");
        }
        assert!(matches!(verdict(413, None, ""), Verdict::Split { .. }));
        assert!(matches!(verdict(400, None, ""), Verdict::Refused { .. }));
    }
}
