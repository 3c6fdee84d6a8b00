//! Administrators confirm that a mail address is a person's.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Api, Caller};
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problems, Refusal};
use crate::mail::address;
use crate::store::tenant::confirmations::{self, Confirmed};

/// What administrators have confirmed of a person's address.
#[derive(Serialize, ToSchema)]
pub(super) struct Confirmations {
    /// How many administrators have confirmed it. Two are needed.
    number: i64,
    /// From when it counts; null: another administrator is missing.
    counts_from: Option<DateTime<Utc>>,
}

/// The address that an administrator confirms.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    /// As the person has told the administrator.
    #[schema(min_length = 3, max_length = 254)]
    address: String,
}

/// Confirm that a mail address of a member is theirs
///
/// A mentor who signs in by an address that came later than they did can consent to being listed only once two
/// administrators have confirmed it, fourteen days after the second of them did. Each says which address, and has signed
/// in by a login that is shown to be their own (`login-unproven`). The person's other addresses are told.
#[utoipa::path(put, path = "/api/v1/people/{id}/address-confirmations/{organisation}", tag = "people",
    params(("id" = Uuid, Path), ("organisation" = Uuid, Path)), request_body = Address, responses(
    (status = OK, body = Confirmations),
    Problems))]
pub(super) async fn confirm(
    State(api): State<Api>,
    caller: Caller,
    Path((person, organisation)): Path<(Uuid, Uuid)>,
    Body(Address { address }): Body<Address>,
) -> Result<Json<Confirmations>, Refusal> {
    let address = address::canonical(&address).map_err(|_| Refusal::NotFound)?;
    let mut tx = api.person(&caller).await?;
    let confirmations::Confirmations { number, counts_from } =
        match confirmations::confirm(&mut tx, organisation, person, &address).await? {
            Confirmed::By(confirmations) => confirmations,
            Confirmed::Unknown => return Err(Refusal::NotFound),
            Confirmed::Unproven => return Err(Refusal::LoginUnproven),
        };
    tx.commit().await?;
    if let Some(letters) = api.letters() {
        letters.wake();
    }
    Ok(Json(Confirmations { number, counts_from }))
}

/// Object: take back what administrators have confirmed of a member's address
#[utoipa::path(delete, path = "/api/v1/people/{id}/address-confirmations/{organisation}", tag = "people",
    params(("id" = Uuid, Path), ("organisation" = Uuid, Path)), responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn withdraw(
    State(api): State<Api>,
    caller: Caller,
    Path((person, organisation)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Refusal> {
    let mut tx = api.person(&caller).await?;
    if !confirmations::withdraw(&mut tx, organisation, person).await? {
        return Err(Refusal::NotFound);
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
