//! In which order events were committed: what streams of them go by, and go on by after a pause.

mod fold;
mod packed;
mod read;

pub(super) use fold::{FeedChange, bind, changes};
pub use read::{Cursor, Entry, Page, Reach, after, prune, reach};
