//! The page `/sign-in`: before sign-in, the methods; after it, the person, the problems of the partners that they administer, their sessions and sign-out.

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use certvakt_store::caller::{self, partners, sessions};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::error::SignInError;
use super::form::Sent;
use super::navigation::{HOME, ReturnTo, redirect, with_return};
use super::page::{self, Language, Page};
use super::state::SignIn;
use crate::extract::Query;
use crate::problem::ApiError;
use crate::session::{self, Session};

/// The requested strength of a sign-in at the provider.
#[derive(Deserialize)]
pub(super) struct SignInQuery {
    /// Whether it must meet `[step_up]`.
    #[serde(default)]
    pub(super) step_up: bool,
}

/// Shows the sign-in methods, or the signed-in person and the way to sign out.
pub(super) async fn show(
    State(SignIn(shared)): State<SignIn>,
    language: Language,
    headers: HeaderMap,
    Query(return_to): Query<ReturnTo>,
    Query(SignInQuery { step_up }): Query<SignInQuery>,
) -> Result<Page, SignInError> {
    let at_provider = || {
        let path = with_return("/sign-in/provider", return_to.path());
        if step_up { path + "&step_up=true" } else { path }
    };
    if let Some(session) = Session::of(&headers, &shared.database).await? {
        let mut tx = shared.database.caller(&session.login).await?;
        let me = caller::me(&mut tx).await?;
        let partners = partners::administered(&mut tx).await?;
        let sessions = sessions::sessions(&mut tx).await?;
        let organisations = caller::organisations(&mut tx).await?;
        tx.commit().await?;
        let zone = organisations.first().map_or(Tz::UTC, |one| one.zone.0);
        let page = match me {
            Some(me) => language.page("signed-in").named("signed-in-as", me.name.as_deref().unwrap_or("–")),
            None => language.page("signed-in").text("signed-in-nobody"),
        };
        let csrf = [("csrf", session.csrf())];
        let mut page = page.partners(&partners).sessions(&sessions, zone, &session.csrf());
        if shared.provider.is_some() && step_up {
            page = page.link(at_provider(), language.say("sign-in-again"));
        }
        return Ok(page.form(page::Form::button("/sign-out", language.say("sign-out"), csrf)));
    }
    let mut page = language.page("sign-in");
    if shared.provider.is_some() {
        page = page.link(at_provider(), language.say("sign-in-provider"));
    }
    if shared.links.is_some() {
        let form = page::Form::button("/sign-in/link", language.say("send-link"), []);
        page = page.form(form.address(language.say("address")));
    }
    Ok(page)
}

/// The CSRF token, which scripts of our pages send in `X-CSRF-Token`.
#[derive(Serialize)]
pub(super) struct Csrf {
    csrf: String,
}

pub(super) async fn csrf(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
) -> Result<Json<Csrf>, ApiError> {
    let session = Session::of(&headers, &shared.database).await?.ok_or(ApiError::NoToken)?;
    Ok(Json(Csrf { csrf: session.csrf() }))
}

/// Ends another session of the person who is signed in.
pub(super) async fn end_session(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, FormRejection>,
) -> Result<Response, SignInError> {
    let session = Session::of(&headers, &shared.database).await?.ok_or(ApiError::NoToken)?;
    let Ok(Form(Sent { csrf, session: Some(other), .. })) = sent else { return Err(ApiError::Forged.into()) };
    session.check(&headers, csrf.as_deref())?;
    let mut tx = shared.database.caller(&session.login).await?;
    sessions::end(&mut tx, Some(other)).await?;
    tx.commit().await?;
    Ok(redirect(HOME, []))
}

pub(super) async fn sign_out(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, FormRejection>,
) -> Result<Response, SignInError> {
    if let Some(session) = Session::of(&headers, &shared.database).await? {
        session.check(&headers, sent.ok().and_then(|Form(sent)| sent.csrf).as_deref())?;
        session.end(&shared.database).await?;
    }
    Ok(redirect(HOME, [session::no_cookie()]))
}
