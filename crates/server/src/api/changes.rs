//! Changes of a certification (renew, correct, suspend, reinstate, withdraw), and its history.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use certvakt_engine::renewal::{Change, ChangeRequest, RenewalError, Source, Until, apply};
use certvakt_rules::renewal::{self as rules, Reading};
use certvakt_store::{caller, renewal};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::certifications::{Detail, detail, version};
use super::idempotency::{About, IdempotencyKey, Once, StoredResponse};
use super::params::Id;
use super::state::{Api, Caller};
use crate::extract::{Body, Headers, Path};
use crate::problem::{ApiError, Problems};

/// A renewal. Dates are in the organisation's time zone.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Renewal {
    /// The day on which the mentor completed the renewal course; defaults to today.
    completed_on: Option<NaiveDate>,
    /// The new last valid day; null if it no longer expires. Defaults to the date by the rule of the type.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<NaiveDate>)]
    last_valid_day: Option<Until>,
    /// Whether to renew earlier than the type allows (`renewal-early`).
    #[serde(default)]
    early: bool,
    /// Evidence for the renewal: a reference, not a document.
    #[schema(min_length = 1, max_length = 500)]
    evidence: Option<String>,
    /// A note for the certification's history.
    #[schema(min_length = 1, max_length = 2000)]
    note: Option<String>,
}

/// A correction of the last valid day.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Correction {
    /// The correct last valid day; null if it does not expire.
    #[schema(required)]
    #[serde(deserialize_with = "Option::deserialize")]
    last_valid_day: Option<NaiveDate>,
    /// A note for the certification's history.
    #[schema(min_length = 1, max_length = 2000)]
    note: Option<String>,
}

/// A suspension. Dates are in the organisation's time zone.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Suspension {
    /// The last day of the suspension: the next run after it reinstates the certification. Null: only a request or a
    /// command reinstates it.
    until: Option<NaiveDate>,
    /// A note for the certification's history.
    #[schema(min_length = 1, max_length = 2000)]
    note: Option<String>,
}

/// A withdrawal.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Withdrawal {
    /// A note for the certification's history.
    #[schema(min_length = 1, max_length = 2000)]
    note: Option<String>,
}

/// Deserializes a field that is present, which may be null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Until>, D::Error> {
    Option::deserialize(deserializer).map(|day| Some(until(day)))
}

fn until(day: Option<NaiveDate>) -> Until {
    day.map_or(Until::Never, Until::Day)
}

/// The header that names the version to change.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct IfMatch {
    /// The `ETag` of the version that the client read
    #[serde(rename = "if-match", default)]
    #[param(required = true, min_length = 1)]
    version: String,
}

/// Renew a certification, which starts a new cycle of notices
#[utoipa::path(post, path = "/api/v1/certifications/{id}/renew", tag = "certifications",
    params(Id, IfMatch, IdempotencyKey),
    request_body = Renewal, responses(
    (status = OK, body = Detail, headers(("etag" = String))),
    Problems))]
pub(super) async fn renew(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Headers(version): Headers<IfMatch>,
    Headers(key): Headers<IdempotencyKey>,
    Body(renewal): Body<Renewal>,
) -> Result<StoredResponse, ApiError> {
    let change = Change::Renew {
        completed_on: renewal.completed_on,
        until: renewal.last_valid_day,
        early: renewal.early,
    };
    let (evidence, note) = (renewal.evidence.as_deref(), renewal.note.as_deref());
    make(&api, &caller, id, &version, &key, RequestedChange { change, evidence, note }).await
}

/// Correct a wrong last valid day; the current cycle of notices continues
#[utoipa::path(post, path = "/api/v1/certifications/{id}/correct", tag = "certifications",
    params(Id, IfMatch, IdempotencyKey),
    request_body = Correction, responses(
    (status = OK, body = Detail, headers(("etag" = String))),
    Problems))]
pub(super) async fn correct(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Headers(version): Headers<IfMatch>,
    Headers(key): Headers<IdempotencyKey>,
    Body(correction): Body<Correction>,
) -> Result<StoredResponse, ApiError> {
    let change = Change::Correct(until(correction.last_valid_day));
    make(
        &api,
        &caller,
        id,
        &version,
        &key,
        RequestedChange { change, evidence: None, note: correction.note.as_deref() },
    )
    .await
}

/// Suspend a certification: its mentor gets no notices about it until it is reinstated
#[utoipa::path(post, path = "/api/v1/certifications/{id}/suspend", tag = "certifications",
    params(Id, IfMatch, IdempotencyKey),
    request_body = Option<Suspension>, responses(
    (status = OK, body = Detail, headers(("etag" = String))),
    Problems))]
pub(super) async fn suspend(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Headers(version): Headers<IfMatch>,
    Headers(key): Headers<IdempotencyKey>,
    suspension: Option<Body<Suspension>>,
) -> Result<StoredResponse, ApiError> {
    let Suspension { until, note } =
        suspension.map_or(Suspension { until: None, note: None }, |Body(suspension)| suspension);
    let asked = RequestedChange { change: Change::Suspend { until }, evidence: None, note: note.as_deref() };
    make(&api, &caller, id, &version, &key, asked).await
}

/// Reinstate a certification; if it has lapsed in the meantime, the next run records that
#[utoipa::path(post, path = "/api/v1/certifications/{id}/reinstate", tag = "certifications",
    params(Id, IfMatch, IdempotencyKey), responses(
    (status = OK, body = Detail, headers(("etag" = String))),
    Problems))]
pub(super) async fn reinstate(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Headers(version): Headers<IfMatch>,
    Headers(key): Headers<IdempotencyKey>,
) -> Result<StoredResponse, ApiError> {
    make(&api, &caller, id, &version, &key, Change::Reinstate.into()).await
}

/// Withdraw a certification: only a reinstatement brings it back, not an import or a renewal
#[utoipa::path(post, path = "/api/v1/certifications/{id}/withdraw", tag = "certifications",
    params(Id, IfMatch, IdempotencyKey),
    request_body = Withdrawal, responses(
    (status = OK, body = Detail, headers(("etag" = String))),
    Problems))]
pub(super) async fn withdraw(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Headers(version): Headers<IfMatch>,
    Headers(key): Headers<IdempotencyKey>,
    Body(withdrawal): Body<Withdrawal>,
) -> Result<StoredResponse, ApiError> {
    let asked =
        RequestedChange { change: Change::Withdraw, evidence: None, note: withdrawal.note.as_deref() };
    make(&api, &caller, id, &version, &key, asked).await
}

/// A change with its note and evidence.
#[derive(Serialize)]
struct RequestedChange<'a> {
    change: Change,
    evidence: Option<&'a str>,
    note: Option<&'a str>,
}

impl From<Change> for RequestedChange<'_> {
    fn from(change: Change) -> Self {
        Self { change, evidence: None, note: None }
    }
}

async fn make(
    api: &Api,
    caller: &Caller,
    id: Uuid,
    IfMatch { version: wanted }: &IfMatch,
    key: &IdempotencyKey,
    asked: RequestedChange<'_>,
) -> Result<StoredResponse, ApiError> {
    let RequestedChange { change, evidence, note } = asked;
    let request =
        ChangeRequest { change, evidence, note, key: None, source: Source::Api, seen: None, form: None };
    request.check()?;
    let mut first = match Once::begin(api, caller, key, &(&asked, id, wanted), About::Certification).await? {
        Once::Answered(answer) => return Ok(answer),
        Once::First(first) => first,
    };
    let found = caller::certification(&mut first.tx, id).await?.ok_or(ApiError::NotFound)?;
    if wanted.is_empty() {
        return Err(ApiError::NoVersion);
    }
    if !names(wanted, &version(found.updated_at)) {
        return Err(ApiError::OtherVersion);
    }
    let request = ChangeRequest { seen: Some(found.updated_at), ..request };
    apply(&mut first.tx, id, &request, api.clock().now()).await?;
    let (etag, detail) = detail(&mut first.tx, id, api.clock()).await?;
    first.answer(StoredResponse::new(StatusCode::OK, &detail)?.with_etag(etag)).await
}

/// Whether `If-Match` or `If-None-Match` names a version: it lists versions, or `*` (RFC 9110, section 13.1).
pub(super) fn names(wanted: &str, version: &str) -> bool {
    wanted == "*" || wanted.split(',').any(|one| one.trim_ascii() == version)
}

impl From<RenewalError> for ApiError {
    fn from(error: RenewalError) -> Self {
        match error {
            RenewalError::Unknown => Self::NotFound,
            RenewalError::Changed => Self::OtherVersion,
            RenewalError::NotTheirs => Self::NotYours,
            RenewalError::Lapsed => Self::Lapsed,
            RenewalError::Store(error) => Self::Store(error),
            other => Self::Renewal(other),
        }
    }
}

/// An entry of a certification's history.
#[derive(Serialize, ToSchema)]
pub(super) struct Entry {
    /// The number of the entry, from 1.
    number: i64,
    /// The kind of change: `renewed`, `corrected`, `suspended`, `reinstated`, `withdrawn` or `undone`; null if a later
    /// version of certvakt wrote the entry.
    #[schema(value_type = Option<String>, example = "renewed")]
    kind: Option<rules::Kind>,
    /// The time of the change.
    at: Option<DateTime<Utc>>,
    /// The person who made the change, if known.
    actor: Option<Uuid>,
    /// The end of the validity before the change; null if it did not expire.
    expires_before: Option<DateTime<Utc>>,
    /// The end of the validity after the change; null if it does not expire.
    expires_after: Option<DateTime<Utc>>,
    /// The stages that the mentor was notified of in the cycle that this entry closes.
    #[schema(value_type = Option<Vec<String>>)]
    told: Option<Vec<certvakt_rules::Stage>>,
    /// The evidence for the renewal.
    evidence: Option<String>,
    /// A note.
    note: Option<String>,
    /// Whether the evidence and the note were erased.
    is_erased: bool,
    /// The entry as stored. The next entry contains its hash.
    #[schema(value_type = Object)]
    written: Value,
}

/// List the history of a certification, oldest entry first
#[utoipa::path(get, path = "/api/v1/certifications/{id}/history", tag = "certifications",
    params(Id), responses((status = OK, body = Vec<Entry>), Problems))]
pub(super) async fn history(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
) -> Result<Json<Vec<Entry>>, ApiError> {
    let mut tx = api.person(&caller).await?;
    caller::certification(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    let history = renewal::history(&mut tx, id).await?;
    tx.commit().await?;
    Ok(Json(history.into_iter().map(shown).collect()))
}

fn shown(one: renewal::Written) -> Entry {
    let known = match rules::read(&one.entry) {
        Ok(Reading::Known(entry)) => Some(*entry),
        // An unreadable entry is returned as stored; `verify` reports damaged entries.
        Ok(Reading::Later(_)) | Err(_) => None,
    };
    let known = known.as_ref();
    Entry {
        number: one.number,
        kind: known.map(|entry| entry.kind),
        at: known.map(|entry| entry.at),
        actor: known.and_then(|entry| entry.actor),
        expires_before: known.and_then(|entry| entry.expires_before),
        expires_after: known.and_then(|entry| entry.expires_after),
        told: known.and_then(|entry| entry.told.clone()),
        evidence: one.evidence,
        note: one.note,
        is_erased: one.is_erased,
        written: one.entry,
    }
}
