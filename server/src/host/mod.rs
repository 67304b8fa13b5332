//! Hosts: what the machines of a town use, read by one sampler each, shown live to who looks, and kept as a coarse past.
//!
//! `serve` reads its own machine and hands readings to its [`Desk`]; `watch` writes them to the store, and `watch --to`
//! sends them, where a desk takes them in. Coarse numbers only: nothing else of a machine is read.

mod desk;
mod gpu;
pub mod made_up;
mod own;
mod probe;
mod recorder;
mod runs;
mod sampler;
mod stored;

pub use desk::{Desk, DeskSink, Reported};
pub use own::OwnMeter;
pub use probe::{MachineProbe, Probe};
pub use recorder::{Recorder, Who};
pub use runs::RunBook;
pub use sampler::{Sink, run};
pub use stored::StoredSink;

use model::id::HostName;

/// What this machine calls itself, without its domain.
#[must_use]
pub fn machine_name() -> Option<HostName> {
    let name = nix::unistd::gethostname().ok()?.into_string().ok()?;
    HostName::new(name.split('.').next()?).ok()
}
