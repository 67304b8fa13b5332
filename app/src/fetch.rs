//! What pages read again while they are open. Runs in the browser.

use gloo_net::http::{Request, Response};
use model::TownName;
use model::series::SeriesPage;
use serde::de::DeserializeOwned;

use crate::observe::range;
use crate::reader::{ReadError, SeriesRange, TownCard};
use crate::sources::SourcesPage;

/// Reads the body through text: the same way as the seed, so that the client carries one reader per type.
async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ReadError> {
    let text = response.text().await.map_err(|_| ReadError::Unavailable)?;
    if response.ok() {
        serde_json::from_str(&text).map_err(|_| ReadError::Unavailable)
    } else {
        Err(serde_json::from_str(&text).unwrap_or(ReadError::Unavailable))
    }
}

async fn get<T: DeserializeOwned>(address: &str) -> Result<T, ReadError> {
    read(Request::get(address).send().await.map_err(|_| ReadError::Unavailable)?).await
}

/// Every town.
pub(crate) async fn towns() -> Result<Vec<TownCard>, ReadError> {
    get("/api/page/towns").await
}

/// Every chart of the Observability page, in the order of [`Metric::ALL`](model::series::Metric::ALL).
pub(crate) async fn charts(town: TownName, shown: SeriesRange) -> Result<Vec<SeriesPage>, ReadError> {
    get(&format!("/api/page/charts/{town}{}", range::query(shown))).await
}

/// How the sources of a town stand.
pub(crate) async fn sources(town: TownName) -> Result<SourcesPage, ReadError> {
    get(&format!("/api/page/sources/{town}")).await
}

/// Asks the server for the demo town. Gives the town's name, or what went wrong.
pub(crate) async fn open_demo() -> Result<String, String> {
    let unreachable = |_| "The server cannot be reached.".to_owned();
    let response = Request::post("/api/demo").send().await.map_err(unreachable)?;
    let text = response.text().await.map_err(unreachable)?;
    let body: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let field = |name: &str| body.get(name).and_then(|value| value.as_str()).map(str::to_owned);
    if response.ok() {
        Ok(field("town").unwrap_or_else(|| "demo".to_owned()))
    } else {
        Err(field("error").unwrap_or_else(|| format!("The server answered {}; its log says why.", response.status())))
    }
}
