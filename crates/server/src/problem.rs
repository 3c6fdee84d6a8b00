//! Refusals of requests: problem details (RFC 9457) with stable codes.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use certvakt_engine::renewal::RenewalError;
use certvakt_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::token::TokenError;

/// The reason why a request is refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request has neither a token nor a session.
    #[error("sign in first: the request has no bearer token and no active session")]
    NoToken,
    /// The token is not accepted, or cannot be checked now.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is valid, but no person is linked to its login.
    #[error("no person is linked to this login: accept the invitation that was sent to you")]
    UnknownLogin,
    /// The resource does not exist, or the caller may not see it.
    #[error("not found, or not visible to you")]
    NotFound,
    /// The path exists, but not with this method.
    #[error("this path does not support the method")]
    MethodNotAllowed,
    /// An operator closed access.
    #[error("access is closed for now: ask your organisation when it opens again")]
    Closed,
    /// The request is invalid.
    #[error("{0}")]
    Invalid(String),
    /// The body exceeds 64 KiB, or 20 MiB if it is a register.
    #[error("the request is too long: send less than 64 KiB, or a register of less than 20 MiB")]
    TooLong,
    /// The body has another media type.
    #[error("send the body as application/json")]
    NotJson,
    /// The change has no `If-Match`.
    #[error("send If-Match with the ETag of the version that you change")]
    NoVersion,
    /// The resource has changed since the caller read it.
    #[error("the resource has changed since you read it: read it again, then repeat the change")]
    OtherVersion,
    /// The caller may see the resource but not change it.
    #[error("you may see this but not change it: ask a coordinator of its chapter")]
    NotYours,
    /// The login is not yet proven to be the person's own.
    #[error(
        "nothing shows yet that this sign-in is your own: sign in at a provider, or with a link to the address that was recorded with you, two weeks after you first used it; or ask two administrators to confirm your address"
    )]
    LoginUnproven,
    /// An administrator's sign-in is too old or too weak for a change. Contains the challenge.
    #[error(
        "an administrator's change needs a recent sign-in at the provider: sign in again at /sign-in/provider?step_up=true or get a new token, then repeat the change"
    )]
    StepUp(String),
    /// The certification has lapsed, so it must be renewed instead.
    #[error("this certification has lapsed: renew it instead")]
    Lapsed,
    /// A change of a certification that is not possible.
    #[error(transparent)]
    Renewal(RenewalError),
    /// An invitation that is unknown, used or expired.
    #[error("this invitation is unknown, used or expired: ask for a new one")]
    Invitation,
    /// The login belongs to another person.
    #[error("this login belongs to another person: sign in with another login")]
    LoginTaken,
    /// The installation of the app belongs to another person, and its device has another token.
    #[error(
        "this installation belongs to another person: send the current token of the device, or use a new installation name"
    )]
    InstallationTaken,
    /// The Idempotency-Key was used for another request.
    #[error("this Idempotency-Key was used for another request: use a new key for each request")]
    KeyReused,
    /// The content of the register was sent before.
    #[error("the content of this register was already sent: announce a new import")]
    AlreadySent,
    /// The import to undo was not imported, or is undone.
    #[error("this register was not imported, or its import is undone already: there is nothing to undo")]
    NotImported,
    /// A partner's report without a valid signature.
    #[error(
        "the signature is not valid for this partner: sign the request as Standard Webhooks specifies, with a current time stamp"
    )]
    NotSigned,
    /// A partner's report that cannot be received, because this server is not configured for it.
    #[error("this webhook is not configured on this server: retry later")]
    WebhookNotConfigured,
    /// A partner's report that breaks the contract.
    #[error("the report breaks the contract: {0}")]
    Report(String),
    /// The login, or the client's address, made too many requests in a minute.
    #[error("too many requests: wait for a minute")]
    TooMany,
    /// Two requests of the login are in progress, and too many others wait.
    #[error("this login has too many requests in progress: wait for their responses first")]
    TooManyAtOnce,
    /// Too many registers of the organisation are being received, or wait.
    #[error("this organisation has too many imports in progress: wait until they have finished")]
    TooManyImports,
    /// Too many requests of the organisation, or of all clients, are in progress.
    #[error("the server is busy: try again in a few seconds")]
    Busy,
    /// A change by a session that none of our pages sent.
    #[error("this request did not come from our own page: open the page again and repeat it there")]
    Forged,
    /// No mail can be sent.
    #[error("this server sends no mail: ask the operator to set up [email] and [sign_in]")]
    NoMail,
    /// The database failed.
    #[error("the database cannot answer now: try again in a minute")]
    Store(StoreError),
    /// The response was not ready in time.
    #[error("the response took too long: ask for less, or try again in a minute")]
    TooSlow,
    /// An internal error.
    #[error("internal error: please report it with the request id")]
    Fault,
}

impl ApiError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoToken => "token-missing",
            Self::Token(error) => error.code(),
            Self::UnknownLogin => "login-unknown",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Closed => "access-closed",
            Self::Invalid(_) => "request-invalid",
            Self::TooLong => "request-too-long",
            Self::NotJson => "request-not-json",
            Self::NoVersion => "version-missing",
            Self::OtherVersion => "version-mismatch",
            Self::NotYours => "not-permitted",
            Self::LoginUnproven => "login-unproven",
            Self::StepUp(_) => "step-up-required",
            Self::Lapsed => "certification-lapsed",
            Self::Renewal(error) => error.code(),
            Self::Invitation => "invitation-invalid",
            Self::LoginTaken => "login-taken",
            Self::InstallationTaken => "installation-taken",
            Self::KeyReused => "key-reused",
            Self::AlreadySent => "register-already-uploaded",
            Self::NotImported => "import-not-undoable",
            Self::NotSigned => "not-signed",
            Self::WebhookNotConfigured => "partner-not-configured",
            Self::Report(_) => "report-invalid",
            Self::TooMany => "too-many-requests",
            Self::TooManyAtOnce => "too-many-at-once",
            Self::TooManyImports => "too-many-imports",
            Self::Busy => "busy",
            Self::Forged => "request-forged",
            Self::NoMail => "mail-off",
            Self::Store(error) => error.code(),
            Self::TooSlow => "answer-timeout",
            Self::Fault => "internal",
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoToken | Self::NotSigned | Self::StepUp(_) | Self::Token(TokenError::Invalid(_)) => {
                StatusCode::UNAUTHORIZED
            }
            Self::Report(_) => StatusCode::BAD_REQUEST,
            Self::UnknownLogin | Self::NotYours | Self::LoginUnproven | Self::Forged => StatusCode::FORBIDDEN,
            Self::NotFound | Self::Invitation => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Token(TokenError::KeysUnavailable)
            | Self::Closed
            | Self::WebhookNotConfigured
            | Self::NoMail
            | Self::Busy
            | Self::Store(_)
            | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Invalid(_)
            | Self::KeyReused
            | Self::Renewal(
                RenewalError::Date(_)
                | RenewalError::Early(_)
                | RenewalError::Words(_)
                | RenewalError::NoRule,
            ) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoVersion => StatusCode::PRECONDITION_REQUIRED,
            Self::OtherVersion => StatusCode::PRECONDITION_FAILED,
            Self::Renewal(_)
            | Self::LoginTaken
            | Self::InstallationTaken
            | Self::Lapsed
            | Self::AlreadySent
            | Self::NotImported => StatusCode::CONFLICT,
            Self::TooMany | Self::TooManyAtOnce | Self::TooManyImports => StatusCode::TOO_MANY_REQUESTS,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl ApiError {
    /// The body is JSON, but does not match the schema of the path.
    pub(super) fn malformed_body() -> Self {
        Self::Invalid("the body does not match the schema of this path: see /api/v1/openapi.json".to_owned())
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Invalid(what) => Self::Invalid(what),
            error => Self::Store(error),
        }
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLong,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::NotJson,
            _ => Self::malformed_body(),
        }
    }
}

impl From<QueryRejection> for ApiError {
    fn from(rejection: QueryRejection) -> Self {
        // The message contains the parameter's name, but not its value.
        tracing::debug!("rejected a query: {rejection}");
        Self::Invalid(
            "a query parameter is unknown or has the wrong form: see /api/v1/openapi.json".to_owned(),
        )
    }
}

impl From<PathRejection> for ApiError {
    fn from(_: PathRejection) -> Self {
        // A malformed id cannot be the id of a resource.
        Self::NotFound
    }
}

/// The stable code of a refusal, as an extension of the response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

/// Problem details (RFC 9457, section 3).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The code as a URI.
    #[serde(rename = "type")]
    #[schema(example = "urn:certvakt:problem:not-found")]
    kind: String,
    /// The phrase of the status.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The stable code.
    #[schema(value_type = String)]
    code: &'static str,
    /// One sentence that says what happened and what to do.
    detail: String,
}

/// The problem responses of every path, for the description of the API.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "describes refusals, which are made as `ApiError`")]
pub(super) enum Problems {
    /// The request is invalid, or the caller may not make it
    #[response(status = "4XX", content_type = "application/problem+json")]
    Theirs(Problem),
    /// The server cannot respond now
    #[response(status = "5XX", content_type = "application/problem+json")]
    Ours(Problem),
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        match &self {
            Self::Store(error) => tracing::error!(code = error.code(), "a request failed: {error}"),
            Self::Token(error) => tracing::info!(code = error.code(), "{error}"),
            Self::TooMany | Self::TooManyAtOnce | Self::TooManyImports | Self::Busy => {
                metrics::counter!("certvakt_requests_refused_total", "code" => self.code()).increment(1);
            }
            _ => {}
        }
        let problem = Problem {
            kind: format!("urn:certvakt:problem:{}", self.code()),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code: self.code(),
            detail: self.to_string(),
        };
        let is_short = matches!(self, Self::TooManyAtOnce | Self::Busy);
        let mut response = (status, Extension(Code(self.code())), Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match status {
            StatusCode::UNAUTHORIZED => {
                let challenge = match &self {
                    Self::StepUp(challenge) => HeaderValue::try_from(challenge),
                    _ => Ok(HeaderValue::from_static("Bearer")),
                };
                headers.extend(challenge.ok().map(|challenge| (header::WWW_AUTHENTICATE, challenge)));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                let seconds = HeaderValue::from_static(if is_short { "5" } else { "60" });
                headers.insert(header::RETRY_AFTER, seconds);
            }
            _ => {}
        }
        response
    }
}
