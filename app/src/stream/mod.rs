//! The event stream of the Live page: what is kept, what is shown of it, and where its reader is.

mod filter;
mod reel;
mod tape;

pub use filter::EventFilter;
pub(crate) use reel::{Older, Reel};
pub(crate) use tape::Entry;
