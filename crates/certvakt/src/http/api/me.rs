//! The person who is asking: what they are, their devices, their invitation.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Api, Caller};
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problems, Refusal};
use crate::store::tenant::{self, Acceptance, devices};

/// Who is asking, and what they are where.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// The person.
    id: Uuid,
    /// What they are called.
    name: Option<String>,
    /// The language that they chose: `nb` or `en`.
    locale: Option<String>,
    /// What they are in which chapters.
    memberships: Vec<tenant::Membership>,
    /// The organisations of which they are a member, or which certified them.
    organisations: Vec<Organisation>,
}

/// An organisation.
#[derive(Serialize, ToSchema)]
struct Organisation {
    id: Uuid,
    name: String,
    /// All its dates are dates there: a name of the IANA database.
    #[schema(example = "Europe/Oslo")]
    time_zone: String,
}

/// Who is asking
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses(
    (status = OK, body = Me),
    Problems))]
pub(super) async fn show(State(api): State<Api>, caller: Caller) -> Result<Json<Me>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let tenant::Me { person_id, name, locale } = tenant::me(&mut tx).await?.ok_or(Refusal::UnknownLogin)?;
    let memberships = tenant::memberships(&mut tx).await?;
    let organisations = tenant::organisations(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(Me {
        id: person_id,
        name,
        locale,
        memberships,
        organisations: organisations
            .into_iter()
            .map(|one| Organisation { id: one.id, name: one.name, time_zone: one.time_zone })
            .collect(),
    }))
}

/// An invitation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Invitation {
    /// The token that was sent to the person.
    #[schema(min_length = 1, max_length = 200)]
    token: String,
}

/// The person that a login became.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    /// The person.
    id: Uuid,
}

/// Accept an invitation: from now on this login is the person who was invited
#[utoipa::path(post, path = "/api/v1/me/invitation", tag = "me", request_body = Invitation, responses(
    (status = OK, body = Accepted),
    Problems))]
pub(super) async fn accept_invitation(
    State(api): State<Api>,
    caller: Caller,
    Body(invitation): Body<Invitation>,
) -> Result<Json<Accepted>, Refusal> {
    if invitation.token.contains('\0') {
        return Err(Refusal::Invitation);
    }
    let mut tx = api.login(&caller).await?;
    match tenant::accept_invitation(&mut tx, &invitation.token).await? {
        Acceptance::Accepted(id) => {
            tx.commit().await?;
            Ok(Json(Accepted { id }))
        }
        Acceptance::NotInvited => Err(Refusal::Invitation),
        Acceptance::LoginTaken => Err(Refusal::LoginTaken),
    }
}

/// A device on which the app is installed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Device {
    /// The registration token that Firebase Cloud Messaging gave the app.
    #[schema(min_length = 1, max_length = 2048, pattern = "^[!-~]+$")]
    token: String,
}

/// Receive pushes on this device; another person's device moves only with the token that it has now
#[utoipa::path(put, path = "/api/v1/me/devices/{installation}", tag = "me",
    params(("installation" = String, Path, description = "The app's own random name for its installation",
        min_length = 1, max_length = 200, pattern = "^[!-~]+$")),
    request_body = Device, responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn keep_device(
    State(api): State<Api>,
    caller: Caller,
    Path(installation): Path<String>,
    Body(device): Body<Device>,
) -> Result<StatusCode, Refusal> {
    check_installation(&installation)?;
    let is_graphic = device.token.bytes().all(|byte| byte.is_ascii_graphic());
    if device.token.is_empty() || device.token.len() > 2048 || !is_graphic {
        return Err(Refusal::Invalid("a token has 1 to 2,048 characters of ASCII, and no space".to_owned()));
    }
    let mut tx = api.person(&caller).await?;
    if !devices::keep_device(&mut tx, &installation, &device.token).await? {
        return Err(Refusal::InstallationTaken);
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Receive no pushes on this device any more
#[utoipa::path(delete, path = "/api/v1/me/devices/{installation}", tag = "me",
    params(("installation" = String, Path, description = "The app's own random name for its installation",
        min_length = 1, max_length = 200, pattern = "^[!-~]+$")),
    responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn remove_device(
    State(api): State<Api>,
    caller: Caller,
    Path(installation): Path<String>,
) -> Result<StatusCode, Refusal> {
    check_installation(&installation)?;
    let mut tx = api.person(&caller).await?;
    devices::remove_device(&mut tx, &installation).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_installation(name: &str) -> Result<(), Refusal> {
    if name.len() > 200 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Refusal::Invalid(
            "an installation's name has at most 200 characters of ASCII, and no space".to_owned(),
        ));
    }
    Ok(())
}
