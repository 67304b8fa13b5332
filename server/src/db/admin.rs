//! What the embedded cluster needs to know of a database before there is a pool.

use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use super::{ConnectOptions, DbError};

/// What came of knocking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It takes queries.
    Ready,
    /// Somebody is there, and is starting, recovering or stopping.
    Busy,
    /// Nobody is there.
    Absent,
}

/// Knocks, without waiting.
pub async fn probe(options: &ConnectOptions) -> Answer {
    match quiet(options).connect().await {
        Ok(connection) => {
            let _gone_anyway = connection.close().await;
            Answer::Ready
        }
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code.starts_with("57P")) => Answer::Busy,
        Err(sqlx::Error::Database(error)) => {
            tracing::debug!(%error, "postgres refuses");
            Answer::Busy
        }
        Err(_) => Answer::Absent,
    }
}

/// Makes the database `name` when it is missing. `options` lead to another database of the same cluster.
///
/// # Errors
/// The cluster refused.
pub async fn ensure_database(options: &ConnectOptions, name: &str) -> Result<(), DbError> {
    let mut connection: PgConnection = quiet(options).connect().await?;
    let known: Option<(i32,)> = sqlx::query_as("select 1 from pg_database where datname = $1")
        .bind(name)
        .fetch_optional(&mut connection)
        .await?;
    if known.is_none() {
        let quoted = name.replace('"', "\"\"");
        let made = sqlx::query(AssertSqlSafe(format!("create database \"{quoted}\""))).execute(&mut connection).await;
        match made {
            // 42P04, 23505: another process was quicker.
            Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("42P04" | "23505")) => {}
            other => {
                other?;
            }
        }
    }
    connection.close().await?;
    Ok(())
}

fn quiet(options: &ConnectOptions) -> ConnectOptions {
    options.clone().disable_statement_logging()
}
