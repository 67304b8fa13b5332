//! Why the private cluster could not be had. Each message is for the owner, and says what to do.

use std::path::PathBuf;

/// Why the cluster could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Another process holds the data folder.
    #[error("this data folder is in use by {what} (process {pid}); stop it first, or choose another --data-dir")]
    Held {
        /// Its process id.
        pid: u32,
        /// What it is, such as `towngauge serve`.
        what: String,
    },
    /// Nothing to run.
    #[error(
        "no Postgres 15 or newer was found on this machine; install it (Debian: apt-get install postgresql, \
         Fedora: dnf install postgresql-server, macOS: brew install postgresql) or set DATABASE_URL"
    )]
    NoPostgres,
    /// The cluster was made by another major version.
    #[error("the data in {folder} was made by Postgres {made_by}, which is not installed (found: {found})")]
    OtherVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// Its major version.
        made_by: u32,
        /// What there is.
        found: String,
    },
    /// Root may not run Postgres, and there is nobody else.
    #[error("Postgres refuses to run as root, and there is neither an account `postgres` nor `nobody`; create one")]
    NoAccount,
    /// The account that runs the cluster cannot reach it.
    #[error("{parent} keeps the account that runs Postgres out of {folder}; run chmod o+x {parent}, or move the data")]
    ShutOut {
        /// The cluster's folder.
        folder: PathBuf,
        /// The folder above it that is closed.
        parent: PathBuf,
    },
    /// A program failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Its name.
        program: &'static str,
        /// The end of what it said.
        output: String,
    },
    /// It did not answer in time.
    #[error("Postgres did not answer within {seconds} s; its log is {log}: {last}")]
    Silent {
        /// How long we waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        last: String,
    },
    /// A folder or file could not be used.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The cluster runs but refuses.
    #[error(transparent)]
    Db(#[from] crate::db::DbError),
}
