//! The bearer tokens of the HTTP API: JSON Web Tokens of one issuer.
//!
//! Source: RFC 7519 for what a token is, RFC 8725 for what may be believed of it.

mod jwks;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::config::{AuthConfig, ConfigError, KeySource, TokenAlgorithm};
use jwks::Jwks;

/// The longest token that is looked at, in bytes. Those of an app have one or two thousand.
const LONGEST_TOKEN: usize = 8 * 1024;
/// The longest subject, in bytes: room for a UUID, a mail address, or an account at another provider.
const LONGEST_SUBJECT: usize = 255;
/// Seconds that the issuer's clock and ours may differ (RFC 7519, section 4.1.4: no more than a few
/// minutes).
const SKEW_SECONDS: f64 = 60.0;
/// The shortest secret of HS256, in bytes (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// Who a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The issuer, `iss`: the one that is configured.
    pub issuer: String,
    /// The issuer's name for the person, `sub`: 1 to 255 bytes.
    pub subject: String,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Something is wrong with the token. The reason is fit for a log: nothing of the token is in it.
    #[error("the token is not accepted: {0}; sign in again")]
    Invalid(&'static str),
    /// The issuer's keys cannot be had, so nothing can be said of the token.
    #[error("the keys at auth.jwks_url cannot be had: try again in a minute")]
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

/// Checks tokens of the issuer that `[auth]` names. One serves a whole process: it keeps the issuer's
/// keys.
#[derive(Debug)]
pub struct Verifier {
    issuer: String,
    audience: String,
    validation: Validation,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Secret(DecodingKey),
    Published(Arc<Jwks>),
}

impl Verifier {
    /// A verifier for a section that is not off. Reads the secret, if there is one; an issuer's keys are
    /// fetched when the first token comes.
    pub fn new(config: &AuthConfig) -> Result<Self, ConfigError> {
        let algorithm = match config.algorithm {
            TokenAlgorithm::Hs256 => Algorithm::HS256,
            TokenAlgorithm::Rs256 => Algorithm::RS256,
            TokenAlgorithm::Es256 => Algorithm::ES256,
            TokenAlgorithm::EdDsa => Algorithm::EdDSA,
        };
        let keys = match config.keys()? {
            KeySource::SecretFile(path) => Keys::Secret(read_secret(path)?),
            KeySource::Jwks(url) => Keys::Published(Arc::new(Jwks::new(url, algorithm))),
        };
        // Of the library we take the signature only: it asks the machine's clock for the time, and takes
        // several issuers where one is meant.
        let mut validation = Validation::new(algorithm);
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Ok(Self { issuer: config.issuer.clone(), audience: config.audience.clone(), validation, keys })
    }

    /// Who a token speaks for, at this moment. `bearer` is the token alone, without the word `Bearer`.
    pub async fn verify(&self, bearer: &str) -> Result<Identity, TokenError> {
        // The issuer wrote the dates by the real time, so a moved clock of a rehearsal must not judge them.
        self.verify_at(bearer, Clock::system().now()).await
    }

    /// Who a token speaks for, at `now`, which also says how old the keys are.
    pub async fn verify_at(&self, bearer: &str, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        if bearer.len() > LONGEST_TOKEN {
            return Err(TokenError::Invalid("it is longer than 8 KiB"));
        }
        let header = jsonwebtoken::decode_header(bearer)
            .map_err(|_| TokenError::Invalid("its header is malformed, or names an unknown algorithm"))?;
        if !self.validation.algorithms.contains(&header.alg) {
            return Err(TokenError::Invalid("its alg is not auth.algorithm"));
        }
        // We know no extension (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Err(TokenError::Invalid("its header has crit"));
        }
        // The header's `kid` chooses among the issuer's keys; whatever key the header brings along or
        // points at (`jwk`, `jku`, `x5c`, `x5u`) is passed over (RFC 8725, section 3.10).
        let claims = match &self.keys {
            Keys::Secret(key) => self.signed_claims(bearer, key)?,
            Keys::Published(jwks) => {
                self.signed_claims(bearer, &jwks.key(header.kid.as_deref(), now).await?)?
            }
        };
        self.identity(&claims, now)
    }

    fn signed_claims(&self, bearer: &str, key: &DecodingKey) -> Result<Map<String, Value>, TokenError> {
        match jsonwebtoken::decode(bearer, key, &self.validation) {
            Ok(token) => Ok(token.claims),
            // The library's own words may repeat what is in the token.
            Err(error) => Err(TokenError::Invalid(match error.kind() {
                ErrorKind::InvalidSignature => "its signature is wrong",
                _ => "it is malformed",
            })),
        }
    }

    /// What the claims say (RFC 7519, section 4.1).
    fn identity(&self, claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        let invalid = |reason| Err(TokenError::Invalid(reason));
        let now = (now - DateTime::UNIX_EPOCH).as_seconds_f64();
        match claims.get("exp").map(Value::as_f64) {
            None => return invalid("it has no exp"),
            Some(None) => return invalid("its exp is no number"),
            Some(Some(exp)) if now >= exp + SKEW_SECONDS => return invalid("it has expired"),
            Some(Some(_)) => {}
        }
        match claims.get("nbf").map(Value::as_f64) {
            Some(None) => return invalid("its nbf is no number"),
            Some(Some(nbf)) if now < nbf - SKEW_SECONDS => return invalid("its nbf has not come yet"),
            None | Some(Some(_)) => {}
        }
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return invalid("its iss is not auth.issuer");
        }
        let is_for_us = match claims.get("aud") {
            Some(Value::String(audience)) => *audience == self.audience,
            Some(Value::Array(audiences)) => audiences.iter().any(|audience| *audience == self.audience),
            _ => false,
        };
        if !is_for_us {
            return invalid("its aud is not auth.audience");
        }
        match claims.get("sub").and_then(Value::as_str) {
            Some(subject) if (1..=LONGEST_SUBJECT).contains(&subject.len()) => {
                Ok(Identity { issuer: self.issuer.clone(), subject: subject.to_owned() })
            }
            _ => invalid("its sub is no text of 1 to 255 bytes"),
        }
    }
}

/// The key of HS256; an error says what is wrong with the file and nothing that is in it.
fn read_secret(path: &Path) -> Result<DecodingKey, ConfigError> {
    let wrong = |text: String| ConfigError::Contradiction(text);
    let file = std::fs::read(path).map_err(|error| {
        wrong(format!("auth.secret_file cannot be read ({}): check path and permissions", error.kind()))
    })?;
    let secret = file.strip_suffix(b"\n").unwrap_or(&file);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    if secret.len() < SHORTEST_SECRET {
        return Err(wrong(format!(
            "auth.secret_file holds fewer than {SHORTEST_SECRET} bytes: choose a longer secret"
        )));
    }
    Ok(DecodingKey::from_secret(secret))
}
