//! How far back the stores reach, as owners say it: `events=90`, `10s=30`, `6h=forever`.

use anyhow::{Context as _, bail, ensure};

use crate::retention::RetentionDays;

/// Stores by the names that owners use, the tiers finest first.
const STORES: [&str; 6] = ["events", "10s", "1m", "5m", "30m", "6h"];
/// Instead of a number of days, or of everything.
const FOREVER: &str = "forever";
/// A hundred years: more is a typing error.
const MOST_DAYS: u32 = 36_525;

/// Reads `STORE=DAYS` items; 0 or `forever` keeps, and so does not being named.
///
/// # Errors
/// An item that is none, a store named twice, or a tier that would end before the finer one that it is made of.
pub(super) fn parse(items: &[String]) -> anyhow::Result<RetentionDays> {
    let mut kept: [Option<Option<u32>>; STORES.len()] = [None; STORES.len()];
    for item in items.iter().filter(|item| *item != FOREVER) {
        let (store, days) = item
            .split_once('=')
            .with_context(|| format!("\"{item}\" is not STORE=DAYS, such as 10s=30 or events=forever"))?;
        let (store, days) = (store.trim(), days.trim());
        let index = STORES
            .iter()
            .position(|name| *name == store)
            .with_context(|| format!("there is no store \"{store}\"; there are {}", STORES.join(", ")))?;
        ensure!(kept[index].is_none(), "{store} is named twice");
        kept[index] = Some(parse_days(days).with_context(|| format!("\"{item}\" cannot be used"))?);
    }
    let [events, tier_10s, tier_1m, tier_5m, tier_30m, tier_6h] = kept.map(Option::flatten);
    let days = RetentionDays { events, tier_10s, tier_1m, tier_5m, tier_30m, tier_6h };
    let tiers = &stores(&days)[1..];
    for pair in tiers.windows(2) {
        let [(finer, longer), (coarser, shorter)] = [pair[0], pair[1]];
        // A long chart is drawn from the coarse tiers: they must not end before the short one's.
        if shorter.is_some_and(|shorter| longer.is_none_or(|longer| shorter < longer)) {
            bail!(
                "{coarser}={} is shorter than {finer}={}; keep a coarser tier at least as long as a finer one",
                said(shorter),
                said(longer)
            );
        }
    }
    Ok(days)
}

/// The stores that end, as [`parse`] reads them; or `forever`.
pub(super) fn shown(days: &RetentionDays) -> String {
    let ending = stores(days).into_iter().filter(|(_, days)| days.is_some());
    let items: Vec<String> = ending.map(|(store, days)| format!("{store}={}", said(days))).collect();
    if items.is_empty() { FOREVER.to_owned() } else { items.join(",") }
}

const fn stores(days: &RetentionDays) -> [(&'static str, Option<u32>); STORES.len()] {
    let RetentionDays { events, tier_10s, tier_1m, tier_5m, tier_30m, tier_6h } = *days;
    [
        (STORES[0], events),
        (STORES[1], tier_10s),
        (STORES[2], tier_1m),
        (STORES[3], tier_5m),
        (STORES[4], tier_30m),
        (STORES[5], tier_6h),
    ]
}

fn said(days: Option<u32>) -> String {
    days.map_or_else(|| FOREVER.to_owned(), |days| days.to_string())
}

fn parse_days(raw: &str) -> anyhow::Result<Option<u32>> {
    if raw == FOREVER {
        return Ok(None);
    }
    match raw.parse() {
        Ok(0) => Ok(None),
        Ok(days) if days <= MOST_DAYS => Ok(Some(days)),
        _ => bail!("DAYS is 1 to {MOST_DAYS}, or 0 or forever to keep everything"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(items: &[&str]) -> anyhow::Result<RetentionDays> {
        parse(&items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_not_named_is_kept_forever() {
        assert_eq!(read(&[]).unwrap(), RetentionDays::default());
        let some = read(&["events=90", "10s=30", "1m=0", "6h=forever"]).unwrap();
        assert_eq!(some, RetentionDays { events: Some(90), tier_10s: Some(30), ..RetentionDays::default() });
        assert_eq!(shown(&some), "events=90,10s=30");
        assert_eq!(shown(&read(&["forever"]).unwrap()), "forever");
    }

    #[test]
    fn what_cannot_be_meant_is_refused_and_says_what_can() {
        let check = |items: &[&str], says: &str| {
            let error = format!("{:#}", read(items).unwrap_err());
            assert!(error.contains(says), "{items:?}: {error}");
        };
        check(&["10s"], "STORE=DAYS");
        check(&["1h=5"], "events, 10s, 1m, 5m, 30m, 6h");
        check(&["10s=soon"], "1 to 36525");
        check(&["10s=-1"], "1 to 36525");
        check(&["10s=40000"], "1 to 36525");
        check(&["10s=5", "10s=6"], "named twice");
        check(&["10s=30", "1m=7"], "1m=7 is shorter than 10s=30");
        check(&["5m=7"], "5m=7 is shorter than 1m=forever");
    }
}
