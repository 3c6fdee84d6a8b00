//! Confirmations by administrators that an e-mail address belongs to a person.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use certvakt_engine::mail::address;
use certvakt_store::caller::confirmations::{self, Confirmed};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::state::{Api, Caller};
use crate::extract::{Body, Path};
use crate::problem::{ApiError, Problems};

/// The confirmations of a person's address.
#[derive(Serialize, ToSchema)]
pub(super) struct Confirmations {
    /// The number of administrators who have confirmed it. Two are required.
    number: i64,
    /// The time from which the confirmation counts; null until a second administrator confirms.
    counts_from: Option<DateTime<Utc>>,
}

/// The address to confirm.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    /// The address, as the person told the administrator.
    #[schema(min_length = 3, max_length = 254)]
    address: String,
}

/// The path of a member of an organisation.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Member {
    /// The person's id.
    id: Uuid,
    /// The organisation's id.
    organisation: Uuid,
}

/// Confirm that an e-mail address belongs to a member
///
/// A mentor who signs in with an address that was added after the mentor can consent to being listed only if two administrators have confirmed the address, 14
/// days after the second confirmation. Each administrator must state the address, and their own login must be
/// proven (`login-unproven` otherwise). certvakt notifies the person's other addresses.
#[utoipa::path(put, path = "/api/v1/people/{id}/address-confirmations/{organisation}", tag = "people",
    params(Member), request_body = Address, responses(
    (status = OK, body = Confirmations),
    Problems))]
pub(super) async fn confirm(
    State(api): State<Api>,
    caller: Caller,
    Path(Member { id, organisation }): Path<Member>,
    Body(Address { address }): Body<Address>,
) -> Result<Json<Confirmations>, ApiError> {
    let address = address::canonical(&address).map_err(|_| ApiError::NotFound)?;
    let mut tx = api.person(&caller).await?;
    let confirmations::Confirmations { number, counts_from } =
        match confirmations::confirm(&mut tx, organisation, id, &address).await? {
            Confirmed::By(confirmations) => confirmations,
            Confirmed::Unknown => return Err(ApiError::NotFound),
            Confirmed::Unproven => return Err(ApiError::LoginUnproven),
        };
    tx.commit().await?;
    if let Some(mails) = api.mails() {
        mails.wake();
    }
    Ok(Json(Confirmations { number, counts_from }))
}

/// Delete all confirmations of a member's address
#[utoipa::path(delete, path = "/api/v1/people/{id}/address-confirmations/{organisation}", tag = "people",
    params(Member), responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn withdraw(
    State(api): State<Api>,
    caller: Caller,
    Path(Member { id, organisation }): Path<Member>,
) -> Result<StatusCode, ApiError> {
    let mut tx = api.person(&caller).await?;
    if !confirmations::withdraw(&mut tx, organisation, id).await? {
        return Err(ApiError::NotFound);
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
