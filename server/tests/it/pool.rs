//! The pool hands out only connections whose next answer is to their next question.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::time::Duration;

use server::db::Pool;
use server::postgres::testing::fresh_database;

const CUT_OFF_AFTER: Duration = Duration::from_millis(100);

async fn copy(pool: Pool) {
    let mut transaction = pool.begin().await.unwrap();
    let mut sink = transaction.copy_in_raw("copy copied from stdin").await.unwrap();
    sink.send("1\n".as_bytes()).await.unwrap();
    sink.finish().await.unwrap();
    transaction.commit().await.unwrap();
}

/// A table that takes its time over each row.
async fn table(pool: &Pool) {
    let statements = "create table copied (a integer); \
         create function slow() returns trigger language plpgsql as \
         $$ begin perform pg_sleep(0.3); return new; end $$; \
         create trigger slow before insert on copied for each row execute function slow()";
    sqlx::raw_sql(statements).execute(pool).await.unwrap();
}

/// Asks more at once than the pool has connections, twice, after what was cut off has come back.
async fn assert_in_step(pool: &Pool) {
    for n in 0..2 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let asked = (n * 100)..(n * 100 + 24);
        let answers = asked.clone().map(|n| sqlx::query_scalar::<_, i32>("select $1::integer").bind(n).fetch_one(pool));
        let answers = futures::future::try_join_all(answers).await.unwrap();
        assert_eq!(answers, asked.collect::<Vec<_>>());
    }
    // None is on its way back for ever.
    for _ in 0..80 {
        if pool.num_idle() == usize::try_from(pool.size()).unwrap() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} of {} connections came back", pool.num_idle(), pool.size());
}

#[tokio::test]
async fn a_connection_whose_copy_was_cut_off_at_its_end_answers_nobody_else() {
    let pool = fresh_database().await;
    table(&pool).await;
    tokio::time::timeout(CUT_OFF_AFTER, copy(pool.clone())).await.unwrap_err();
    assert_in_step(&pool).await;
}

#[tokio::test]
async fn a_connection_whose_copy_was_cut_off_at_its_beginning_answers_nobody_else() {
    let pool = fresh_database().await;
    table(&pool).await;
    let mut holder = pool.begin().await.unwrap();
    sqlx::raw_sql("lock table copied in access exclusive mode").execute(&mut *holder).await.unwrap();
    tokio::time::timeout(CUT_OFF_AFTER, copy(pool.clone())).await.unwrap_err();
    holder.rollback().await.unwrap();
    assert_in_step(&pool).await;
}

#[tokio::test]
async fn a_connection_whose_begin_was_cut_off_is_in_no_transaction() {
    let pool = fresh_database().await;
    let open = "select count(*) from pg_stat_activity where datname = current_database() and xact_start is not null \
                and state <> 'active'";
    let mut cut = 0;
    for _ in 0..40 {
        let begun = pool.begin_with("begin isolation level repeatable read");
        cut += u32::from(tokio::time::timeout(Duration::ZERO, begun).await.is_err());
        tokio::time::sleep(Duration::from_millis(30)).await;
        let left: i64 = sqlx::query_scalar(open).fetch_one(&pool).await.unwrap();
        assert_eq!(left, 0, "after {cut} were cut off");
    }
    assert!(cut > 0, "none was cut off");
}
