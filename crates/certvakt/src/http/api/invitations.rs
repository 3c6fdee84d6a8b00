//! Inviting people to sign in.

use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;

use super::{Api, Caller};
use crate::http::extract::Path;
use crate::http::problem::{Problems, Refusal};
use crate::store::tenant;

/// Have an invitation mailed to somebody in a chapter that the person coordinates
///
/// It goes to their own mail address and to nobody else, once in ten minutes at most. Who has no mail
/// address is not found.
#[utoipa::path(post, path = "/api/v1/people/{id}/invitation", tag = "people",
    params(("id" = Uuid, Path)), responses(
    (status = ACCEPTED, description = "It is mailed"),
    Problems))]
pub(super) async fn invite(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Refusal> {
    let mut tx = api.person(&caller).await?;
    let letters = api.letters().ok_or(Refusal::NoMail)?;
    if !tenant::invite(&mut tx, id).await? {
        return Err(Refusal::NotFound);
    }
    tx.commit().await?;
    letters.wake();
    Ok(StatusCode::ACCEPTED)
}
