//! Polling: asks a provider again and again, and stores what it says. Nothing waits for it.

use model::fuel::FuelKind;
use model::id::TownName;
use model::{Nanodollars, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Account, Asker, Balance, Provider, schedule};
use crate::clock::Clock;
use crate::config::PolledBalance;
use crate::db::tank::{self, Asked, Told};
use crate::db::{DbError, Pool, TownKey, balance, ledger, town};
use crate::hub::Hub;
use crate::ingest::instance_id;

/// What polling needs.
#[derive(Clone)]
pub struct Poller {
    /// Where readings are stored.
    pub pool: Pool,
    /// What shows them.
    pub hub: Hub,
    /// What time it is.
    pub clock: Clock,
    /// Whose tanks they are.
    pub town: TownName,
}

/// Polls every configured balance until `stop`, each in a task of its own. Tanks that are not configured any more are
/// forgotten.
///
/// # Errors
/// The store does not answer, or the system has no TLS.
pub async fn spawn(
    poller: Poller,
    balances: &[PolledBalance],
    stop: &CancellationToken,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let names: Vec<String> = balances.iter().map(|balance| balance.name.clone()).collect();
    tank::retire(&poller.pool, &poller.town, &Provider::ALL.map(Provider::word), &names).await?;
    let key = town::ensure(&poller.pool, &poller.town, false).await?;
    let mut tasks = Vec::with_capacity(balances.len());
    for balance in balances {
        if let Some(full) = balance.full.filter(|_| balance.meter) {
            ledger::propose_capacity(&poller.pool, &poller.town, full).await?;
        }
        tracing::info!(name = balance.name, every_s = balance.poll_s, "asking for a balance");
        let asker = Asker::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
        let work = poller.clone().follow(key, balance.clone(), asker);
        let stop = stop.clone();
        tasks.push(tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        }));
    }
    Ok(tasks)
}

impl Poller {
    async fn follow(self, key: TownKey, balance: PolledBalance, asker: Asker) {
        let period_s = u64::try_from(balance.poll_s).unwrap_or(60);
        let mut failures = 0;
        loop {
            let asked = Asked {
                tank: &balance.name,
                source: balance.account.provider.word(),
                meter: balance.meter,
                capacity: balance.full,
            };
            let mut retry_after_s = None;
            let done = match tank::take_turn(&self.pool, key, asked, self.clock.now(), balance.poll_s).await {
                Ok(true) => match asker.ask(&balance.account).await {
                    Ok(told) => self.store(key, &balance, told).await.map(|()| true),
                    Err(trouble) => {
                        tracing::debug!(name = balance.name, %trouble, "no balance");
                        retry_after_s = trouble.retry_after_s;
                        tank::set_trouble(&self.pool, key, &balance.name, Some(&trouble.text)).await.map(|()| false)
                    }
                },
                // Another process asks.
                Ok(false) => Ok(true),
                Err(error) => Err(error),
            };
            failures = match done {
                Ok(true) => 0,
                Ok(false) => failures + 1,
                Err(error) => {
                    tracing::warn!(name = balance.name, %error, "a balance could not be stored; asking again");
                    failures + 1
                }
            };
            let mut dice = [0];
            // Without chance all wait equally long, which is no harm.
            let _ = getrandom::fill(&mut dice);
            tokio::time::sleep(schedule::wait(period_s, failures, retry_after_s, dice[0])).await;
        }
    }

    async fn store(&self, key: TownKey, polled: &PolledBalance, told: Balance) -> Result<(), DbError> {
        let reading = reading(&polled.name, &polled.account, told, self.clock.now());
        if polled.meter && reading.currency == "USD" {
            if balance::correct(&self.pool, (key, &self.town), &reading, instance_id()).await? {
                self.hub.reload(self.town.clone()).await;
            }
            return tank::set_trouble(&self.pool, key, &polled.name, None).await;
        }
        let foreign = polled.meter.then(|| {
            format!("This balance is in {}; the meter counts dollars and is not corrected by it.", reading.currency)
        });
        tank::save(&self.pool, key, &[reading]).await?;
        tank::set_trouble(&self.pool, key, &polled.name, foreign.as_deref()).await
    }
}

fn reading(name: &str, account: &Account, Balance { left, currency }: Balance, at: Timestamp) -> Told {
    let Nanodollars(left) = left;
    Told {
        tank: name.to_owned(),
        kind: FuelKind::Money,
        source: account.provider.word().to_owned(),
        currency,
        at,
        left,
        resets_at: None,
    }
}
