//! A Postgres of the owner's, by its address: the same server on it, over TLS, and no private cluster.

// Other systems have no loopback addresses but one.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use crate::server_support::{Server, call, now};
use serde_json::json;
use server::config::{Config, Settings};
use server::db;
use server::postgres::testing::{open_unsafe, temporary_data_dir};
use server::postgres::{Cluster, OpenMode};
use server::serve;
use server::store::Store;
use tokio::net::TcpListener;

/// A Postgres that takes nobody from the network but over TLS, with a database `external`.
struct External {
    cluster: Cluster,
    ip: String,
    root: PathBuf,
}

impl External {
    async fn start(folder: &Path) -> Self {
        // An address that no other Postgres of this machine listens on.
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let ip = format!("127.77.{high}.{low}");
        let cluster = open_unsafe(folder, OpenMode::Serve).await.unwrap();
        db::admin::ensure_database(&cluster.connect_options(), "external").await.unwrap();
        let pool = db::connect(cluster.connect_options()).await.unwrap();
        let data: String = sqlx::query_scalar("show data_directory").fetch_one(&pool).await.unwrap();
        pool.close().await;
        cluster.stop().await;

        let data = PathBuf::from(data);
        let made = rcgen::generate_simple_self_signed(vec![ip.clone()]).unwrap();
        let write = |name: &str, text: &str| {
            let path = data.join(name);
            std::fs::write(&path, text).unwrap();
            let owner = std::fs::metadata(&data).unwrap();
            chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        };
        write("server.crt", &made.cert.pem());
        write("server.key", &made.signing_key.serialize_pem());
        write("local.conf", &format!("listen_addresses = '{ip}'\nssl = on\n"));
        write("pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.0/8 trust\n");
        let root = folder.join("root.crt");
        std::fs::write(&root, made.cert.pem()).unwrap();
        Self { cluster: open_unsafe(folder, OpenMode::Serve).await.unwrap(), ip, root }
    }

    fn url(&self, query: &str) -> String {
        format!("postgres://towngauge@{}:5432/external?{query}", self.ip)
    }

    /// An address that insists on this Postgres and no other.
    fn verified(&self) -> String {
        self.url(&format!("sslmode=verify-full&sslrootcert={}", self.root.display()))
    }
}

fn config(url: String, data_dir: &Path) -> Config {
    let settings = Settings {
        database_url: Some(url),
        data_dir: Some(data_dir.to_owned()),
        no_watch: true,
        ..Settings::default()
    };
    Config::resolve(&settings, &|_| None).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_the_owner_s_is_reached_over_tls_and_does_all_that_the_private_one_does() {
    let external = External::start(&temporary_data_dir("external").unwrap()).await;
    let own = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let running = serve::start(config(external.verified(), own.path()), listener).await.unwrap();
    let pool = running.app().pool.clone();
    let server = Server { running, pool, client: reqwest::Client::new() };
    let (status, report) = server.post("/api/ingest", &json!([call(now(), 1), call(now(), 2)])).await;
    assert_eq!((status, &report["stored"]), (200, &json!(2)));
    assert_eq!(server.get("/api/events?town=home").await["events"].as_array().unwrap().len(), 2);
    let plain = "select count(*) from pg_stat_ssl join pg_stat_activity using (pid)
                 where datname = 'external' and not ssl and backend_type = 'client backend'";
    assert_eq!(sqlx::query_scalar::<_, i64>(plain).fetch_one(&server.pool).await.unwrap(), 0);
    assert!(server.running.app().pool.size() > 1);
    server.running.stop().await;

    // What a command opens, beside no server, finds the same.
    let store = Store::open(&config(external.verified(), own.path()), OpenMode::Attach).await.unwrap();
    assert_eq!(sqlx::query_scalar::<_, i64>("select count(*) from event").fetch_one(&store.pool).await.unwrap(), 2);
    assert!(db::verify::run(&store.pool).await.unwrap().holds());
    store.close().await;
    assert!(!own.path().join("postgres").exists(), "no private Postgres was made");

    let refused = async |url: String| {
        let opened = Store::open(&config(url, own.path()), OpenMode::Attach).await;
        format!("{:#}", opened.err().expect("it is refused"))
    };
    let unknown = refused(external.url("sslmode=verify-full")).await;
    assert!(unknown.contains("certificate"), "{unknown}");
    let plain = refused(external.url("sslmode=disable")).await;
    assert!(plain.contains("no encryption"), "{plain}");
    external.cluster.stop().await;
}
