//! Recording a certification.

use axum::extract::State;
use axum::http::StatusCode;
use certvakt_rules::calendar::{FIRST_YEAR, YEARS_AHEAD, end_of_day, is_plausible, start_of_day};
use certvakt_store::caller::{self, Certified, NewCertification};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::certifications::{Detail, detail};
use super::idempotency::{About, IdempotencyKey, Once, StoredResponse};
use super::state::{Api, Caller};
use crate::extract::{Body, Headers};
use crate::problem::{ApiError, Problems};

/// A new certification. Dates are in the organisation's time zone.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct New {
    /// The chapter that certifies.
    chapter_id: Uuid,
    /// The mentor, who must be a member of the chapter.
    mentor_id: Uuid,
    /// The code of the type of certification.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 63)]
    type_code: String,
    /// The day on which it was issued.
    issued_on: Option<NaiveDate>,
    /// The last day on which it is valid; null if it does not expire.
    #[schema(required)]
    #[serde(deserialize_with = "said")]
    last_valid_day: Option<NaiveDate>,
}

/// Deserializes a required field, which may be null.
fn said<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    Option::deserialize(deserializer)
}

/// Record a certification
#[utoipa::path(post, path = "/api/v1/certifications", tag = "certifications",
    params(IdempotencyKey),
    request_body = New, responses(
    (status = CREATED, body = Detail, headers(("etag" = String), ("location" = String))),
    Problems))]
pub(super) async fn create(
    State(api): State<Api>,
    caller: Caller,
    Headers(key): Headers<IdempotencyKey>,
    Body(new): Body<New>,
) -> Result<StoredResponse, ApiError> {
    if new.type_code.contains('\0') || !(1..=63).contains(&new.type_code.chars().count()) {
        return Err(ApiError::Invalid("the organisation has no such type".to_owned()));
    }
    let mut first = match Once::begin(&api, &caller, &key, &("certify", &new), About::Certification).await? {
        Once::Answered(answer) => return Ok(answer),
        Once::First(first) => first,
    };
    let chapters = caller::chapters(&mut first.tx).await?;
    let chapter = chapters.iter().find(|one| one.id == new.chapter_id).ok_or(ApiError::NotFound)?;
    let organisations = caller::organisations(&mut first.tx).await?;
    let organisation =
        organisations.iter().find(|one| one.id == chapter.organisation_id).ok_or(ApiError::NotFound)?;
    let zone = organisation.zone.0;
    let issued_at = new.issued_on.map(|day| start_of_day(day, zone));
    let expires_at = new.last_valid_day.map(|day| end_of_day(day, zone));
    let today = api.clock().today(zone);
    if ![new.issued_on, new.last_valid_day].into_iter().flatten().all(|day| is_plausible(day, today)) {
        return Err(ApiError::Invalid(format!(
            "a date must be between the year {FIRST_YEAR} and {YEARS_AHEAD} years from now"
        )));
    }
    if issued_at.zip(expires_at).is_some_and(|(issued, expires)| expires < issued) {
        return Err(ApiError::Invalid("the last valid day is before the day of issue".to_owned()));
    }
    let record = NewCertification {
        chapter_id: new.chapter_id,
        mentor_id: new.mentor_id,
        type_code: &new.type_code,
        issued_at,
        expires_at,
    };
    let id = match caller::certify(&mut first.tx, &record).await? {
        Certified::As(id) => id,
        Certified::NotTheirs => return Err(ApiError::NotFound),
        Certified::UnknownType => {
            return Err(ApiError::Invalid("the organisation has no such type".to_owned()));
        }
    };
    let (etag, detail) = detail(&mut first.tx, id, api.clock()).await?;
    let answer = StoredResponse::new(StatusCode::CREATED, &detail)?
        .with_etag(etag)
        .with_location(format!("/api/v1/certifications/{id}"));
    first.answer(answer).await
}
