//! How processes on one database tell each other that a town changed: `NOTIFY towngauge, '<instance>:<town>'`,
//! `'beads:<town>'`, `'tanks:<town>'` or `'alerts:<town>'` when only its beads, its tanks beside the meter or its alerts
//! did, and `'prices:*'` when the price book did.

use model::id::TownName;
use sqlx::PgConnection;
use sqlx::postgres::PgListener;

use super::{DbError, Pool, TownKey};

/// The channel's name.
pub const CHANNEL: &str = "towngauge";

/// Tells the other processes when the connection's transaction commits.
///
/// # Errors
/// The database refused.
pub async fn send(connection: &mut PgConnection, instance: &str, town: &TownName) -> Result<(), DbError> {
    sqlx::query("select pg_notify('towngauge', $1 || ':' || $2)")
        .bind(instance)
        .bind(town.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Stands in the place of an instance where everybody is meant, the sender too.
const BEADS: &str = "beads";
/// The same for tanks.
const TANKS: &str = "tanks";

/// The same for alerts.
const ALERTS: &str = "alerts";

/// Tells every process, this one too, that a town's alerts changed, when the connection's transaction commits.
///
/// # Errors
/// The database refused.
pub async fn send_alerts(connection: &mut PgConnection, town: TownKey) -> Result<(), DbError> {
    send_everybody(connection, ALERTS, town).await
}

/// Tells every process, this one too, that a town's beads changed, when the connection's transaction commits.
///
/// # Errors
/// The database refused.
pub async fn send_beads(connection: &mut PgConnection, town: TownKey) -> Result<(), DbError> {
    send_everybody(connection, BEADS, town).await
}

/// Tells every process, this one too, that a town's tanks were read, when the connection's transaction commits.
///
/// # Errors
/// The database refused.
pub async fn send_tanks(connection: &mut PgConnection, town: TownKey) -> Result<(), DbError> {
    send_everybody(connection, TANKS, town).await
}

async fn send_everybody(connection: &mut PgConnection, what: &str, town: TownKey) -> Result<(), DbError> {
    sqlx::query("select pg_notify('towngauge', $1 || ':' || name) from town where town_id = $2")
        .bind(what)
        .bind(town.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Stands in the place of an instance when the price book changed, which no town owns.
const PRICES: &str = "prices";

/// Tells every process, this one too, that the price book changed, when the connection's transaction commits.
///
/// # Errors
/// The database refused.
pub async fn send_prices(connection: &mut PgConnection) -> Result<(), DbError> {
    sqlx::query("select pg_notify('towngauge', $1 || ':*')").bind(PRICES).execute(connection).await?;
    Ok(())
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Another process changed this town.
    Changed(TownName),
    /// Somebody, perhaps this process, read this town's beads and found them different.
    Beads(TownName),
    /// Somebody, perhaps this process, stored a reading of this town's tanks.
    Tanks(TownName),
    /// Somebody, perhaps this process, began, ended or snoozed an alert of this town.
    Alerts(TownName),
    /// Somebody, perhaps this process, added prices.
    Prices,
    /// The connection was lost for a while: anything may have changed.
    Anything,
}

/// Hears what other processes changed.
pub struct Ears(PgListener);

impl Ears {
    /// Begins to listen.
    ///
    /// # Errors
    /// The database does not answer.
    pub async fn open(pool: &Pool) -> Result<Self, DbError> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// The next change by another process.
    ///
    /// # Errors
    /// The database does not answer; call again later.
    pub async fn next(&mut self, own_instance: &str) -> Result<Heard, DbError> {
        loop {
            // None: the connection was lost, and has been made anew.
            let Some(notification) = self.0.try_recv().await? else { return Ok(Heard::Anything) };
            let Some((instance, town)) = notification.payload().split_once(':') else { continue };
            if instance == PRICES {
                return Ok(Heard::Prices);
            }
            let Ok(town) = TownName::new(town) else { continue };
            if instance == BEADS {
                return Ok(Heard::Beads(town));
            }
            if instance == TANKS {
                return Ok(Heard::Tanks(town));
            }
            if instance == ALERTS {
                return Ok(Heard::Alerts(town));
            }
            if instance != own_instance {
                return Ok(Heard::Changed(town));
            }
        }
    }
}
