//! The style sheet, embedded in the binary. Its path contains its digest, so that a browser keeps it until it changes.

use std::sync::LazyLock;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use certvakt_rules::key::hex_digest;

const STYLE: &str = include_str!("../../templates/style.css");
/// The path of the style sheet.
pub(crate) static STYLE_PATH: LazyLock<String> = LazyLock::new(|| {
    let digest = hex_digest(STYLE);
    format!("/assets/{}.css", &digest[..16])
});

/// The routes of the assets.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route(&STYLE_PATH, get(style))
}

async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    (headers, STYLE).into_response()
}
