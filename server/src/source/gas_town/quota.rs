//! `mayor/quota.json`: which of a town's Claude Code accounts are limited. Gas Town moves its agents to one that is not, so
//! the accounts together are one tank: the share of them that is available. Their names are not kept.

use std::collections::BTreeMap;

use model::fuel::{FuelKind, WINDOW_FULL};
use model::time::Timestamp;
use serde::Deserialize;

use super::SOURCE;
use crate::db::tank::Told;
use crate::source::claude_code::line::Maybe;
use crate::source::refusal::{Refusal, not_json};
use crate::source::rfc3339;

/// What the tank is called.
pub const ACCOUNTS: &str = "Gas Town accounts";

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Quota<'a> {
    accounts: Option<BTreeMap<String, Account<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Account<'a> {
    status: Maybe<'a>,
    resets_at: Maybe<'a>,
}

/// Reads the file as it was written at `at`; none when it names no account.
///
/// A limited account whose reset has passed is available again, as for Gas Town. Resets that are no time but words
/// (`7pm (America/Los_Angeles)`) are not known.
pub(super) fn parse(raw: &[u8], at: Timestamp) -> Result<Option<Told>, Refusal> {
    let quota: Quota<'_> = serde_json::from_slice(raw).map_err(|error| not_json(&error))?;
    let accounts = quota.accounts.unwrap_or_default();
    let Ok(all @ 1..) = i64::try_from(accounts.len()) else { return Ok(None) };
    let (mut limited, mut resets_at) = (0, None);
    for account in accounts.values() {
        // Cooling down is as good as limited: nobody is moved there.
        if matches!(account.status.0.as_deref(), None | Some("" | "available")) {
            continue;
        }
        let resets = account.resets_at.0.as_deref().and_then(|text| rfc3339::parse(text).ok());
        if resets.is_some_and(|resets| resets <= at) {
            continue;
        }
        limited += 1;
        resets_at = match (resets_at, resets) {
            (Some(first), Some(next)) => Some(Timestamp::min(first, next)),
            (first, next) => first.or(next),
        };
    }
    Ok(Some(Told {
        tank: ACCOUNTS.to_owned(),
        kind: FuelKind::Window,
        source: SOURCE.to_owned(),
        currency: String::new(),
        at,
        left: WINDOW_FULL * (all - limited) / all,
        resets_at,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const AT: Timestamp = Timestamp::from_seconds(1_772_000_000);

    fn told(accounts: Value) -> Option<(i64, Option<i64>)> {
        let file = json!({"version": 1, "accounts": accounts, "active_swaps": {"/home/me/.claude": "secret"}});
        let told = parse(file.to_string().as_bytes(), AT).unwrap()?;
        assert!(!format!("{told:?}").contains("secret"));
        Some((told.left, told.resets_at.map(|at| at.seconds() - AT.seconds())))
    }

    #[test]
    fn the_share_of_accounts_that_is_available_is_left() {
        let limited = |s: i64| json!({"status": "limited", "limited_at": AT.to_string(), "resets_at": AT.plus_seconds(s).to_string()});
        assert_eq!(told(json!({"secret": {"status": "available", "last_used": "x"}})), Some((WINDOW_FULL, None)));
        assert_eq!(
            told(json!({"a": limited(60), "b": {}, "c": {"status": ""}, "d": {"status": "available"}})),
            Some((750_000, Some(60)))
        );
        // All of them: until the first one is back.
        assert_eq!(told(json!({"a": limited(600), "b": limited(60)})), Some((0, Some(60))));
        assert_eq!(told(json!({"a": {"status": "cooldown"}})), Some((0, None)));
        assert_eq!(
            told(json!({"a": {"status": "limited", "resets_at": "7pm (America/Los_Angeles)"}})),
            Some((0, None))
        );
        // Its reset has passed, and nobody has written so yet.
        assert_eq!(told(json!({"a": limited(-1)})), Some((WINDOW_FULL, None)));
        assert_eq!(told(json!({})), None);
        assert_eq!(told(json!(null)), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(raw in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&raw, AT);
        }
    }
}
