//! The client credentials grant of OAuth 2.0 (RFC 6749, section 4.4), with a token cache.

use certvakt_base::clock::Clock;
use certvakt_engine::outbound::bearer::Bearer;
use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{StatusCode, Url};
use serde::Deserialize;

use super::client_certificate::Certificate;
use super::method::{SignIn, SignInError};
use crate::client::PortalClient;

/// The type of an assertion (RFC 7523, section 2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The client's credential.
pub(super) enum Proof {
    /// A secret.
    Secret(String),
    /// A certificate.
    Certificate(Certificate),
}

/// The client id, the credential and the cached token.
pub(super) struct ClientCredentials {
    token: Url,
    client_id: String,
    scope: String,
    proof: Proof,
    wire: PortalClient,
    current: Bearer,
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
    pub(super) fn new(
        token: Url,
        client_id: String,
        scope: String,
        proof: Proof,
        wire: PortalClient,
    ) -> Self {
        Self { token, client_id, scope, proof, wire, current: Bearer::default() }
    }

    async fn fetch(&self) -> Result<Granted, SignInError> {
        let mut form = vec![
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", self.client_id.clone()),
            ("scope", self.scope.clone()),
        ];
        match &self.proof {
            Proof::Secret(secret) => form.push(("client_secret", secret.clone())),
            Proof::Certificate(certificate) => {
                // The server checks the dates of the assertion, so they need the real time even in a
                // rehearsal.
                let signed = certificate.assertion(&self.token, &self.client_id, Clock::system().now());
                let signed = signed.ok_or_else(|| {
                    SignInError::Refused("could not sign with the certificate's key".to_owned())
                })?;
                form.push(("client_assertion_type", ASSERTION.to_owned()));
                form.push(("client_assertion", signed));
            }
        }
        let request = self.wire.client().post(self.token.clone()).form(&form);
        let answer = self
            .wire
            .send(request, None)
            .await
            .map_err(|_| SignInError::Unavailable("no response from the token endpoint".to_owned()))?;
        match answer.status {
            StatusCode::OK => serde_json::from_slice(&answer.body)
                .map_err(|_| SignInError::Refused("the token endpoint's response is malformed".to_owned())),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(SignInError::Refused(format!(
                    "the token endpoint refused access ({}): check the client id, and whether its secret or certificate has expired",
                    answer.status.as_u16()
                )))
            }
            status => Err(SignInError::Unavailable(format!(
                "the token endpoint responded with {}",
                status.as_u16()
            ))),
        }
    }
}

impl SignIn for ClientCredentials {
    fn headers<'a>(&'a self, _: &'a str, _: &'a [u8]) -> BoxFuture<'a, Result<HeaderMap, SignInError>> {
        Box::pin(async {
            let fetch =
                async { self.fetch().await.map(|granted| (granted.access_token, granted.expires_in)) };
            let token = self.current.get(fetch).await?;
            let mut header = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| SignInError::Refused("the token is not valid in a header".to_owned()))?;
            header.set_sensitive(true);
            Ok(HeaderMap::from_iter([(AUTHORIZATION, header)]))
        })
    }

    fn renew<'a>(&'a self, refused: &'a HeaderMap) -> BoxFuture<'a, bool> {
        Box::pin(async {
            let token = refused.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            self.current
                .forget(token.and_then(|token| token.strip_prefix("Bearer ")).unwrap_or_default())
                .await;
            true
        })
    }

    fn ends_at(&self) -> Option<DateTime<Utc>> {
        match &self.proof {
            Proof::Secret(_) => None,
            Proof::Certificate(certificate) => Some(certificate.ends_at()),
        }
    }
}
