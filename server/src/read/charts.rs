//! Timeseries: each is read once a second for everybody who looks at the same window.

use std::collections::HashMap;

use app::reader::{ChartsAsked, ChartsPage, ReadError, SeriesRange};
use model::id::TownName;
use model::series::{BeforePage, Metric, SeriesPage};
use model::time::{TimeRange, Window};
use tokio::sync::Mutex;

use super::{FRESH_US, Kept, Reader, place, unavailable};
use crate::clock::Clock;
use crate::db::series::{self, Present, Subject};
use crate::db::{TownKey, series_latency};

/// How long the list of tools is good: it is for choosing, not for reading.
const TOOLS_FRESH_US: i64 = 10 * 1_000_000;
/// What counts as lately used.
const LATELY_S: i64 = 7 * 86_400;

type ChartKey = (TownName, Subject, Window);

/// What was read last.
#[derive(Default)]
pub(super) struct Charts {
    shown: Mutex<HashMap<ChartKey, Kept<SeriesPage>>>,
    before: Mutex<HashMap<ChartKey, Kept<BeforePage>>>,
    tools: Mutex<HashMap<TownName, Kept<Vec<String>>>>,
}

/// What `kept` holds, or what `read` gives when that is older than `fresh_us`. Whoever comes while one reads waits for that
/// answer: a thousand tabs cost one query a second.
async fn kept<T: Clone>(
    kept: Kept<T>,
    clock: &Clock,
    fresh_us: i64,
    read: impl Future<Output = Result<T, ReadError>>,
) -> Result<T, ReadError> {
    let mut kept = kept.lock().await;
    if let Some((at, known)) = kept.as_ref()
        && clock.now().micros_since(*at) < fresh_us
    {
        return Ok(known.clone());
    }
    let fresh = read.await?;
    *kept = Some((clock.now(), fresh.clone()));
    Ok(fresh)
}

impl Reader {
    /// One metric over a range.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn series(
        &self,
        town: &TownName,
        subject: &Subject,
        range: SeriesRange,
    ) -> Result<SeriesPage, ReadError> {
        let read = async {
            let (key, range, present) = self.asked(town, range).await?;
            series::read(&self.pool, key, subject, range, &present).await.map_err(unavailable)
        };
        match range {
            SeriesRange::Between(_) => read.await,
            SeriesRange::Window(window) => {
                let place = place(&self.charts.shown, (town.clone(), subject.clone(), window)).await;
                kept(place, &self.clock, FRESH_US, read).await
            }
        }
    }

    /// The same of the period before.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn series_before(
        &self,
        town: &TownName,
        subject: &Subject,
        range: SeriesRange,
    ) -> Result<BeforePage, ReadError> {
        let read = async {
            let (key, range, present) = self.asked(town, range).await?;
            series::before(&self.pool, key, subject, range, &present).await.map_err(unavailable)
        };
        match range {
            SeriesRange::Between(_) => read.await,
            SeriesRange::Window(window) => {
                let place = place(&self.charts.before, (town.clone(), subject.clone(), window)).await;
                kept(place, &self.clock, FRESH_US, read).await
            }
        }
    }

    /// Every chart of the Observability page.
    ///
    /// # Errors
    /// Unknown town, or the store does not answer.
    pub async fn charts(&self, town: &TownName, asked: &ChartsAsked) -> Result<ChartsPage, ReadError> {
        let subject = |metric| Subject { metric, tool: asked.tool.clone().filter(|_| metric == Metric::Latency) };
        let mut page = ChartsPage { at: self.clock.now(), tools: self.tools(town).await?, ..ChartsPage::default() };
        for metric in Metric::ALL {
            page.charts.push(self.series(town, &subject(metric), asked.range).await?);
            if asked.before {
                page.before.push(self.series_before(town, &subject(metric), asked.range).await?);
            }
        }
        Ok(page)
    }

    /// The tools that were used most lately.
    async fn tools(&self, town: &TownName) -> Result<Vec<String>, ReadError> {
        let read = async {
            let key = self.town_key(town).await?;
            let since = self.clock.now().plus_seconds(-LATELY_S);
            series_latency::tools(&self.pool, key, since).await.map_err(unavailable)
        };
        kept(place(&self.charts.tools, town.clone()).await, &self.clock, TOOLS_FRESH_US, read).await
    }

    async fn asked(&self, town: &TownName, range: SeriesRange) -> Result<(TownKey, TimeRange, Present), ReadError> {
        let key = self.town_key(town).await?;
        let now = self.clock.now();
        let range = match range {
            SeriesRange::Window(window) => TimeRange::ending_now(window, now),
            SeriesRange::Between(range) => range,
        };
        let (observing_since, lost_after_s) = (self.started, self.lost_after_s);
        let present = Present { now, observing_since, lost_after_s, edges: self.hub.edges(town).await };
        Ok((key, range, present))
    }
}
