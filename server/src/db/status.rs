//! How the database is doing.

use super::Pool;

/// Whether it answers.
pub async fn answers(pool: &Pool) -> bool {
    sqlx::query("select 1").execute(pool).await.is_ok()
}

/// Spans that the rollup worker has to redo; none when the database does not answer.
pub async fn rollup_pending(pool: &Pool) -> Option<i64> {
    let count: Result<(i64,), _> =
        sqlx::query_as("select count(*) from (select distinct town_id, bucket from rollup_dirty limit 10000) as spans")
            .fetch_one(pool)
            .await;
    count.ok().map(|(count,)| count)
}

/// Transactions since the database's statistics began, those that were rolled back included; a query outside of one is
/// one. None when the database does not answer.
pub async fn transactions(pool: &Pool) -> Option<i64> {
    let count: Result<(i64,), _> =
        sqlx::query_as("select xact_commit + xact_rollback from pg_stat_database where datname = current_database()")
            .fetch_one(pool)
            .await;
    count.ok().map(|(count,)| count)
}
