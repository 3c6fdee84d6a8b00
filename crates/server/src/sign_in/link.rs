//! Sign-in with an e-mailed link. No response reveals whether an address is known, because the lookup happens
//! after the response has been sent.

use std::net::SocketAddr;

use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::HeaderMap;
use axum::response::Response;
use certvakt_engine::mail::address;
use serde::Deserialize;

use super::error::SignInError;
use super::page::{self, Page};
use super::state::SignIn;
use crate::extract::Query;
use crate::html::text::Text;
use crate::problem::ApiError;
use crate::return_to::{START, redirect};
use crate::session;

/// The form with an e-mail address.
#[derive(Deserialize)]
pub(super) struct LinkForm {
    address: String,
}

/// Requests a link by e-mail, which is sent if the address is known.
pub(super) async fn ask(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    asked: Result<Form<LinkForm>, FormRejection>,
) -> Result<Page, SignInError> {
    let links = shared.links.as_ref().ok_or(ApiError::NotFound)?;
    session::refuse_other_sites(&headers)?;
    let address = match asked {
        Ok(Form(LinkForm { address })) => address.trim().to_owned(),
        Err(_) => String::new(),
    };
    if address.is_empty() || address.chars().count() > address::LONGEST || address.contains('\0') {
        return Err(ApiError::Invalid("an e-mail address must have 1 to 254 characters".to_owned()).into());
    }
    // A malformed address gets the same response, so that responses reveal nothing about addresses.
    let address = address::canonical(&address).unwrap_or(address);
    shared.limits.check(&headers, peer.ip(), &address)?;
    if !links.request_links(address) {
        // Report the dropped request instead of a success.
        return Err(ApiError::Busy.into());
    }
    Ok(Page::new(text, "link-sent"))
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
    match session::begin_by_link(&headers, &shared.database, &token).await? {
        Some(cookies) => Ok(redirect(START, cookies)),
        None => Err(SignInError::Link),
    }
}
