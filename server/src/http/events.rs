//! `GET /api/towns/{town}/events`: a page of events, newest first, with filters.

use app::EventFilter;
use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use model::event::EventKind;
use model::event_line::{EventPage, Level};
use model::id::{AgentName, NameError, RigName, Role, SourceName, TownName};
use serde::Deserialize;

use super::town::town_name;
use crate::db::line::{self, Before, Filter};
use crate::error::ApiError;
use crate::state::{App, AppState};

/// Longest text that is searched for, in bytes.
const MAX_TEXT_BYTES: usize = 100;
/// Lines of a page unless more are asked for.
const LINES: usize = 100;

/// `/api/towns/{town}/events`.
pub fn router() -> Router<App> {
    Router::new().route("/api/towns/{town}/events", get(events))
}

/// What an address asks for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    before: Option<String>,
    limit: Option<usize>,
    kind: Option<String>,
    rig: Option<String>,
    role: Option<String>,
    agent: Option<String>,
    level: Option<String>,
    source: Option<String>,
    q: Option<String>,
}

async fn events(
    State(app): State<App>,
    Path(town): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Json<EventPage>, ApiError> {
    Ok(Json(read(&app, &town_name(&town)?, &asked).await?))
}

/// A page of events, for the API and the Live page.
pub(super) async fn read(app: &AppState, town: &TownName, asked: &Asked) -> Result<EventPage, ApiError> {
    let before = match some(&asked.before) {
        Some(raw) => Before::parse(raw).ok_or_else(|| {
            ApiError::bad_request("\"before\" is no place in the list", "use \"next\" of the page before, as it is")
        })?,
        None => Before::NEWEST,
    };
    let filter = filter(asked)?;
    let key = app.reader.town_key(town).await?;
    Ok(line::page(&app.pool, key, before, &filter, asked.limit.unwrap_or(LINES)).await?)
}

impl Asked {
    /// The same by its name in the address.
    pub(super) fn part(&self, name: &str) -> Option<String> {
        match name {
            "kind" => self.kind.clone(),
            "level" => self.level.clone(),
            "source" => self.source.clone(),
            "role" => self.role.clone(),
            "rig" => self.rig.clone(),
            "agent" => self.agent.clone(),
            "q" => self.q.clone(),
            _ => None,
        }
    }

    /// The newest events that a filter of the Live page lets through.
    pub(super) fn of(filter: &EventFilter) -> Self {
        Self {
            before: None,
            limit: None,
            kind: filter.kind.map(|kind| kind.name().to_owned()),
            rig: filter.rig.clone(),
            role: filter.role.map(|role| role.name().to_owned()),
            agent: filter.agent.clone(),
            level: filter.level.map(|level| level.name().to_owned()),
            source: filter.source.clone(),
            q: filter.text.clone(),
        }
    }
}

fn some(raw: &Option<String>) -> Option<&str> {
    raw.as_deref().map(str::trim).filter(|raw| !raw.is_empty())
}

fn filter(asked: &Asked) -> Result<Filter, ApiError> {
    let text = some(&asked.q);
    if text.is_some_and(|text| text.len() > MAX_TEXT_BYTES || text.contains('\0')) {
        return Err(ApiError::bad_request("the text is too long", format!("use at most {MAX_TEXT_BYTES} bytes")));
    }
    Ok(Filter {
        kinds: list(&asked.kind, "kind", EventKind::parse, EventKind::ALL.map(EventKind::name).as_slice())?,
        rig: name(&asked.rig, RigName::new)?,
        roles: list(&asked.role, "role", role, Role::ALL.map(Role::name).as_slice())?,
        agent: name(&asked.agent, AgentName::new)?,
        sources: sources(&asked.source)?,
        levels: list(&asked.level, "level", Level::parse, Level::ALL.map(Level::name).as_slice())?,
        text: text.map(str::to_owned),
    })
}

fn name<T>(raw: &Option<String>, new: fn(&str) -> Result<T, NameError>) -> Result<Option<T>, ApiError> {
    let bad = |error: NameError| ApiError::bad_request(error.to_string(), "use a name as the list shows it");
    some(raw).map(new).transpose().map_err(bad)
}

/// Names of sources with commas between them, as lists show them: `claude_code`, `api`.
fn sources(raw: &Option<String>) -> Result<Vec<SourceName>, ApiError> {
    let words = some(raw).unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let named = |word: &str| {
        let hint = "source is one or more of the names that GET /api/system/channels lists";
        SourceName::new(word).map_err(|error| ApiError::bad_request(error.to_string(), hint))
    };
    words.map(named).collect()
}

/// A role by its name; other words are roles of Gas Town's own, which `Role::parse` takes for others.
fn role(raw: &str) -> Option<Role> {
    Role::ALL.into_iter().find(|role| role.name() == raw)
}

/// Words with commas between them.
fn list<T>(raw: &Option<String>, what: &str, parse: fn(&str) -> Option<T>, all: &[&str]) -> Result<Vec<T>, ApiError> {
    let words = some(raw).unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let shown: String = word.chars().take(40).collect();
            let hint = format!("{what} is one or more of {}", all.join(", "));
            parse(word).ok_or_else(|| ApiError::bad_request(format!("\"{shown}\" is no {what}"), hint))
        })
        .collect()
}
