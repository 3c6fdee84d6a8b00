//! Signed requests, as Standard Webhooks specifies: `webhook-id`, `webhook-timestamp`, and
//! `webhook-signature` with one signature for each key, so that keys can be rotated while both sides know
//! two.

use certvakt_base::clock::Clock;
use futures_util::future::BoxFuture;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use super::method::{SignIn, SignInError};

/// The keys.
pub(super) struct Signature {
    keys: Vec<Webhook>,
    /// The real clock, even in a rehearsal, because the receiver compares the time stamp with its own clock.
    clock: Clock,
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signature").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

impl Signature {
    pub(super) fn new(secrets: &[String], clock: Clock) -> Result<Self, String> {
        let keys = secrets.iter().map(|secret| Webhook::new(secret)).collect::<Result<_, _>>();
        let keys = keys.map_err(|_| {
            "a key is not in the format of Standard Webhooks: write whsec_ and base64".to_owned()
        })?;
        Ok(Self { keys, clock })
    }

    fn sign(&self, id: &str, body: &[u8]) -> Option<HeaderMap> {
        let now = self.clock.now().timestamp();
        let signatures: Result<Vec<String>, _> =
            self.keys.iter().map(|key| key.sign(id, now, body)).collect();
        let header =
            |name, text: String| Some((HeaderName::from_static(name), HeaderValue::try_from(text).ok()?));
        Some(HeaderMap::from_iter([
            header(HEADER_WEBHOOK_ID, id.to_owned())?,
            header(HEADER_WEBHOOK_TIMESTAMP, now.to_string())?,
            header(HEADER_WEBHOOK_SIGNATURE, signatures.ok()?.join(" "))?,
        ]))
    }
}

impl SignIn for Signature {
    fn headers<'a>(&'a self, id: &'a str, body: &'a [u8]) -> BoxFuture<'a, Result<HeaderMap, SignInError>> {
        Box::pin(async move {
            self.sign(id, body).ok_or_else(|| SignInError::Refused("could not sign the request".to_owned()))
        })
    }
}
