//! What HTTP clients are told when something fails: `{"error", "hint"}`. Internal error texts never leave the server.

use app::reader::ReadError;
use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::db::DbError;
use crate::ingest::SubmitError;

/// An answer that is not a success. For handlers; everything below uses its own errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Its status.
    pub status: StatusCode,
    /// What is wrong.
    pub error: String,
    /// What to do about it.
    pub hint: String,
    /// When to try again.
    pub retry_after_s: Option<u32>,
}

impl ApiError {
    /// An error with a status, a reason and a way out.
    pub fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: hint.into(), retry_after_s: None }
    }
    /// What was asked for cannot be understood.
    pub fn bad_request(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }
    /// There is no such town.
    #[must_use]
    pub fn unknown_town(name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            format!("there is no town \"{name}\""),
            "GET /api/towns lists them; the first event sent to a town founds it",
        )
    }
    /// Something is missing for now.
    #[must_use]
    pub fn unavailable(error: &str, retry_after_s: u32) -> Self {
        let hint = format!("send the same request again in {retry_after_s} s; nothing is stored twice");
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            error: error.to_owned(),
            hint,
            retry_after_s: Some(retry_after_s),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"error": self.error, "hint": self.hint}))).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<DbError> for ApiError {
    fn from(error: DbError) -> Self {
        tracing::error!(%error, "a request failed at the database");
        Self::unavailable("the store does not answer", 2)
    }
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        let retry_after_s = match error {
            SubmitError::Full { retry_after_s } => retry_after_s,
            SubmitError::Closed => 5,
            SubmitError::Unavailable => 2,
        };
        Self::unavailable(&error.to_string(), retry_after_s)
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::UnknownTown(name) => Self::unknown_town(&name),
            ReadError::Unavailable | ReadError::Unreachable => Self::unavailable("the store does not answer", 2),
        }
    }
}
