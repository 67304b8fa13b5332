//! The price book, `/api/prices`; and the models that are used and not in it, `/api/towns/{town}/unpriced`.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use model::price::Rates;
use model::tokens::TokenCounts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::town::town_name;
use crate::db::price::{self, Listed};
use crate::db::unpriced::{self, Unpriced};
use crate::error::ApiError;
use crate::price_list::{Entry, per_million};
use crate::state::App;

const HINT: &str = "send {\"model\": \"my-model\", \"input\": \"0.5\", \"output\": \"2\"}, dollars per million tokens; \
                    also effective, cache_read, write_5m, write_1h, fast, source and above {tokens, rule, input, output}";

/// `/api/prices`, `/api/towns/{town}/unpriced`.
pub fn router() -> Router<App> {
    Router::new().route("/api/prices", get(list).post(add)).route("/api/towns/{town}/unpriced", get(unpriced))
}

#[derive(Deserialize)]
struct Asked {
    model: Option<String>,
}

async fn list(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Value>, ApiError> {
    Ok(Json(price_body(&price::list(&app.pool, asked.model.as_deref()).await?)))
}

/// Rows as JSON; amounts are dollars per million tokens, as decimal texts.
#[must_use]
pub fn price_body(rows: &[Listed]) -> Value {
    let row = |row: &Listed| {
        let price = &row.price;
        let mut body = rates(&price.rates);
        body["id"] = price.id.into();
        body["model"] = price.model.clone().into();
        body["effective"] = price.effective.to_string().into();
        // 250 percent are 2.5 times.
        body["fast"] = per_million(i64::from(price.fast_percent) * 10_000).into();
        body["above"] = price.tier.map_or(Value::Null, |tier| {
            let mut body = rates(&tier.rates);
            body["tokens"] = tier.above_tokens.into();
            body["rule"] = tier.rule.name().into();
            body
        });
        body["source"] = row.source.clone().into();
        body["noted"] = row.noted.clone().into();
        body
    };
    json!({"unit": "dollars per million tokens", "prices": rows.iter().map(row).collect::<Vec<_>>()})
}

fn rates(rates: &Rates) -> Value {
    json!({
        "input": per_million(rates.input),
        "output": per_million(rates.output),
        "cache_read": per_million(rates.cache_read),
        "write_5m": per_million(rates.cache_write_5m),
        "write_1h": per_million(rates.cache_write_1h),
    })
}

async fn add(State(app): State<App>, entry: Result<Json<Entry>, JsonRejection>) -> Result<Response, ApiError> {
    let Json(entry) = entry.map_err(|rejection| ApiError::bad_request(rejection.body_text(), HINT))?;
    let now = app.clock.now();
    let row = entry.price(now).map_err(|error| ApiError::bad_request(error.to_string(), HINT))?;
    let added = price::append(&app.pool, |book| row.unless_in_force(book)).await?;
    let (status, word) = if added.is_empty() { (StatusCode::OK, "unchanged") } else { (StatusCode::CREATED, "stored") };
    // Who calls from now on is priced with it; what is stored already is not, unless somebody asks for it.
    let past = !added.is_empty() && row.effective < now;
    let hint =
        past.then(|| format!("calls since {} keep their cost until POST /api/towns/TOWN/reprice", row.effective));
    let body = json!({"status": word, "model": row.model, "effective": row.effective.to_string(), "hint": hint});
    Ok((status, Json(body)).into_response())
}

async fn unpriced(State(app): State<App>, Path(town): Path<String>) -> Result<Json<Value>, ApiError> {
    let town = town_name(&town)?;
    let key = app.reader.town_key(&town).await?;
    let row = |row: Unpriced| {
        let mut body = json!({
            "model": row.model, "calls": row.calls, "first_seen": row.first_seen.to_string(),
            "last_seen": row.last_seen.to_string(), "add": row.add_command(),
            "reprice": row.reprice_command(town.as_str()),
        });
        for (kind, n) in TokenCounts::KINDS.iter().zip(row.tokens) {
            body[format!("{kind}_tokens")] = n.into();
        }
        body
    };
    let rows = unpriced::list(&app.pool, key).await?;
    let is_complete = rows.len() < unpriced::MOST;
    Ok(Json(json!({"unpriced": rows.into_iter().map(row).collect::<Vec<_>>(), "complete": is_complete})))
}
