//! The bearer tokens of the HTTP API: JSON Web Tokens of one issuer.
//!
//! Source: RFC 7519 for the format, RFC 8725 for the checks.

mod error;
#[cfg(test)]
mod fuzz;
mod id_token;
mod jwks;

use std::path::Path;
use std::sync::Arc;

use certvakt_base::clock::Clock;
use certvakt_engine::config::{AuthConfig, ConfigError, KeySource, TokenAlgorithm};
use certvakt_engine::signatures;
use certvakt_rules::text::is_plain;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use jwks::Jwks;
use serde_json::{Map, Value};
use uuid::Uuid;

pub use error::TokenError;
pub(super) use id_token::IdTokens;

/// The maximum length of a token, in bytes. An app's tokens usually have one or two thousand.
const LONGEST_TOKEN: usize = 8 * 1024;
/// The maximum length of a subject, in bytes: enough for a UUID, an e-mail address, or an account at another
/// provider.
const LONGEST_SUBJECT: usize = 255;
/// The maximum length of a stored `acr`, in characters.
const LONGEST_ACR: usize = 255;
/// The tolerated difference between the issuer's clock and ours, in seconds (RFC 7519, section 4.1.4: no more
/// than a few minutes).
const SKEW_SECONDS: f64 = 60.0;
/// The minimum length of a secret for HS256, in bytes (RFC 7518, section 3.2).
const SHORTEST_SECRET: usize = 32;

/// A login: an issuer and a subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The issuer (`iss`).
    pub issuer: String,
    /// The subject (`sub`): 1 to 255 bytes without control characters.
    pub subject: String,
}

/// An authenticated login, with the known details of its authentication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The issuer and the subject.
    pub identity: Identity,
    /// The browser session; `None` for a bearer token.
    pub session: Option<Uuid>,
    /// The time of the last authentication at the issuer (`auth_time`), if known.
    pub authenticated_at: Option<DateTime<Utc>>,
    /// The authentication context class (`acr`), if known.
    pub acr: Option<String>,
}

impl Login {
    /// Creates a login from verified claims (OpenID Connect Core 1.0, section 2; for access tokens RFC 9068,
    /// section 2.2.1). Malformed optional claims are ignored.
    fn by(identity: Identity, claims: &Map<String, Value>) -> Self {
        let authenticated_at = claims.get("auth_time").and_then(Value::as_i64);
        let acr = claims.get("acr").and_then(Value::as_str);
        Self {
            identity,
            session: None,
            authenticated_at: authenticated_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            acr: acr
                .filter(|acr| (1..=LONGEST_ACR).contains(&acr.chars().count()) && is_plain(acr))
                .map(str::to_owned),
        }
    }
}

/// Verifies tokens of the issuer in `[auth]`. Use one for the whole process, because it caches the issuer's
/// keys.
#[derive(Debug)]
pub struct Verifier {
    issuer: String,
    audience: String,
    algorithm: Algorithm,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    Secret(DecodingKey),
    Published(Arc<Jwks>),
}

impl Verifier {
    /// Creates a verifier for a section that is not off, and reads the secret, if there is one. The issuer's
    /// keys are fetched when the first token arrives.
    pub fn new(config: &AuthConfig) -> Result<Self, ConfigError> {
        let algorithm = match config.algorithm {
            TokenAlgorithm::Hs256 => Algorithm::HS256,
            TokenAlgorithm::Rs256 => Algorithm::RS256,
            TokenAlgorithm::Es256 => Algorithm::ES256,
            TokenAlgorithm::EdDsa => Algorithm::EdDSA,
        };
        let keys = match config.keys()? {
            KeySource::SecretFile(path) => Keys::Secret(read_secret(path)?),
            KeySource::Jwks(url) => Keys::Published(Arc::new(Jwks::new(url, only(algorithm)))),
        };
        Ok(Self { issuer: config.issuer.clone(), audience: config.audience.clone(), algorithm, keys })
    }

    /// Verifies a token now, and returns its login. `bearer` is the token without the word `Bearer`.
    pub async fn verify(&self, bearer: &str) -> Result<Login, TokenError> {
        // The token's dates are real, so they are compared with the real time even in a rehearsal.
        self.verify_at(bearer, Clock::system().now()).await
    }

    /// Verifies a token at `now`, which also determines the age of the keys.
    pub async fn verify_at(&self, bearer: &str, now: DateTime<Utc>) -> Result<Login, TokenError> {
        let header = header_of(bearer)?;
        if header.alg != self.algorithm {
            return Err(TokenError::Invalid("its alg is not auth.algorithm"));
        }
        if !header.typ.as_deref().is_none_or(is_for_access) {
            return Err(TokenError::Invalid("its typ is not that of an access token"));
        }
        let claims = match &self.keys {
            Keys::Secret(key) => signed_claims(bearer, key, self.algorithm)?,
            Keys::Published(jwks) => {
                let key = jwks.key(header.kid.as_deref(), self.algorithm, now).await?;
                signed_claims(bearer, &key, self.algorithm)?
            }
        };
        Ok(Login::by(self.identity(&claims, now)?, &claims))
    }

    /// Checks the claims (RFC 7519, section 4.1), and returns the identity.
    fn identity(&self, claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        let invalid = |reason| Err(TokenError::Invalid(reason));
        check_dates(claims, now)?;
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return invalid("its iss is not auth.issuer");
        }
        if !names_audience(claims, &self.audience) {
            return invalid("its aud is not auth.audience");
        }
        match claims.get("sub").and_then(Value::as_str) {
            Some(subject) if (1..=LONGEST_SUBJECT).contains(&subject.len()) && is_plain(subject) => {
                Ok(Identity { issuer: self.issuer.clone(), subject: subject.to_owned() })
            }
            _ => invalid("its sub is not a text of 1 to 255 bytes"),
        }
    }
}

/// Whether a `typ` is that of an access token: `JWT` or `at+jwt` (RFC 9068, section 2.1). The same issuer
/// makes tokens with other types, such as `logout+jwt`, for other purposes (RFC 8725, section 3.11).
fn is_for_access(typ: &str) -> bool {
    let short =
        typ.get(..12).filter(|start| start.eq_ignore_ascii_case("application/")).map_or(typ, |_| &typ[12..]);
    ["JWT", "at+jwt"].iter().any(|known| short.eq_ignore_ascii_case(known))
}

/// A list with one algorithm.
const fn only(algorithm: Algorithm) -> &'static [Algorithm] {
    match algorithm {
        Algorithm::RS256 => &[Algorithm::RS256],
        Algorithm::ES256 => &[Algorithm::ES256],
        Algorithm::EdDSA => &[Algorithm::EdDSA],
        _ => &[],
    }
}

/// Parses the header of a token within the length limit. Its `kid` selects one of the issuer's keys. A key in
/// the header or at a URL in it (`jwk`, `jku`, `x5c`, `x5u`) is ignored (RFC 8725, section 3.10).
fn header_of(token: &str) -> Result<Header, TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Invalid("it is longer than 8 KiB"));
    }
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| TokenError::Invalid("its header is malformed or has an unknown algorithm"))?;
    // We support no extensions (RFC 7515, section 4.1.11).
    if header.crit.is_some() { Err(TokenError::Invalid("its header has crit")) } else { Ok(header) }
}

/// Verifies the signature of a token, and returns its claims.
fn signed_claims(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<Map<String, Value>, TokenError> {
    signatures::install();
    // Use the library for the signature only: it reads the machine's clock, and accepts a list of issuers
    // where we want exactly one.
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    match jsonwebtoken::decode(token, key, &validation) {
        Ok(token) => Ok(token.claims),
        // The library's messages can contain parts of the token.
        Err(error) => Err(TokenError::Invalid(match error.kind() {
            ErrorKind::InvalidSignature => "its signature is wrong",
            _ => "it is malformed",
        })),
    }
}

/// Checks that a token is valid at `now` (RFC 7519, sections 4.1.4 and 4.1.5).
fn check_dates(claims: &Map<String, Value>, now: DateTime<Utc>) -> Result<(), TokenError> {
    let now = (now - DateTime::UNIX_EPOCH).as_seconds_f64();
    match claims.get("exp").map(Value::as_f64) {
        None => return Err(TokenError::Invalid("it has no exp")),
        Some(None) => return Err(TokenError::Invalid("its exp is not a number")),
        Some(Some(exp)) if now >= exp + SKEW_SECONDS => return Err(TokenError::Invalid("it has expired")),
        Some(Some(_)) => {}
    }
    match claims.get("nbf").map(Value::as_f64) {
        Some(None) => Err(TokenError::Invalid("its nbf is not a number")),
        Some(Some(nbf)) if now < nbf - SKEW_SECONDS => Err(TokenError::Invalid("its nbf is in the future")),
        None | Some(Some(_)) => Ok(()),
    }
}

/// Whether the token's audiences include one (RFC 7519, section 4.1.3).
fn names_audience(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

/// Reads the key for HS256. An error describes the fault, but contains no part of the file.
fn read_secret(path: &Path) -> Result<DecodingKey, ConfigError> {
    let wrong = |text: String| ConfigError::Contradiction(text);
    let file = std::fs::read(path).map_err(|error| {
        wrong(format!("cannot read auth.secret_file ({}): check the path and its permissions", error.kind()))
    })?;
    let secret = file.strip_suffix(b"\n").unwrap_or(&file);
    let secret = secret.strip_suffix(b"\r").unwrap_or(secret);
    if secret.len() < SHORTEST_SECRET {
        return Err(wrong(format!(
            "auth.secret_file has fewer than {SHORTEST_SECRET} bytes: choose a longer secret"
        )));
    }
    Ok(DecodingKey::from_secret(secret))
}
