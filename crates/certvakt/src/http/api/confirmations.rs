//! Administrators confirm that a mail address is a person's.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Api, Caller};
use crate::http::extract::Path;
use crate::http::problem::{Problems, Refusal};
use crate::store::tenant::confirmations;

/// What administrators have confirmed of a person's address.
#[derive(Serialize, ToSchema)]
pub(super) struct Confirmations {
    /// How many administrators have confirmed it. Two are needed.
    number: i64,
    /// From when it counts; null: another administrator is missing.
    counts_from: Option<DateTime<Utc>>,
}

/// Confirm that the mail address which the organisation knows of a member is theirs
///
/// A mentor who signs in by an address that came later than they did can consent to being listed only once two
/// administrators have confirmed it, fourteen days after the first of them did. The person's other addresses are told.
#[utoipa::path(put, path = "/api/v1/people/{id}/address-confirmations/{organisation}", tag = "people",
    params(("id" = Uuid, Path), ("organisation" = Uuid, Path)), responses(
    (status = OK, body = Confirmations),
    Problems))]
pub(super) async fn confirm(
    State(api): State<Api>,
    caller: Caller,
    Path((person, organisation)): Path<(Uuid, Uuid)>,
) -> Result<Json<Confirmations>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let confirmed = confirmations::confirm(&mut tx, organisation, person).await?;
    let confirmations::Confirmations { number, counts_from } = confirmed.ok_or(Refusal::NotFound)?;
    tx.commit().await?;
    if let Some(letters) = api.letters() {
        letters.look();
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
