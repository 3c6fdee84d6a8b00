//! Access tokens of a Google service account: the JWT bearer grant (RFC 7523), with a token cache.
//!
//! Source: "Using OAuth 2.0 for Server to Server Applications", Google Identity.

use std::path::Path;

use certvakt_base::clock::Clock;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, StatusCode, Url};
use serde::{Deserialize, Serialize};

use crate::outbound::bearer::Bearer;
use crate::signatures;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The lifetime of an assertion. Google accepts at most an hour; five minutes are enough for one request.
const ASSERTION_SECONDS: i64 = 300;

/// A service account's key.
pub(super) struct ServiceAccount {
    pub(super) project_id: String,
    client_email: String,
    token_uri: Url,
    key_id: String,
    key: EncodingKey,
}

/// The key file, as the Firebase console gives it.
#[derive(Deserialize)]
struct KeyFile {
    project_id: String,
    private_key_id: String,
    private_key: String,
    client_email: String,
    token_uri: String,
}

impl ServiceAccount {
    /// Reads a key file. An error describes the fault, but contains no part of the file.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read(path).map_err(|error| {
            format!(
                "cannot read fcm.service_account_file ({}): check the path and its permissions",
                error.kind()
            )
        })?;
        let file: KeyFile = serde_json::from_slice(&text).map_err(|_| {
            "fcm.service_account_file is not a service account's key: create a new key in the Firebase console"
                .to_owned()
        })?;
        let token_uri = Url::parse(&file.token_uri)
            .ok()
            .filter(crate::outbound::is_safe)
            .ok_or("the service account's token_uri must start with https://")?;
        let key = EncodingKey::from_rsa_pem(file.private_key.as_bytes()).map_err(|_| {
            "the service account's private_key is not an RSA key: create a new key in the Firebase console"
                .to_owned()
        })?;
        Ok(Self {
            project_id: file.project_id,
            client_email: file.client_email,
            token_uri,
            key_id: file.private_key_id,
            key,
        })
    }
}

/// The reason why there is no token.
pub(super) enum TokenError {
    /// Google rejects the key.
    Refused(String),
    /// The token endpoint is unavailable.
    Unavailable(String),
}

/// The cached access token, which all requests share and one at a time renews.
pub(super) struct AccessToken {
    account: ServiceAccount,
    client: Client,
    current: Bearer,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl AccessToken {
    pub(super) fn new(account: ServiceAccount, client: Client) -> Self {
        Self { account, client, current: Bearer::default() }
    }

    /// Returns a valid token.
    pub(super) async fn bearer(&self) -> Result<String, TokenError> {
        let fetch = async { self.fetch().await.map(|granted| (granted.access_token, granted.expires_in)) };
        self.current.get(fetch).await
    }

    /// Drops a token that FCM rejected, unless it has been renewed in the meantime.
    pub(super) async fn forget(&self, token: &str) {
        self.current.forget(token).await;
    }

    async fn fetch(&self) -> Result<Granted, TokenError> {
        // Google checks the dates of the assertion, so they need the real time even in a rehearsal.
        let now = Clock::system().now().timestamp();
        let claims = Claims {
            iss: &self.account.client_email,
            scope: SCOPE,
            aud: self.account.token_uri.as_str(),
            iat: now,
            exp: now + ASSERTION_SECONDS,
        };
        let header = Header { kid: Some(self.account.key_id.clone()), ..Header::new(Algorithm::RS256) };
        signatures::install();
        let assertion = jsonwebtoken::encode(&header, &claims, &self.account.key)
            .map_err(|_| TokenError::Refused("the service account's key cannot sign".to_owned()))?;
        let answer = self
            .client
            .post(self.account.token_uri.clone())
            .form(&[("grant_type", GRANT), ("assertion", &assertion)])
            .send()
            .await
            .map_err(|_| TokenError::Unavailable("no response from the token endpoint".to_owned()))?;
        let status = answer.status();
        match status {
            StatusCode::OK => answer.json().await.map_err(|_| {
                TokenError::Unavailable("an unexpected response from the token endpoint".to_owned())
            }),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(TokenError::Refused(format!(
                    "the token endpoint rejected the service account ({})",
                    status.as_u16()
                )))
            }
            _ => {
                Err(TokenError::Unavailable(format!("the token endpoint responded with {}", status.as_u16())))
            }
        }
    }
}
