//! Queries over tables that grow must go through an index, however large the table.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use server::db::Pool;
use server::postgres::testing::fresh_database;
use sqlx::{AssertSqlSafe, Row as _};

/// Years of a busy town, as far as the planner can tell.
const FILL: &str = "
insert into claim select 1 + n % 3, gen_random_uuid(), gen_random_uuid(), now(), gen_random_uuid(), false, 1, false, 1, now()
    from generate_series(1, 60000) n;
insert into claim select 1, gen_random_uuid(), gen_random_uuid(), to_timestamp(n), gen_random_uuid(), false, 1, false, 1,
    now(), 4 from generate_series(1, 20000) n;
insert into unpriced select 1 + n % 3, 'm' || n % 7, to_timestamp(21600 * n), 1, 1, 1, 1, 1, 1, now(), now()
    from generate_series(1, 60000) n;
insert into reprice (town_id, from_ts, to_ts, cursor_ts, cursor_key, finished_at)
    select 1 + n % 300, now(), now(), now(), gen_random_uuid(), now() from generate_series(1, 60000) n;
insert into price (model, effective, input, output, cache_read, cache_write_5m, cache_write_1h, source, noted)
    select 'm' || n, now(), 1, 1, 1, 1, 1, 'x', now() from generate_series(1, 20000) n;
insert into session (town_id, session, source, role, first_seen, last_seen)
    select 1 + n % 3, 's' || n, 'x', 6, now(), now() from generate_series(1, 30000) n;
insert into rollup_dirty (town_id, bucket)
    select 1 + n % 3, to_timestamp(1800 * (n / 10)) from generate_series(1, 60000) n;
insert into by_role_10s select 1 + n % 3, to_timestamp(10 * n), 0, 1, 1, 1, 1 from generate_series(1, 100000) n;
insert into by_role_1m select 1 + n % 3, to_timestamp(60 * n), 0, 1, 1, 1, 1 from generate_series(1, 100000) n;
insert into presence select 1 + n % 3, to_timestamp(60 * n), '', 'a', 1 from generate_series(1, 100000) n;
insert into working_1m select 1 + n % 3, to_timestamp(60 * n), 60 from generate_series(1, 100000) n;
insert into source (town_id, source, received, stored) select n / 15, 's' || n % 15, 1, 1 from generate_series(1, 15000) n;
insert into rejection (town_id, source, ts, place, reason)
    select n / 750, 's' || n / 50 % 15, now(), 'x', 'y' from generate_series(1, 75000) n;
insert into unmapped select n / 150, 's' || n % 15, 'n' || n, 1, now() from generate_series(1, 30000) n;
analyze";

async fn check(pool: &Pool, sql: &str, parameters: &str, table: &str) {
    let plan = plan(pool, sql, parameters).await;
    assert!(!plan.contains(&format!("Seq Scan on {table}")), "{sql}\n{plan}");
    assert!(plan.contains(&format!("{table}_pkey")), "{sql}\n{plan}");
}

async fn plan(pool: &Pool, sql: &str, parameters: &str) -> String {
    // A generic plan, as after the fifth call: the planner does not know the values.
    let name = format!("p{:x}", xxhash_rust::xxh3::xxh3_64(sql.as_bytes()));
    let mut connection = pool.acquire().await.unwrap();
    for statement in ["set plan_cache_mode = force_generic_plan".to_owned(), format!("prepare {name} as {sql}")] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await.unwrap();
    }
    let call = if parameters.is_empty() { name } else { format!("{name}({parameters})") };
    let explain = format!("explain execute {call}");
    let rows = sqlx::raw_sql(AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
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
    check(&pool, include_str!("../../src/db/sql/claim_select.sql"), "array[1], array[gen_random_uuid()]", "claim")
        .await;
    check(
        &pool,
        include_str!("../../src/db/sql/claim_delete.sql"),
        "array[1], array[gen_random_uuid()], array[gen_random_uuid()]",
        "claim",
    )
    .await;
    let (ids, level) = ("array[1], array[gen_random_uuid()]", ", array[1]::bigint[]");
    let exact = format!("{ids}, array[gen_random_uuid()]");
    check(&pool, include_str!("../../src/db/sql/claim_select_exact.sql"), &exact, "claim").await;
    check(&pool, include_str!("../../src/db/sql/claim_select_group.sql"), &format!("{ids}{level}"), "claim").await;
    check(&pool, include_str!("../../src/db/sql/claim_heads.sql"), "1, array[gen_random_uuid()]", "claim").await;
    let by_request = plan(&pool, include_str!("../../src/db/sql/claim_select_request.sql"), ids).await;
    assert!(by_request.contains("claim_by_request"), "{by_request}");
    check(&pool, include_str!("../../src/db/sql/session_find.sql"), "array[1], array['s1']", "session").await;
    let pending = include_str!("../../src/db/sql/restate_pending.sql");
    assert!(plan(&pool, pending, "").await.contains("session_to_restate"));
    let sums =
        plan(&pool, include_str!("../../src/db/sql/claim_select_sums.sql"), "1, to_timestamp(1), to_timestamp(9)")
            .await;
    assert!(sums.contains("claim_of_sums"), "{sums}");
    check(&pool, include_str!("../../src/db/sql/unpriced_list.sql"), "1, 200", "unpriced").await;
    let touched = "array[1], array['m1'], array[to_timestamp(21600)]";
    check(&pool, include_str!("../../src/db/sql/unpriced_drop_empty.sql"), touched, "unpriced").await;
    check(&pool, include_str!("../../src/db/sql/reprice_list.sql"), "1, 100", "reprice").await;
    check(&pool, include_str!("../../src/db/sql/reprice_marks.sql"), "1, now(), now(), 50", "reprice").await;
    let claim = plan(&pool, include_str!("../../src/db/sql/reprice_claim.sql"), "1, 1").await;
    assert!(claim.contains("Index Scan") && !claim.contains("Seq Scan on reprice"), "{claim}");
    let pending = plan(&pool, include_str!("../../src/db/sql/reprice_pending.sql"), "").await;
    assert!(pending.contains("Index") && pending.contains("reprice_pending"), "{pending}");
    let waiting = "1, now(), now(), null, now(), gen_random_uuid(), 20";
    assert!(plan(&pool, include_str!("../../src/db/sql/reprice_order.sql"), waiting).await.contains("reprice_pending"));
    let revision =
        plan(&pool, include_str!("../../src/db/sql/price_revision.sql"), "'m1', now(), 'x', '2026-01-01'").await;
    assert!(revision.contains("price_once"), "{revision}");
    check(&pool, include_str!("../../src/db/sql/rollup_towns.sql"), "", "rollup_dirty").await;
    check(&pool, include_str!("../../src/db/sql/rollup_claim.sql"), "1, 96", "rollup_dirty").await;
    check(&pool, &tier(include_str!("../../src/db/sql/rollup_by_role.sql")), spans, "by_role_10s").await;
    check(&pool, &tier(include_str!("../../src/db/sql/rollup_by_role.sql")), spans, "by_role_1m").await;
    check(&pool, include_str!("../../src/db/sql/rollup_working_1m.sql"), spans, "presence").await;
    check(&pool, include_str!("../../src/db/sql/rollup_working_1m.sql"), spans, "working_1m").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sources_of_a_town_are_read_without_those_of_others() {
    let pool = fresh_database().await;
    sqlx::raw_sql(FILL).execute(&pool).await.unwrap();
    let list = include_str!("../../src/db/sql/source_list.sql");
    let refused = include_str!("../../src/db/sql/source_refused.sql");
    let names = include_str!("../../src/db/sql/source_unmapped.sql");
    let statements: [(&str, &str, &[&str]); 3] = [
        (list, "1, 100", &["source", "rejection", "unmapped"]),
        (refused, "1, 100, 10", &["source", "rejection"]),
        (names, "1, 50, 5000", &["unmapped"]),
    ];
    for (sql, parameters, tables) in statements {
        let plan = plan(&pool, sql, parameters).await;
        for table in tables {
            assert!(
                !plan.contains(&format!("Seq Scan on {table}")) && plan.contains(&format!("{table}_pkey")),
                "{plan}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tanks_are_read_through_their_keys() {
    let pool = fresh_database().await;
    let fill = "insert into tank (town_id, name, kind, source)
                    select 1 + n % 300, 'w' || n, 'window', 'x' from generate_series(1, 9000) n;
                insert into reading select 1 + n % 300, 'w' || n % 9000, to_timestamp(n), 1 from generate_series(1, 100000) n;
                analyze tank, reading";
    sqlx::raw_sql(fill).execute(&pool).await.unwrap();
    let times = "to_timestamp(0), to_timestamp(1)";
    check(&pool, include_str!("../../src/db/sql/tank_list.sql"), &format!("1, {times}"), "reading").await;
    check(&pool, include_str!("../../src/db/sql/tank_list.sql"), &format!("1, {times}"), "tank").await;
    check(&pool, include_str!("../../src/db/sql/tank_burn.sql"), &format!("1, {times}"), "reading").await;
    check(&pool, include_str!("../../src/db/sql/reading_prune.sql"), "1, 'w1', 2000", "reading").await;
    let insert =
        "1, array['w1'], array[to_timestamp(0)], array[1]::bigint[], array[null]::timestamptz[], true, array['x']";
    check(&pool, include_str!("../../src/db/sql/reading_insert.sql"), insert, "reading").await;
}

/// The statement that once read the whole tier for each half hour: counted in rows, on a town with years of history.
#[tokio::test(flavor = "multi_thread")]
async fn the_newest_deliveries_of_all_webhooks_are_read_down_their_index() {
    let pool = fresh_database().await;
    let fill = "insert into delivery (town_id, delivery_id, hook, kind, ts, body)
                    select 1, gen_random_uuid(), 'h' || n % 30, 'tank.low', to_timestamp(n), '' from generate_series(1, 30000) n;
                analyze delivery";
    sqlx::raw_sql(fill).execute(&pool).await.unwrap();
    let newest = plan(&pool, include_str!("../../src/db/sql/delivery_newest.sql"), "array['h1', 'h2'], 20").await;
    assert!(newest.contains("delivery_newest") && !newest.contains("Seq Scan on delivery"), "{newest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn redoing_half_an_hour_reads_half_an_hour() {
    let pool = fresh_database().await;
    let ones = ", 1".repeat(16);
    let fill = format!(
        "insert into headline_10s select 1, to_timestamp(10 * n){ones} from generate_series(1, 200000) n;
         insert into headline_1m select 1, to_timestamp(60 * n){ones} from generate_series(1, 100000) n;
         analyze headline_10s, headline_1m"
    );
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&pool).await.unwrap();
    let sql = tier(include_str!("../../src/db/sql/rollup_headline.sql"));
    let mut connection = pool.acquire().await.unwrap();
    let statements = ["set plan_cache_mode = force_generic_plan".to_owned(), format!("prepare redo as {sql}")];
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await.unwrap();
    }
    let explain = "explain (analyze, format json, timing off) execute redo(1, array[to_timestamp(900000)])";
    let row = sqlx::raw_sql(explain).fetch_one(&mut *connection).await.unwrap();
    let plan: serde_json::Value = row.get(0);
    let mut scans = Vec::new();
    collect_scans(&plan[0]["Plan"], &mut scans);
    assert!(scans.iter().any(|(table, _)| table == "headline_10s"), "{plan:#}");
    assert!(scans.iter().any(|(table, _)| table == "headline_1m"), "{plan:#}");
    // 180 buckets of 10 s, and 30 of a minute that stand there already; a margin for what a scan throws away.
    let most = |table: &str| if table == "headline_10s" { 200.0 } else { 40.0 };
    for (table, rows) in &scans {
        assert!(*rows <= most(table), "{rows} rows of {table} were read\n{plan:#}");
    }
}

/// Tables that a plan's nodes read, and how many rows each read, those included that it threw away.
fn collect_scans(node: &serde_json::Value, scans: &mut Vec<(String, f64)>) {
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    if let Some(table) = node["Relation Name"].as_str().filter(|_| node["Node Type"] != "ModifyTable") {
        let read = number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
        scans.push((table.to_owned(), read * number("Actual Loops")));
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        collect_scans(child, scans);
    }
}
