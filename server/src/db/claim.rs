//! Claims: the global identity of calls that may be reported several times (model::dedupe).

use model::dedupe::{Basis, Claim, Rank};
use model::id::EventKey;
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgRow};
use uuid::Uuid;

use super::event::Place;
use super::fold::Statement;
use super::{DbError, PgTime, Pool, TownKey};

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

/// As [`lock`], but beside others who share: only for who has custody ([`super::custody`]).
///
/// # Errors
/// Whatever Postgres reports.
pub(super) async fn share(connection: &mut PgConnection, town: TownKey) -> Result<(), DbError> {
    sqlx::query(include_str!("sql/claim_share.sql")).bind(town.0).execute(connection).await?;
    Ok(())
}

/// Every claim on one of these messages.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn select(connection: &mut PgConnection, messages: &[(TownKey, u128)]) -> Result<Vec<Stored>, DbError> {
    let (towns, ids) = pairs(messages);
    let rows = sqlx::query(include_str!("sql/claim_select.sql")).bind(towns).bind(ids).fetch_all(connection).await?;
    rows.iter().map(decode).collect()
}

/// The claims with these messages and requests.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn select_exact(
    connection: &mut PgConnection,
    places: &[(TownKey, u128, u128)],
) -> Result<Vec<Stored>, DbError> {
    let rows = sqlx::query(include_str!("sql/claim_select_exact.sql"))
        .bind(places.iter().map(|(town, ..)| town.0).collect::<Vec<_>>())
        .bind(places.iter().map(|(_, message, _)| Uuid::from_u128(*message)).collect::<Vec<_>>())
        .bind(places.iter().map(|(.., request)| Uuid::from_u128(*request)).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    rows.iter().map(decode).collect()
}

/// The claims by message ([`Basis::Message`]) that have one of these requests.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn select_by_request(
    connection: &mut PgConnection,
    requests: &[(TownKey, u128)],
) -> Result<Vec<Stored>, DbError> {
    let (towns, ids) = pairs(requests);
    let rows =
        sqlx::query(include_str!("sql/claim_select_request.sql")).bind(towns).bind(ids).fetch_all(connection).await?;
    rows.iter().map(decode).collect()
}

/// Claims of these groups on a lower level than the one given.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn select_below(
    connection: &mut PgConnection,
    groups: &[(TownKey, u128, u64)],
) -> Result<Vec<Stored>, DbError> {
    let rows = sqlx::query(include_str!("sql/claim_select_group.sql"))
        .bind(groups.iter().map(|(town, ..)| town.0).collect::<Vec<_>>())
        .bind(groups.iter().map(|(_, group, _)| Uuid::from_u128(*group)).collect::<Vec<_>>())
        .bind(groups.iter().map(|(.., level)| level.cast_signed()).collect::<Vec<_>>())
        .fetch_all(connection)
        .await?;
    rows.iter().map(decode).collect()
}

/// How far the cumulative series of these groups were counted: group, series (as `rank.origin`), value.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn heads(pool: &Pool, town: TownKey, groups: &[u128]) -> Result<Vec<(u128, u64, u64)>, DbError> {
    let ids: Vec<Uuid> = groups.iter().map(|group| Uuid::from_u128(*group)).collect();
    let rows: Vec<(Uuid, i64, i64)> =
        sqlx::query_as(include_str!("sql/claim_heads.sql")).bind(town.0).bind(ids).fetch_all(pool).await?;
    let head =
        |(group, series, value): (Uuid, i64, i64)| (group.as_u128(), series.cast_unsigned(), value.cast_unsigned());
    Ok(rows.into_iter().map(head).collect())
}

fn pairs(wanted: &[(TownKey, u128)]) -> (Vec<i32>, Vec<Uuid>) {
    wanted.iter().map(|(town, id)| (town.0, Uuid::from_u128(*id))).unzip()
}

fn decode(row: &PgRow) -> Result<Stored, DbError> {
    let basis: i16 = row.try_get("basis")?;
    let known = usize::try_from(basis).ok().and_then(|basis| Basis::ALL.get(basis));
    Ok(Stored {
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
            basis: *known.ok_or_else(|| DbError::Unknown { what: format!("basis {basis}") })?,
        },
        place: Place {
            town: TownKey(row.try_get("town_id")?),
            at: row.try_get::<PgTime, _>("ts")?.0,
            key: EventKey(row.try_get::<Uuid, _>("key")?.as_u128()),
        },
    })
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
    bind(sqlx::query(include_str!("sql/claim_insert.sql")), new).execute(connection).await?;
    Ok(())
}

/// Stores marks ([`Basis::Mark`]); one that another transaction stored just now stays.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn mark(connection: &mut PgConnection, new: &[Stored]) -> Result<(), DbError> {
    bind(sqlx::query(include_str!("sql/claim_mark.sql")), new).execute(connection).await?;
    Ok(())
}

fn bind<'q>(statement: Statement<'q>, new: &[Stored]) -> Statement<'q> {
    let rank = |s: &Stored| s.claim.rank;
    statement
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
        .bind(new.iter().map(|s| i16::try_from(s.claim.basis.index()).unwrap_or(i16::MAX)).collect::<Vec<_>>())
}
