//! Compression of pages, which are mostly markup. Secrets in a page must differ in each response, because the length of a
//! compressed page otherwise reveals them (BREACH); see `Session::csrf`.

use std::io::Write;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The size in bytes below which compression saves nothing.
const WORTH_IT_FROM: usize = 1024;
/// The maximum size of a page, in bytes.
const LONGEST_PAGE: usize = 4 * 1024 * 1024;

/// Compresses the response if the browser accepts it.
pub(crate) async fn compress(request: Request, next: Next) -> Response {
    let accepts = request.headers().get_all(header::ACCEPT_ENCODING);
    let is_accepted = accepts.iter().filter_map(|value| value.to_str().ok()).any(accepts_gzip);
    let mut response = next.run(request).await;
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_markup = kind.is_some_and(|kind| kind.starts_with("text/html") || kind.starts_with("text/css"));
    if !is_accepted || !is_markup {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_PAGE).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if body.len() < WORTH_IT_FROM {
        return Response::from_parts(parts, Body::from(body));
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    match encoder.write_all(&body).and_then(|()| encoder.finish()) {
        Ok(compressed) => {
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Response::from_parts(parts, Body::from(compressed))
        }
        Err(_) => Response::from_parts(parts, Body::from(body)),
    }
}

/// Whether an `Accept-Encoding` accepts gzip (RFC 9110, section 12.5.3).
fn accepts_gzip(value: &str) -> bool {
    value.split(',').any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = quality.split_once('=').is_some_and(|(_, q)| q.trim().parse() == Ok(0.0));
        name.trim().eq_ignore_ascii_case("gzip") && !is_refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_used_only_if_it_is_accepted() {
        for (value, expected) in [
            ("gzip, deflate, br, zstd", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(accepts_gzip(value), expected, "{value}");
        }
    }
}
