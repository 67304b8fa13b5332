//! The embedded private Postgres cluster: made, started, supervised and stopped here.
//!
//! It listens on a Unix socket only, in a folder that only its user can enter.

mod error;

use std::path::Path;

pub use error::ClusterError;

use crate::db::ConnectOptions;

/// Who may use the cluster beside us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// The server: one per data folder.
    Serve,
    /// A command: uses the running server's cluster, or starts it for as long as it works.
    Attach,
}

/// A running cluster that this process may use.
#[derive(Debug)]
pub struct Cluster {
    options: ConnectOptions,
}

impl Cluster {
    /// Makes the cluster when there is none, starts it when it does not run, and waits until it answers.
    ///
    /// # Errors
    /// Another server holds the folder, there is no Postgres on the machine, or it does not start; each says what
    /// to do.
    pub async fn open(data_dir: &Path, mode: OpenMode) -> Result<Self, ClusterError> {
        let _ = (data_dir, mode);
        Err(ClusterError::NoPostgres)
    }

    /// How to connect to it.
    #[must_use]
    pub fn connect_options(&self) -> ConnectOptions {
        self.options.clone()
    }

    /// Stops Postgres, unless another process still uses it. Close the pools first.
    pub async fn stop(self) {}
}
