//! Sign-in with an e-mailed link, or with the code beside it, because apps for e-mail open links in another browser. No
//! response reveals whether an address is known, because the lookup happens after the response has been sent.

use std::net::SocketAddr;

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use certvakt_base::secret;
use certvakt_engine::mail::address;
use certvakt_engine::mail_queue::{self, MailQueue};
use certvakt_store::auth::{LinkProof, LinkRequest};
use serde::Deserialize;

use super::error::SignInError;
use super::navigation::HOME;
use super::page::{self, Page};
use super::state::SignIn;
use crate::extract::Query;
use crate::html::text::Text;
use crate::problem::ApiError;
use crate::return_to::{ReturnTo, START, redirect, with_return};
use crate::session;

/// The path of the form for the code.
pub(super) const CODE: &str = "/sign-in/code";

/// The form with an e-mail address.
#[derive(Deserialize)]
pub(super) struct LinkForm {
    address: String,
    #[serde(flatten)]
    return_to: ReturnTo,
}

/// Requests a link by e-mail, which is sent if the address is known.
pub(super) async fn ask(
    State(SignIn(shared)): State<SignIn>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Result<Form<LinkForm>, FormRejection>,
) -> Result<Response, SignInError> {
    let links = shared.links.as_ref().ok_or(ApiError::NotFound)?;
    session::refuse_other_sites(&headers)?;
    let (address, return_to) = match asked {
        Ok(Form(LinkForm { address, return_to })) => {
            (address.trim().to_owned(), kept(return_to.path()).to_owned())
        }
        Err(_) => (String::new(), START.to_owned()),
    };
    if address.is_empty() || address.chars().count() > address::LONGEST || address.contains('\0') {
        return Err(ApiError::Invalid("an e-mail address must have 1 to 254 characters".to_owned()).into());
    }
    // A malformed address gets the same response, so that responses reveal nothing about addresses.
    let address = address::canonical(&address).unwrap_or(address);
    shared.limits.check(&headers, peer.ip(), &address)?;
    let form = with_return(CODE, &return_to);
    request(links, &headers, address, return_to, &form)
}

/// Requests links for an address. Leads to a page with a form for the code, which a browser can load again after somebody
/// has read their e-mail, and sets the cookie of the browser in which the code is valid.
pub(super) fn request(
    links: &MailQueue,
    headers: &HeaderMap,
    address: String,
    return_to: String,
    form: &str,
) -> Result<Response, SignInError> {
    let browser = session::browser_secret(headers);
    let browser_hash = secret::hash(&browser);
    if !links.request_links(LinkRequest { address, return_to, browser_hash }) {
        // Report the dropped request instead of a success.
        return Err(ApiError::Busy.into());
    }
    Ok(redirect(form, [session::browser_cookie(&browser)]))
}

/// The query of the form for a code.
#[derive(Deserialize)]
pub(super) struct CodeQuery {
    #[serde(flatten)]
    return_to: ReturnTo,
    /// `setup` after the first run.
    #[serde(default)]
    done: String,
}

/// Shows the form for the code.
pub(super) async fn show_code(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    Query(CodeQuery { return_to, done }): Query<CodeQuery>,
) -> Result<Page, SignInError> {
    shared.links.as_ref().ok_or(ApiError::NotFound)?;
    let key = if done == "setup" { "setup-done" } else { "link-sent" };
    Ok(Page::new(text, key).code_form(kept(return_to.path())).answer())
}

/// The page to show after the sign-in. It is stored, so it must not have a token in its address, as an invitation has.
pub(super) fn kept(path: &str) -> &str {
    if path.starts_with(HOME) { START } else { path }
}

/// The form with a code.
#[derive(Deserialize)]
pub(super) struct CodeForm {
    code: String,
    #[serde(flatten)]
    return_to: ReturnTo,
}

/// Signs in with the code, in the browser that requested it. A wrong, an unknown and an expired code get the same response.
pub(super) async fn enter(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Result<Form<CodeForm>, FormRejection>,
) -> Result<Response, SignInError> {
    shared.links.as_ref().ok_or(ApiError::NotFound)?;
    session::refuse_other_sites(&headers)?;
    let browser = session::browser_secret(&headers);
    // The limits of links also apply to codes, for the browser instead of the address.
    shared.limits.check(&headers, peer.ip(), &browser)?;
    let (code, return_to) = match sent {
        Ok(Form(CodeForm { code, return_to })) => (code, kept(return_to.path()).to_owned()),
        Err(_) => (String::new(), START.to_owned()),
    };
    let code: String = code.chars().filter(|char| !char.is_whitespace()).collect();
    let browser_hash = secret::hash(&browser);
    let code_hash = mail_queue::code_hash(&browser_hash, &code);
    let proof = LinkProof::Code { browser_hash, code_hash };
    match session::begin_by_link(&headers, &shared.database, proof).await? {
        Some((return_to, cookies)) => Ok(redirect(&return_to, cookies)),
        None => Ok(Page::new(text, "code-wrong").code_form(&return_to).refused()),
    }
}

/// The query with a link's token.
#[derive(Deserialize)]
pub(super) struct LinkQuery {
    pub(super) token: String,
}

/// Shows a button. Programs that scan e-mail follow links, but press no buttons.
pub(super) async fn show(text: Text, Query(LinkQuery { token }): Query<LinkQuery>) -> Page {
    let form = page::Form::button("/sign-in/link/open", text.say("link-open"), [("token", token)]);
    Page::new(text, "link").form(form)
}

/// Signs in the holder of a link's token.
pub(super) async fn open(
    State(SignIn(shared)): State<SignIn>,
    headers: HeaderMap,
    carried: Result<Form<LinkQuery>, FormRejection>,
) -> Result<Response, SignInError> {
    session::refuse_other_sites(&headers)?;
    let Ok(Form(LinkQuery { token })) = carried else { return Err(SignInError::Link) };
    let proof = LinkProof::Token(secret::hash(&token));
    match session::begin_by_link(&headers, &shared.database, proof).await? {
        Some((return_to, cookies)) => Ok(redirect(&return_to, cookies)),
        None => Err(SignInError::Link),
    }
}
