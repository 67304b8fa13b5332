//! `/api/costs…` and `/api/stats/…`: what was spent, by whom and on what. All take a filter (`model::cost::CostFilter`) and
//! `town`; lists are JSON, or CSV with `Accept: text/csv` or `format=csv`.

mod ask;
mod body;
mod csv;

use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use model::cost::{CostBoard, Dimension};
use serde_json::{Value, json};

use crate::costs::{self, Question};
use crate::db::line::Before;
use crate::db::spend;
use crate::error::ApiError;
use crate::state::App;
use ask::Asked;
use body::{bead, call, group, period, session, sums};

/// Rows of a list, unless it is asked for others.
const ROWS: usize = 200;
/// Rows of a list at most.
const MAX_ROWS: usize = 1_000;

/// `/api/costs…`, `/api/stats/…`.
pub fn router() -> Router<App> {
    Router::new()
        .route("/api/costs", get(calls))
        .route("/api/costs/summary", get(summary))
        .route("/api/costs/board", get(board))
        .route("/api/stats/daily", get(daily))
        .route("/api/stats/roles", get(roles))
        .route("/api/stats/rigs", get(rigs))
        .route("/api/stats/models", get(models))
        .route("/api/stats/beads", get(beads))
        .route("/api/stats/sessions", get(sessions))
}

async fn summary(State(app): State<App>, uri: Uri) -> Result<Json<Value>, ApiError> {
    let asked = Asked::read(&app, &uri, &[]).await?;
    Ok(Json(body::summary(&costs::summary(&app.pool, asked.question()).await?)))
}

async fn board(State(app): State<App>, uri: Uri) -> Result<Json<CostBoard>, ApiError> {
    let asked = Asked::read(&app, &uri, &["by"]).await?;
    let by = match asked.other("by") {
        None => Dimension::Role,
        Some(raw) => Dimension::parse(raw).ok_or_else(|| {
            let all = Dimension::ALL.map(Dimension::name).join(", ");
            ApiError::bad_request(
                format!("by: \"{}\" is nothing to group by", ask::shown(raw)),
                format!("by is one of {all}"),
            )
        })?,
    };
    Ok(Json(costs::board(&app.pool, asked.question(), by).await?))
}

async fn daily(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let asked = Asked::read(&app, &uri, &["format"]).await?;
    let days = costs::daily(&mut *costs::snapshot(&app.pool).await?, asked.question()).await?;
    let rows = days.iter().map(|day| {
        let mut row = group(Some(&day.day.to_string()), &day.sum);
        row["from"] = day.range.from().to_string().into();
        row["to"] = day.range.to().to_string().into();
        row
    });
    let total = days.iter().map(|day| day.sum).sum();
    asked.list(&headers, "daily", &["from", "to"], rows.collect(), total, None)
}

async fn roles(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    by_group(&app, &uri, &headers, "roles", Dimension::Role).await
}

async fn rigs(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    by_group(&app, &uri, &headers, "rigs", Dimension::Rig).await
}

async fn models(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    by_group(&app, &uri, &headers, "models", Dimension::Model).await
}

/// Every group with a row: roles, rigs and models are few, whatever the town.
async fn by_group(app: &App, uri: &Uri, headers: &HeaderMap, name: &str, by: Dimension) -> Result<Response, ApiError> {
    let asked = Asked::read(app, uri, &["format"]).await?;
    let groups = costs::groups(&mut *costs::snapshot(&app.pool).await?, asked.question(), by).await?;
    let total = groups.iter().map(|group| group.sum).sum();
    let rows = groups.iter().map(|found| group(found.group.as_deref(), &found.sum)).collect();
    asked.list(headers, name, &[], rows, total, None)
}

async fn beads(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let asked = Asked::read(&app, &uri, &["format", "limit"]).await?;
    let most = asked.limit(ROWS, MAX_ROWS)?;
    let found = costs::beads(&mut *costs::snapshot(&app.pool).await?, asked.question(), most).await?;
    let mut total = found.rest;
    found.rows.iter().for_each(|row| total.add(&row.sum));
    let rows = found.rows.iter().map(bead).collect();
    let columns = ["title", "status", "state", "created_at", "closed_at", "first_at", "last_at", "sessions"];
    asked.list(&headers, "beads", &columns, rows, total, Some((found.rest_beads, found.rest)))
}

async fn sessions(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let asked = Asked::read(&app, &uri, &["format", "limit"]).await?;
    let most = asked.limit(ROWS, MAX_ROWS)?;
    let found = costs::sessions(&mut *costs::snapshot(&app.pool).await?, asked.question(), most).await?;
    let mut total = found.rest;
    found.rows.iter().for_each(|row| total.add(&row.sum));
    let rows = found.rows.iter().map(session).collect();
    let columns = ["role", "rig", "agent", "bead", "start", "end"];
    asked.list(&headers, "sessions", &columns, rows, total, Some((found.rest_sessions, found.rest)))
}

async fn calls(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Result<Response, ApiError> {
    let asked = Asked::read(&app, &uri, &["format", "limit", "after"]).await?;
    let limit = i64::try_from(asked.limit(ROWS, MAX_ROWS)?).unwrap_or(i64::MAX);
    let after = match asked.other("after") {
        None => Before::NEWEST,
        Some(raw) => Before::parse(raw).ok_or_else(|| {
            ApiError::bad_request("after: this is no place in the list", "use \"next\" of the page before, as it is")
        })?,
    };
    let Question { town, filter, period: days, .. } = asked.question();
    let mut connection = costs::snapshot(&app.pool).await?;
    let page = spend::calls(&mut connection, town, days.range, after, filter, limit).await?;
    let rows: Vec<Value> = page.calls.iter().map(call).collect();
    if asked.is_csv(&headers)? {
        return Ok(csv::answer("calls", &body::CALL_COLUMNS, &rows));
    }
    let mut answer = period(&asked);
    answer["rows"] = rows.into();
    answer["next"] = json!(page.next.map(Before::written));
    Ok(Json(answer).into_response())
}

impl Asked {
    /// A list whose rows, with what is over the limit, sum to `total`.
    fn list(
        &self,
        headers: &HeaderMap,
        name: &str,
        columns: &[&str],
        rows: Vec<Value>,
        total: model::cost::SpendSum,
        rest: Option<(i64, model::cost::SpendSum)>,
    ) -> Result<Response, ApiError> {
        if self.is_csv(headers)? {
            let columns: Vec<&str> = ["key"].iter().chain(columns).chain(&body::MEASURES).copied().collect();
            let others = rest.filter(|(count, _)| *count > 0).map(|(_, sum)| group(Some("(others)"), &sum));
            return Ok(csv::answer(name, &columns, &rows.into_iter().chain(others).collect::<Vec<_>>()));
        }
        let mut answer = period(self);
        answer["total"] = sums(&total);
        answer["rows"] = rows.into();
        if let Some((count, sum)) = rest {
            answer["rest"] = sums(&sum);
            answer["rest"]["count"] = count.into();
        }
        Ok(Json(answer).into_response())
    }
}
