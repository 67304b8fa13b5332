//! What an address asks for: a town, a filter, and what else the list takes.

use axum::http::header::ACCEPT;
use axum::http::{HeaderMap, Uri};
use model::Timestamp;
use model::cost::CostFilter;
use model::id::TownName;

use super::super::town::town_name;
use crate::costs::{Period, Question};
use crate::db::TownKey;
use crate::error::ApiError;
use crate::state::App;

/// An address that was understood.
pub(super) struct Asked {
    pub town: TownName,
    key: TownKey,
    pub now: Timestamp,
    pub filter: CostFilter,
    pub period: Period,
    others: Vec<(String, String)>,
}

impl Asked {
    /// Reads an address; `others` are the parameters that it may have besides town and filter.
    pub(super) async fn read(app: &App, uri: &Uri, others: &[&str]) -> Result<Self, ApiError> {
        let bad = |error: String| {
            let hint = "range=today|7d|30d, or from and to (days, both included); tz; rig, role, agent, model, provider, \
                        bead, session and provenance, each as often as needed, (none) for what is not attributed";
            ApiError::bad_request(error, hint)
        };
        let (filter, rest) =
            CostFilter::parse(uri.query().unwrap_or_default()).map_err(|error| bad(error.to_string()))?;
        let (mut town, mut kept) = (None, Vec::new());
        for (name, value) in rest {
            if name == "town" && town.is_none() {
                town = Some(town_name(&value)?);
            } else if others.contains(&name.as_str()) && !kept.iter().any(|(known, _)| *known == name) {
                kept.push((name, value));
            } else {
                let known = ["town"].iter().chain(others).copied().collect::<Vec<_>>().join(", ");
                let error = format!("{}: there is no such parameter, or it is given twice", shown(&name));
                return Err(ApiError::bad_request(error, format!("besides the filter there are: {known}")));
            }
        }
        let town = town.unwrap_or_else(|| app.config.town.value.clone());
        let now = app.clock.now();
        let period = Period::of(&filter, now).map_err(|error| bad(error.to_string()))?;
        let key = app.reader.town_key(&town).await?;
        Ok(Self { town, key, now, filter, period, others: kept })
    }

    /// For `crate::costs`.
    pub(super) const fn question(&self) -> Question<'_> {
        Question { town: self.key, now: self.now, filter: &self.filter, period: &self.period }
    }

    /// A parameter besides the filter; none when it is empty.
    pub(super) fn other(&self, name: &str) -> Option<&str> {
        let found = self.others.iter().find(|(known, _)| known == name)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }

    /// How many rows are wanted.
    pub(super) fn limit(&self, usual: usize, most: usize) -> Result<usize, ApiError> {
        let Some(raw) = self.other("limit") else { return Ok(usual) };
        raw.parse().ok().filter(|limit| (1..=most).contains(limit)).ok_or_else(|| {
            let error = format!("limit: \"{}\" is no number of rows", shown(raw));
            ApiError::bad_request(error, format!("limit is from 1 to {most}"))
        })
    }

    /// Whether the answer is to be CSV.
    pub(super) fn is_csv(&self, headers: &HeaderMap) -> Result<bool, ApiError> {
        match self.other("format") {
            Some("csv") => Ok(true),
            Some("json") => Ok(false),
            Some(other) => {
                let error = format!("format: \"{}\" is not a format", shown(other));
                Err(ApiError::bad_request(error, "format is json or csv"))
            }
            None => {
                let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
                Ok(accept.is_some_and(|accept| accept.contains("text/csv")))
            }
        }
    }
}

/// So much of a word as errors repeat.
pub(super) fn shown(raw: &str) -> String {
    raw.chars().take(40).collect()
}
