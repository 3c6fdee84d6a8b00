//! Invitations to sign in.

use axum::extract::State;
use axum::http::StatusCode;
use certvakt_store::caller;

use super::params::Id;
use super::state::{Api, Caller};
use crate::extract::Path;
use crate::problem::{ApiError, Problems};

/// Send an invitation to a member of a chapter that the caller coordinates
///
/// certvakt e-mails it to the member's own address only, at most once in ten minutes. The response is 404 if
/// the member has no e-mail address.
#[utoipa::path(post, path = "/api/v1/people/{id}/invitation", tag = "people",
    params(Id), responses(
    (status = ACCEPTED, description = "The invitation will be e-mailed"),
    Problems))]
pub(super) async fn invite(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
) -> Result<StatusCode, ApiError> {
    let mut tx = api.person(&caller).await?;
    let mails = api.mails().ok_or(ApiError::NoMail)?;
    if !caller::invite(&mut tx, id).await? {
        return Err(ApiError::NotFound);
    }
    tx.commit().await?;
    mails.wake();
    Ok(StatusCode::ACCEPTED)
}
