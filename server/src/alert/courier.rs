//! Delivers what webhooks are to be told.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use model::alert::{MAX_TRIES, retry_after_s};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use uuid::Uuid;

use super::{Hook, Hooks};
use crate::clock::Clock;
use crate::db::webhook::{self, Due, Outcome};
use crate::db::{DbError, Pool};
use crate::http::{hmac, secret};

/// In which a receiver must answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Deliveries under way at once.
const AT_ONCE: i64 = 16;
/// Length of a reason.
const MAX_ERROR_CHARS: usize = 200;

/// Delivers.
#[derive(Debug)]
pub struct Courier {
    pool: Pool,
    clock: Clock,
    hooks: Arc<Hooks>,
}

impl Courier {
    /// A courier for these webhooks.
    #[must_use]
    pub const fn new(pool: Pool, clock: Clock, hooks: Arc<Hooks>) -> Self {
        Self { pool, clock, hooks }
    }

    /// Tries what is due, and returns how many were tried.
    ///
    /// # Errors
    /// The database does not answer, or no connection can be made at all.
    pub async fn run_once(&self) -> anyhow::Result<usize> {
        let hooks: Vec<&str> = self.hooks.all().iter().map(|hook| hook.id.as_str()).collect();
        let now = self.clock.now();
        // Should this process end while it tries: the answer could have come until the time-out.
        let lease_s = i64::try_from(TIMEOUT.as_secs()).unwrap_or(10);
        let next = |tries, id| Some(now.plus_seconds(lease_s + retry_after_s(tries, dice(id, tries))?));
        let due = webhook::take_due(&self.pool, &hooks, now, AT_ONCE, next).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("the HTTP client")?;
        let tried = futures::future::join_all(due.iter().map(|due| self.deliver(&client, due))).await;
        tried.into_iter().collect::<Result<(), DbError>>()?;
        Ok(due.len())
    }

    /// Waits for something new, at most for `period`.
    pub async fn rest(&self, period: Duration) {
        // Too late is as good as not at all.
        let _ = tokio::time::timeout(period, self.hooks.news.notified()).await;
    }

    async fn deliver(&self, client: &reqwest::Client, due: &Due) -> Result<(), DbError> {
        let Some(hook) = self.hooks.find(&due.hook) else { return Ok(()) };
        let result = self.send(client, hook, due).await;
        let now = self.clock.now();
        let (status, error) = match result {
            Ok(status) if status.is_success() => (Some(status.as_u16()), None),
            Ok(status) if status.is_redirection() => {
                (Some(status.as_u16()), Some("redirects are not followed".to_owned()))
            }
            Ok(status) => (Some(status.as_u16()), Some(format!("it answered {status}"))),
            Err(error) => (None, Some(why(&error))),
        };
        let delivered = error.is_none();
        let next_try = if delivered { None } else { retry_after_s(due.tries, dice(due.id, due.tries)) };
        if let Some(error) = &error {
            tracing::warn!(hook = %hook.url, delivery = %due.id, tries = due.tries, of = MAX_TRIES, error, "a webhook was not told");
        }
        let outcome = Outcome {
            delivered_at: delivered.then_some(now),
            next_try: next_try.map(|seconds| now.plus_seconds(seconds)),
            status,
            error,
        };
        webhook::settle(&self.pool, due, &outcome).await
    }

    async fn send(&self, client: &reqwest::Client, hook: &Hook, due: &Due) -> reqwest::Result<reqwest::StatusCode> {
        let at_s = self.clock.now().seconds().to_string();
        let request = client
            .post(hook.url.reveal())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("towngauge/", env!("CARGO_PKG_VERSION")))
            .header("x-towngauge-event", &due.kind)
            .header("x-towngauge-delivery", due.id.to_string())
            .header("x-towngauge-timestamp", &at_s)
            .header("x-towngauge-signature", signature(&hook.secret, &at_s, &due.body))
            .body(due.body.clone());
        // What it answers beside the status is not read.
        Ok(request.send().await?.status())
    }
}

/// `sha256=` and the code of `timestamp.body`: the time is signed too, so that nobody can send an old body again.
fn signature(secret: &[u8], timestamp: &str, body: &str) -> String {
    format!("sha256={}", secret::hex(&hmac::sign(secret, format!("{timestamp}.{body}").as_bytes())))
}

/// Another number for each try of each delivery.
fn dice(id: Uuid, tries: u32) -> u64 {
    let (high, low) = id.as_u64_pair();
    (high ^ low.rotate_left(tries)).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
}

/// Why there was no answer, without the address, which may be a secret.
fn why(error: &reqwest::Error) -> String {
    let word = if error.is_timeout() {
        "it did not answer within 10 s"
    } else if error.is_connect() {
        "it cannot be reached"
    } else {
        "the connection broke off"
    };
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    let text = cause.map_or_else(|| word.to_owned(), |cause| format!("{word}: {cause}"));
    text.chars().take(MAX_ERROR_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_signed_with_its_time() {
        // printf '%s' '1700000000.{"a":1}' | openssl dgst -sha256 -hmac secret
        let want = "sha256=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686";
        assert_eq!(signature(b"secret", "1700000000", "{\"a\":1}"), want);
    }
}
