//! The id tokens of an OpenID Connect provider, which identify the person who signed in.
//!
//! Source: OpenID Connect Core 1.0, section 3.1.3.7, for the checks.

use std::sync::Arc;

use certvakt_base::secret;
use certvakt_rules::text::is_plain;
use chrono::{DateTime, Utc};
use jsonwebtoken::Algorithm;
use reqwest::Url;
use serde_json::Value;

use super::jwks::Jwks;
use super::{
    Identity, Login, SKEW_SECONDS, TokenError, check_dates, header_of, names_audience, signed_claims,
};

/// The accepted algorithms: asymmetric ones only, never a shared secret. The provider's metadata cannot add
/// others (RFC 8725, section 3.1).
const ALGORITHMS: &[Algorithm] = &[Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
/// The maximum length of a subject, in characters, as in `certvakt.identities`.
const LONGEST_SUBJECT: usize = 255;

/// Verifies the id tokens of one provider for one client.
#[derive(Debug)]
pub(crate) struct IdTokens {
    issuer: String,
    client_id: String,
    keys: Arc<Jwks>,
}

impl IdTokens {
    /// Creates a verifier that fetches the keys when the first token arrives.
    pub(crate) fn new(issuer: String, client_id: String, keys: Url) -> Self {
        Self { issuer, client_id, keys: Arc::new(Jwks::new(keys, ALGORITHMS)) }
    }

    /// Creates a verifier with known keys.
    #[cfg(test)]
    pub(super) fn holding(issuer: &str, client_id: &str, keys: Jwks) -> Self {
        Self { issuer: issuer.to_owned(), client_id: client_id.to_owned(), keys: Arc::new(keys) }
    }

    /// Verifies a token of the sign-in with this nonce, and returns the login.
    pub(crate) async fn verify(
        &self,
        token: &str,
        nonce: &str,
        now: DateTime<Utc>,
    ) -> Result<Login, TokenError> {
        let invalid = |reason| Err(TokenError::Invalid(reason));
        let header = header_of(token)?;
        if !ALGORITHMS.contains(&header.alg) {
            return invalid("its alg is not an accepted asymmetric algorithm");
        }
        let key = self.keys.key(header.kid.as_deref(), header.alg, now).await?;
        let claims = signed_claims(token, &key, header.alg)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(&self.issuer) {
            return invalid("its iss is another issuer");
        }
        // A token with several audiences may have been issued to another client.
        let is_for_others = claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
        if is_for_others || !names_audience(&claims, &self.client_id) {
            return invalid("its aud is not this client alone");
        }
        if claims.get("azp").is_some_and(|party| *party != *self.client_id) {
            return invalid("its azp is another client");
        }
        check_dates(&claims, now)?;
        let now = (now - DateTime::UNIX_EPOCH).as_seconds_f64();
        if !claims.get("iat").and_then(Value::as_f64).is_some_and(|issued| issued <= now + SKEW_SECONDS) {
            return invalid("its iat is missing or in the future");
        }
        if !text("nonce").is_some_and(|given| secret::are_same(given, nonce)) {
            return invalid("its nonce does not match this sign-in");
        }
        match text("sub") {
            Some(subject)
                if (1..=LONGEST_SUBJECT).contains(&subject.chars().count()) && is_plain(subject) =>
            {
                let identity = Identity { issuer: self.issuer.clone(), subject: subject.to_owned() };
                Ok(Login::by(identity, &claims))
            }
            _ => invalid("its sub is not a text of 1 to 255 characters"),
        }
    }
}
