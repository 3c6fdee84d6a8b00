//! The keys that an issuer publishes as a JSON Web Key Set (RFC 7517), kept for a while.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use reqwest::{Client, StatusCode, Url};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPublicKey};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::TokenError;

/// How long the issuer may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest answer that is read, in bytes: some hundred keys.
const LARGEST_ANSWER: usize = 256 * 1024;
/// How old the keys become before they are fetched again: this long a key lives that was taken back.
const REFRESH_AFTER: TimeDelta = TimeDelta::minutes(10);
/// How old the keys become, at most, while the issuer cannot be reached.
const LAST_USE_AFTER: TimeDelta = TimeDelta::hours(1);
/// The time between two fetches, however many tokens name a key that we do not know.
const FETCH_EVERY: TimeDelta = TimeDelta::minutes(1);
/// The smallest RSA key (RFC 7518, section 3.3).
const SMALLEST_RSA_BITS: usize = 2048;

/// The keys at an address that fit one algorithm.
#[derive(Debug)]
pub(super) struct Jwks {
    url: Url,
    algorithm: Algorithm,
    client: Client,
    /// The keys as last fetched.
    keys: watch::Sender<Option<Arc<KeySet>>>,
    /// When the last fetch began. Whoever holds it fetches.
    turn: Arc<Mutex<Option<DateTime<Utc>>>>,
}

#[derive(Debug)]
struct KeySet {
    fetched_at: DateTime<Utc>,
    keys: Vec<(Option<String>, DecodingKey)>,
}

impl Jwks {
    /// Nothing is fetched yet.
    pub(super) fn new(url: Url, algorithm: Algorithm) -> Self {
        Self {
            url,
            algorithm,
            client: crate::http::client(PATIENCE),
            keys: watch::Sender::new(None),
            turn: Arc::default(),
        }
    }

    /// The key that a token names, or the only one there is if it names none. Fetches the keys when they
    /// are old or the key is not among them, but not twice in a minute.
    pub(super) async fn key(
        self: &Arc<Self>,
        kid: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<DecodingKey, TokenError> {
        let turn = match self.usable(now) {
            Some(set) => match set.key(kid) {
                Some(key) if age(set.fetched_at, now) < REFRESH_AFTER => return Ok(key),
                // A key that is known waits for nobody else's fetch.
                Some(key) => match Arc::clone(&self.turn).try_lock_owned() {
                    Ok(turn) => turn,
                    Err(_) => return Ok(key),
                },
                None => Arc::clone(&self.turn).lock_owned().await,
            },
            None => Arc::clone(&self.turn).lock_owned().await,
        };
        if turn.is_none_or(|last| age(last, now) >= FETCH_EVERY) {
            self.fetch(turn, now).await;
        }
        let set = self.usable(now).ok_or(TokenError::KeysUnavailable)?;
        set.key(kid).ok_or(TokenError::Invalid("none of the issuer's keys is the one it names"))
    }

    fn usable(&self, now: DateTime<Utc>) -> Option<Arc<KeySet>> {
        self.keys.borrow().clone().filter(|set| age(set.fetched_at, now) < LAST_USE_AFTER)
    }

    /// Fetches in a task of its own: a request that is broken off meanwhile must not take with it what
    /// others wait for, nor the one fetch of this minute.
    async fn fetch(self: &Arc<Self>, mut turn: OwnedMutexGuard<Option<DateTime<Utc>>>, now: DateTime<Utc>) {
        *turn = Some(now);
        let this = Arc::clone(self);
        let fetching = tokio::spawn(async move {
            match this.published().await {
                Ok(keys) => {
                    this.keys.send_replace(Some(Arc::new(KeySet { fetched_at: now, keys })));
                }
                Err(reason) => tracing::warn!(
                    code = TokenError::KeysUnavailable.code(),
                    "the keys at auth.jwks_url could not be fetched: {reason}"
                ),
            }
            drop(turn);
        });
        let _ = fetching.await;
    }

    async fn published(&self) -> Result<Vec<(Option<String>, DecodingKey)>, &'static str> {
        let answer = self.client.get(self.url.clone()).send().await.map_err(|_| "no answer")?;
        if answer.status() != StatusCode::OK {
            return Err("the answer is not 200");
        }
        let body = crate::http::body(answer, LARGEST_ANSWER)
            .await
            .ok_or("the answer broke off, or is larger than 256 KiB")?;
        let set: Published =
            serde_json::from_slice(&body).map_err(|_| "the answer is no JSON Web Key Set")?;
        // A key that we cannot use is no reason to refuse the others (RFC 7517, section 5).
        let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Ok(keys.filter_map(|key| Some((key.kid.clone(), key.fitting(self.algorithm)?))).collect())
    }
}

impl KeySet {
    fn key(&self, kid: Option<&str>) -> Option<DecodingKey> {
        let found = match (kid, self.keys.as_slice()) {
            (Some(_), keys) => keys.iter().find(|(name, _)| name.as_deref() == kid),
            (None, [only]) => Some(only),
            (None, _) => None,
        };
        found.map(|(_, key)| key.clone())
    }
}

/// The time between two instants, whichever way a clock was set in between.
fn age(then: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (now - then).abs()
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

/// A key as it is published (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwk {
    /// The key, if it is one that signatures of this algorithm are checked with.
    fn fitting(&self, algorithm: Algorithm) -> Option<DecodingKey> {
        let is_meant = self.purpose.as_ref().is_none_or(|purpose| purpose == "sig")
            && self.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|one| one == "verify"))
            && self.alg.as_ref().is_none_or(|name| name.parse() == Ok(algorithm));
        if !is_meant {
            return None;
        }
        let key = match (algorithm, self.kty.as_str(), self.crv.as_deref()) {
            (Algorithm::RS256, "RSA", None) => {
                DecodingKey::from_rsa_components(self.n.as_ref()?, self.e.as_ref()?)
            }
            (Algorithm::ES256, "EC", Some("P-256")) => {
                DecodingKey::from_ec_components(self.x.as_ref()?, self.y.as_ref()?)
            }
            (Algorithm::EdDSA, "OKP", Some("Ed25519")) => DecodingKey::from_ed_components(self.x.as_ref()?),
            _ => return None,
        };
        key.ok().filter(|key| is_sound(key, algorithm))
    }
}

/// Whether a key has the size and form that its algorithm needs. The library takes small RSA keys, and
/// panics at an Ed25519 key that is too short, so sizes come first.
fn is_sound(key: &DecodingKey, algorithm: Algorithm) -> bool {
    let has_size = match key.kind() {
        DecodingKeyKind::RsaModulusExponent { n, e } => {
            RsaPublicKey::new(BigUint::from_bytes_be(n), BigUint::from_bytes_be(e))
                .is_ok_and(|key| key.n().bits() >= SMALLEST_RSA_BITS)
        }
        // An Ed25519 key has 32 bytes; a point on P-256 has 65, which the next line sees to.
        DecodingKeyKind::SecretOrDer(bytes) => algorithm != Algorithm::EdDSA || bytes.len() == 32,
    };
    // An error says that it is no key; that an empty signature is wrong is no error.
    has_size && jsonwebtoken::crypto::verify("", b"", key, algorithm).is_ok()
}
