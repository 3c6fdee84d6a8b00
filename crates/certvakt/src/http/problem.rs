//! What a request is refused with: problem details (RFC 9457) with stable codes.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;

use super::token::TokenError;
use crate::renewal::RenewalError;
use crate::store::StoreError;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Neither a token nor a session came with the request.
    #[error("sign in first: the request has no bearer token, and no session that is not over")]
    NoToken,
    /// The token is not accepted, or cannot be judged now.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The token is good, and its login is nobody we know.
    #[error("this login belongs to nobody here: accept the invitation that was sent to you")]
    UnknownLogin,
    /// There is no such thing, or it is not theirs to see.
    #[error("there is nothing here that you may see")]
    NotFound,
    /// The address is right, the method is not one of its.
    #[error("this address takes another method")]
    MethodNotAllowed,
    /// Access was closed by hand.
    #[error("access is closed for now: ask your organisation when it opens again")]
    Closed,
    /// Something in the request is wrong.
    #[error("{0}")]
    Invalid(String),
    /// The body is longer than 64 KiB, or a register than 20 MiB.
    #[error("the request is too long: send less than 64 KiB, or a register of less than 20 MiB")]
    TooLong,
    /// The body is of another media type.
    #[error("send the body as application/json")]
    NotJson,
    /// A change without `If-Match`.
    #[error("say with If-Match which version you change: the ETag that you were shown")]
    NoVersion,
    /// Somebody changed it meanwhile.
    #[error("somebody changed it meanwhile: look at it again, and then change it")]
    OtherVersion,
    /// The person may see it, and not do this.
    #[error("you may look at this and not change it: ask a coordinator of its chapter")]
    NotYours,
    /// Nothing shows yet that a login is the person's own.
    #[error(
        "nothing shows yet that this sign-in is your own: sign in at a provider, or with a link to the address that was recorded with you, two weeks after you first used it; or ask two administrators to confirm your address"
    )]
    LoginUnproven,
    /// An administrator's change, after a sign-in that is too old or too weak. Holds the challenge.
    #[error(
        "an administrator's change needs a new sign-in at the provider: sign in again at /sign-in/provider?step_up=true, or with a token that says so, and repeat it"
    )]
    StepUp(String),
    /// It has lapsed, and is renewed instead.
    #[error("this certification has lapsed: renew it instead")]
    Lapsed,
    /// A change of a certification that cannot be.
    #[error(transparent)]
    Renewal(RenewalError),
    /// An invitation that is unknown, used or expired.
    #[error("this invitation is unknown, used or expired: ask for another")]
    Invitation,
    /// The login belongs to somebody already.
    #[error("this login belongs to somebody already: sign in with another")]
    LoginTaken,
    /// An installation of the app that is another person's, whose device has another token.
    #[error(
        "this installation is another person's: send the token that the device has now, or name the installation anew"
    )]
    InstallationTaken,
    /// An Idempotency-Key that stands for another request.
    #[error("this Idempotency-Key stands for another request: make a new one for each")]
    KeyReused,
    /// A register's content that came before.
    #[error("this register was sent already: announce another")]
    AlreadySent,
    /// A partner's report that nobody we know has signed.
    #[error(
        "this is not signed with a key that is known here, or not now: sign it as Standard Webhooks says"
    )]
    NotSigned,
    /// A partner's report that cannot be heard, because of us.
    #[error("what it takes to hear this is not in place here at the moment: send it again later")]
    Deaf,
    /// A partner's report that does not keep to the contract.
    #[error("the report does not keep to the contract: {0}")]
    Report(String),
    /// More requests than a person makes.
    #[error("too many requests: wait for a minute")]
    TooMany,
    /// More requests at once than two of a login, while others of it wait already.
    #[error("this login has too many requests under way: wait for their answers first")]
    TooManyAtOnce,
    /// More registers of an organisation than are received, or wait, at once.
    #[error("this organisation has too many registers under way: wait until they have been taken in")]
    TooManyImports,
    /// What others of the organisation, or everybody, asked for is still being answered.
    #[error("too much is asked for at once: try again in a few seconds")]
    Busy,
    /// A session's request that one of our own pages did not send.
    #[error("this request did not come from a page of ours: open the page again and repeat it there")]
    Forged,
    /// No letter can be mailed.
    #[error("no mail leaves here: ask whoever runs the service to set up [email] and [sign_in]")]
    NoMail,
    /// The database.
    #[error("this cannot be answered now: try again in a minute")]
    Store(StoreError),
    /// The answer was not ready in time.
    #[error("the answer took too long: ask for less, or try again in a minute")]
    TooSlow,
    /// A fault of ours.
    #[error("a fault of certvakt's own: please report it with the request id")]
    Fault,
}

impl Refusal {
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
            Self::OtherVersion => "version-other",
            Self::NotYours => "not-yours",
            Self::LoginUnproven => "login-unproven",
            Self::StepUp(_) => "step-up-required",
            Self::Lapsed => "certification-lapsed",
            Self::Renewal(error) => error.code(),
            Self::Invitation => "invitation-invalid",
            Self::LoginTaken => "login-taken",
            Self::InstallationTaken => "installation-taken",
            Self::KeyReused => "key-reused",
            Self::AlreadySent => "register-sent",
            Self::NotSigned => "not-signed",
            Self::Deaf => "partner-not-set-up",
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
            | Self::Deaf
            | Self::NoMail
            | Self::Busy
            | Self::Store(_)
            | Self::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
            Self::Invalid(_)
            | Self::KeyReused
            | Self::Renewal(RenewalError::Date(_) | RenewalError::Words(_) | RenewalError::NoRule) => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoVersion => StatusCode::PRECONDITION_REQUIRED,
            Self::OtherVersion => StatusCode::PRECONDITION_FAILED,
            Self::Renewal(_)
            | Self::LoginTaken
            | Self::InstallationTaken
            | Self::Lapsed
            | Self::AlreadySent => StatusCode::CONFLICT,
            Self::TooMany | Self::TooManyAtOnce | Self::TooManyImports => StatusCode::TOO_MANY_REQUESTS,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Refusal {
    /// The body is JSON, and not what the address takes.
    pub(super) fn malformed_body() -> Self {
        Self::Invalid("the body is not the JSON that this address takes: see /api/v1/openapi.json".to_owned())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Invalid(what) => Self::Invalid(what),
            error => Self::Store(error),
        }
    }
}

impl From<JsonRejection> for Refusal {
    fn from(rejection: JsonRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLong,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::NotJson,
            _ => Self::malformed_body(),
        }
    }
}

impl From<QueryRejection> for Refusal {
    fn from(rejection: QueryRejection) -> Self {
        // It names the parameter, and repeats nothing that was sent but its name.
        tracing::debug!("a query was refused: {rejection}");
        Self::Invalid(
            "a parameter of the query is unknown or has a wrong form: see /api/v1/openapi.json".to_owned(),
        )
    }
}

impl From<PathRejection> for Refusal {
    fn from(_: PathRejection) -> Self {
        // What is no id is the id of nothing.
        Self::NotFound
    }
}

/// The stable code of what a request was refused with, beside the answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code(pub(super) &'static str);

/// A refusal, as it is sent: problem details (RFC 9457, section 3).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// The code as a URI.
    #[serde(rename = "type")]
    #[schema(example = "urn:certvakt:problem:not-found")]
    kind: String,
    /// What the status means.
    #[schema(value_type = String)]
    title: &'static str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The stable code.
    #[schema(value_type = String)]
    code: &'static str,
    /// What happened and what to do, in a sentence.
    detail: String,
}

/// What every address may answer instead, for the description of the API.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "describes refusals, which are made as `Refusal`")]
pub(super) enum Problems {
    /// Something is wrong with the request, or with who sends it
    #[response(status = "4XX", content_type = "application/problem+json")]
    Theirs(Problem),
    /// It cannot be answered now
    #[response(status = "5XX", content_type = "application/problem+json")]
    Ours(Problem),
}

impl IntoResponse for Refusal {
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
