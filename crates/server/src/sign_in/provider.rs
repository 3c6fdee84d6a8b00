//! Sign-in through an OpenID Connect provider: the handlers for the browser.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::secret;
use cookie::time::Duration;
use serde::Deserialize;

use super::error::SignInError;
use super::home::SignInQuery;
use super::navigation::HOME;
use super::state::SignIn;
use crate::extract::Query;
use crate::html::text::Text;
use crate::problem::ApiError;
use crate::return_to::{ReturnTo, redirect, with_return};
use crate::session;

/// The cookie of a sign-in in progress: its secret and the return path.
const COOKIE: &str = "__Host-certvakt-sign-in";
/// The time limit of a sign-in.
const KEPT_FOR: Duration = Duration::minutes(10);

/// Sends a browser to the provider.
pub(super) async fn start(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    headers: HeaderMap,
    Query(return_to): Query<ReturnTo>,
    Query(SignInQuery { step_up, .. }): Query<SignInQuery>,
    Query(Chosen { provider }): Query<Chosen>,
) -> Result<Response, SignInError> {
    let provider = match (provider, &*shared.providers) {
        (Some(id), _) => Some(shared.provider(&id).ok_or(ApiError::NotFound)?),
        (None, [only]) => Some(only),
        (None, []) => return Err(ApiError::NotFound.into()),
        (None, _) => None,
    };
    // A provider may sign people in without a prompt, so another site could sign somebody in. Require a click
    // on our page; there they choose a provider, too.
    let (Some(provider), Ok(())) = (provider, session::refuse_other_sites(&headers)) else {
        let home = with_return(HOME, return_to.path());
        return Ok(redirect(&if step_up { home + "&step_up=true" } else { home }, []));
    };
    let secret = secret::fresh();
    let url = provider.begin(&secret, step_up.then_some(&shared.step_up), text.tag()).await?;
    let cookie = session::set_cookie(COOKIE, &format!("{secret}{}", return_to.path()), KEPT_FOR);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(url.as_str())).into_response())
}

/// The provider that a person chose.
#[derive(Deserialize)]
pub(super) struct Chosen {
    provider: Option<String>,
}

/// The provider's authorization response, in the query.
#[derive(Deserialize)]
pub(super) struct AuthorizationResponse {
    /// The issuer (RFC 9207).
    iss: Option<String>,
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
}

/// Handles the redirect from the provider.
pub(super) async fn finish(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(answer): Query<AuthorizationResponse>,
) -> Result<Response, SignInError> {
    let provider = shared.provider(&id).ok_or(ApiError::NotFound)?;
    let begun = session::cookie_in(&headers, COOKIE);
    let begun = begun.as_deref().and_then(|value| value.split_at_checked(64));
    let Some((secret, return_to)) = begun.filter(|(secret, _)| secret::is_one(secret)) else {
        return Err(SignInError::Expired);
    };
    if !answer.state.is_some_and(|given| secret::are_same(&given, &provider.state(secret))) {
        return Err(SignInError::Expired);
    }
    let code = match (answer.error.as_deref(), answer.code) {
        (None, Some(code)) => code,
        (Some("access_denied"), _) => return Err(SignInError::Denied),
        _ => return Err(SignInError::Failed("the provider responded with an error")),
    };
    let login = provider.finish(secret, code, answer.iss.as_deref()).await?;
    let [session, browser] = session::begin(&headers, &shared.database, &login).await?;
    let return_to = ReturnTo { return_to: Some(return_to.to_owned()) };
    Ok(redirect(return_to.path(), [session, browser, session::set_cookie(COOKIE, "", Duration::ZERO)]))
}
