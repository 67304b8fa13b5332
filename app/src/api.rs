//! Server functions: what pages read, for first paint and later from the browser. They go through the
//! [`TownReader`](crate::reader::TownReader) in context, so this crate never sees a database.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
#[cfg(feature = "ssr")]
use model::series::Metric;
use model::series::SeriesPage;
use model::wire::Snapshot;

use crate::reader::{ReadError, Setup, TownCard};
use crate::text_json::{Answer, TextJson};

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
    type Encoder = TextJson;

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
#[server(prefix = "/api/page", endpoint = "towns", input = GetUrl, output = Answer)]
pub async fn read_towns() -> Result<Vec<TownCard>, ReadError> {
    reader()?.towns().await
}

/// How the server is set up.
#[server(prefix = "/api/page", endpoint = "setup", input = GetUrl, output = Answer)]
pub async fn read_setup() -> Result<Setup, ReadError> {
    reader()?.setup().await
}

/// Live state of one town.
#[server(prefix = "/api/page", endpoint = "snapshot", input = GetUrl, output = Answer)]
pub async fn read_snapshot(town: String) -> Result<Snapshot, ReadError> {
    reader()?.snapshot(&town_name(&town)?).await
}

/// Every chart of the Observability page in one answer, in the order of [`Metric::ALL`]: the last `window`, or from
/// `from_s` to `to_s` in seconds since 1970.
#[server(prefix = "/api/page", endpoint = "charts", input = GetUrl, output = Answer)]
pub async fn read_charts(
    town: String,
    window: Option<String>,
    from_s: Option<i64>,
    to_s: Option<i64>,
) -> Result<Vec<SeriesPage>, ReadError> {
    use crate::reader::SeriesRange;
    use model::{TimeRange, Timestamp, Window};
    let (reader, town) = (reader()?, town_name(&town)?);
    let instant = |s: Option<i64>| Timestamp::from_seconds(s?).believed().ok();
    let between = instant(from_s).zip(instant(to_s)).and_then(|(from, to)| TimeRange::new(from, to).ok());
    let window = window.and_then(|raw| Window::parse(&raw).ok()).unwrap_or_default();
    let range = between.map_or(SeriesRange::Window(window), SeriesRange::Between);
    let mut pages = Vec::with_capacity(Metric::ALL.len());
    for metric in Metric::ALL {
        pages.push(reader.series(&town, metric, range).await?);
    }
    Ok(pages)
}
