//! Lines landed, from a repository and over HTTP, to the tiers, the chart and the dial.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::server_support::{Server, call, now, start};
use model::time::Timestamp;
use serde_json::{Value, json};
use server::source::git::Commits;
use server::source::registry::{Root, Roots};
use server::source::watch;
use tokio_util::sync::CancellationToken;

/// A repository with one commit of so many lines, made at `at`.
fn repository(folder: &Path, at: Timestamp, lines: usize) -> String {
    let date = format!("{} +0000", at.seconds());
    let git = |arguments: &[&str]| {
        let run = Command::new("git")
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)])
            .arg("-C")
            .arg(folder)
            .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
            .args(arguments)
            .output()
            .expect("this test needs git: install it");
        assert!(run.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8(run.stdout).unwrap()
    };
    std::fs::create_dir_all(folder).unwrap();
    git(&["init", "--quiet", "--initial-branch=main"]);
    std::fs::write(folder.join("a"), "line\n".repeat(lines)).unwrap();
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "x"]);
    git(&["rev-parse", "HEAD"]).trim().to_owned()
}

async fn landed(server: &Server) -> i64 {
    let sql = "select coalesce(sum(lines_landed_added), 0)::bigint from headline_10s";
    sqlx::query_scalar(sql).fetch_one(&server.pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_counts_once_apart_from_edits_and_not_on_the_dial() {
    let server = start().await;
    let folder = tempfile::tempdir().unwrap();
    let at = now().plus_seconds(-20).floor_to(1);
    let app = folder.path().join("app");
    let hash = repository(&app, at, 40);

    // Over HTTP first, then out of the repository: one commit.
    let commit =
        json!({"type": "lines_landed", "ts": at.to_string(), "rig": "app", "commit": hash, "added": 40, "removed": 0});
    let edit = json!({"type": "lines_changed", "ts": now().to_string(), "agent": "toast", "added": 3, "removed": 1});
    let (status, said) = server.post("/api/ingest", &json!([commit, edit, call(now(), 1)])).await;
    assert_eq!((status, &said["stored"]), (200, &json!(3)), "{said}");
    let (_, said) = server.post("/api/ingest", &commit).await;
    assert_eq!(said["duplicate"], 1);
    let short = json!({"type": "lines_landed", "ts": at.to_string(), "commit": "4b825dc", "added": 1, "removed": 1});
    let (status, said) = server.post("/api/ingest", &short).await;
    assert_eq!(status, 400);
    assert!(said["error"].as_str().unwrap().contains("whole hash"), "{said}");

    let stop = CancellationToken::new();
    let (town, intake) = (model::id::TownName::new("home").unwrap(), server.running.app().intake.clone());
    let roots = Roots::named(vec![Root::named(&Commits, &app)]);
    let watcher = watch::spawn(roots, town, intake, server.pool.clone(), stop.clone(), false);
    let begun = Instant::now();
    let counted = "select coalesce(sum(duplicate), 0)::bigint from source where source = 'git'";
    while sqlx::query_scalar::<_, i64>(counted).fetch_one(&server.pool).await.unwrap() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the repository is not read");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(landed(&server).await, 40);
    // A commit made while it is watched.
    std::fs::write(app.join("b"), "x\n".repeat(5)).unwrap();
    for arguments in
        [&["add", "--all"][..], &["-c", "user.name=a", "-c", "user.email=a", "commit", "--quiet", "-m", "y"][..]]
    {
        assert!(Command::new("git").arg("-C").arg(&app).args(arguments).status().unwrap().success());
    }
    while landed(&server).await < 45 {
        assert!(begun.elapsed() < Duration::from_secs(40), "the second commit is not seen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    watcher.await.unwrap();

    let sum = |series: &Value, name: &str| -> f64 {
        let line = series["series"].as_array().unwrap().iter().find(|line| line["name"] == name).unwrap();
        let step = series["step_s"].as_f64().unwrap();
        line["v"].as_array().unwrap().iter().filter_map(Value::as_f64).sum::<f64>() * step
    };
    for window in ["1h", "6h"] {
        let lines = server.get(&format!("/api/towns/home/series?metric=lines&window={window}")).await;
        let names: Vec<&Value> = lines["series"].as_array().unwrap().iter().map(|line| &line["name"]).collect();
        assert_eq!(names, ["added", "removed", "landed_added", "landed_removed"]);
        let sums = ["added", "removed", "landed_added", "landed_removed"].map(|name| sum(&lines, name).round());
        assert_eq!(sums, [3.0, 1.0, 45.0, 0.0], "{window}");
    }
    let report = server::db::verify::run(&server.pool).await.unwrap();
    assert!(report.holds() && report.compared > 0, "{report:#?}");
    let coarse: i64 = sqlx::query_scalar("select sum(lines_landed_added)::bigint from headline_6h")
        .fetch_one(&server.pool)
        .await
        .unwrap();
    assert_eq!(coarse, 45);
    let rate = server.get("/api/towns/home/gauges").await["lines_per_s"].as_f64().unwrap_or(0.0);
    assert!(rate < 4.0, "{rate}: what landed is not on the dial");

    // Forgotten and folded anew, the live edge is the same.
    let events = server.get("/api/events?town=home").await;
    assert!(
        events["events"].as_array().unwrap().iter().any(|row| row["kind"] == "lines_landed" && row["what"] == "landed")
    );
    server.running.stop().await;
}
