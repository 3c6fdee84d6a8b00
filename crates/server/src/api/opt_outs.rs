//! The caller's opt-outs from kinds of notices.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use certvakt_store::caller::opt_outs;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::state::{Api, Caller};
use crate::extract::Path;
use crate::problem::{ApiError, Problems};

/// An opt-out from notices by one kind of contact point.
#[derive(Serialize, ToSchema)]
pub(super) struct OptOut {
    /// `push` or `email`.
    kind: String,
    /// The time of the opt-out.
    since: DateTime<Utc>,
}

/// List the caller's opt-outs, which apply to notices of every organisation
#[utoipa::path(get, path = "/api/v1/me/opt-outs", tag = "me", responses(
    (status = OK, body = Vec<OptOut>),
    Problems))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<OptOut>>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let own = opt_outs::opt_outs(&mut tx).await?;
    tx.commit().await?;
    let own = own.into_iter().map(|opt_outs::OptOut { kind, since }| OptOut { kind, since });
    Ok(Json(own.collect()))
}

/// The path of an opt-out.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct OptOutKind {
    /// `push` or `email`
    #[param(pattern = "^(push|email)$")]
    kind: String,
}

/// Opt out of notices by push or e-mail, including queued ones
#[utoipa::path(put, path = "/api/v1/me/opt-outs/{kind}", tag = "me",
    params(OptOutKind),
    responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn opt_out(
    State(api): State<Api>,
    caller: Caller,
    Path(OptOutKind { kind }): Path<OptOutKind>,
) -> Result<StatusCode, ApiError> {
    let kind = known(&kind)?;
    let mut tx = api.person(&caller).await?;
    opt_outs::opt_out(&mut tx, kind).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete the opt-out of notices by push or e-mail
#[utoipa::path(delete, path = "/api/v1/me/opt-outs/{kind}", tag = "me",
    params(OptOutKind),
    responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn opt_in(
    State(api): State<Api>,
    caller: Caller,
    Path(OptOutKind { kind }): Path<OptOutKind>,
) -> Result<StatusCode, ApiError> {
    let kind = known(&kind)?;
    let mut tx = api.person(&caller).await?;
    opt_outs::opt_in(&mut tx, kind).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn known(kind: &str) -> Result<&'static str, ApiError> {
    match kind {
        "push" => Ok("push"),
        "email" => Ok("email"),
        _ => Err(ApiError::Invalid("kind must be push or email".to_owned())),
    }
}
