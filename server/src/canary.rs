//! Lets a canary go every few seconds while somebody looks, and none while nobody does (see [`crate::hub::Canaries`]).

use std::time::Duration;

use model::id::TownName;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::hub::Hub;
use crate::ingest::Intake;

/// How often it is looked whether somebody looks: who has just come is not kept waiting.
const LOOK: Duration = Duration::from_secs(1);
/// From one canary to the next. Each is a transaction of its own in a town where nothing happens.
const PERIOD: Duration = Duration::from_secs(5);

/// Lets them go until `stop`: one per [`PERIOD`], for each town that is looked at in turn.
pub async fn run(hub: Hub, intake: Intake, clock: Clock, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due = Instant::now();
    let mut last: Option<TownName> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if Instant::now() < due {
            continue;
        }
        let Some(town) = next(hub.lookers().towns(), last.as_ref()) else { continue };
        due = Instant::now() + PERIOD;
        let canary = hub.canaries().hatch(clock.now());
        if let Err(error) = intake.release(&town, canary).await {
            // It is told as lost: events would not get in either.
            tracing::debug!(%error, %town, "a canary did not get in");
        }
        last = Some(town);
    }
}

/// The town after `last`, by name, and round again; none when nobody looks.
fn next(mut towns: Vec<TownName>, last: Option<&TownName>) -> Option<TownName> {
    towns.sort_unstable();
    let after = towns.iter().position(|town| Some(town) > last).unwrap_or_default();
    (!towns.is_empty()).then(|| towns.swap_remove(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn towns_take_turns() {
        let town = |name: &str| TownName::new(name).unwrap();
        let all = || ["c", "a", "b"].map(town).to_vec();
        let check = |last: Option<&str>, want: &str| {
            assert_eq!(next(all(), last.map(town).as_ref()), Some(town(want)), "{last:?}");
        };
        check(None, "a");
        check(Some("a"), "b");
        check(Some("c"), "a");
        check(Some("aa"), "b");
        assert_eq!(next(Vec::new(), Some(&town("a"))), None);
    }
}
