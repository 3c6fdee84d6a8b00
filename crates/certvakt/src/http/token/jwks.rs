//! The keys that an issuer publishes as a JSON Web Key Set (RFC 7517), kept for a while.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use reqwest::{Client, StatusCode, Url};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::rand::SystemRandom;
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
/// The sizes of RSA keys that are used, in bits: the smallest is that of RFC 7518, section 3.3; larger ones cost too
/// much time.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// The keys at an address that fit some algorithms.
#[derive(Debug)]
pub(in crate::http) struct Jwks {
    url: Url,
    algorithms: &'static [Algorithm],
    client: Client,
    /// The keys as last fetched.
    keys: watch::Sender<Option<Arc<KeySet>>>,
    /// When the last fetch began. Whoever holds it fetches.
    turn: Arc<Mutex<Option<DateTime<Utc>>>>,
}

#[derive(Debug)]
struct KeySet {
    fetched_at: DateTime<Utc>,
    keys: Vec<PublishedKey>,
}

/// A key, and an algorithm that it may be used with.
#[derive(Debug)]
struct PublishedKey {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Jwks {
    /// Nothing is fetched yet.
    pub(in crate::http) fn new(url: Url, algorithms: &'static [Algorithm]) -> Self {
        Self {
            url,
            algorithms,
            client: crate::http::client(PATIENCE),
            keys: watch::Sender::new(None),
            turn: Arc::default(),
        }
    }

    /// The key for an algorithm that a token names, or the only one there is if it names none. Fetches the keys when
    /// they are old or the key is not among them, but not twice in a minute.
    pub(super) async fn key(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: DateTime<Utc>,
    ) -> Result<DecodingKey, TokenError> {
        let turn = match self.usable(now) {
            Some(set) => match set.key(kid, algorithm) {
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
        set.key(kid, algorithm).ok_or(TokenError::Invalid("the issuer has no key with its kid"))
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
                    "could not fetch the keys at {}: {reason}",
                    this.url
                ),
            }
            drop(turn);
        });
        let _ = fetching.await;
    }

    async fn published(&self) -> Result<Vec<PublishedKey>, &'static str> {
        let answer = self.client.get(self.url.clone()).send().await.map_err(|_| "no answer")?;
        if answer.status() != StatusCode::OK {
            return Err("the status is not 200");
        }
        let body = crate::http::body(answer, LARGEST_ANSWER)
            .await
            .ok_or("the response was cut off or is larger than 256 KiB")?;
        read(&body, self.algorithms)
    }

    /// One that has fetched a set just now.
    #[cfg(test)]
    pub(super) fn holding(body: &[u8], algorithms: &'static [Algorithm], now: DateTime<Utc>) -> Self {
        let keys = read(body, algorithms).unwrap_or_default();
        let jwks = Self::new(Url::parse("https://issuer.example/keys").unwrap(), algorithms);
        jwks.keys.send_replace(Some(Arc::new(KeySet { fetched_at: now, keys })));
        Self { turn: Arc::new(Mutex::new(Some(now))), ..jwks }
    }
}

/// The keys of a set that fit some algorithms, each with its algorithm.
#[cfg(test)]
pub(super) fn keys(body: &[u8], algorithms: &'static [Algorithm]) -> Vec<(Algorithm, DecodingKey)> {
    read(body, algorithms).unwrap_or_default().into_iter().map(|one| (one.algorithm, one.key)).collect()
}

/// The keys of a set that fit some algorithms.
fn read(body: &[u8], algorithms: &'static [Algorithm]) -> Result<Vec<PublishedKey>, &'static str> {
    let set: Published =
        serde_json::from_slice(body).map_err(|_| "the response is not a JSON Web Key Set")?;
    // A key that we cannot use is no reason to refuse the others (RFC 7517, section 5).
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let fitting = |jwk: Jwk| {
        algorithms.iter().filter_map(move |&algorithm| {
            Some(PublishedKey { key: jwk.fitting(algorithm)?, kid: jwk.kid.clone(), algorithm })
        })
    };
    Ok(keys.flat_map(fitting).collect())
}

impl KeySet {
    fn key(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        let mut fitting = self.keys.iter().filter(|key| key.algorithm == algorithm);
        let found = match kid {
            Some(_) => fitting.find(|key| key.kid.as_deref() == kid),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        };
        found.map(|found| found.key.clone())
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
            (Algorithm::RS256 | Algorithm::PS256, "RSA", None) => {
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

/// Whether a key has the size and form that its algorithm needs.
fn is_sound(key: &DecodingKey, algorithm: Algorithm) -> bool {
    match (key.kind(), algorithm) {
        (DecodingKeyKind::RsaModulusExponent { n, e }, _) => {
            let zeros = n.iter().take_while(|byte| **byte == 0).count();
            let bits = n.get(zeros).map_or(0, |first| (n.len() - zeros) * 8 - first.leading_zeros() as usize);
            RSA_BITS.contains(&bits) && e.last().is_some_and(|last| last % 2 == 1) && **e != [1]
        }
        (DecodingKeyKind::SecretOrDer(point), Algorithm::ES256) => is_on_p256(point),
        (DecodingKeyKind::SecretOrDer(bytes), _) => bytes.len() == 32,
    }
}

/// Whether bytes are an uncompressed point on the curve P-256. The library judges a point only where it is used, and
/// tells a wrong one and a wrong signature apart only in a key agreement.
fn is_on_p256(point: &[u8]) -> bool {
    EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new())
        .and_then(|ours| agree_ephemeral(ours, &UnparsedPublicKey::new(&ECDH_P256, point), |_| ()))
        .is_ok()
}
