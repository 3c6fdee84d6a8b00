//! Idempotency keys: a repeated request gets the stored response, and takes effect only once
//! (draft-ietf-httpapi-idempotency-key-header).

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use certvakt_store::CallerTx;
use certvakt_store::caller::keys::{self, Known};
use certvakt_store::caller::{self, uploads};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::IntoParams;
use uuid::Uuid;

use super::state::{Api, Caller};
use crate::problem::ApiError;

/// The header that marks a stored response.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// The maximum length of a key, in characters.
const LONGEST_KEY: usize = 255;

/// The header of a request that the client can repeat.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Header)]
pub(super) struct IdempotencyKey {
    /// A key that the client chooses, so that it can repeat the request
    #[serde(rename = "idempotency-key")]
    #[param(min_length = 1, max_length = 255)]
    key: Option<String>,
}

/// A response that can be sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredResponse {
    status: u16,
    etag: Option<String>,
    location: Option<String>,
    body: Value,
    #[serde(skip)]
    is_replayed: bool,
}

impl StoredResponse {
    pub(super) fn new(status: StatusCode, body: &impl Serialize) -> Result<Self, ApiError> {
        let body = serde_json::to_value(body).map_err(|_| ApiError::Fault)?;
        Ok(Self { status: status.as_u16(), etag: None, location: None, body, is_replayed: false })
    }

    pub(super) fn with_etag(self, etag: String) -> Self {
        Self { etag: Some(etag), ..self }
    }

    pub(super) fn with_location(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }
}

impl IntoResponse for StoredResponse {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        for (name, value) in [(header::ETAG, self.etag), (header::LOCATION, self.location)] {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        if self.is_replayed {
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// The kind of object whose id is in the response's field `id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// A certification of a chapter that the caller coordinates.
    Certification,
    /// An import of a register.
    Import,
}

impl About {
    /// Whether the caller may still see the object of the response, because their permissions can change.
    async fn is_visible(self, tx: &mut CallerTx, answer: &StoredResponse) -> Result<bool, ApiError> {
        let Some(id) = answer.body["id"].as_str().and_then(|id| id.parse::<Uuid>().ok()) else {
            return Ok(false);
        };
        Ok(match self {
            // Only a caller with access to the chapter sees the chapter's name.
            Self::Certification => {
                caller::certification(tx, id).await?.is_some_and(|found| found.chapter.is_some())
            }
            Self::Import => uploads::upload(tx, id).await?.is_some(),
        })
    }
}

/// The result of looking up a key.
pub(super) enum Once {
    /// A repeated request, with its stored response.
    Answered(StoredResponse),
    /// A new request, which takes effect in this transaction.
    First(First),
}

/// The transaction of a new request.
pub(super) struct First {
    pub(super) tx: CallerTx,
    key: Option<String>,
}

impl Once {
    /// Begins a request. `request` is the whole content of the request, because a key can be used for one
    /// content only. Without a key, every request is new. A response is sent again only while the caller may
    /// see its object.
    pub(super) async fn begin(
        api: &Api,
        caller: &Caller,
        key: &IdempotencyKey,
        request: &impl Serialize,
        about: About,
    ) -> Result<Self, ApiError> {
        let key = key.key.as_deref().map(parsed).transpose()?;
        let request = serde_json::to_vec(request).map_err(|_| ApiError::Fault)?;
        let mut tx = api.person(caller).await?;
        let known = match &key {
            Some(key) => keys::take(&mut tx, key, &request).await?,
            None => Known::Not,
        };
        match known {
            Known::Not => Ok(Self::First(First { tx, key })),
            Known::Otherwise => Err(ApiError::KeyReused),
            Known::Answered(answer) => {
                let answer: StoredResponse = serde_json::from_value(answer).map_err(|_| ApiError::Fault)?;
                if !about.is_visible(&mut tx, &answer).await? {
                    return Err(ApiError::NotFound);
                }
                Ok(Self::Answered(StoredResponse { is_replayed: true, ..answer }))
            }
        }
    }
}

impl First {
    /// Stores the response and commits.
    pub(super) async fn answer(mut self, answer: StoredResponse) -> Result<StoredResponse, ApiError> {
        if let Some(key) = &self.key {
            let kept = serde_json::to_value(&answer).map_err(|_| ApiError::Fault)?;
            keys::store(&mut self.tx, key, &kept).await?;
        }
        self.tx.commit().await?;
        Ok(answer)
    }
}

/// Parses the key in a header: a quoted string, as the draft specifies, or an unquoted one, as most clients
/// send.
fn parsed(header: &str) -> Result<String, ApiError> {
    let text = header.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if text.is_empty() || text.len() > LONGEST_KEY || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ApiError::Invalid(format!(
            "an Idempotency-Key must have 1 to {LONGEST_KEY} ASCII characters, without spaces"
        )));
    }
    Ok(text.to_owned())
}
