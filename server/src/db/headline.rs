//! The finest tier: sums per 10 s, of a town and of its roles.

use model::Aggregate;
use model::aggregate::MEASURES;
use model::id::Role;
use model::time::Timestamp;
use sqlx::postgres::PgConnection;

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

/// Adds sums (sorted by town and bucket, each once). With `may_empty`, rows that end up without events go.
///
/// # Errors
/// Whatever Postgres reports.
pub async fn add(connection: &mut PgConnection, sums: &[BucketSum], may_empty: bool) -> Result<(), DbError> {
    let towns: Vec<i32> = sums.iter().map(|sum| sum.town.0).collect();
    let buckets: Vec<PgTime> = sums.iter().map(|sum| PgTime(sum.bucket)).collect();
    let mut measures: [Vec<i64>; MEASURES] = std::array::from_fn(|_| Vec::with_capacity(sums.len()));
    for sum in sums {
        for (column, value) in measures.iter_mut().zip(sum.total.to_array()) {
            column.push(value);
        }
    }
    let mut query = sqlx::query(include_str!("sql/headline_add.sql")).bind(&towns).bind(&buckets);
    for column in measures {
        query = query.bind(column);
    }
    query.execute(&mut *connection).await?;
    add_roles(&mut *connection, sums, may_empty).await?;
    if may_empty {
        let query = sqlx::query(include_str!("sql/headline_drop_empty.sql")).bind(&towns).bind(&buckets);
        query.execute(connection).await?;
    }
    Ok(())
}

async fn add_roles(connection: &mut PgConnection, sums: &[BucketSum], may_empty: bool) -> Result<(), DbError> {
    let parts: Vec<(&BucketSum, i16, RoleSum)> = sums
        .iter()
        .flat_map(|sum| (0_i16..).zip(sum.roles).map(move |(role, part)| (sum, role, part)))
        .filter(|(.., part)| *part != RoleSum::default())
        .collect();
    let towns: Vec<i32> = parts.iter().map(|(sum, ..)| sum.town.0).collect();
    let buckets: Vec<PgTime> = parts.iter().map(|(sum, ..)| PgTime(sum.bucket)).collect();
    let roles: Vec<i16> = parts.iter().map(|(_, role, _)| *role).collect();
    let column = |of: fn(&RoleSum) -> i64| parts.iter().map(|(.., part)| of(part)).collect::<Vec<_>>();
    sqlx::query(include_str!("sql/by_role_add.sql"))
        .bind(&towns)
        .bind(&buckets)
        .bind(&roles)
        .bind(column(|part| part.cost))
        .bind(column(|part| part.tokens))
        .bind(column(|part| part.calls))
        .bind(column(|part| part.events))
        .execute(&mut *connection)
        .await?;
    if may_empty {
        let query = sqlx::query(include_str!("sql/by_role_drop_empty.sql")).bind(towns).bind(buckets).bind(roles);
        query.execute(connection).await?;
    }
    Ok(())
}
