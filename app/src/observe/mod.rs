//! What the Observability page knows: its range and the way back through ranges, its data with their live edge, and
//! what it says and exports. Everything but [`address`], [`board`] and [`slot`] is pure.

pub(crate) mod address;
pub(crate) mod asked;
pub(crate) mod before;
pub(crate) mod board;
pub(crate) mod csv;
pub(crate) mod data;
pub(crate) mod gesture;
pub(crate) mod palette;
pub(crate) mod range;
pub(crate) mod slot;
pub(crate) mod trail;
pub(crate) mod words;
