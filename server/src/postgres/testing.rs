//! For tests and benchmarks: one cluster per process in a temporary folder, and a fresh database per test, cloned
//! from a template with the schema in it.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::sync::OnceCell;

use super::{Cluster, ClusterError, OpenMode};
use crate::db::{self, ConnectOptions, Pool};

static SHARED: OnceCell<Shared> = OnceCell::const_new();
static COUNTER: AtomicU32 = AtomicU32::new(0);

struct Shared {
    template: ConnectOptions,
}

/// A temporary data folder that is removed, and its Postgres stopped, when this process ends, however it ends.
///
/// # Errors
/// The folder or the shell that watches it could not be made.
pub fn temporary_data_dir(name: &str) -> Result<PathBuf, std::io::Error> {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("towngauge-test-{}-{number}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    // The shell's input ends with this process.
    let script = "read _; pid=$(head -n1 \"$1/postgres/postmaster.pid\" 2>/dev/null) && kill -QUIT $pid; \
                  for i in 1 2 3 4 5 6 7 8 9 10; do kill -0 $pid 2>/dev/null || break; sleep 0.1; done; rm -rf \"$1\"";
    let watcher = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Keeps the pipe open for the life of the process.
    std::mem::forget(watcher);
    Ok(folder)
}

/// Like [`Cluster::open`], without waiting for the disk: a commit survives a killed Postgres, but not a power cut.
///
/// # Errors
/// As [`Cluster::open`].
pub async fn open_unsafe(data_dir: &std::path::Path, mode: OpenMode) -> Result<Cluster, ClusterError> {
    Cluster::open_with(data_dir, mode, "fsync = off\nmax_connections = 200\n").await
}

/// A database of its own with the current schema.
///
/// # Panics
/// When there is no Postgres: a test cannot go on then.
pub async fn fresh_database() -> Pool {
    let shared = SHARED.get_or_init(start).await;
    let name = format!("test_{}", COUNTER.fetch_add(1, Ordering::Relaxed));
    let mut admin = shared.template.clone().database("postgres").connect().await.expect("the test cluster answers");
    let statement = format!("create database {name} template template_towngauge");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut admin).await.expect("a database can be cloned");
    admin.close().await.expect("the connection closes");
    db::connect(shared.template.clone().database(&name)).await.expect("the clone answers")
}

async fn start() -> Shared {
    let folder = temporary_data_dir("shared").expect("a temporary folder");
    // Tests run on runtimes of their own; the cluster must outlive the first of them.
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let cluster = open_unsafe(&folder, OpenMode::Serve).await.expect("a test cluster");
            let template = cluster.connect_options().database("template_towngauge");
            db::admin::ensure_database(&cluster.connect_options(), "template_towngauge").await.expect("a template");
            let pool = db::connect(template.clone()).await.expect("the template answers");
            db::migrate(&pool).await.expect("the schema");
            pool.close().await;
            let _receiver_waits = tell.send(template);
            std::future::pending::<()>().await;
            drop(cluster);
        });
    });
    Shared { template: told.await.expect("the test cluster's thread") }
}
