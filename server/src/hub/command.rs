//! What the hub is asked to do.

use app::reader::TownCard;
use bytes::Bytes;
use model::fuel::FuelTank;
use model::host::PerfMetrics;
use model::id::TownName;
use model::time::Timestamp;
use model::wire::{BeadCounts, Edge, Gauges, Snapshot};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::reader::{Said, ViewerId};
use super::town::{LiveSums, Seed, Watched};

/// The store did not answer; the log has the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoadFailed;

/// One request to the hub's task.
#[derive(Debug)]
pub enum Command {
    /// A viewer has connected.
    Join {
        /// Which town it looks at.
        town: TownName,
        /// Its socket, after the handshake.
        stream: TcpStream,
        /// What it sent right behind the handshake.
        first: Bytes,
        /// Its place among the viewers.
        permit: OwnedSemaphorePermit,
    },
    /// A viewer said something.
    Said(ViewerId, Said),
    /// The live state of a town, none when there is no such town.
    Snapshot(TownName, oneshot::Sender<Option<Box<Snapshot>>>),
    /// The dials of a town, none when there is no such town: less than a snapshot, for who asks often.
    Gauges(TownName, oneshot::Sender<Option<Gauges>>),
    /// The dials and the tanks beside the meter of a town, none when there is no such town.
    Fuel(TownName, oneshot::Sender<Option<(Gauges, Vec<FuelTank>)>>),
    /// The sums of the last minutes of a town, none when there is no such town.
    Sums(TownName, oneshot::Sender<Option<LiveSums>>),
    /// What is watched of a town for alerts, with the sums of so many seconds; none when there is no such town.
    Watched(TownName, i64, oneshot::Sender<Option<Box<Watched>>>),
    /// The previous and the newest bucket of each tier of a town; none for an unknown one.
    Edges(TownName, oneshot::Sender<Vec<Edge>>),
    /// Every town, by name.
    Cards(oneshot::Sender<Vec<TownCard>>),
    /// Somebody else changed the town in the store: load it again.
    Reload(TownName),
    /// A load has fixed what it sees: what is committed from now on is not in it. Answered when that is noted.
    Fixed(TownName, oneshot::Sender<()>),
    /// A load is done; none when there is no such town.
    Loaded(TownName, Result<Option<Box<Seed>>, LoadFailed>),
    /// The beads changed in the store.
    ReloadBeads(TownName),
    /// Bead counts as the store has them.
    Beads(TownName, Option<BeadCounts>),
    /// A tank beside the meter was read.
    ReloadTanks(TownName),
    /// The tanks beside the meter as the store has them.
    Tanks(TownName, Option<Vec<FuelTank>>),
    /// The strip of alerts of a town, as its markup; `false` when there is no such town.
    Alerts(TownName, String, oneshot::Sender<bool>),
    /// A host of the town was read: for those who look.
    Host(TownName, Box<PerfMetrics>),
    /// Since when the store does not answer; none when it does again.
    StoreDown(Option<Timestamp>),
    /// Say goodbye to every viewer, then answer.
    Stop(oneshot::Sender<()>),
}
