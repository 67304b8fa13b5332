//! The live link: one socket per town, a pure reducer behind it, and signals per topic in front of it.

pub(crate) mod backoff;
mod early;
mod frame;
mod link;
mod socket;
mod store;

#[cfg(feature = "ssr")]
pub(crate) use early::SCRIPT as EARLY_SCRIPT;
pub(crate) use link::Link;
pub(crate) use socket::keep_open;
pub(crate) use store::{Live, Quiet};
