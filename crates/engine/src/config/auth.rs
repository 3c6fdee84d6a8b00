//! `[auth]`: the tokens that the HTTP API accepts.

use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::error::ConfigError;

/// `[auth]`. Without the section, or with empty values, the API accepts no tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthConfig {
    /// The issuer, exactly as in the tokens' `iss` claim.
    pub issuer: String,
    /// The audience, exactly as in the tokens' `aud` claim; Supabase uses "authenticated".
    pub audience: String,
    /// The signature algorithm. The token's own header does not decide it (RFC 8725, section 3.1).
    pub algorithm: TokenAlgorithm,
    /// The file with the secret for HS256, of at least 32 bytes. A newline at its end is ignored.
    pub secret_file: PathBuf,
    /// The URL of the issuer's JSON Web Key Set, for every other algorithm. Unencrypted addresses are allowed
    /// on loopback only.
    pub jwks_url: String,
}

/// A signature algorithm, by its name in the configuration and in tokens (RFC 7518, section 3.1; RFC 8037,
/// section 3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256, with a secret that the issuer shares with us.
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

/// The source of the keys that verify tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource<'a> {
    /// A file with a secret.
    SecretFile(&'a Path),
    /// The URL of a JSON Web Key Set, which is on this machine or uses TLS.
    Jwks(Url),
}

/// The prefix of the issuers of logins that this service creates itself.
const OUR_ISSUERS: &str = "urn:certvakt:";

impl AuthConfig {
    /// Whether the section is missing or empty.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// The source of the keys, or the fault in the section.
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
                Ok(url) if crate::outbound::is_safe(&url) => Ok(KeySource::Jwks(url)),
                Ok(_) => wrong("auth.jwks_url must start with https://, unless it is on this machine"),
                Err(_) => wrong(
                    "auth.jwks_url is not a valid URL, write it like https://example.org/.well-known/jwks.json",
                ),
            },
        }
    }
}
