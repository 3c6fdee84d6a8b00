//! Accepting an e-mailed invitation.

use axum::extract::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use certvakt_base::secret;
use certvakt_store::caller::{self, Acceptance};

use super::error::SignInError;
use super::form::Sent;
use super::link::LinkQuery;
use super::navigation::HOME;
use super::page::{self, Page};
use super::state::SignIn;
use super::wanted;
use crate::extract::Query;
use crate::html::text::Text;
use crate::problem::ApiError;
use crate::return_to::with_return;
use crate::session::Session;

/// Asks a signed-in caller to accept the invitation, and other callers to sign in first.
pub(super) async fn show(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    headers: HeaderMap,
    Query(LinkQuery { token }): Query<LinkQuery>,
) -> Result<Page, SignInError> {
    if !secret::is_one(&token) {
        return Err(ApiError::Invitation.into());
    }
    let page = Page::new(text, "invitation");
    Ok(match Session::of(&headers, &shared.database).await? {
        Some(session) => {
            let hidden = [("csrf", session.csrf()), ("token", token)];
            page.form(page::Form::button("/sign-in/invitation", text.say("invitation-accept"), hidden))
        }
        None => page.text("invitation-sign-in-first").link(
            with_return(HOME, &format!("/sign-in/invitation?token={token}")),
            text.say("invitation-sign-in"),
        ),
    })
}

/// Links the session's login to the invited person.
pub(super) async fn accept(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, FormRejection>,
) -> Result<Response, SignInError> {
    let session = Session::of(&headers, &shared.database).await?.ok_or(ApiError::NoToken)?;
    let Ok(Form(Sent { csrf, token: Some(token), .. })) = sent else { return Err(ApiError::Forged.into()) };
    session.check(&headers, csrf.as_deref())?;
    if !secret::is_one(&token) {
        return Err(ApiError::Invitation.into());
    }
    let mut tx = shared.database.caller(&session.login).await?;
    match caller::accept_invitation(&mut tx, &token).await? {
        Acceptance::Accepted(_) => tx.commit().await?,
        Acceptance::NotInvited => return Err(ApiError::Invitation.into()),
        Acceptance::LoginTaken => return Err(ApiError::LoginTaken.into()),
    }
    Ok(wanted::lead(&headers))
}
