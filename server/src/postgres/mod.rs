//! The embedded private Postgres cluster: made, started, supervised and stopped here.
//!
//! It listens on a Unix socket only, in a folder that only its account can enter. It outlives a killed server: the
//! next process adopts it. Whoever leaves last stops it.

mod binaries;
mod error;
mod lock;
mod place;
mod process;
mod settings;
#[cfg(feature = "testing")]
pub mod testing;

use std::path::Path;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use error::ClusterError;

use self::lock::Lock;
use self::place::Place;
use self::process::Running;
use crate::db::{ConnectOptions, SslMode, admin};

/// The database in the cluster.
const DATABASE: &str = "towngauge";

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
    place: Place,
    options: ConnectOptions,
    supervisor: JoinHandle<Option<Running>>,
    leaving: CancellationToken,
    in_use: Lock,
    _serving: Option<Lock>,
}

impl Cluster {
    /// Makes the cluster when there is none, starts it when it does not run, and waits until it answers.
    ///
    /// # Errors
    /// Another server holds the folder, there is no Postgres on the machine, or it does not start; each says what
    /// to do.
    pub async fn open(data_dir: &Path, mode: OpenMode) -> Result<Self, ClusterError> {
        Self::open_with(data_dir, mode, "").await
    }

    async fn open_with(data_dir: &Path, mode: OpenMode, extra: &'static str) -> Result<Self, ClusterError> {
        let place = Place::prepare(data_dir)?;
        let serving = match mode {
            OpenMode::Serve => Some(lock::serve(&place.data)?),
            OpenMode::Attach => None,
        };
        let starting = lock::start(&place.data).await?;
        let in_use = lock::join(&place.data)?;
        place.open_socket()?;
        let made_by = place.made_by();
        let own = ConnectOptions::new_without_pgpass()
            .socket(&place.socket)
            // A socket of our own needs no TLS; a PGSSLMODE meant for other databases does not matter here.
            .ssl_mode(SslMode::Disable)
            .port(5432)
            .username("towngauge")
            .database("postgres");
        // Looking for binaries starts programs, which takes longer than all the rest beside a server that runs already.
        let adopted = if made_by.is_some() { process::adopt(&place, &own).await } else { None };
        let running = match adopted {
            Some(running) => running,
            None => {
                let binaries = binaries::find(made_by, &place.cluster)?;
                if made_by.is_none() {
                    process::init(&place, &binaries, extra.is_empty()).await?;
                }
                process::ensure(&place, &binaries, &own, extra).await?
            }
        };
        admin::ensure_database(&own, DATABASE).await?;
        drop(starting);

        let leaving = CancellationToken::new();
        let watch = Watch { place: place.clone(), options: own.clone(), extra, leaving: leaving.clone() };
        let supervisor = tokio::spawn(watch.run(running));
        Ok(Self { place, options: own.database(DATABASE), supervisor, leaving, in_use, _serving: serving })
    }

    /// Whether a server uses the cluster too.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self._serving.is_none() && lock::is_served(&self.place.data)
    }

    /// How to connect to it.
    #[must_use]
    pub fn connect_options(&self) -> ConnectOptions {
        self.options.clone()
    }

    /// Lets go of everything without stopping Postgres, as a killed process does.
    #[cfg(feature = "testing")]
    pub fn abandon(self) {
        self.supervisor.abort();
    }

    /// Stops Postgres, unless another process still uses it. Close the pools first.
    pub async fn stop(self) {
        self.leaving.cancel();
        let running = self.supervisor.await.ok().flatten();
        let _starting = match lock::start(&self.place.data).await {
            Ok(lock) => lock,
            Err(error) => return tracing::warn!(%error, "left postgres running"),
        };
        match (lock::leave(&self.place.data, self.in_use), running) {
            (Ok(true), Some(running)) => {
                running.stop().await;
                self.place.close_socket();
            }
            (Ok(_), _) => {}
            (Err(error), _) => tracing::warn!(%error, "left postgres running"),
        }
    }
}

/// Starts Postgres again whenever it dies.
struct Watch {
    place: Place,
    options: ConnectOptions,
    extra: &'static str,
    leaving: CancellationToken,
}

impl Watch {
    async fn run(self, mut running: Running) -> Option<Running> {
        loop {
            tokio::select! {
                () = self.leaving.cancelled() => return Some(running),
                () = running.ended() => tracing::error!("postgres ended unexpectedly; starting it again"),
            }
            let mut backoff = Duration::from_millis(200);
            running = loop {
                let attempt = async {
                    let _starting = lock::start(&self.place.data).await?;
                    let binaries = binaries::find(self.place.made_by(), &self.place.cluster)?;
                    process::ensure(&self.place, &binaries, &self.options, self.extra).await
                };
                tokio::select! {
                    () = self.leaving.cancelled() => return None,
                    outcome = attempt => match outcome {
                        Ok(running) => break running,
                        Err(error) => tracing::error!(%error, "postgres does not start"),
                    },
                }
                tokio::time::sleep(backoff).await;
                backoff = (backoff * 2).min(Duration::from_secs(10));
            };
        }
    }
}
