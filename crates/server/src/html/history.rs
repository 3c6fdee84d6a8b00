//! The answers to forms in a browser's history.

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

/// Only the browser itself stores the page, and asks before it shows it for another request.
const IN_HISTORY: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Lets a browser keep the page that answers a form, so that *Back* shows it. Otherwise, Chromium shows an error page there
/// (`ERR_CACHE_MISS`), and what somebody entered is lost. Sign-out removes the pages: see [`forget`].
pub(crate) async fn keep_answers(request: Request, next: Next) -> Response {
    let is_form = !request.method().is_safe();
    let mut response = next.run(request).await;
    let is_page = |headers: &HeaderMap| {
        headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
    };
    if is_form && is_page(response.headers()) {
        response.headers_mut().insert(CACHE_CONTROL, IN_HISTORY);
    }
    response
}

/// Makes the browser forget the pages that it kept.
pub(crate) fn forget(response: &mut Response) {
    let header = HeaderName::from_static("clear-site-data");
    response.headers_mut().insert(header, HeaderValue::from_static("\"cache\""));
}
