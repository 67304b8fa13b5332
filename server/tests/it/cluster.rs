//! The embedded cluster, with the machine's own Postgres.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use server::db;
use server::postgres::testing::{open_unsafe, temporary_data_dir};
use server::postgres::{Cluster, ClusterError, OpenMode};

fn postmaster(data_dir: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(data_dir.join("postgres/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok().map(Pid::from_raw)
}

fn runs(data_dir: &Path) -> bool {
    postmaster(data_dir).is_some_and(|pid| kill(pid, None).is_ok())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_made_used_by_several_and_stopped_by_the_last() {
    let data_dir = temporary_data_dir("several").unwrap();
    let server = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
    let pool = db::connect(server.connect_options()).await.unwrap();
    db::migrate(&pool).await.unwrap();
    db::migrate(&pool).await.unwrap();
    pool.close().await;

    let refused = Cluster::open(&data_dir, OpenMode::Serve).await.unwrap_err();
    assert!(matches!(refused, ClusterError::Held { pid, .. } if pid == std::process::id()), "{refused}");
    assert!(refused.to_string().contains("towngauge serve"), "{refused}");

    let command = open_unsafe(&data_dir, OpenMode::Attach).await.unwrap();
    assert!(command.is_served() && !server.is_served(), "a command has a server beside it, a server has not");
    server.stop().await;
    assert!(runs(&data_dir), "the command still uses it");
    assert!(!command.is_served());
    db::connect(command.connect_options()).await.unwrap().close().await;
    command.stop().await;
    assert!(!runs(&data_dir));

    // And again, from what is there.
    let again = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
    assert!(runs(&data_dir));
    again.stop().await;
    assert!(!runs(&data_dir));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_postgres_is_started_again_and_the_pool_recovers() {
    let data_dir = temporary_data_dir("killed").unwrap();
    let cluster = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
    let pool = db::connect(cluster.connect_options()).await.unwrap();
    let before = postmaster(&data_dir).unwrap();
    kill(before, Signal::SIGKILL).unwrap();
    let mut answers = false;
    for _ in 0..300 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        if sqlx::query("select 1").execute(&pool).await.is_ok() && postmaster(&data_dir) != Some(before) {
            answers = true;
            break;
        }
    }
    assert!(answers);
    pool.close().await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_left_behind_by_a_killed_server_is_adopted() {
    let data_dir = temporary_data_dir("left").unwrap();
    let first = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
    let pid = postmaster(&data_dir).unwrap();
    // As after kill -9: the locks are gone, Postgres is not.
    first.abandon();
    let second = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
    assert_eq!(postmaster(&data_dir), Some(pid));
    second.stop().await;
    assert!(!runs(&data_dir));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_folder_with_a_long_name_gets_a_short_socket() {
    let parent = temporary_data_dir("long").unwrap();
    let data_dir = parent.join("x".repeat(90));
    let cluster = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
    db::connect(cluster.connect_options()).await.unwrap().close().await;
    cluster.stop().await;
    assert!(!runs(&data_dir));
}

#[tokio::test(flavor = "multi_thread")]
async fn root_gives_the_account_of_postgres_a_way_in_or_goes_elsewhere() {
    use std::os::unix::fs::PermissionsExt as _;
    if !nix::unistd::geteuid().is_root() {
        // Nobody else changes accounts.
        return;
    }
    let close = |folder: &Path| std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    // As `mktemp -d` makes it: the folder itself is in the way.
    let data_dir = temporary_data_dir("private").unwrap();
    close(&data_dir);
    let cluster = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
    assert_eq!(std::fs::metadata(&data_dir).unwrap().permissions().mode() & 0o777, 0o711);
    cluster.stop().await;

    // As in /root: a parent is in the way, and stays as it is.
    let parent = temporary_data_dir("closed").unwrap();
    close(&parent);
    let data_dir = parent.join("data");
    for _ in 0..2 {
        let cluster = open_unsafe(&data_dir, OpenMode::Serve).await.unwrap();
        db::connect(cluster.connect_options()).await.unwrap().close().await;
        cluster.stop().await;
    }
    assert_eq!(std::fs::metadata(&parent).unwrap().permissions().mode() & 0o777, 0o700);
    let elsewhere = std::fs::read_to_string(data_dir.join("postgres.at")).unwrap();
    assert!(Path::new(elsewhere.trim()).join("postgres/PG_VERSION").exists());
    std::fs::remove_dir_all(elsewhere.trim()).unwrap();
}
