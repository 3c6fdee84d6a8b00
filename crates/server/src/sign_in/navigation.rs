//! Where a browser goes next.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The path of the sign-in page.
pub(super) const HOME: &str = "/sign-in";
/// The path to which a form sends the end of a session.
pub(super) const END_SESSION: &str = "/sign-in/sessions/end";
/// The maximum length of a return path, in bytes.
pub(super) const LONGEST_RETURN: usize = 500;

/// The query with the return path.
#[derive(Deserialize)]
pub(super) struct ReturnTo {
    pub(super) return_to: Option<String>,
}

impl ReturnTo {
    /// The return path, if it is one of this service and valid in a cookie; otherwise the sign-in page.
    pub(super) fn path(&self) -> &str {
        self.return_to.as_deref().filter(|path| is_local(path)).unwrap_or(HOME)
    }
}

pub(super) fn is_local(path: &str) -> bool {
    // Browsers treat a backslash as a slash, and two of either as the start of another host.
    path.starts_with('/')
        && !path[1..].starts_with('/')
        && path.len() <= LONGEST_RETURN
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\'))
}

/// A path of ours with a return path.
pub(super) fn with_return(path: &str, return_to: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
    format!("{path}?{query}")
}

/// Redirects to one of our pages, with cookies.
pub(super) fn redirect<const N: usize>(path: &str, cookies: [HeaderValue; N]) -> Response {
    let mut response = Redirect::to(path).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
