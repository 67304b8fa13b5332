//! A real session, read from its transcript and told by telemetry too, in any order.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::path::Path;

use model::id::TownName;
use model::time::Timestamp;
use server::db::report::{GroupBy, ReportRow};
use server::db::{self, Pool, price::Prices};
use server::ingest::{Intake, IntakeLimits};
use server::postgres::testing::fresh_database;
use server::source::backfill::{self, Order};
use server::source::claude_code::Transcripts;
use server::source::otlp::{self, Encoding, Heads, Signal};

/// The session's row of the report after its sources were read in this order.
async fn read(pool: &Pool, intake: &Intake, town: &str, order: &[&str], fixtures: &Path) -> ReportRow {
    let town = TownName::new(town).unwrap();
    for source in order {
        let signal = match *source {
            "transcript" => {
                let paths = vec![fixtures.join("claude-code/projects")];
                let order = Order { source: &Transcripts, paths, town: town.clone(), no_paths: false };
                backfill::run(&order, pool, intake, |_| {}).await.unwrap();
                continue;
            }
            "logs" => Signal::Logs,
            _ => Signal::Metrics,
        };
        let body = std::fs::read(fixtures.join(format!("otlp/claude_v1_{source}.pb"))).unwrap();
        let when = otlp::When { now: server::clock::Clock::system().now(), lost_after_s: 600 };
        for share in otlp::decode(signal, Encoding::Protobuf, &body, &[]).unwrap().shares.into_values() {
            otlp::store(intake, pool, &Heads::default(), &town, share, &mut false, when).await.unwrap();
        }
    }
    let key = db::town::find(pool, &town).await.unwrap().unwrap().key;
    let all = (Timestamp::MIN_BELIEVED, Timestamp::MAX_BELIEVED);
    let rows = db::report::report(pool, key, GroupBy::Session, all, "UTC").await.unwrap();
    rows.into_iter().find(|row| row.key.starts_with("fed8ce56")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_session_is_counted_once_whoever_tells_it_first() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures");
    if !fixtures.join("otlp").is_dir() {
        println!("skipped: {} is not there", fixtures.display());
        return;
    }
    let pool = fresh_database().await;
    db::price::seed(&pool, &server::source::price_seed::rows().unwrap()).await.unwrap();
    let prices = Prices::new(db::price::load(&pool).await.unwrap());
    let (committed, mut ignored) = tokio::sync::mpsc::channel(1_000);
    tokio::spawn(async move { while ignored.recv().await.is_some() {} });
    let (intake, writer) = Intake::start(pool.clone(), prices, committed, IntakeLimits::default());
    let alone = read(&pool, &intake, "alone", &["transcript"], &fixtures).await;
    assert_eq!((alone.tokens, alone.cost_nanodollars), ([88, 278, 44_544, 16_000, 0], 77_797_200));
    let orders = [
        ["transcript", "logs", "metrics"],
        ["logs", "metrics", "transcript"],
        ["metrics", "transcript", "logs"],
        ["metrics", "logs", "transcript"],
    ];
    for (n, order) in orders.iter().enumerate() {
        let told = read(&pool, &intake, &format!("order-{n}"), order, &fixtures).await;
        // The transcript (of version 1.0.17) holds a placeholder of 3 output tokens where telemetry says 70.
        let want = ([88, 278 - 3 + 70, 44_544, 16_000, 0], 77_797_200 + 67 * 15_000, alone.calls);
        assert_eq!((told.tokens, told.cost_nanodollars, told.calls), want, "{order:?}");
    }
    intake.close_and_drain(writer).await;
    assert!(db::verify::run(&pool).await.unwrap().holds());
}
