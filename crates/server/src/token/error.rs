//! Why a token is not accepted.

/// The reason why a token is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token is invalid. The reason is safe to log: it contains no part of the token.
    #[error("the token is not valid: {0}; sign in again")]
    Invalid(&'static str),
    /// The issuer's keys are not available, so the token cannot be verified.
    #[error("the keys at auth.jwks_url are not available: try again in a minute")]
    KeysUnavailable,
}

impl TokenError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "token-invalid",
            Self::KeysUnavailable => "token-keys-unavailable",
        }
    }
}
