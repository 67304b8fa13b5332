//! Pages and components, the live store and the canvas surface.

pub mod reader;
