//! Shipping: what this machine's sources yield, on its way to a server elsewhere.
//!
//! Batches go into a spool on disk together with the cursors of the files they were read from ([`Spool`]), so a crash at
//! any moment keeps both or neither. A sender takes them out oldest first, and removes a batch only after the server
//! said that it is stored. A batch that is sent again changes nothing: events have their identities, and the server
//! remembers the number of the last batch for what has none.

mod answer;
mod backoff;
mod host;
mod log;
mod parked;
mod sender;
mod spool;
mod state;
mod under_way;
pub mod wire;

pub use host::{HostReport, HostWanted, ShippedSink};
pub use sender::{Sender, SenderSettings, ShipKey, Target};
pub use spool::{Spool, SpoolError, SpoolSettings};
