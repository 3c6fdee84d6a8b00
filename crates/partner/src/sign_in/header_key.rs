//! A key in a header.

use futures_util::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::method::{SignIn, SignInError};

/// The header with the key.
#[derive(Debug)]
pub(super) struct HeaderKey {
    name: HeaderName,
    /// Marked as sensitive, so that nothing prints it.
    key: HeaderValue,
}

impl HeaderKey {
    pub(super) fn new(name: &str, key: &str) -> Result<Self, String> {
        let name = HeaderName::try_from(name)
            .map_err(|_| format!("sign_in.header '{name}' is not a header name"))?;
        let mut key =
            HeaderValue::try_from(key).map_err(|_| "the key is not valid in a header".to_owned())?;
        key.set_sensitive(true);
        Ok(Self { name, key })
    }
}

impl SignIn for HeaderKey {
    fn headers<'a>(&'a self, _: &'a str, _: &'a [u8]) -> BoxFuture<'a, Result<HeaderMap, SignInError>> {
        Box::pin(async { Ok(HeaderMap::from_iter([(self.name.clone(), self.key.clone())])) })
    }
}
