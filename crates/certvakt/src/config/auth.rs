//! `[auth]`: whose tokens the HTTP API accepts.

use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[auth]`. Left out or empty, no API token is accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// The one issuer, exactly as tokens write it in `iss`.
    pub issuer: String,
    /// For whom tokens must be made, exactly as in `aud`; Supabase writes "authenticated".
    pub audience: String,
    /// The one way tokens are signed. What a token says of itself decides nothing (RFC 8725, section
    /// 3.1).
    pub algorithm: TokenAlgorithm,
    /// The file that holds the secret of HS256, at least 32 bytes; a line end after it does not count.
    pub secret_file: PathBuf,
    /// Where the issuer publishes its keys as a JSON Web Key Set, for every other algorithm.
    /// Unencrypted addresses are taken on loopback only.
    pub jwks_url: String,
}

/// How a token is signed, by its name in the configuration and in tokens (RFC 7518, section 3.1; RFC
/// 8037, section 3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256, by a secret that the issuer shares with us.
    #[serde(rename = "HS256")]
    Hs256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    /// The Edwards curve Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

/// Where the keys that tokens are checked with come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource<'a> {
    /// A file that holds a secret.
    SecretFile(&'a Path),
    /// A JSON Web Key Set at a safe address.
    Jwks(Url),
}

/// How issuers begin that are no provider's: of logins that this service makes itself.
const OUR_ISSUERS: &str = "urn:certvakt:";

impl AuthConfig {
    /// Whether the section is left out or empty.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// Where the keys come from, or what in the section is wrong.
    pub fn keys(&self) -> Result<KeySource<'_>, ConfigError> {
        let wrong = |text: &str| Err(ConfigError::Contradiction(text.to_owned()));
        if self.issuer.is_empty() {
            return wrong("auth.issuer is missing: write it exactly as in the tokens' iss claim");
        }
        if self.issuer.starts_with(OUR_ISSUERS) {
            return wrong(
                "auth.issuer must not start with urn:certvakt:, which is reserved for certvakt's own logins",
            );
        }
        if self.audience.is_empty() {
            return wrong("auth.audience is missing: write it exactly as in the tokens' aud claim");
        }
        let has_file = !self.secret_file.as_os_str().is_empty();
        let has_url = !self.jwks_url.is_empty();
        match (self.algorithm, has_file, has_url) {
            (_, true, true) => wrong("auth.secret_file and auth.jwks_url are both set: remove one of them"),
            (TokenAlgorithm::Hs256, true, false) => Ok(KeySource::SecretFile(&self.secret_file)),
            (TokenAlgorithm::Hs256, false, _) => {
                wrong("auth.algorithm HS256 needs auth.secret_file instead of auth.jwks_url")
            }
            (_, _, false) => {
                wrong("auth.algorithm RS256, ES256 or EdDSA needs auth.jwks_url instead of auth.secret_file")
            }
            (_, false, true) => match self.jwks_url.parse() {
                Ok(url) if crate::http::is_safe(&url) => Ok(KeySource::Jwks(url)),
                Ok(_) => wrong("auth.jwks_url must start with https://, unless it is on this machine"),
                Err(_) => wrong(
                    "auth.jwks_url is not a valid URL, write it like https://example.org/.well-known/jwks.json",
                ),
            },
        }
    }
}
