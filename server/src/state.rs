//! What every handler can reach.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use model::Timestamp;
use tokio::sync::Semaphore;

use crate::alert::Hooks;
use crate::assets::Assets;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Pool;
use crate::demo::Keeper;
use crate::feed::Feeds;
use crate::host::{Desk, OwnMeter};
use crate::http::Access;
use crate::hub::Hub;
use crate::ingest::{Intake, LogGate};
use crate::read::Reader;
use crate::source::otlp::Heads;
use crate::stop::StopDesk;

/// Large bodies that are read and unpacked at once; each may take 64 MB.
const LARGE_BODIES: usize = 4;

/// The server's parts; clones are the same server.
pub type App = Arc<AppState>;

/// The server's parts.
pub struct AppState {
    /// How it was configured.
    pub config: Config,
    /// What time it is.
    pub clock: Clock,
    /// When it started.
    pub started: Timestamp,
    /// The database.
    pub pool: Pool,
    /// The way in for events.
    pub intake: Intake,
    /// The live state.
    pub hub: Hub,
    /// Streams of events.
    pub feeds: Feeds,
    /// What pages read.
    pub reader: Arc<Reader>,
    /// What hosts use.
    pub desk: Desk,
    /// What this server itself costs.
    pub own: OwnMeter,
    /// Keeps made-up towns going.
    pub demo: Keeper,
    /// Who may do what.
    pub access: Access,
    /// The client's files.
    pub assets: Assets,
    /// Room for large bodies.
    pub large_bodies: Semaphore,
    /// How far OpenTelemetry's running sums were counted.
    pub heads: Heads,
    /// How many lines of logs came lately.
    pub logs: LogGate,
    /// What hooks asked.
    pub stop: StopDesk,
    /// Who is told of alerts.
    pub hooks: Arc<Hooks>,
    /// Counters.
    pub counters: Counters,
}

impl AppState {
    /// Seconds since the start.
    #[must_use]
    pub fn uptime_s(&self) -> i64 {
        self.clock.now().seconds() - self.started.seconds()
    }
    /// Room for large bodies, as every server has it.
    #[must_use]
    pub fn large_bodies() -> Semaphore {
        Semaphore::new(LARGE_BODIES)
    }
}

/// Counters since the start, for `/metrics`.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests answered.
    pub requests: AtomicU64,
    /// Answers with 5xx.
    pub failures: AtomicU64,
    /// Events received over HTTP.
    pub received: AtomicU64,
    /// Of these: stored.
    pub stored: AtomicU64,
    /// Of these: known before.
    pub duplicate: AtomicU64,
    /// Of these: rejected.
    pub rejected: AtomicU64,
    /// Requests to send events again later.
    pub refused: AtomicU64,
    /// Time spent in `POST /api/ingest`, microseconds.
    pub ingest_us: AtomicU64,
    /// Number of these requests.
    pub ingest_requests: AtomicU64,
}
