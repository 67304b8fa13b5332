//! Pages and components, the live store and the canvas surface.
//!
//! The server renders [`shell`] with real numbers; the browser takes it over with [`App`]. What touches the browser
//! (sockets, canvases, storage, the clock) happens inside Effects and event handlers only, so it never runs on the
//! server, and both sides render the same text from the same data.

mod api;
mod canvas;
mod civil;
mod live;
mod observe;
mod page;
pub mod reader;
mod routes;
mod shell;
mod text_json;
mod ui;
mod zone;

pub use api::PageStatus;
pub use routes::App;
pub use shell::{AssetPaths, shell};
