//! Invitations to sign in.

use axum::extract::State;
use axum::http::StatusCode;
use certvakt_store::tenant;

use super::params::Id;
use super::state::{Api, Caller};
use crate::extract::Path;
use crate::problem::{Problems, Refusal};

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
) -> Result<StatusCode, Refusal> {
    let mut tx = api.person(&caller).await?;
    let mails = api.mails().ok_or(Refusal::NoMail)?;
    if !tenant::invite(&mut tx, id).await? {
        return Err(Refusal::NotFound);
    }
    tx.commit().await?;
    mails.wake();
    Ok(StatusCode::ACCEPTED)
}
