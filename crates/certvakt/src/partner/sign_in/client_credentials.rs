//! A bearer token for our id and secret: the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4), its
//! token kept until shortly before its end.

use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{SignIn, SignInError};
use crate::partner::wire::Wire;

/// How long before its end a token is renewed.
const RENEW_BEFORE: Duration = Duration::from_mins(5);
/// After which it is renewed in any case.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// Our id and secret, and the token that they were good for.
pub(super) struct ClientCredentials {
    token: Url,
    client_id: String,
    scope: String,
    secret: String,
    wire: Wire,
    current: Mutex<Option<(HeaderValue, Instant)>>,
}

impl std::fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientCredentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl ClientCredentials {
    pub(super) fn new(token: Url, client_id: String, scope: String, secret: String, wire: Wire) -> Self {
        Self { token, client_id, scope, secret, wire, current: Mutex::new(None) }
    }

    async fn bearer(&self) -> Result<HeaderValue, SignInError> {
        let mut current = self.current.lock().await;
        if let Some((header, renew_at)) = &*current
            && Instant::now() < *renew_at
        {
            return Ok(header.clone());
        }
        let granted = self.fetch().await?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", granted.access_token))
            .map_err(|_| SignInError::Unavailable("the token given cannot stand in a header".to_owned()))?;
        header.set_sensitive(true);
        let lifetime = Duration::from_secs(granted.expires_in).min(LONGEST_LIFE);
        // A token shorter than the margin is still good for some of its life.
        let usable = lifetime.saturating_sub(RENEW_BEFORE).max(lifetime / 2);
        *current = Some((header.clone(), Instant::now() + usable));
        Ok(header)
    }

    async fn fetch(&self) -> Result<Granted, SignInError> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", &self.secret),
            ("scope", &self.scope),
        ];
        let request = self.wire.client().post(self.token.clone()).form(&form);
        let answer = self
            .wire
            .send(request)
            .await
            .map_err(|_| SignInError::Unavailable("no answer to signing in".to_owned()))?;
        match answer.status {
            StatusCode::OK => serde_json::from_slice(&answer.body).map_err(|_| {
                SignInError::Refused("signing in was answered with something that is no token".to_owned())
            }),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(SignInError::Refused(format!(
                    "signing in is refused ({}): check our id and whether the secret has expired",
                    answer.status.as_u16()
                )))
            }
            status => {
                Err(SignInError::Unavailable(format!("signing in was answered with {}", status.as_u16())))
            }
        }
    }
}

impl SignIn for ClientCredentials {
    fn headers<'a>(&'a self, _: &'a str, _: &'a [u8]) -> BoxFuture<'a, Result<HeaderMap, SignInError>> {
        Box::pin(async { Ok(HeaderMap::from_iter([(AUTHORIZATION, self.bearer().await?)])) })
    }

    fn forget(&self) -> BoxFuture<'_, bool> {
        Box::pin(async { self.current.lock().await.take().is_some() })
    }
}
