//! What needs the caller, as counts: an app shows them on its icon.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use certvakt_engine::attention::{Reason, attention};
use certvakt_rules::key::hex_digest;
use certvakt_store::caller::alarms::MOST_REPORTS;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::changes::names;
use super::state::{Api, Caller};
use crate::extract::Headers;
use crate::problem::{ApiError, Problems};

/// What needs the caller today, by the same definition as the page `Today`.
#[derive(Serialize, ToSchema)]
pub(super) struct Counts {
    /// Certifications that lapsed recently and can still be renewed.
    expired: usize,
    /// Certifications in a stage whose mentors could not be told.
    unreachable: usize,
    /// Other certifications whose last valid day is within 7 days.
    within_7_days: usize,
    /// Other certifications whose last valid day is within 30 days.
    within_30_days: usize,
    /// Runs that wait for approval.
    held_runs: usize,
    /// Reports of completed courses that wait for a decision of the caller, at most 10 of each partner.
    waiting_reports: i64,
    /// Partners to which sending has stopped; only an administrator can resume it.
    stopped_partners: usize,
    /// Whether there are more than 60 certifications, so that the counts are minimums.
    is_cut: bool,
}

/// The header that names a version which the client has.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct IfNoneMatch {
    /// The `ETag` of the response that the client has
    #[serde(rename = "if-none-match", default)]
    #[param(required = false)]
    version: String,
}

/// Count what needs the caller today; certifications about which somebody recorded a contact count again from the day of the next contact
#[utoipa::path(get, path = "/api/v1/me/attention", tag = "overview", params(IfNoneMatch), responses(
    (status = OK, body = Counts, headers(("etag" = String, description = "The version, for If-None-Match"))),
    (status = NOT_MODIFIED, description = "The counts have not changed"),
    Problems))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Headers(IfNoneMatch { version }): Headers<IfNoneMatch>,
) -> Result<Response, ApiError> {
    let mut tx = api.person(&caller).await?;
    let found = attention(&mut tx, None, api.clock()).await?;
    tx.commit().await?;
    let count = |reason| found.of(reason).count();
    let alarms = || found.alarms.iter();
    let counts = Counts {
        expired: count(Reason::Expired),
        unreachable: count(Reason::Unreachable),
        within_7_days: count(Reason::Week),
        within_30_days: count(Reason::Month),
        held_runs: alarms().filter(|one| one.held_on.is_some()).count(),
        waiting_reports: alarms().map(|one| one.reports_waiting.min(MOST_REPORTS)).sum(),
        stopped_partners: alarms().filter(|one| one.is_stopped).count(),
        is_cut: found.is_cut,
    };
    let text = serde_json::to_string(&counts).map_err(|_| ApiError::Fault)?;
    let etag = format!("\"{}\"", &hex_digest(&text)[..16]);
    let headers: [(HeaderName, String); 1] = [(header::ETAG, etag.clone())];
    if names(&version, &etag) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, Json(counts)).into_response())
}
