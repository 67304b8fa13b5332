//! Several deciders about one town's claims at once: all of one process, which sees to it that they do not meet.
//!
//! Claims are decided by one transaction at a time (`claim::lock`), so that no two of them judge reports of the same call
//! without seeing one another. Who reads the past knows better: which messages its batches speak of. The custodian of a
//! town may have several transactions decide at once, as long as no two of them speak of the same message. Everybody else
//! waits for all of them, and they for everybody else.

use std::sync::Mutex;

use model::dedupe::{Basis, Claim};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use super::{DbError, Pool, TownKey, claim};

/// Whether nothing but other reports of the same message is judged together with it, as long as nobody reports its request
/// or its group otherwise.
#[must_use]
pub const fn is_by_message(claim: &Claim) -> bool {
    matches!(claim.basis, Basis::Message | Basis::Part)
}

/// One process's right to decide about a town's claims in several transactions at once. It ends with this value, with its
/// process, and with its connection.
#[derive(Debug)]
pub struct Custody {
    town: TownKey,
    /// The process of Postgres that holds the right.
    holder: i32,
    /// Not from the pool: who came after would have the right without knowing it.
    _connection: Mutex<PgConnection>,
}

impl Custody {
    /// Takes custody of a town's claims; none when another process has it.
    ///
    /// # Errors
    /// The database refused.
    pub async fn take(pool: &Pool, town: TownKey) -> Result<Option<Self>, DbError> {
        let mut connection = pool.acquire().await?.detach();
        let (taken, holder): (bool, i32) =
            sqlx::query_as(include_str!("sql/custody_take.sql")).bind(town.0).fetch_one(&mut connection).await?;
        if !taken {
            connection.close().await?;
            return Ok(None);
        }
        // Transactions of a custodian who lost its connection may still be on their way: they are waited for. Those that
        // come to the lock later see that they have no right (`share`).
        let mut transaction = connection.begin().await?;
        claim::lock(&mut transaction, &[town.0]).await?;
        transaction.commit().await?;
        Ok(Some(Self { town, holder, _connection: Mutex::new(connection) }))
    }

    /// Lets this transaction decide beside others of the same custodian until it ends. False: custody was lost.
    pub(super) async fn share(&self, connection: &mut PgConnection) -> Result<bool, DbError> {
        claim::share(&mut *connection, self.town).await?;
        // Asked after the lock is held: whoever takes custody from now on waits for this transaction.
        let is_held = sqlx::query_scalar(include_str!("sql/custody_held.sql"))
            .bind(self.town.0)
            .bind(self.holder)
            .fetch_one(connection)
            .await?;
        Ok(is_held)
    }

    /// Whose claims.
    pub(super) const fn town(&self) -> TownKey {
        self.town
    }
}
