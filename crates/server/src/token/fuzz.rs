//! Fuzz tests of tokens and key sets.

use std::sync::Arc;

use certvakt_testing::fuzz::Target;
use certvakt_testing::jwt::Signer;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Value, json};

use super::jwks::{self, Jwks};
use super::{IdTokens, Keys, Verifier, signed_claims};

const SECRET: &[u8] = b"a secret of tests, which is long enough";
const ISSUER: &str = "https://issuer.example";
const NONCE: &str = "of this sign-in";
const EVERY: &[Algorithm] = &[Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA];
const CATALOG: &[&str] = &[
    ".",
    "=",
    "-",
    "_",
    "e30",
    "eyJhbGciOiJub25lIn0",
    "eyJhbGciOiJIUzI1NiJ9",
    "eyJhbGciOiJFZERTQSJ9",
    "\"",
    "{",
    "}",
    ",",
    "[",
    "]",
    "AQAB",
    "\"kty\":\"oct\"",
    "\"use\":\"enc\"",
    "\"key_ops\":[]",
    "\"crv\":\"P-256\"",
    "null",
    "AAAA",
];

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn signers() -> [Signer; 4] {
    [Signer::hmac(SECRET), Signer::rsa(), Signer::p256(), Signer::ed25519(7)]
}

fn claims() -> Value {
    let at = now().timestamp();
    json!({ "iss": ISSUER, "aud": "us", "sub": "one", "iat": at, "exp": at + 300, "nonce": NONCE })
}

fn set(signer: &Signer) -> Vec<u8> {
    json!({ "keys": [signer.jwk("k", &json!({}))] }).to_string().into_bytes()
}

fn verifier(signer: &Signer) -> Verifier {
    let (algorithm, keys) = match signer.algorithm {
        "HS256" => (Algorithm::HS256, Keys::Secret(DecodingKey::from_secret(SECRET))),
        name => {
            let algorithm: Algorithm = name.parse().unwrap();
            let keys = Jwks::holding(&set(signer), super::only(algorithm), now());
            (algorithm, Keys::Published(Arc::new(keys)))
        }
    };
    Verifier { issuer: ISSUER.to_owned(), audience: "us".to_owned(), algorithm, keys }
}

fn id_tokens(signer: &Signer) -> IdTokens {
    IdTokens::holding(ISSUER, "us", Jwks::holding(&set(signer), EVERY, now()))
}

fn is_accepted(verifier: &Verifier, token: &str) -> bool {
    verifier.verify_at(token, now()).now_or_never().unwrap().is_ok()
}

fn is_id(tokens: &IdTokens, token: &str) -> bool {
    tokens.verify(token, NONCE, now()).now_or_never().unwrap().is_ok()
}

#[test]
fn fuzz_tokens() {
    // ECDSA signatures are random, so inputs made from them would not be reproducible.
    let signers: Vec<Signer> = signers().into_iter().filter(|one| one.algorithm != "ES256").collect();
    let genuine: Vec<Vec<u8>> =
        signers.iter().map(|one| one.sign(&one.header("k"), &claims()).into_bytes()).collect();
    let checks: Vec<(Verifier, IdTokens)> =
        signers.iter().map(|one| (verifier(one), id_tokens(one))).collect();
    let made = genuine.clone();
    Target { name: "tokens", words: CATALOG, made, inputs: 3_000 }.run(|input| {
        let Ok(token) = std::str::from_utf8(input) else { return };
        for ((verifier, tokens), right) in checks.iter().zip(&genuine) {
            assert_eq!(is_accepted(verifier, token), input == right);
            let is_published = matches!(verifier.keys, Keys::Published(_));
            assert_eq!(is_id(tokens, token), is_published && input == right);
        }
    });
}

#[test]
fn a_token_changed_in_one_byte_is_refused() {
    for signer in signers() {
        let (verifier, tokens) = (verifier(&signer), id_tokens(&signer));
        let token = signer.sign(&signer.header("k"), &claims());
        assert!(is_accepted(&verifier, &token), "{}", signer.algorithm);
        for at in 0..token.len() {
            for byte in [0, 2, 5].map(|bit| token.as_bytes()[at] ^ (1 << bit)).into_iter().chain(*b".=") {
                let mut changed = token.clone().into_bytes();
                changed[at] = byte;
                let changed = String::from_utf8(changed).unwrap();
                let is_other = changed != token;
                assert!(!(is_other && is_accepted(&verifier, &changed)), "{}: {changed}", signer.algorithm);
                assert!(!(is_other && is_id(&tokens, &changed)), "{}: {changed}", signer.algorithm);
            }
        }
        for cut in 0..token.len() {
            assert!(!is_accepted(&verifier, &token[..cut]) && !is_accepted(&verifier, &token[cut + 1..]));
        }
    }
}

#[test]
fn a_token_at_any_time_is_accepted_in_its_time_only() {
    let signer = Signer::hmac(SECRET);
    let verifier = verifier(&signer);
    let token = signer.sign(&signer.header("k"), &claims());
    for seconds in (-10_000_i64..10_000).step_by(7).chain([359, 360, 361]) {
        let at = now() + TimeDelta::seconds(seconds);
        let accepted = verifier.verify_at(&token, at).now_or_never().unwrap().is_ok();
        assert_eq!(accepted, seconds < 360, "{seconds}");
    }
}

#[test]
fn fuzz_key_sets() {
    let made = signers().iter().filter(|one| one.algorithm != "ES256").map(set).collect();
    let tokens: Vec<(Algorithm, String)> = signers()
        .iter()
        .filter(|one| one.algorithm != "HS256")
        .map(|one| {
            (one.algorithm.parse().unwrap(), one.sign(&one.header("k"), &json!({ "sub": "stranger" })))
        })
        .collect();
    Target { name: "key-sets", words: CATALOG, made, inputs: 2_000 }.run(|input| {
        let held = jwks::keys(input, EVERY);
        // The number of signing keys in the set, counted independently of the code under test.
        let published = serde_json::from_slice::<Value>(input).unwrap_or_default();
        let fitting = |algorithm: Algorithm| {
            let (kind, curve) = match algorithm {
                Algorithm::ES256 => ("EC", Some("P-256")),
                Algorithm::EdDSA => ("OKP", Some("Ed25519")),
                // An RSA key has no curve, and a member that it does not have is ignored (RFC 7517, section 4).
                _ => ("RSA", None),
            };
            let keys = published["keys"].as_array().map_or(&[][..], Vec::as_slice);
            keys.iter()
                .filter(|key| {
                    key["kty"] == kind
                        && curve.is_none_or(|curve| key["crv"] == curve)
                        && key["use"] != "enc"
                        && key["alg"] != "none"
                })
                .count()
        };
        for algorithm in EVERY {
            let taken = held.iter().filter(|(one, _)| one == algorithm).count();
            assert!(taken <= fitting(*algorithm), "{taken} keys of {algorithm:?}");
        }
        // An accepted key must be usable: it verifies its own token and rejects the token of another key.
        for (algorithm, key) in &held {
            for (_, token) in tokens.iter().filter(|(one, _)| one == algorithm) {
                let _ = signed_claims(token, key, *algorithm);
            }
        }
    });
}
