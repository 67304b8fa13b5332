//! Queries over tables that grow must go through an index, however large the table.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use server::db::Pool;
use server::postgres::testing::fresh_database;
use sqlx::{AssertSqlSafe, Row as _};

/// Years of a busy town, as far as the planner can tell.
const FILL: &str = "
insert into claim select 1 + n % 3, gen_random_uuid(), gen_random_uuid(), now(), gen_random_uuid(), false, 1, false, 1, now()
    from generate_series(1, 60000) n;
insert into session (town_id, session, source, role, first_seen, last_seen)
    select 1 + n % 3, 's' || n, 'x', 6, now(), now() from generate_series(1, 30000) n;
insert into rollup_dirty (town_id, bucket)
    select 1 + n % 3, to_timestamp(1800 * (n / 10)) from generate_series(1, 60000) n;
insert into by_role_10s select 1 + n % 3, to_timestamp(10 * n), 0, 1, 1, 1, 1 from generate_series(1, 100000) n;
insert into by_role_1m select 1 + n % 3, to_timestamp(60 * n), 0, 1, 1, 1, 1 from generate_series(1, 100000) n;
insert into presence select 1 + n % 3, to_timestamp(60 * n), '', 'a', 1 from generate_series(1, 100000) n;
insert into working_1m select 1 + n % 3, to_timestamp(60 * n), 60 from generate_series(1, 100000) n;
analyze";

async fn check(pool: &Pool, sql: &str, parameters: &str, table: &str) {
    // A generic plan, as after the fifth call: the planner does not know the values.
    let name = format!("p{:x}", xxhash_rust::xxh3::xxh3_64(sql.as_bytes()));
    let mut connection = pool.acquire().await.unwrap();
    for statement in ["set plan_cache_mode = force_generic_plan".to_owned(), format!("prepare {name} as {sql}")] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await.unwrap();
    }
    let call = if parameters.is_empty() { name } else { format!("{name}({parameters})") };
    let explain = format!("explain execute {call}");
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
    let plan = rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n");
    assert!(!plan.contains(&format!("Seq Scan on {table}")), "{sql}\n{plan}");
    assert!(plan.contains(&format!("{table}_pkey")), "{sql}\n{plan}");
}

fn tier(template: &str) -> String {
    template
        .replace("{to}", "1m")
        .replace("{from}", "10s")
        .replace("{step}", "interval '1 minute'")
        .replace("{span}", "interval '30 minutes'")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_query_of_the_writer_or_the_worker_reads_a_whole_table() {
    let pool = fresh_database().await;
    sqlx::raw_sql(FILL).execute(&pool).await.unwrap();
    let spans = "1, array['2026-01-01 00:00+00', '2026-01-01 00:30+00']::timestamptz[]";
    check(&pool, include_str!("../src/db/sql/claim_select.sql"), "array[1], array[gen_random_uuid()]", "claim").await;
    check(
        &pool,
        include_str!("../src/db/sql/claim_delete.sql"),
        "array[1], array[gen_random_uuid()], array[gen_random_uuid()]",
        "claim",
    )
    .await;
    check(&pool, include_str!("../src/db/sql/session_find.sql"), "array[1], array['s1']", "session").await;
    check(&pool, include_str!("../src/db/sql/rollup_towns.sql"), "", "rollup_dirty").await;
    check(&pool, include_str!("../src/db/sql/rollup_claim.sql"), "1, 96", "rollup_dirty").await;
    check(&pool, &tier(include_str!("../src/db/sql/rollup_by_role.sql")), spans, "by_role_10s").await;
    check(&pool, &tier(include_str!("../src/db/sql/rollup_by_role.sql")), spans, "by_role_1m").await;
    check(&pool, include_str!("../src/db/sql/rollup_working_1m.sql"), spans, "presence").await;
    check(&pool, include_str!("../src/db/sql/rollup_working_1m.sql"), spans, "working_1m").await;
}
