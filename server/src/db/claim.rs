//! Claims: the global identity of calls that may be reported several times (model::dedupe).

use model::dedupe::{Claim, Rank};
use model::id::EventKey;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::event::Place;
use super::{DbError, PgTime, TownKey};

/// A stored claim and the place of the report that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The claim.
    pub claim: Claim,
    /// Where its event is.
    pub place: Place,
}

/// Lets one writer at a time decide about the claims of these towns (sorted), until the transaction ends.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn lock(connection: &mut PgConnection, towns: &[i32]) -> Result<(), DbError> {
    sqlx::query(include_str!("sql/claim_lock.sql")).bind(towns).execute(connection).await?;
    Ok(())
}

/// Every claim on one of these messages.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn select(connection: &mut PgConnection, messages: &[(TownKey, u128)]) -> Result<Vec<Stored>, DbError> {
    let towns: Vec<i32> = messages.iter().map(|(town, _)| town.0).collect();
    let ids: Vec<Uuid> = messages.iter().map(|(_, message)| Uuid::from_u128(*message)).collect();
    let rows = sqlx::query(include_str!("sql/claim_select.sql")).bind(towns).bind(ids).fetch_all(connection).await?;
    let mut stored = Vec::with_capacity(rows.len());
    for row in &rows {
        stored.push(Stored {
            claim: Claim {
                message: row.try_get::<Uuid, _>("message")?.as_u128(),
                request: row.try_get::<Uuid, _>("request")?.as_u128(),
                rank: Rank {
                    sidechain: row.try_get("sidechain")?,
                    tokens: row.try_get::<i64, _>("tokens")?.cast_unsigned(),
                    has_speed: row.try_get("has_speed")?,
                    at: row.try_get::<PgTime, _>("reported")?.0.0,
                    origin: row.try_get::<i64, _>("origin")?.cast_unsigned(),
                },
            },
            place: Place {
                town: TownKey(row.try_get("town_id")?),
                at: row.try_get::<PgTime, _>("ts")?.0,
                key: EventKey(row.try_get::<Uuid, _>("key")?.as_u128()),
            },
        });
    }
    Ok(stored)
}

/// Forgets claims that another one replaces.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn delete(connection: &mut PgConnection, gone: &[Stored]) -> Result<(), DbError> {
    let towns: Vec<i32> = gone.iter().map(|s| s.place.town.0).collect();
    let messages: Vec<Uuid> = gone.iter().map(|s| Uuid::from_u128(s.claim.message)).collect();
    let requests: Vec<Uuid> = gone.iter().map(|s| Uuid::from_u128(s.claim.request)).collect();
    sqlx::query(include_str!("sql/claim_delete.sql"))
        .bind(towns)
        .bind(messages)
        .bind(requests)
        .execute(connection)
        .await?;
    Ok(())
}

/// Stores claims; the towns are locked, and what they replace is gone.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn insert(connection: &mut PgConnection, new: &[Stored]) -> Result<(), DbError> {
    let rank = |s: &Stored| s.claim.rank;
    sqlx::query(include_str!("sql/claim_insert.sql"))
        .bind(new.iter().map(|s| s.place.town.0).collect::<Vec<i32>>())
        .bind(new.iter().map(|s| Uuid::from_u128(s.claim.message)).collect::<Vec<_>>())
        .bind(new.iter().map(|s| Uuid::from_u128(s.claim.request)).collect::<Vec<_>>())
        .bind(new.iter().map(|s| PgTime(s.place.at)).collect::<Vec<_>>())
        .bind(new.iter().map(|s| Uuid::from_u128(s.place.key.0)).collect::<Vec<_>>())
        .bind(new.iter().map(|s| rank(s).sidechain).collect::<Vec<_>>())
        .bind(new.iter().map(|s| rank(s).tokens.cast_signed()).collect::<Vec<_>>())
        .bind(new.iter().map(|s| rank(s).has_speed).collect::<Vec<_>>())
        .bind(new.iter().map(|s| rank(s).origin.cast_signed()).collect::<Vec<_>>())
        .bind(new.iter().map(|s| PgTime(model::time::Timestamp(rank(s).at))).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
