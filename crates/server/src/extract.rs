//! Extractors that reject malformed requests with problem details.

use axum::Json;
use axum::body::HttpBody;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::problem::ApiError;

/// The maximum length of a search text, in characters.
const LONGEST_TEXT: usize = 200;

/// A JSON body.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        // Accept objects only: serde would accept an array with the values in the right order as well.
        let Json(fields) = <Json<Map<String, Value>> as FromRequest<S>>::from_request(request, state).await?;
        let body = serde_json::from_value(Value::Object(fields));
        body.map(Self).map_err(|_| ApiError::malformed_body())
    }
}

/// No body, if the request has neither a content type nor content.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if !request.headers().contains_key(CONTENT_TYPE) && request.body().is_end_stream() {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

/// The query parameters, none of which contains U+0000.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        check_encoded(parts.uri.query().unwrap_or_default().as_bytes())?;
        Ok(Self(axum::extract::Query::try_from_uri(&parts.uri)?.0))
    }
}

/// Rejects a URL-encoded query or form with U+0000, which PostgreSQL's text cannot store.
pub(super) fn check_encoded(encoded: &[u8]) -> Result<(), ApiError> {
    if encoded.contains(&0) || encoded.windows(3).any(|three| three == b"%00") {
        return Err(ApiError::Invalid("a text must not contain U+0000".to_owned()));
    }
    Ok(())
}

/// The path parameters.
#[derive(Debug, FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(ApiError))]
pub(super) struct Path<T>(pub(super) T);

/// Some of the headers, of each the first value. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug)]
pub(super) struct Headers<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Headers<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let text = |name| Some(String::from_utf8_lossy(parts.headers.get(name)?.as_bytes()).into_owned());
        let headers: Map<String, Value> =
            parts.headers.keys().map(|name| (name.to_string(), text(name).into())).collect();
        let headers = serde_json::from_value(Value::Object(headers));
        headers.map(Self).map_err(|_| ApiError::Invalid("a required header is missing".to_owned()))
    }
}

/// Rejects a search text that is too long.
pub(super) fn check_text(text: Option<&String>) -> Result<(), ApiError> {
    match text {
        Some(text) if text.chars().count() > LONGEST_TEXT => Err(ApiError::Invalid(format!(
            "a text to search for must have at most {LONGEST_TEXT} characters"
        ))),
        _ => Ok(()),
    }
}
