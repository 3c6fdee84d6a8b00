//! The parts that every page shares: its language, its layout, its style sheet.
//!
//! No page has a script. Forms and links do everything, and the content security policy makes injected script harmless.

pub(super) mod assets;
pub(super) mod compression;
pub(super) mod errors;
pub(super) mod fault;
pub(super) mod layout;
pub(super) mod text;

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The content security policy of pages: a page loads only our style sheet, and its forms are sent only to us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'none'; style-src 'self'; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The response with a rendered template.
pub(super) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (header::CONTENT_SECURITY_POLICY, POLICY),
            ];
            (status, headers, text).into_response()
        }
        Err(error) => {
            tracing::error!("could not render a page: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
