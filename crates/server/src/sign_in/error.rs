//! Why nobody is signed in.

use axum::Extension;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use certvakt_store::StoreError;

use crate::problem::{ApiError, Code};

/// The reason why a sign-in failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignInError {
    /// The browser started no matching sign-in, or did so too long ago.
    #[error("this sign-in started too long ago or in another browser: start again")]
    Expired,
    /// The person cancelled, or the provider refused them.
    #[error("the sign-in was cancelled or refused at the provider: start again, or ask the provider")]
    Denied,
    /// The provider rejected the code, or its response is not valid. The reason is safe to log.
    #[error("the sign-in could not be completed: start again")]
    Failed(&'static str),
    /// The provider's id token is not valid. The reason is safe to log: it contains no part of the token.
    #[error("the sign-in could not be completed: start again")]
    IdToken(&'static str),
    /// The provider cannot be reached.
    #[error("the sign-in provider cannot be reached: try again in a minute")]
    Provider(&'static str),
    /// A link that is unknown, used or expired.
    #[error("this link is unknown, used or expired: ask for a new one")]
    Link,
    /// A refusal that the API uses as well.
    #[error(transparent)]
    Refused(#[from] ApiError),
}

impl SignInError {
    /// The stable code, as listed in `docs/errors.md`.
    const fn code(&self) -> &'static str {
        match self {
            Self::Expired => "sign-in-expired",
            Self::Denied => "sign-in-denied",
            Self::Failed(_) | Self::IdToken(_) => "sign-in-failed",
            Self::Provider(_) => "provider-unavailable",
            Self::Link => "link-invalid",
            Self::Refused(refusal) => refusal.code(),
        }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::Expired => StatusCode::BAD_REQUEST,
            Self::Denied | Self::Failed(_) | Self::IdToken(_) => StatusCode::FORBIDDEN,
            Self::Provider(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Link => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused(refusal) => refusal.status(),
        }
    }
}

impl From<StoreError> for SignInError {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// The status and the code. [`crate::html::errors::render_errors`] renders them as a page.
impl IntoResponse for SignInError {
    fn into_response(self) -> Response {
        if let Self::Failed(reason) | Self::Provider(reason) = self {
            tracing::warn!(code = self.code(), "a sign-in failed: {reason}");
        }
        if let Self::IdToken(reason) = self {
            tracing::warn!(code = self.code(), "a sign-in failed: the id token is not valid: {reason}");
        }
        match self {
            Self::Refused(refusal) => refusal.into_response(),
            _ => (self.status(), Extension(Code(self.code()))).into_response(),
        }
    }
}
