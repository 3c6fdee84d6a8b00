//! The caller's browser sessions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use certvakt_store::caller::sessions;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::params::Id;
use super::state::{Api, Caller};
use crate::extract::Path;
use crate::problem::{ApiError, Problems};

/// An active browser session.
#[derive(Serialize, ToSchema)]
pub(super) struct Session {
    id: Uuid,
    /// The sign-in method: `link` or `provider`.
    #[schema(value_type = String)]
    by: &'static str,
    /// The browser and its operating system; empty if unknown.
    #[schema(example = "Firefox, Windows")]
    browser: String,
    began_at: DateTime<Utc>,
    /// The time of the last use, with a precision of five minutes.
    used_at: DateTime<Utc>,
    /// Whether the request uses this session.
    is_current: bool,
}

/// List the caller's browser sessions
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "me", responses(
    (status = OK, body = Vec<Session>),
    Problems))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Session>>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let own = sessions::sessions(&mut tx).await?;
    tx.commit().await?;
    let own = own.into_iter().map(|one| Session {
        id: one.id,
        by: if one.is_link { "link" } else { "provider" },
        browser: one.browser,
        began_at: one.created_at,
        used_at: one.seen_at,
        is_current: one.is_current,
    });
    Ok(Json(own.collect()))
}

/// End one of the caller's sessions
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "me",
    params(Id), responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn end(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
) -> Result<StatusCode, ApiError> {
    let mut tx = api.person(&caller).await?;
    let ended = sessions::end(&mut tx, Some(id)).await?;
    tx.commit().await?;
    if ended == 0 { Err(ApiError::NotFound) } else { Ok(StatusCode::NO_CONTENT) }
}

/// End all of the caller's sessions except the current one
#[utoipa::path(delete, path = "/api/v1/me/sessions", tag = "me", responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn end_others(State(api): State<Api>, caller: Caller) -> Result<StatusCode, ApiError> {
    let mut tx = api.person(&caller).await?;
    sessions::end(&mut tx, None).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
