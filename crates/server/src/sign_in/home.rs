//! The page `/sign-in`: the methods of signing in; for a login without a person, or one that must be stronger, what to do.

use axum::Json;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use certvakt_store::caller;
use serde::{Deserialize, Serialize};

use super::error::SignInError;
use super::form::Sent;
use super::navigation::HOME;
use super::page::{self, Page};
use super::state::SignIn;
use super::wanted;
use crate::extract::Query;
use crate::html::text::Text;
use crate::problem::ApiError;
use crate::return_to::{ReturnTo, redirect, with_return};
use crate::session::{self, Session};

/// The requested strength of a sign-in at the provider.
#[derive(Deserialize)]
pub(super) struct SignInQuery {
    /// Whether it must meet `[step_up]`.
    #[serde(default)]
    pub(super) step_up: bool,
    /// What became of the form that the person sent after their session had ended: `kept` or `lost`.
    #[serde(default)]
    form: String,
}

/// Shows the sign-in methods. A person who is signed in goes on to their page.
pub(super) async fn show(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    headers: HeaderMap,
    Query(return_to): Query<ReturnTo>,
    Query(SignInQuery { step_up, form }): Query<SignInQuery>,
) -> Result<Response, SignInError> {
    let at_providers = |page: Page| {
        shared.providers.iter().fold(page, |page, provider| {
            let path = with_return("/sign-in/provider", return_to.path());
            let path = format!("{path}&provider={}", provider.config.id);
            let label = text.of_provider(&provider.config.label);
            page.link(if step_up { path + "&step_up=true" } else { path }, label)
        })
    };
    if let Some(session) = Session::of(&headers, &shared.database).await? {
        let mut tx = shared.database.caller(&session.login).await?;
        let me = caller::profile(&mut tx).await?;
        tx.commit().await?;
        let page = Page::new(text, "signed-in");
        let page = match me {
            Some(_) if !step_up => return Ok(redirect(return_to.path(), [])),
            Some(me) => {
                let key = if shared.providers.is_empty() { "signed-in-as" } else { "sign-in-again" };
                page.named(key, me.name.as_deref().unwrap_or("–"))
            }
            None => page.text("signed-in-nobody"),
        };
        let page = if step_up { at_providers(page) } else { page };
        let csrf = [("csrf", session.csrf())];
        let page = page.form(page::Form::button("/sign-out", text.say("sign-out"), csrf));
        return Ok(wanted::keep(&return_to, page.into_response()));
    }
    let mut page = at_providers(match form.as_str() {
        "kept" => Page::new(text, "sign-in-form-kept").answer(),
        "lost" => Page::new(text, "sign-in-form-lost").answer(),
        _ if shared.demo.is_empty() => Page::new(text, "sign-in"),
        _ => Page::new(text, "demo"),
    });
    if shared.links.is_some() {
        let hidden = [("return_to", return_to.path().to_owned())];
        let form = page::Form::button("/sign-in/link", text.say("send-link"), hidden);
        page = page.form(form.address(text.say("address")));
    }
    for person in &shared.demo {
        let hidden = [("person", person.id.to_string()), ("return_to", return_to.path().to_owned())];
        let label = text.named(&format!("demo-{}", person.key), &person.name);
        page = page.form(page::Form::button("/sign-in/demo", label, hidden));
    }
    Ok(wanted::keep(&return_to, page.into_response()))
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

pub(super) async fn sign_out(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    sent: Result<Form<Sent>, FormRejection>,
) -> Result<Response, SignInError> {
    if let Some(session) = Session::of(&headers, &shared.database).await? {
        session.check(&headers, sent.ok().and_then(|Form(sent)| sent.csrf).as_deref())?;
        session.end(&shared.database).await?;
    }
    Ok(redirect(HOME, [wanted::none(), session::no_cookie()]))
}
