//! The Machine page's state: the hosts as they are, their past, and what the viewer looks at.

mod board;
mod words;

pub(crate) use board::MachineBoard;
pub(crate) use words::{event_to_pixel, figure, note, of_all, percent, short, state, total_gib};
