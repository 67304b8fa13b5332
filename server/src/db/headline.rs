//! The finest tier: sums per 10 s, of a town and of its roles.

use model::Aggregate;
use model::aggregate::MEASURES;
use model::id::Role;
use model::time::Timestamp;
use sqlx::postgres::PgConnection;

use super::fold::Statement;
use super::{DbError, PgTime, TownKey};

/// What a role adds to a bucket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RoleSum {
    /// Nanodollars.
    pub cost: i64,
    /// Tokens of all kinds.
    pub tokens: i64,
    /// Model calls.
    pub calls: i64,
    /// Events of every kind.
    pub events: i64,
}

/// What a batch adds to one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketSum {
    /// Town.
    pub town: TownKey,
    /// Beginning of the bucket.
    pub bucket: Timestamp,
    /// All of it.
    pub total: Aggregate,
    /// By position in [`Role::ALL`].
    pub roles: [RoleSum; Role::ALL.len()],
}

/// Measures that stand before the roles in [`super::fold`]'s list; the later ones are bound by [`bind_rest`].
const EARLY: usize = 16;

/// Binds sums (sorted by town and bucket, each once) for [`super::fold`]: buckets, then their roles.
pub(super) fn bind<'q>(mut statement: Statement<'q>, sums: &[BucketSum]) -> Statement<'q> {
    statement = statement
        .bind(sums.iter().map(|sum| sum.town.0).collect::<Vec<i32>>())
        .bind(sums.iter().map(|sum| PgTime(sum.bucket)).collect::<Vec<_>>());
    for column in columns(sums).into_iter().take(EARLY) {
        statement = statement.bind(column);
    }
    let parts = roles(sums);
    let column = |of: fn(&RoleSum) -> i64| parts.iter().map(|(.., part)| of(part)).collect::<Vec<_>>();
    statement
        .bind(parts.iter().map(|(sum, ..)| sum.town.0).collect::<Vec<i32>>())
        .bind(parts.iter().map(|(sum, ..)| PgTime(sum.bucket)).collect::<Vec<_>>())
        .bind(parts.iter().map(|(_, role, _)| *role).collect::<Vec<i16>>())
        .bind(column(|part| part.cost))
        .bind(column(|part| part.tokens))
        .bind(column(|part| part.calls))
        .bind(column(|part| part.events))
}

/// Binds the measures that came later, at the end of the list.
pub(super) fn bind_rest<'q>(mut statement: Statement<'q>, sums: &[BucketSum]) -> Statement<'q> {
    for column in columns(sums).into_iter().skip(EARLY) {
        statement = statement.bind(column);
    }
    statement
}

fn columns(sums: &[BucketSum]) -> [Vec<i64>; MEASURES] {
    let mut measures: [Vec<i64>; MEASURES] = std::array::from_fn(|_| Vec::with_capacity(sums.len()));
    for sum in sums {
        for (column, value) in measures.iter_mut().zip(sum.total.to_array()) {
            column.push(value);
        }
    }
    measures
}

fn roles(sums: &[BucketSum]) -> Vec<(&BucketSum, i16, RoleSum)> {
    sums.iter()
        .flat_map(|sum| (0_i16..).zip(sum.roles).map(move |(role, part)| (sum, role, part)))
        .filter(|(.., part)| *part != RoleSum::default())
        .collect()
}

/// Deletes those rows of `sums` that ended up without events.
///
/// # Errors
/// Whatever Postgres reports.
pub(super) async fn drop_empty(connection: &mut PgConnection, sums: &[BucketSum]) -> Result<(), DbError> {
    sqlx::query(include_str!("sql/headline_drop_empty.sql"))
        .bind(sums.iter().map(|sum| sum.town.0).collect::<Vec<i32>>())
        .bind(sums.iter().map(|sum| PgTime(sum.bucket)).collect::<Vec<_>>())
        .execute(&mut *connection)
        .await?;
    let parts = roles(sums);
    sqlx::query(include_str!("sql/by_role_drop_empty.sql"))
        .bind(parts.iter().map(|(sum, ..)| sum.town.0).collect::<Vec<i32>>())
        .bind(parts.iter().map(|(sum, ..)| PgTime(sum.bucket)).collect::<Vec<_>>())
        .bind(parts.iter().map(|(_, role, _)| *role).collect::<Vec<i16>>())
        .execute(connection)
        .await?;
    Ok(())
}
