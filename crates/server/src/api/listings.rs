//! The caller's listings at partners, and their consent.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use certvakt_store::caller::listings::{self, Consent, Decision};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::response::response_of;
use super::state::{Api, Caller};
use crate::extract::Path;
use crate::problem::{ApiError, Problems};

response_of! {
    listings::Listing =>
    /// A partner at which the caller is enrolled.
    Listing {
        /// The organisation that certified the caller.
        organisation_id: Uuid,
        /// Its name.
        organisation: String,
        /// The partner's short name.
        partner: String,
        /// The time of the caller's consent to being listed; null if they do not consent.
        consents_since: Option<DateTime<Utc>>,
        /// Whether the caller belongs on the listing: they consent and are certified.
        is_listed: bool,
    }
}

/// List the partners at which the caller is enrolled, which publish the mentors whom people can contact
#[utoipa::path(get, path = "/api/v1/me/listings", tag = "me", responses(
    (status = OK, body = [Listing]),
    Problems))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Listing>>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let listings = listings::mine(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(listings.into_iter().map(Listing::from).collect()))
}

/// The path of the caller's listing at a partner.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct AtPartner {
    /// The organisation's id.
    organisation: Uuid,
    /// The partner's short name.
    #[param(min_length = 1, max_length = 63)]
    partner: String,
}

/// Consent to being listed at a partner
///
/// The login must be proven to be the mentor's own (`login-unproven` otherwise).
#[utoipa::path(put, path = "/api/v1/me/listings/{organisation}/{partner}/consent", tag = "me",
    params(AtPartner),
    responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn consent(
    State(api): State<Api>,
    caller: Caller,
    Path(at): Path<AtPartner>,
) -> Result<StatusCode, ApiError> {
    decide(&api, &caller, &at, Decision::Consent).await
}

/// Withdraw the consent to being listed at a partner
#[utoipa::path(delete, path = "/api/v1/me/listings/{organisation}/{partner}/consent", tag = "me",
    params(AtPartner),
    responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn withdraw(
    State(api): State<Api>,
    caller: Caller,
    Path(at): Path<AtPartner>,
) -> Result<StatusCode, ApiError> {
    decide(&api, &caller, &at, Decision::Withdraw).await
}

async fn decide(
    api: &Api,
    caller: &Caller,
    at: &AtPartner,
    decision: Decision,
) -> Result<StatusCode, ApiError> {
    // PostgreSQL's text cannot store U+0000.
    if at.partner.contains('\0') {
        return Err(ApiError::NotFound);
    }
    let mut tx = api.person(caller).await?;
    match listings::decide(&mut tx, at.organisation, &at.partner, decision, None).await? {
        Consent::Recorded => tx.commit().await?,
        Consent::Unknown => return Err(ApiError::NotFound),
        Consent::Unproven => return Err(ApiError::LoginUnproven),
    }
    Ok(StatusCode::NO_CONTENT)
}
