//! Costs over HTTP: for random calls and random filters every breakdown sums to the total, and the total is what
//! `towngauge report` says of the same days.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use crate::server_support::{Server, now, start};
use crate::support::Dice;
use model::cost::{CostBoard, SPEND_MEASURES, SpendSum};
use model::time::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use server::db::report::{GroupBy, report};
use server::db::town as towns;

const MEASURES: [&str; SPEND_MEASURES] = [
    "calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "cost_nanodollars",
    "unpriced_tokens",
];

fn sum(value: &Value) -> SpendSum {
    MEASURES.map(|measure| value[measure].as_i64().unwrap_or_else(|| panic!("{measure} of {value}"))).into()
}

/// Rows and what is over the limit.
fn rows(answer: &Value) -> SpendSum {
    let rest = answer.get("rest").map(sum).unwrap_or_default();
    answer["rows"].as_array().unwrap().iter().map(sum).chain([rest]).sum()
}

/// A call at `at`; a die decides whose it is and what is known of it.
fn random_call(dice: &mut Dice, at: Timestamp, id: u64) -> Value {
    let model = ["claude-sonnet-4-5", "gpt-5", "nobody-knows-it"][usize::try_from(dice.roll(3)).unwrap()];
    let mut call = json!({
        "type": "model_call", "ts": at.to_string(), "id": id.to_string(),
        "model": model,
        "input_tokens": dice.roll(5_000), "output_tokens": dice.roll(900), "cache_read_tokens": dice.roll(60_000),
    });
    let mut maybe = |name: &str, of: &[&str]| {
        let place = usize::try_from(dice.roll(u64::try_from(of.len()).unwrap() + 1)).unwrap();
        if let Some(value) = of.get(place) {
            call[name] = (*value).into();
        }
    };
    maybe("rig", &["gas", "beads, and more"]);
    maybe("role", &["polecat", "mayor", "witness"]);
    maybe("agent", &["toast", "nux"]);
    maybe("bead", &["gt-1", "gt-2", "gt-3"]);
    maybe("session", &["s1", "s2", "s3", "s4"]);
    if dice.roll(5) == 0 {
        call["cost_usd"] = json!(0.25);
    }
    call
}

fn random_query(dice: &mut Dice) -> String {
    let mut query =
        vec![format!("tz={}", ["UTC", "Europe/Berlin", "Asia/Kathmandu"][usize::try_from(dice.roll(3)).unwrap()])];
    query.push(["range=today", "range=7d", "range=30d"][usize::try_from(dice.roll(3)).unwrap()].to_owned());
    const FILTERS: [&str; 12] = [
        "rig=gas",
        "rig=beads,%20and+more",
        "rig=(none)",
        "role=polecat",
        "role=other",
        "agent=(none)",
        "model=gpt-5",
        "provider=Anthropic",
        "bead=gt-1",
        "bead=(none)",
        "session=s2",
        "provenance=reported",
    ];
    for _ in 0..dice.roll(4) {
        query.push(FILTERS[usize::try_from(dice.roll(12)).unwrap()].to_owned());
    }
    query.join("&")
}

async fn town_of(server: &Server, dice: &mut Dice, count: u64) {
    let calls: Vec<Value> = (0..count)
        .map(|id| {
            let age_s = i64::try_from(dice.roll(10 * 86_400)).unwrap();
            random_call(dice, now().plus_seconds(-age_s), id)
        })
        .collect();
    let (status, answer) = server.post("/api/ingest?town=home", &json!(calls)).await;
    assert_eq!((status, answer["stored"].as_u64()), (200, Some(count)), "{answer}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3, ..ProptestConfig::default() })]

    #[test]
    fn every_breakdown_sums_to_the_total_and_that_is_what_the_report_says(seed in any::<u64>()) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let server = start().await;
            let mut dice = Dice(seed);
            town_of(&server, &mut dice, 300).await;
            for _ in 0..12 {
                let query = random_query(&mut dice);
                let summary = server.get(&format!("/api/costs/summary?{query}")).await;
                let total = sum(&summary["total"]);
                let provenance: SpendSum = summary["provenance"].as_array().unwrap().iter().map(sum).sum();
                assert_eq!(provenance, total, "{query}");
                for list in ["daily", "roles", "rigs", "models", "beads", "sessions"] {
                    let answer = server.get(&format!("/api/stats/{list}?{query}")).await;
                    assert_eq!((sum(&answer["total"]), rows(&answer)), (total, total), "{list} {query}: {answer}");
                }
                for list in ["beads", "sessions"] {
                    let answer = server.get(&format!("/api/stats/{list}?{query}&limit=1")).await;
                    assert_eq!((sum(&answer["total"]), rows(&answer)), (total, total), "{list} {query}: {answer}");
                }
                let board = server.get(&format!("/api/costs/board?{query}&by=bead")).await;
                let board: CostBoard = serde_json::from_value(board).unwrap();
                let tree: SpendSum = board.tree.iter().map(|row| row.sum).sum();
                let river: SpendSum = board.river.rows.iter().map(|row| row.sum).sum();
                let beads: SpendSum = board.beads.rows.iter().map(|row| row.sum).sum();
                let sessions: SpendSum = board.sessions.rows.iter().map(|row| row.sum).sum();
                assert_eq!([board.summary.spent.total, tree, river, beads, sessions], [total; 5], "{query}");
                let models = |row: &model::cost::BeadCost| row.models.iter().map(|model| model.sum).sum::<SpendSum>();
                assert!(board.beads.rows.iter().all(|row| models(row) == row.sum), "{query}");
                let days: Vec<_> = board.calendar.iter().filter(|day| (board.summary.days.0..=board.summary.days.1).contains(&day.day)).collect();
                assert_eq!(days.iter().map(|day| day.sum).sum::<SpendSum>(), total, "{query}");
                assert_eq!((board.burn.sum, board.calendar.len()), (board.calendar.last().unwrap().sum, 365));
            }
            // The calls themselves, a page at a time.
            let (mut calls, mut next) = (SpendSum::default(), String::new());
            loop {
                let page = server.get(&format!("/api/costs?limit=70&rig=gas&after={next}")).await;
                for row in page["rows"].as_array().unwrap() {
                    let cost = row["cost_nanodollars"].as_i64();
                    let tokens = [1, 2, 3, 4, 5].map(|at| row[MEASURES[at]].as_i64().unwrap());
                    let unpriced_tokens = if cost.is_some() { 0 } else { tokens.iter().sum() };
                    calls.add(&SpendSum { calls: 1, tokens, cost: model::Nanodollars(cost.unwrap_or(0)), unpriced_tokens });
                }
                let Some(place) = page["next"].as_str() else { break };
                next = place.to_owned();
            }
            assert_eq!(calls, sum(&server.get("/api/costs/summary?rig=gas").await["total"]));
            // And the report of the same days.
            let summary = server.get("/api/costs/summary?range=7d&tz=Europe/Berlin").await;
            let at = |name: &str| Timestamp::parse_rfc3339(summary[name].as_str().unwrap()).unwrap();
            let key = towns::find(&server.pool, &model::TownName::new("home").unwrap()).await.unwrap().unwrap().key;
            for by in [GroupBy::Daily, GroupBy::Session, GroupBy::Model, GroupBy::Role, GroupBy::Bead] {
                let rows = report(&server.pool, key, by, (at("from"), at("to")), "Europe/Berlin").await.unwrap();
                let reported: SpendSum = rows.iter().map(|row| SpendSum {
                    calls: row.calls,
                    tokens: row.tokens,
                    cost: model::Nanodollars(row.cost_nanodollars),
                    unpriced_tokens: row.unpriced_tokens,
                }).sum();
                assert_eq!(reported, sum(&summary["total"]), "{by:?}");
            }
            server.running.stop().await;
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_questions_are_answered_with_what_is_wrong() {
    let server = start().await;
    town_of(&server, &mut Dice(1), 3).await;
    for (path, want) in [
        ("/api/costs/summary?range=2h", "range: \"2h\""),
        ("/api/costs/summary?rigg=gas", "rigg: there is no such parameter"),
        ("/api/costs/summary?tz=Mars/Base", "tz: \"Mars/Base\""),
        ("/api/costs/summary?from=2026-02-30&to=2026-03-01", "from: \"2026-02-30\""),
        ("/api/costs/summary?from=2011-12-30&to=2011-12-30&tz=Pacific/Apia", "do not exist"),
        ("/api/stats/roles?role=king", "role: \"king\""),
        ("/api/stats/beads?limit=0", "limit: \"0\""),
        ("/api/stats/beads?format=xml", "format: \"xml\""),
        ("/api/costs?after=yesterday", "after: this is no place"),
        ("/api/costs/board?by=mood", "by: \"mood\""),
    ] {
        let answer = server.client.get(server.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
        let body: Value = answer.json().await.unwrap();
        assert!(body["error"].as_str().unwrap().contains(want), "{path}: {body}");
        assert!(!body["hint"].as_str().unwrap().is_empty(), "{path}");
    }
    assert_eq!(server.client.get(server.url("/api/costs/summary?town=nowhere")).send().await.unwrap().status(), 404);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_day_is_in_the_range_and_the_next_one_is_not() {
    let server = start().await;
    let at = |raw: &str| Timestamp::parse_rfc3339(raw).unwrap();
    // The clocks in Berlin went back in the night to 2025-10-26: that day has 25 hours.
    let calls: Vec<Value> =
        ["2025-10-25T21:59:59Z", "2025-10-25T22:00:00Z", "2025-10-26T22:59:59Z", "2025-10-26T23:00:00Z"]
            .iter()
            .enumerate()
            .map(|(id, raw)| crate::server_support::call(at(raw), id))
            .collect();
    server.post("/api/ingest?town=home", &json!(calls)).await;
    let day = server.get("/api/stats/daily?tz=Europe/Berlin&from=2025-10-26&to=2025-10-26").await;
    assert_eq!((day["rows"].as_array().unwrap().len(), &day["total"]["calls"]), (1, &json!(2)), "{day}");
    let both = server.get("/api/stats/daily?tz=Europe/Berlin&from=2025-10-25&to=2025-10-26").await;
    let calls: Vec<_> = both["rows"].as_array().unwrap().iter().map(|row| row["calls"].as_i64()).collect();
    assert_eq!(calls, [Some(1), Some(2)]);
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_as_csv_says_the_same_as_json() {
    let server = start().await;
    town_of(&server, &mut Dice(5), 60).await;
    for list in ["stats/daily", "stats/rigs", "stats/beads", "stats/sessions", "costs"] {
        let path = format!("/api/{list}?rig=gas");
        let json = server.get(&path).await;
        let answer = server.client.get(server.url(&path)).header("accept", "text/csv").send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/csv"), "{list}");
        let text = answer.text().await.unwrap();
        // From the back: names with commas are quoted, and stand before the figures.
        let mut lines = text.split_terminator("\r\n").map(|line| line.rsplit(',').collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let place = header.iter().position(|column| *column == "cost_nanodollars").unwrap();
        let costs: Vec<i64> = lines.map(|cells| cells[place].parse().unwrap_or(0)).collect();
        let want: Vec<i64> =
            json["rows"].as_array().unwrap().iter().map(|row| row["cost_nanodollars"].as_i64().unwrap_or(0)).collect();
        assert_eq!(costs, want, "{list}");
        assert!(!want.is_empty(), "{list}");
    }
    server.running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beads_say_how_they_stand_and_what_a_landed_one_costs() {
    let server = start().await;
    let at = now().plus_seconds(-60);
    let calls: Vec<Value> = ["gt-1", "gt-1", "gt-2", "gt-3", "gt-4"]
        .iter()
        .enumerate()
        .map(|(id, bead)| {
            let mut call = crate::server_support::call(at, id);
            call["bead"] = (*bead).into();
            call["session"] = format!("s{id}").into();
            call
        })
        .collect();
    server.post("/api/ingest?town=home", &json!(calls)).await;
    let beads = "insert into bead (town_id, bead, title, status, issue_type, created_at, closed_at, counted)
                 select town_id, v.* from town, (values
                     ('gt-1', 'Fix it', 'closed', 'task', now(), now(), true),
                     ('gt-2', 'A gate', 'closed', 'gate', now(), now(), false),
                     ('gt-3', 'Later', 'deferred', 'task', now(), null, true)) as v where name = 'home'";
    sqlx::query(beads).execute(&server.pool).await.unwrap();
    let answer = server.get("/api/stats/beads?range=7d").await;
    let rows = answer["rows"].as_array().unwrap();
    let of = |bead: &str| rows.iter().find(|row| row["key"] == bead).unwrap();
    let states = ["gt-1", "gt-2", "gt-3", "gt-4"].map(|bead| of(bead)["state"].as_str().unwrap());
    assert_eq!(states, ["landed", "closed", "abandoned", "unknown"]);
    let first = of("gt-1");
    assert_eq!(
        (&first["title"], &first["sessions"], &first["agents"]),
        (&json!("Fix it"), &json!(2), &json!(["toast"]))
    );
    let cards = &server.get("/api/costs/summary?range=7d").await["cards"];
    assert_eq!(cards["landed_beads"], 1);
    assert_eq!(cards["cost_per_landed_bead_nanodollars"], first["cost_nanodollars"]);
    assert_eq!(cards["sessions"], 5);
    server.running.stop().await;
}
