//! What can go wrong with the database. For logs and the command line; none of it is shown to HTTP clients.

/// Why the database could not do it.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// Below the oldest supported version.
    #[error("this is Postgres {found}; Towngauge needs Postgres 15 or newer")]
    TooOld {
        /// Its version, as it says itself.
        found: String,
    },
    /// The schema could not be brought up to date.
    #[error("the database schema could not be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A stored value that this version does not know.
    #[error("the database holds {what}, which this version of Towngauge does not know")]
    Unknown {
        /// Column and value.
        what: String,
    },
    /// Claims that the custodian's transactions may not decide side by side, or custody was lost: nothing was written, and
    /// the same transaction succeeds when it decides alone.
    #[error("the claims have to be decided by one transaction at a time")]
    Contested,
    /// Everything that Postgres or the connection to it reports.
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
}

impl DbError {
    /// Whether Postgres refused the values themselves, and would refuse the same again.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let Self::Sql(sqlx::Error::Database(error)) = self else { return false };
        let code = error.code().unwrap_or_default();
        // 22: a value that is none; 23: against a constraint; 54: too large, for an index say.
        ["22", "23", "54"].iter().any(|class| code.starts_with(class))
    }

    /// Whether the same transaction may succeed when tried again: the connection was lost, Postgres is starting or
    /// stopping, or another writer was in the way.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                // 08: connection; 40: deadlock, serialization; 53: out of resources; 57P: shutdown, crash, starting.
                code.starts_with("08") || code.starts_with("40") || code.starts_with("53") || code.starts_with("57P")
            }
            Self::Sql(
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Protocol(_)
                | sqlx::Error::Tls(_),
            ) => true,
            _ => false,
        }
    }

    /// The SQLSTATE, when Postgres itself refused.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => error.code().map(std::borrow::Cow::into_owned),
            _ => None,
        }
    }
}
