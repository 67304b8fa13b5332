//! The connection pool, and bringing the schema up to date.

use std::time::Duration;

use sqlx::postgres::{PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _};
use uuid::Uuid;

use super::DbError;

/// Pooled connections. Cheap to clone.
pub type Pool = sqlx::PgPool;
/// Where a database is; parses from a `postgres://` address.
pub type ConnectOptions = sqlx::postgres::PgConnectOptions;
/// Whether a connection is encrypted, and what is checked. In an address: `?sslmode=`.
pub type SslMode = sqlx::postgres::PgSslMode;

/// Connections per process. Few: two cores' worth of queries, the writer, the worker, and room for pages.
const MAX_CONNECTIONS: u32 = 12;
/// A connection that lay idle for longer is tested before use: Postgres may have been restarted meanwhile.
const TRUST_FOR: Duration = Duration::from_secs(1);

/// How long a connection that comes back may take to answer.
const RETURN_WITHIN: Duration = Duration::from_secs(5);

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// Connects, and refuses what is older than Postgres 15.
///
/// # Errors
/// Not reachable within ten seconds, or too old.
pub async fn connect(options: ConnectOptions) -> Result<Pool, DbError> {
    // jit: its compile time exceeds every query here. UTC: day partitions are days in UTC.
    let options = options.application_name("towngauge").options([("jit", "off"), ("timezone", "UTC")]);
    // The log would repeat whole statements at people whenever a verification or a first rollup takes a second.
    let options = options.disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move { Ok(meta.idle_for < TRUST_FOR || connection.ping().await.is_ok()) })
        })
        .after_release(|connection, _| Box::pin(is_in_step(connection)))
        .connect_with(options)
        .await?;
    let (number, name): (i32, String) =
        sqlx::query_as("select current_setting('server_version_num')::integer, current_setting('server_version')")
            .fetch_one(&pool)
            .await?;
    if number < 150_000 {
        return Err(DbError::TooOld { found: name });
    }
    Ok(pool)
}

/// A pool of `connections` of its own to the same database, made when they are needed, with the same care for them. It ends
/// with its last user.
#[must_use]
pub fn apart(pool: &Pool, connections: usize) -> Pool {
    let connections = u32::try_from(connections).unwrap_or(MAX_CONNECTIONS).clamp(1, MAX_CONNECTIONS);
    let options = pool.options().clone().min_connections(0).max_connections(connections);
    options.connect_lazy_with(pool.connect_options().as_ref().clone())
}

/// Whether a connection's next answer belongs to its next question; and it is in no transaction any more.
///
/// sqlx loses count of the answers that are due when a COPY is dropped halfway (by a time limit, or a stop): every later
/// query on that connection would be given the answer to the one before it. Such a connection is closed. And it forgets a
/// transaction whose BEGIN was dropped: whoever came next would read an old snapshot, and write what is never committed.
async fn is_in_step(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let asked = Uuid::now_v7();
    let answer = async {
        // Ends whatever is open. Where nothing is, a ROLLBACK alone would fill the log of Postgres with warnings.
        sqlx::raw_sql("begin; rollback").execute(&mut *connection).await?;
        sqlx::query_scalar::<_, Uuid>("select $1::uuid").bind(asked).fetch_one(&mut *connection).await
    };
    Ok(matches!(tokio::time::timeout(RETURN_WITHIN, answer).await, Ok(Ok(answer)) if answer == asked))
}

/// Brings the schema up to date. Several processes may do this at once: they wait for one another.
///
/// # Errors
/// A migration failed, or the database was migrated by a newer version.
pub async fn migrate(pool: &Pool) -> Result<(), DbError> {
    MIGRATIONS.run(pool).await?;
    Ok(())
}
