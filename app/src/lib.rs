//! Pages and components, the live store and the canvas surface.
//!
//! The server renders a [`Document`] with real numbers in its [`shell`]; the browser takes it over from the same data
//! with [`browser`]. Each page has a client of its own, and links lead from page to page as links do. What touches the
//! browser (sockets, canvases, storage, the clock) happens inside Effects and event handlers only, so it never runs on
//! the server, and both sides render the same text.

// A page's view is one type, as deep as its markup.
#![recursion_limit = "512"]

pub mod browser;
mod canvas;
mod civil;
#[cfg(feature = "ssr")]
mod document;
mod fetch;
mod live;
mod machine;
mod observe;
mod page;
pub mod panel;
mod poll;
pub mod reader;
mod roll;
pub mod seed;
#[cfg(feature = "ssr")]
mod shell;
pub mod sources;
mod stream;
mod truth;
mod ui;
mod zone;

#[cfg(feature = "ssr")]
pub use document::{Client, Document};
pub use observe::asked::parse as parse_asked;
pub use page::notice::Notice;
#[cfg(feature = "ssr")]
pub use shell::{AssetPaths, ClientPaths, shell};
pub use stream::EventFilter;
#[cfg(feature = "ssr")]
pub use ui::alert_markup::alert_markup;
pub use ui::stop_panel::StopPanel;
pub use ui::webhooks_panel::WebhooksPanel;
