//! The page to which a browser returns after sign-in: one of ours, never another site.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// The page after a sign-in that carried no path.
pub(crate) const START: &str = "/";
/// The maximum length of a return path, in bytes.
pub(crate) const LONGEST_RETURN: usize = 500;

/// The query with the return path.
#[derive(Deserialize)]
pub(crate) struct ReturnTo {
    pub(crate) return_to: Option<String>,
}

impl ReturnTo {
    /// The return path, if it is one of this service and valid in a cookie; otherwise the start page.
    pub(crate) fn path(&self) -> &str {
        self.return_to.as_deref().filter(|path| is_local(path)).unwrap_or(START)
    }
}

pub(crate) fn is_local(path: &str) -> bool {
    // Browsers treat a backslash as a slash, and two of either as the start of another host.
    path.starts_with('/')
        && !path[1..].starts_with('/')
        && path.len() <= LONGEST_RETURN
        && path.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\'))
}

/// A path of ours with a return path.
pub(crate) fn with_return(path: &str, return_to: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
    format!("{path}?{query}")
}

/// Redirects to one of our pages, with cookies.
pub(crate) fn redirect<const N: usize>(path: &str, cookies: [HeaderValue; N]) -> Response {
    let mut response = Redirect::to(path).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
