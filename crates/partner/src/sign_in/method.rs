//! The trait of sign-in methods.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use reqwest::header::HeaderMap;

/// A sign-in method, which provides the credentials of a request.
pub trait SignIn: std::fmt::Debug + Send + Sync {
    /// The headers of a request with this id and body.
    fn headers<'a>(&'a self, id: &'a str, body: &'a [u8]) -> BoxFuture<'a, Result<HeaderMap, SignInError>>;

    /// Drops rejected credentials, unless they were renewed in the meantime. Returns whether to try again.
    fn renew<'a>(&'a self, _refused: &'a HeaderMap) -> BoxFuture<'a, bool> {
        Box::pin(async { false })
    }

    /// The expiry of the credential, if the credential contains it.
    fn ends_at(&self) -> Option<DateTime<Utc>> {
        None
    }
}

/// The reason why certvakt cannot sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInError {
    /// The secret is rejected, or there is none.
    Refused(String),
    /// The token endpoint is unavailable.
    Unavailable(String),
}
