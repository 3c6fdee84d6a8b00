//! The caller: their memberships, devices and invitation.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use certvakt_store::caller::{self, Acceptance, devices};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::people::Membership;
use super::state::{Api, Caller};
use crate::extract::{Body, Path};
use crate::problem::{ApiError, Problems};

/// The caller, with their memberships.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    /// The person's id.
    id: Uuid,
    /// The person's name.
    name: Option<String>,
    /// The language that the person chose: `nb` or `en`.
    locale: Option<String>,
    /// The person's roles in chapters.
    memberships: Vec<Membership>,
    /// The organisations that the person is a member of, or that certified them.
    organisations: Vec<Organisation>,
}

/// An organisation.
#[derive(Serialize, ToSchema)]
struct Organisation {
    id: Uuid,
    name: String,
    /// The time zone of all the organisation's dates, a name of the IANA database.
    #[schema(example = "Europe/Oslo")]
    time_zone: &'static str,
}

/// Get the caller
#[utoipa::path(get, path = "/api/v1/me", tag = "me", responses(
    (status = OK, body = Me),
    Problems))]
pub(super) async fn show(State(api): State<Api>, caller: Caller) -> Result<Json<Me>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let caller::Profile { person_id, name, locale, .. } =
        caller::profile(&mut tx).await?.ok_or(ApiError::UnknownLogin)?;
    let memberships = caller::memberships(&mut tx).await?;
    let organisations = caller::organisations(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(Me {
        id: person_id,
        name,
        locale,
        memberships: memberships.into_iter().map(Membership::from).collect(),
        organisations: organisations
            .into_iter()
            .map(|one| Organisation { id: one.id, name: one.name, time_zone: one.zone.0.name() })
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

/// The person to whom the login is now linked.
#[derive(Serialize, ToSchema)]
pub(super) struct Accepted {
    /// The person.
    id: Uuid,
}

/// Accept an invitation, which links the login to the invited person
#[utoipa::path(post, path = "/api/v1/me/invitation", tag = "me", request_body = Invitation, responses(
    (status = OK, body = Accepted),
    Problems))]
pub(super) async fn accept_invitation(
    State(api): State<Api>,
    caller: Caller,
    Body(invitation): Body<Invitation>,
) -> Result<Json<Accepted>, ApiError> {
    if invitation.token.contains('\0') {
        return Err(ApiError::Invitation);
    }
    let mut tx = api.login(&caller).await?;
    match caller::accept_invitation(&mut tx, &invitation.token).await? {
        Acceptance::Accepted(id) => {
            tx.commit().await?;
            Ok(Json(Accepted { id }))
        }
        Acceptance::NotInvited => Err(ApiError::Invitation),
        Acceptance::LoginTaken => Err(ApiError::LoginTaken),
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

/// The path of a device.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Installation {
    /// The random name that the app gave its installation
    #[param(min_length = 1, max_length = 200, pattern = "^[!-~]+$")]
    installation: String,
}

/// Register a device for push messages; a device of another person needs its current token
#[utoipa::path(put, path = "/api/v1/me/devices/{installation}", tag = "me",
    params(Installation),
    request_body = Device, responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn register_device(
    State(api): State<Api>,
    caller: Caller,
    Path(Installation { installation }): Path<Installation>,
    Body(device): Body<Device>,
) -> Result<StatusCode, ApiError> {
    check_installation(&installation)?;
    let is_graphic = device.token.bytes().all(|byte| byte.is_ascii_graphic());
    if device.token.is_empty() || device.token.len() > 2048 || !is_graphic {
        return Err(ApiError::Invalid(
            "a token must have 1 to 2,048 ASCII characters, without spaces".to_owned(),
        ));
    }
    let mut tx = api.person(&caller).await?;
    if !devices::register_device(&mut tx, &installation, &device.token).await? {
        return Err(ApiError::InstallationTaken);
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a device, which stops push messages to it
#[utoipa::path(delete, path = "/api/v1/me/devices/{installation}", tag = "me",
    params(Installation),
    responses(
    (status = NO_CONTENT),
    Problems))]
pub(super) async fn remove_device(
    State(api): State<Api>,
    caller: Caller,
    Path(Installation { installation }): Path<Installation>,
) -> Result<StatusCode, ApiError> {
    check_installation(&installation)?;
    let mut tx = api.person(&caller).await?;
    devices::remove_device(&mut tx, &installation).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_installation(name: &str) -> Result<(), ApiError> {
    if name.len() > 200 || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ApiError::Invalid(
            "an installation's name must have at most 200 ASCII characters, without spaces".to_owned(),
        ));
    }
    Ok(())
}
