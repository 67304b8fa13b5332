//! Canvases: sharp surfaces, one animation frame for all of them, and pointers.

mod frame;
mod surface;

pub(crate) use frame::{Frame, paint_on};
