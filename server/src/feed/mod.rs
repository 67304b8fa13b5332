//! Streams of a town's events in the order of their commits.
//!
//! The store says what comes (db::feed): one producer per town that anybody listens to reads what was committed, by
//! whichever process, encodes it once, and hands the same bytes to every listener. Each listener's place in the order is all
//! that is kept of it; whoever is too slow for the shared ring reads on from the store at its own pace.

mod listener;
mod message;
mod producer;

pub use listener::{Asked, Listener};
pub use producer::Feeds;

/// There is a message or a comment at least this often.
pub const HEARTBEAT_S: u64 = 15;
