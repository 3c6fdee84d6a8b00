//! The cached JSON Web Key Set of an issuer (RFC 7517).

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use reqwest::{Client, StatusCode, Url};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::rand::SystemRandom;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard, watch};

use super::error::TokenError;

/// The time limit of the issuer's response.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum size of a response in bytes: enough for hundreds of keys.
const LARGEST_ANSWER: usize = 256 * 1024;
/// The age at which the keys are fetched again. A revoked key is accepted for at most this long.
const REFRESH_AFTER: TimeDelta = TimeDelta::minutes(10);
/// The maximum age of the keys while the issuer cannot be reached.
const LAST_USE_AFTER: TimeDelta = TimeDelta::hours(1);
/// The minimum time between two fetches, however many tokens have an unknown key id.
const FETCH_EVERY: TimeDelta = TimeDelta::minutes(1);
/// The accepted sizes of RSA keys, in bits. The minimum is from RFC 7518, section 3.3; larger keys than the
/// maximum would cost too much time.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// The keys at a URL that are usable with some algorithms.
#[derive(Debug)]
pub(crate) struct Jwks {
    url: Url,
    algorithms: &'static [Algorithm],
    client: Client,
    /// The last fetched keys.
    keys: watch::Sender<Option<Arc<KeySet>>>,
    /// The time of the last fetch. The holder of the lock fetches.
    turn: Arc<Mutex<Option<DateTime<Utc>>>>,
}

#[derive(Debug)]
struct KeySet {
    fetched_at: DateTime<Utc>,
    keys: Vec<PublishedKey>,
}

/// A key, and the algorithm that it is used with.
#[derive(Debug)]
struct PublishedKey {
    kid: Option<String>,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Jwks {
    /// Creates an empty cache.
    pub(crate) fn new(url: Url, algorithms: &'static [Algorithm]) -> Self {
        Self {
            url,
            algorithms,
            client: certvakt_engine::outbound::client(PATIENCE),
            keys: watch::Sender::new(None),
            turn: Arc::default(),
        }
    }

    /// The key with a token's key id, or the only key if the token has no key id. Fetches the keys if they
    /// are old or do not contain the key, but at most once a minute.
    pub(super) async fn key(
        self: &Arc<Self>,
        kid: Option<&str>,
        algorithm: Algorithm,
        now: DateTime<Utc>,
    ) -> Result<DecodingKey, TokenError> {
        let turn = match self.usable(now) {
            Some(set) => match set.key(kid, algorithm) {
                Some(key) if age(set.fetched_at, now) < REFRESH_AFTER => return Ok(key),
                // A token with a known key does not wait for another request's fetch.
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

    /// Fetches in a separate task, so that a request that is cancelled does not cancel the fetch for others,
    /// nor use up the only fetch of this minute.
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
        let body = certvakt_engine::outbound::body(answer, LARGEST_ANSWER)
            .await
            .ok_or("the response was cut off or is larger than 256 KiB")?;
        read(&body, self.algorithms)
    }

    /// Creates a cache that has just fetched a key set.
    #[cfg(test)]
    pub(super) fn holding(body: &[u8], algorithms: &'static [Algorithm], now: DateTime<Utc>) -> Self {
        let keys = read(body, algorithms).unwrap_or_default();
        let jwks = Self::new(Url::parse("https://issuer.example/keys").unwrap(), algorithms);
        jwks.keys.send_replace(Some(Arc::new(KeySet { fetched_at: now, keys })));
        Self { turn: Arc::new(Mutex::new(Some(now))), ..jwks }
    }
}

/// The keys of a set that are usable with some algorithms, each with its algorithm.
#[cfg(test)]
pub(super) fn keys(body: &[u8], algorithms: &'static [Algorithm]) -> Vec<(Algorithm, DecodingKey)> {
    read(body, algorithms).unwrap_or_default().into_iter().map(|one| (one.algorithm, one.key)).collect()
}

/// Parses the keys of a set that are usable with some algorithms.
fn read(body: &[u8], algorithms: &'static [Algorithm]) -> Result<Vec<PublishedKey>, &'static str> {
    let set: Published =
        serde_json::from_slice(body).map_err(|_| "the response is not a JSON Web Key Set")?;
    // Skip keys that we cannot use (RFC 7517, section 5).
    let keys = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
    let fitting = |jwk: Jwk| {
        algorithms.iter().filter_map(move |&algorithm| {
            Some(PublishedKey {
                key: decoding_key(&jwk, algorithm)?,
                kid: jwk.common.key_id.clone(),
                algorithm,
            })
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

/// The absolute difference between two times, because the clock may have been set back.
fn age(then: DateTime<Utc>, now: DateTime<Utc>) -> TimeDelta {
    (now - then).abs()
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

/// The decoding key of a JSON Web Key (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2), if it is usable
/// for signatures with the algorithm.
fn decoding_key(jwk: &Jwk, algorithm: Algorithm) -> Option<DecodingKey> {
    let CommonParameters { public_key_use, key_operations, key_algorithm, .. } = &jwk.common;
    let is_meant = public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature)
        && key_operations.as_ref().is_none_or(|operations| operations.contains(&KeyOperations::Verify))
        && key_algorithm.is_none_or(|named| named == algorithm.into());
    let is_of_kind = match (algorithm, &jwk.algorithm) {
        (Algorithm::RS256 | Algorithm::PS256, AlgorithmParameters::RSA(_)) => true,
        (Algorithm::ES256, AlgorithmParameters::EllipticCurve(key)) => key.curve == EllipticCurve::P256,
        (Algorithm::EdDSA, AlgorithmParameters::OctetKeyPair(key)) => key.curve == EllipticCurve::Ed25519,
        _ => false,
    };
    if !(is_meant && is_of_kind) {
        return None;
    }
    DecodingKey::from_jwk(jwk).ok().filter(|key| is_sound(key, algorithm))
}

/// Whether a key is valid for its algorithm.
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

/// Whether bytes are an uncompressed point on the curve P-256. The library checks a point only when it is
/// used, and distinguishes an invalid point from an invalid signature only in a key agreement.
fn is_on_p256(point: &[u8]) -> bool {
    EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new())
        .and_then(|ours| agree_ephemeral(ours, &UnparsedPublicKey::new(&ECDH_P256, point), |_| ()))
        .is_ok()
}
