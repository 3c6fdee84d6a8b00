//! The bearer tokens of the HTTP API: JSON Web Tokens of one issuer.
//!
//! Source: RFC 7519 for what a token is, RFC 8725 for what may be believed of it.

#[cfg(test)]
mod fuzz;
mod id_token;
mod jwks;

use std::path::Path;
use std::sync::Arc;

use certvakt_rules::text::is_plain;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::{AuthConfig, ConfigError, KeySource, TokenAlgorithm};
use crate::signatures;
pub(super) use id_token::IdTokens;
use jwks::Jwks;

/// The longest token that is looked at, in bytes. Those of an app have one or two thousand.
const LONGEST_TOKEN: usize = 8 * 1024;
/// The longest subject, in bytes: room for a UUID, a mail address, or an account at another provider.
const LONGEST_SUBJECT: usize = 255;
/// The longest `acr` that is kept, in characters.
const LONGEST_ACR: usize = 255;
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
    /// The issuer's name for the person, `sub`: 1 to 255 bytes, no control character among them.
    pub subject: String,
}

/// A login that has signed in, and how, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Whose login it is.
    pub identity: Identity,
    /// The browser's session; none: a token of the app.
    pub session: Option<Uuid>,
    /// When the issuer last authenticated the person (`auth_time`); none: it did not say.
    pub authenticated_at: Option<DateTime<Utc>>,
    /// How, in the issuer's words (`acr`); none: it did not say.
    pub acr: Option<String>,
}

impl Login {
    /// A login by checked claims (OpenID Connect Core 1.0, section 2; of an access token RFC 9068, section 2.2.1). A
    /// claim of another form says nothing.
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

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Something is wrong with the token. The reason is fit for a log: nothing of the token is in it.
    #[error("the token is not valid: {0}; sign in again")]
    Invalid(&'static str),
    /// The issuer's keys cannot be had, so nothing can be said of the token.
    #[error("the keys at auth.jwks_url are not available: try again in a minute")]
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
    algorithm: Algorithm,
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
            KeySource::Jwks(url) => Keys::Published(Arc::new(Jwks::new(url, only(algorithm)))),
        };
        Ok(Self { issuer: config.issuer.clone(), audience: config.audience.clone(), algorithm, keys })
    }

    /// Who a token speaks for, at this moment. `bearer` is the token alone, without the word `Bearer`.
    pub async fn verify(&self, bearer: &str) -> Result<Login, TokenError> {
        // The issuer wrote the dates by the real time, so a moved clock of a rehearsal must not judge them.
        self.verify_at(bearer, Clock::system().now()).await
    }

    /// Who a token speaks for, at `now`, which also says how old the keys are.
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

    /// What the claims say (RFC 7519, section 4.1).
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

/// Whether a `typ` is one that access tokens have: that of any token, or their own (RFC 9068, section 2.1). Others, like
/// `logout+jwt`, are made by the same issuer for another purpose (RFC 8725, section 3.11).
fn is_for_access(typ: &str) -> bool {
    let short =
        typ.get(..12).filter(|start| start.eq_ignore_ascii_case("application/")).map_or(typ, |_| &typ[12..]);
    ["JWT", "at+jwt"].iter().any(|known| short.eq_ignore_ascii_case(known))
}

/// A list that holds one algorithm.
const fn only(algorithm: Algorithm) -> &'static [Algorithm] {
    match algorithm {
        Algorithm::RS256 => &[Algorithm::RS256],
        Algorithm::ES256 => &[Algorithm::ES256],
        Algorithm::EdDSA => &[Algorithm::EdDSA],
        _ => &[],
    }
}

/// The header of a token of acceptable length. Its `kid` chooses among the issuer's keys; a key that the header
/// brings along or points at (`jwk`, `jku`, `x5c`, `x5u`) is ignored (RFC 8725, section 3.10).
fn header_of(token: &str) -> Result<Header, TokenError> {
    if token.len() > LONGEST_TOKEN {
        return Err(TokenError::Invalid("it is longer than 8 KiB"));
    }
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| TokenError::Invalid("its header is malformed or has an unknown algorithm"))?;
    // No extension is known here (RFC 7515, section 4.1.11).
    if header.crit.is_some() { Err(TokenError::Invalid("its header has crit")) } else { Ok(header) }
}

/// The claims of a token whose signature is right.
fn signed_claims(
    token: &str,
    key: &DecodingKey,
    algorithm: Algorithm,
) -> Result<Map<String, Value>, TokenError> {
    signatures::install();
    // Of the library we take the signature only: it asks the machine's clock for the time, and takes
    // several issuers where one is meant.
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    match jsonwebtoken::decode(token, key, &validation) {
        Ok(token) => Ok(token.claims),
        // The library's own words may repeat what is in the token.
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

/// Whether a token is meant for an audience, among others perhaps (RFC 7519, section 4.1.3).
fn names_audience(claims: &Map<String, Value>, audience: &str) -> bool {
    match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one == audience),
        _ => false,
    }
}

/// The key of HS256; an error says what is wrong with the file and nothing that is in it.
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
