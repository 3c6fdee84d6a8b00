//! A signed assertion instead of a client secret (RFC 7523, section 2.2; Microsoft Learn, "Microsoft identity
//! platform application authentication certificate credentials").

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use certvakt_engine::signatures;
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Url;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;
use x509_cert::Certificate as X509;
use x509_cert::der::Decode;

/// The lifetime of an assertion in seconds. Microsoft recommends five to ten minutes.
const ASSERTION_SECONDS: i64 = 300;

/// A certificate with its key.
pub(super) struct Certificate {
    key: EncodingKey,
    thumbprint: String,
    ends_at: DateTime<Utc>,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    iss: &'a str,
    sub: &'a str,
    jti: Uuid,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Certificate {
    /// Reads an RSA key and its certificate, in PEM.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let wrong = || {
            "the secret is not an RSA key with its certificate: write both into the file, as PEM".to_owned()
        };
        let parts = pem::parse_many(text).map_err(|_| wrong())?;
        let key = parts.iter().find(|part| part.tag().ends_with("PRIVATE KEY")).ok_or_else(wrong)?;
        let key = EncodingKey::from_rsa_pem(pem::encode(key).as_bytes()).map_err(|_| wrong())?;
        let certificate = parts.iter().find(|part| part.tag() == "CERTIFICATE").ok_or_else(wrong)?;
        let read = X509::from_der(certificate.contents()).map_err(|_| wrong())?;
        let end = read.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        let ends_at = i64::try_from(end).ok().and_then(|end| DateTime::from_timestamp(end, 0));
        Ok(Self {
            key,
            thumbprint: URL_SAFE_NO_PAD.encode(Sha256::digest(certificate.contents())),
            ends_at: ends_at.ok_or_else(wrong)?,
        })
    }

    /// The time at which the certificate expires.
    pub(super) const fn ends_at(&self) -> DateTime<Utc> {
        self.ends_at
    }

    /// Creates an assertion for a token request to this URL; `None` if the key cannot sign.
    pub(super) fn assertion(&self, address: &Url, client_id: &str, now: DateTime<Utc>) -> Option<String> {
        let now = now.timestamp();
        let header = Header { x5t_s256: Some(self.thumbprint.clone()), ..Header::new(Algorithm::PS256) };
        let claims = Claims {
            aud: address.as_str(),
            iss: client_id,
            sub: client_id,
            jti: Uuid::new_v4(),
            iat: now,
            nbf: now,
            exp: now + ASSERTION_SECONDS,
        };
        signatures::install();
        jsonwebtoken::encode(&header, &claims, &self.key).ok()
    }
}
