//! Server functions: what pages read, for first paint and later from the browser. They go through the
//! [`TownReader`](crate::reader::TownReader) in context, so this crate never sees a database.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, JsonEncoding};
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use model::series::{Metric, SeriesPage};
use model::wire::Snapshot;

use crate::reader::{ReadError, Setup, TownCard};

/// Sets the status of the page being rendered; provided by the server in context, absent in the browser.
#[derive(Clone)]
pub struct PageStatus(pub Arc<dyn Fn(u16) + Send + Sync>);

/// Tells the server the status of the page, where there is one to tell.
pub(crate) fn set_status(status: u16) {
    if let Some(PageStatus(set)) = use_context::<PageStatus>() {
        set(status);
    }
}

impl FromServerFnError for ReadError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        Self::Unavailable
    }
}

#[cfg(feature = "ssr")]
fn reader() -> Result<Arc<dyn crate::reader::TownReader>, ReadError> {
    use_context().ok_or(ReadError::Unavailable)
}

#[cfg(feature = "ssr")]
fn town_name(raw: &str) -> Result<model::TownName, ReadError> {
    model::TownName::new(raw).map_err(|_| ReadError::UnknownTown(raw.chars().take(80).collect()))
}

/// Every town.
#[server(prefix = "/api/page", endpoint = "towns", input = GetUrl)]
pub async fn read_towns() -> Result<Vec<TownCard>, ReadError> {
    reader()?.towns().await
}

/// How the server is set up.
#[server(prefix = "/api/page", endpoint = "setup", input = GetUrl)]
pub async fn read_setup() -> Result<Setup, ReadError> {
    reader()?.setup().await
}

/// Live state of one town.
#[server(prefix = "/api/page", endpoint = "snapshot", input = GetUrl)]
pub async fn read_snapshot(town: String) -> Result<Snapshot, ReadError> {
    reader()?.snapshot(&town_name(&town)?).await
}

/// One metric: the last `window` (`1h` …), or from `from_s` to `to_s` in seconds since 1970.
#[server(prefix = "/api/page", endpoint = "series", input = GetUrl)]
pub async fn read_series(
    town: String,
    metric: Metric,
    window: Option<model::Window>,
    from_s: Option<i64>,
    to_s: Option<i64>,
) -> Result<SeriesPage, ReadError> {
    use crate::reader::SeriesRange;
    use model::{TimeRange, Timestamp};
    let between = from_s.zip(to_s).and_then(|(from, to)| {
        TimeRange::new(Timestamp::from_seconds(from).believed().ok()?, Timestamp::from_seconds(to).believed().ok()?).ok()
    });
    let range = match between {
        Some(range) => SeriesRange::Between(range),
        None => SeriesRange::Window(window.unwrap_or_default()),
    };
    reader()?.series(&town_name(&town)?, metric, range).await
}
