//! The page that a browser wanted before it signed in. A person who is not admitted yet gets an invitation later and
//! elsewhere, so a cookie keeps the page until then.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use cookie::time::Duration;

use super::link::kept;
use crate::return_to::{ReturnTo, START, redirect};
use crate::session;

/// The cookie with the path.
const COOKIE: &str = "__Host-certvakt-wanted";
/// The time for which it is kept: an invitation is valid longer, but then nobody expects the page any more.
const KEPT_FOR: Duration = Duration::days(1);

/// Keeps the wanted page, if there is one, with a response.
pub(super) fn keep(return_to: &ReturnTo, mut response: Response) -> Response {
    let path = kept(return_to.path());
    if path != START {
        response.headers_mut().append(header::SET_COOKIE, session::set_cookie(COOKIE, path, KEPT_FOR));
    }
    response
}

/// Leads to the page that the browser wanted, or else to the start page, and forgets it.
pub(super) fn lead(headers: &HeaderMap) -> Response {
    let wanted = ReturnTo { return_to: session::cookie_in(headers, COOKIE) };
    redirect(kept(wanted.path()), [none()])
}

/// A header that deletes the cookie.
pub(super) fn none() -> HeaderValue {
    session::set_cookie(COOKIE, "", Duration::ZERO)
}
