//! Sign-in with one click, for `certvakt serve --demo` only: its database contains generated people.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use certvakt_store::auth;
use serde::Deserialize;
use uuid::Uuid;

use super::error::SignInError;
use super::state::SignIn;
use crate::problem::ApiError;
use crate::return_to::{ReturnTo, redirect};
use crate::session;
use crate::token::{Identity, Login};

/// The form that chooses a person.
#[derive(Deserialize)]
pub(super) struct Chosen {
    person: Uuid,
    #[serde(default)]
    return_to: String,
}

/// Signs in as a person of the demo.
pub(super) async fn sign_in(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    chosen: Result<Form<Chosen>, FormRejection>,
) -> Result<Response, SignInError> {
    session::refuse_other_sites(&headers)?;
    let Ok(Form(Chosen { person, return_to })) = chosen else { return Err(ApiError::NotFound.into()) };
    if !shared.demo.iter().any(|one| one.id == person) {
        return Err(ApiError::NotFound.into());
    }
    let mut tx = shared.database.auth().await?;
    let (issuer, subject) = auth::link_login(&mut tx, person).await?;
    tx.commit().await?;
    let identity = Identity { issuer, subject };
    let login = Login { identity, session: None, authenticated_at: None, acr: None };
    let cookies = session::begin(&headers, &shared.database, &login).await?;
    let return_to = ReturnTo { return_to: Some(return_to) };
    Ok(redirect(return_to.path(), cookies))
}
