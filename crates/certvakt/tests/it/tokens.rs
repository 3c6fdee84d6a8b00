//! Bearer tokens: what is accepted, what is refused and why, and how often an issuer is asked for its
//! keys. Time is an argument everywhere.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use certvakt::config::{AuthConfig, Config, TokenAlgorithm};
use certvakt::http::token::{Identity, TokenError, Verifier};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::join_all;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rsa::pkcs1::{EncodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};
use tokio::sync::{RwLock, watch};

use crate::stand_in::write_config;

const ISSUER: &str = "https://project.example.org/auth/v1";
const AUDIENCE: &str = "authenticated";
const SUBJECT: &str = "6f1c1f0e-8c5e-4c07-9d0a-0f6f4b0f5b11";
const SECRET: &[u8; 32] = b"thirty-two bytes, no more, no le";
const START: i64 = 1_800_000_000;
const UNKNOWN_KEY: TokenError = TokenError::Invalid("none of the issuer's keys is the one it names");
const WRONG_SIGNATURE: TokenError = TokenError::Invalid("its signature is wrong");
const OTHER_ALGORITHM: TokenError = TokenError::Invalid("its alg is not auth.algorithm");
const MALFORMED_HEADER: TokenError =
    TokenError::Invalid("its header is malformed, or names an unknown algorithm");

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(START + seconds, 0).unwrap()
}

fn identity() -> Identity {
    Identity { issuer: ISSUER.to_owned(), subject: SUBJECT.to_owned() }
}

/// Claims that are accepted for a day.
fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "exp": START + 86_400, "role": "authenticated" })
}

/// Somebody who signs tokens.
#[derive(Clone)]
struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
}

static RSA: LazyLock<rsa::RsaPrivateKey> =
    LazyLock::new(|| rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap());

impl Signer {
    fn hmac(secret: &[u8]) -> Self {
        Self { algorithm: Algorithm::HS256, key: EncodingKey::from_secret(secret) }
    }

    fn rsa(key: &rsa::RsaPrivateKey) -> Self {
        let key = EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes());
        Self { algorithm: Algorithm::RS256, key }
    }

    /// A key on P-256 made of one byte: PKCS #8 (RFC 5958) is a fixed beginning and the number.
    fn p256(byte: u8) -> Self {
        let beginning =
            b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\
            \xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20";
        let key = EncodingKey::from_ec_der(&[beginning.as_slice(), &[byte; 32]].concat());
        Self { algorithm: Algorithm::ES256, key }
    }

    /// A key on Ed25519 made of one byte, likewise (RFC 8410).
    fn ed25519(byte: u8) -> Self {
        let beginning = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
        let key = EncodingKey::from_ed_der(&[beginning.as_slice(), &[byte; 32]].concat());
        Self { algorithm: Algorithm::EdDSA, key }
    }

    fn header(&self, kid: &str) -> Header {
        Header { kid: Some(kid.to_owned()), ..Header::new(self.algorithm) }
    }

    fn token(&self, kid: &str) -> String {
        self.sign(&self.header(kid), &claims())
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }

    /// The public key as published, with what else is given; a null takes away.
    fn jwk(&self, kid: &str, more: &Value) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        let fields = jwk.as_object_mut().unwrap();
        fields.insert("kid".to_owned(), json!(kid));
        fields.extend(more.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        jwk
    }
}

/// An issuer's server. It counts how often it is asked, and answers when it is let.
struct Issuer {
    url: String,
    shared: Arc<Shared>,
}

struct Shared {
    answer: Mutex<(StatusCode, String)>,
    fetches: watch::Sender<usize>,
    gate: RwLock<()>,
}

impl Issuer {
    async fn start(keys: &[Value]) -> Self {
        let shared = Arc::new(Shared {
            answer: Mutex::default(),
            fetches: watch::Sender::new(0),
            gate: RwLock::default(),
        });
        let router = Router::new().route("/jwks.json", get(answer)).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let issuer = Self { url, shared };
        issuer.publish(keys);
        issuer
    }

    fn answer(&self, status: StatusCode, body: &str) {
        *self.shared.answer.lock().unwrap() = (status, body.to_owned());
    }

    fn publish(&self, keys: &[Value]) {
        self.answer(StatusCode::OK, &json!({ "keys": keys }).to_string());
    }

    fn fail(&self) {
        self.answer(StatusCode::SERVICE_UNAVAILABLE, "");
    }

    fn fetches(&self) -> usize {
        *self.shared.fetches.borrow()
    }

    /// Waits for the first fetches.
    async fn asked(&self, times: usize) {
        self.shared.fetches.subscribe().wait_for(|fetches| *fetches >= times).await.unwrap();
    }

    fn verifier(&self, algorithm: TokenAlgorithm) -> Verifier {
        Verifier::new(&AuthConfig { jwks_url: self.url.clone(), ..auth(algorithm) }).unwrap()
    }
}

async fn answer(State(shared): State<Arc<Shared>>) -> (StatusCode, HeaderMap, String) {
    shared.fetches.send_modify(|fetches| *fetches += 1);
    let _open = shared.gate.read().await;
    let (status, body) = shared.answer.lock().unwrap().clone();
    // Where a redirect leads to is a good answer, which must not be asked for.
    let headers = HeaderMap::from_iter([(header::LOCATION, "/jwks.json".parse().unwrap())]);
    (status, headers, body)
}

fn auth(algorithm: TokenAlgorithm) -> AuthConfig {
    AuthConfig {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        algorithm,
        ..AuthConfig::default()
    }
}

fn secret_verifier() -> Verifier {
    let folder = tempfile::tempdir().unwrap();
    let secret_file = write(folder.path(), "secret", SECRET);
    Verifier::new(&AuthConfig { secret_file, ..auth(TokenAlgorithm::Hs256) }).unwrap()
}

fn write(folder: &Path, name: &str, contents: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, contents).unwrap();
    path
}

#[tokio::test]
async fn claims_decide() {
    let verifier = secret_verifier();
    let signer = Signer::hmac(SECRET);
    let long = "x".repeat(255);
    let too_long = "x".repeat(256);
    for (claim, value, refused) in [
        ("exp", Some(json!(START)), None),
        ("exp", Some(json!(START - 59)), None),
        ("exp", Some(json!(f64::from(1_799_999_940) + 0.5)), None),
        ("exp", Some(json!(START - 60)), Some("it has expired")),
        ("exp", Some(json!(-1)), Some("it has expired")),
        ("exp", Some(json!((START + 600).to_string())), Some("its exp is no number")),
        ("exp", Some(Value::Null), Some("its exp is no number")),
        ("exp", Some(json!([START + 600])), Some("it is malformed")),
        ("exp", None, Some("it has no exp")),
        ("nbf", Some(json!(START)), None),
        ("nbf", Some(json!(START + 60)), None),
        ("nbf", Some(json!(START + 61)), Some("its nbf has not come yet")),
        ("nbf", Some(json!(1e300)), Some("its nbf has not come yet")),
        ("nbf", Some(json!((START - 600).to_string())), Some("its nbf is no number")),
        ("nbf", Some(Value::Null), Some("its nbf is no number")),
        ("iss", None, Some("its iss is not auth.issuer")),
        ("iss", Some(json!(format!("{ISSUER}/"))), Some("its iss is not auth.issuer")),
        ("iss", Some(json!(ISSUER.to_uppercase())), Some("its iss is not auth.issuer")),
        ("iss", Some(json!([ISSUER])), Some("its iss is not auth.issuer")),
        ("aud", Some(json!(["another", AUDIENCE])), None),
        ("aud", None, Some("its aud is not auth.audience")),
        ("aud", Some(json!("Authenticated")), Some("its aud is not auth.audience")),
        ("aud", Some(json!([])), Some("its aud is not auth.audience")),
        ("aud", Some(json!(["another"])), Some("its aud is not auth.audience")),
        ("aud", Some(json!({ AUDIENCE: AUDIENCE })), Some("its aud is not auth.audience")),
        ("sub", Some(json!(long)), None),
        ("sub", None, Some("its sub is no text of 1 to 255 bytes")),
        ("sub", Some(json!("")), Some("its sub is no text of 1 to 255 bytes")),
        ("sub", Some(json!(too_long)), Some("its sub is no text of 1 to 255 bytes")),
        ("sub", Some(json!("ø".repeat(128))), Some("its sub is no text of 1 to 255 bytes")),
        ("sub", Some(json!(7)), Some("its sub is no text of 1 to 255 bytes")),
    ] {
        let mut claims = claims();
        let fields = claims.as_object_mut().unwrap();
        fields.remove(claim);
        fields.extend(value.clone().map(|value| (claim.to_owned(), value)));
        let token = signer.sign(&Header::new(Algorithm::HS256), &claims);
        let subject = claims["sub"].as_str().unwrap_or_default().to_owned();
        let expected = match refused {
            None => Ok(Identity { subject, ..identity() }),
            Some(reason) => Err(TokenError::Invalid(reason)),
        };
        assert_eq!(verifier.verify_at(&token, at(0)).await, expected, "{claim} = {value:?}");
    }
}

#[tokio::test]
async fn a_token_is_three_parts_of_json_and_no_longer_than_8_kib() {
    let verifier = secret_verifier();
    let signer = Signer::hmac(SECRET);
    let good = signer.token("");
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    for (token, expected) in [
        (good.clone(), Ok(identity())),
        (String::new(), Err(MALFORMED_HEADER)),
        ("...".to_owned(), Err(MALFORMED_HEADER)),
        (format!("Bearer {good}"), Err(MALFORMED_HEADER)),
        (format!("{good}."), Err(MALFORMED_HEADER)),
        (format!("{good}.{signature}"), Err(MALFORMED_HEADER)),
        (format!("{header}.{payload}"), Err(MALFORMED_HEADER)),
        (format!("{header}.{payload}."), Err(WRONG_SIGNATURE)),
        (format!("{header}.{payload}.{}", &signature[..40]), Err(WRONG_SIGNATURE)),
        (format!("{header}.{payload}.{signature}="), Err(TokenError::Invalid("it is malformed"))),
        (format!("{header}.{}.{signature}", &payload[4..]), Err(WRONG_SIGNATURE)),
        (signer.sign(&signer.header(""), &json!([claims()])), Err(TokenError::Invalid("it is malformed"))),
        (format!("{good}{}", " ".repeat(8192)), Err(TokenError::Invalid("it is longer than 8 KiB"))),
        (signer.sign(&signer.header(&"k".repeat(8192)), &claims()), {
            Err(TokenError::Invalid("it is longer than 8 KiB"))
        }),
    ] {
        assert_eq!(verifier.verify_at(&token, at(0)).await, expected, "{token}");
    }
}

#[tokio::test]
async fn only_the_configured_algorithm_is_believed() {
    let public = rsa::RsaPublicKey::from(&*RSA);
    let signers = [
        (TokenAlgorithm::Hs256, Signer::hmac(SECRET)),
        (TokenAlgorithm::Rs256, Signer::rsa(&RSA)),
        (TokenAlgorithm::Es256, Signer::p256(7)),
        (TokenAlgorithm::EdDsa, Signer::ed25519(7)),
    ];
    // The secret as a key of the set is there to be passed over.
    let keys: Vec<Value> =
        signers.iter().map(|(_, signer)| signer.jwk("one", &json!({ "alg": null }))).collect();
    let issuer = Issuer::start(&keys).await;
    // What everybody can read, taken for a secret (RFC 8725, section 2.1).
    let public_as_secrets = [
        public.to_public_key_pem(LineEnding::LF).unwrap().into_bytes(),
        public.to_pkcs1_pem(LineEnding::LF).unwrap().into_bytes(),
        public.to_public_key_der().unwrap().into_vec(),
        public.to_pkcs1_der().unwrap().into_vec(),
    ];
    let unsigned = "eyJhbGciOiJub25lIn0";
    for (algorithm, pinned) in &signers {
        let verifier = match algorithm {
            TokenAlgorithm::Hs256 => secret_verifier(),
            _ => issuer.verifier(*algorithm),
        };
        for (_, signer) in &signers {
            let expected =
                if signer.algorithm == pinned.algorithm { Ok(identity()) } else { Err(OTHER_ALGORITHM) };
            let token = signer.token("one");
            assert_eq!(verifier.verify_at(&token, at(0)).await, expected, "{:?} {token}", pinned.algorithm);
        }
        for secret in &public_as_secrets {
            let expected =
                if *algorithm == TokenAlgorithm::Hs256 { WRONG_SIGNATURE } else { OTHER_ALGORITHM };
            let token = Signer::hmac(secret).token("one");
            assert_eq!(verifier.verify_at(&token, at(0)).await, Err(expected));
        }
        let token = pinned.token("one");
        let (message, signature) = token.rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        let other = pinned.sign(&pinned.header("one"), &json!({ "sub": "somebody else" }));
        let other_payload = other.split('.').nth(1).unwrap();
        for (token, expected) in [
            (format!("{unsigned}.{payload}."), MALFORMED_HEADER),
            (format!("{unsigned}.{payload}.{signature}"), MALFORMED_HEADER),
            (format!("{header}.{payload}."), WRONG_SIGNATURE),
            (format!("{header}.{other_payload}.{signature}"), WRONG_SIGNATURE),
        ] {
            assert_eq!(verifier.verify_at(&token, at(0)).await, Err(expected), "{token}");
        }
    }
}

#[tokio::test]
async fn a_header_brings_no_key_along() {
    let (issuer_key, thief) = (Signer::p256(1), Signer::p256(2));
    let issuer = Issuer::start(&[issuer_key.jwk("one", &json!({}))]).await;
    let thiefs_server = Issuer::start(&[thief.jwk("two", &json!({}))]).await;
    let verifier = issuer.verifier(TokenAlgorithm::Es256);
    let thiefs_key = Jwk::from_encoding_key(&thief.key, Algorithm::ES256).unwrap();
    let plain = |kid| Header { kid: Some(String::from(kid)), ..Header::new(Algorithm::ES256) };
    let url = || Some(thiefs_server.url.clone());
    for header in [
        Header { jwk: Some(thiefs_key), ..plain("one") },
        Header { jku: url(), ..plain("one") },
        Header { x5u: url(), ..plain("one") },
        Header { x5c: Some(vec!["AAAA".to_owned()]), ..plain("one") },
    ] {
        let stolen = thief.sign(&header, &claims());
        assert_eq!(verifier.verify_at(&stolen, at(0)).await, Err(WRONG_SIGNATURE), "{header:?}");
        let own = issuer_key.sign(&header, &claims());
        assert_eq!(verifier.verify_at(&own, at(0)).await, Ok(identity()), "{header:?}");
        let elsewhere = thief.sign(&Header { kid: Some("two".to_owned()), ..header }, &claims());
        assert_eq!(verifier.verify_at(&elsewhere, at(0)).await, Err(UNKNOWN_KEY));
    }
    for crit in [vec![], vec!["exp".to_owned()], vec!["b64".to_owned()]] {
        let token = issuer_key.sign(&Header { crit: Some(crit), ..plain("one") }, &claims());
        let expected = Err(TokenError::Invalid("its header has crit"));
        assert_eq!(verifier.verify_at(&token, at(0)).await, expected);
    }
    assert_eq!((issuer.fetches(), thiefs_server.fetches()), (1, 0));
}

#[tokio::test]
async fn keys_that_do_not_fit_are_passed_over() {
    let small = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 1024).unwrap();
    let (rs, small, es, ed) = (Signer::rsa(&RSA), Signer::rsa(&small), Signer::p256(3), Signer::ed25519(3));
    let zeros = |count: usize| "A".repeat(count);
    for (signer, more, fits) in [
        (&rs, json!({}), true),
        (&rs, json!({ "alg": null }), true),
        (&rs, json!({ "use": "sig", "key_ops": ["verify"], "x5t": "unknown", "more": 1 }), true),
        (&rs, json!({ "use": "enc" }), false),
        (&rs, json!({ "use": "SIG" }), false),
        (&rs, json!({ "use": 1 }), false),
        (&rs, json!({ "key_ops": ["encrypt"] }), false),
        (&rs, json!({ "alg": "RS384" }), false),
        (&rs, json!({ "alg": "RSA-OAEP" }), false),
        (&rs, json!({ "kty": "EC" }), false),
        (&rs, json!({ "kty": "oct", "k": "AAAA" }), false),
        (&rs, json!({ "kty": null }), false),
        (&rs, json!({ "n": null }), false),
        (&rs, json!({ "n": "!" }), false),
        (&rs, json!({ "e": "Ag" }), false),
        (&small, json!({}), false),
        (&es, json!({ "use": "sig" }), true),
        (&es, json!({ "crv": "P-384" }), false),
        (&es, json!({ "crv": "secp256k1" }), false),
        (&es, json!({ "crv": null }), false),
        (&es, json!({ "alg": "ES384" }), false),
        (&es, json!({ "y": null }), false),
        (&es, json!({ "y": zeros(43) }), false),
        (&es, json!({ "x": zeros(4) }), false),
        (&ed, json!({ "use": "sig" }), true),
        (&ed, json!({ "crv": "Ed448" }), false),
        (&ed, json!({ "crv": "X25519" }), false),
        (&ed, json!({ "kty": "EC" }), false),
        (&ed, json!({ "x": zeros(42) }), false),
        (&ed, json!({ "x": zeros(44) }), false),
        (&ed, json!({ "x": "" }), false),
    ] {
        let algorithm = match signer.algorithm {
            Algorithm::RS256 => TokenAlgorithm::Rs256,
            Algorithm::ES256 => TokenAlgorithm::Es256,
            _ => TokenAlgorithm::EdDsa,
        };
        let neighbour = match algorithm {
            TokenAlgorithm::Rs256 => rs.clone(),
            TokenAlgorithm::Es256 => Signer::p256(4),
            _ => Signer::ed25519(4),
        };
        let keys = [json!("no key"), signer.jwk("one", &more), neighbour.jwk("two", &json!({}))];
        let issuer = Issuer::start(&keys).await;
        let verifier = issuer.verifier(algorithm);
        let expected = if fits { Ok(identity()) } else { Err(UNKNOWN_KEY) };
        assert_eq!(verifier.verify_at(&signer.token("one"), at(0)).await, expected, "{more}");
        assert_eq!(verifier.verify_at(&neighbour.token("two"), at(0)).await, Ok(identity()), "{more}");
    }
}

#[tokio::test]
async fn a_token_that_names_no_key_means_the_only_one() {
    let (one, two) = (Signer::p256(1), Signer::p256(2));
    let token = one.sign(&Header::new(Algorithm::ES256), &claims());
    let other_kinds =
        [Signer::ed25519(1).jwk("three", &json!({})), two.jwk("four", &json!({ "use": "enc" }))];
    let [ed, enc] = other_kinds;
    let jwk = one.jwk("one", &json!({}));
    for (keys, expected) in [
        (vec![jwk.clone()], Ok(identity())),
        (vec![one.jwk("one", &json!({ "kid": null }))], Ok(identity())),
        (vec![ed, jwk.clone(), enc], Ok(identity())),
        (vec![jwk, two.jwk("two", &json!({}))], Err(UNKNOWN_KEY)),
        (vec![two.jwk("two", &json!({}))], Err(WRONG_SIGNATURE)),
        (vec![], Err(UNKNOWN_KEY)),
    ] {
        let issuer = Issuer::start(&keys).await;
        let verifier = issuer.verifier(TokenAlgorithm::Es256);
        assert_eq!(verifier.verify_at(&token, at(0)).await, expected, "{keys:?}");
    }
}

/// What happens at a moment, as `(seconds, what changes, whose token, what is said, fetches so far)`.
type Moment<'a> = (i64, Change<'a>, &'a str, Result<Identity, TokenError>, usize);

enum Change<'a> {
    Nothing,
    Publish(&'a [Value]),
    Fail,
}

async fn play(moments: &[Moment<'_>], tokens: impl Fn(&str) -> String) {
    let issuer = Issuer::start(&[]).await;
    let verifier = issuer.verifier(TokenAlgorithm::EdDsa);
    for (seconds, change, whose, expected, fetches) in moments {
        match change {
            Change::Nothing => {}
            Change::Publish(keys) => issuer.publish(keys),
            Change::Fail => issuer.fail(),
        }
        let said = verifier.verify_at(&tokens(whose), at(*seconds)).await;
        assert_eq!((&said, issuer.fetches()), (expected, *fetches), "{whose} at {seconds} seconds");
    }
}

#[tokio::test]
async fn keys_are_kept_renewed_and_given_up() {
    use Change::{Fail, Nothing, Publish};

    let (old, new) = (Signer::ed25519(1), Signer::ed25519(2));
    let (old_key, new_key) = (old.jwk("old", &json!({})), new.jwk("new", &json!({})));
    let both = [old_key.clone(), new_key.clone()];
    let (only_old, only_new) = ([old_key], [new_key]);
    let tokens = |whose: &str| if whose == "old" { old.token("old") } else { new.token(whose) };
    let yes = || Ok(identity());
    let unavailable = || Err(TokenError::KeysUnavailable);

    // A key that is not known: asked for once a minute, whatever comes of it.
    play(
        &[
            (0, Publish(&only_old), "old", yes(), 1),
            (1, Nothing, "old", yes(), 1),
            (30, Publish(&both), "new", Err(UNKNOWN_KEY), 1),
            (59, Nothing, "new", Err(UNKNOWN_KEY), 1),
            (60, Nothing, "new", yes(), 2),
            (61, Nothing, "another", Err(UNKNOWN_KEY), 2),
            (119, Nothing, "a third", Err(UNKNOWN_KEY), 2),
            (120, Fail, "another", Err(UNKNOWN_KEY), 3),
            (121, Nothing, "another", Err(UNKNOWN_KEY), 3),
            (179, Nothing, "new", yes(), 3),
            (179, Nothing, "another", Err(UNKNOWN_KEY), 3),
            (180, Nothing, "another", Err(UNKNOWN_KEY), 4),
            // A key that was taken back is refused as soon as the keys are fetched, for whatever reason.
            (239, Publish(&only_new), "old", yes(), 4),
            (240, Nothing, "another", Err(UNKNOWN_KEY), 5),
            (240, Nothing, "old", Err(UNKNOWN_KEY), 5),
            (240, Nothing, "new", yes(), 5),
        ],
        tokens,
    )
    .await;

    // Known keys are renewed after ten minutes.
    play(
        &[
            (0, Publish(&both), "old", yes(), 1),
            (599, Publish(&only_new), "old", yes(), 1),
            (600, Nothing, "old", Err(UNKNOWN_KEY), 2),
            (1_199, Nothing, "new", yes(), 2),
            (1_200, Publish(&[]), "new", Err(UNKNOWN_KEY), 3),
        ],
        tokens,
    )
    .await;

    // They last an hour while the issuer is away, which is asked once a minute.
    play(
        &[
            (0, Publish(&both), "old", yes(), 1),
            (600, Fail, "old", yes(), 2),
            (601, Nothing, "new", yes(), 2),
            (659, Nothing, "old", yes(), 2),
            (660, Nothing, "old", yes(), 3),
            (3_599, Nothing, "old", yes(), 4),
            (3_600, Nothing, "old", unavailable(), 4),
            (3_659, Publish(&both), "old", yes(), 5),
        ],
        tokens,
    )
    .await;

    // Without keys nobody comes in.
    play(
        &[
            (0, Fail, "old", unavailable(), 1),
            (1, Publish(&both), "new", unavailable(), 1),
            (59, Nothing, "old", unavailable(), 1),
            (60, Nothing, "old", yes(), 2),
        ],
        tokens,
    )
    .await;

    // A clock that is set back by hours leaves nothing stuck.
    play(
        &[
            (36_000, Publish(&only_old), "old", yes(), 1),
            (0, Publish(&both), "new", yes(), 2),
            (1, Nothing, "old", yes(), 2),
        ],
        tokens,
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_is_no_key_set_is_none() {
    let signer = Signer::ed25519(1);
    let good = json!({ "keys": [signer.jwk("one", &json!({}))] }).to_string();
    let padded = |size: usize| format!("{good}{}", " ".repeat(size - good.len()));
    for (status, body, expected) in [
        (StatusCode::OK, padded(256 * 1024), Ok(identity())),
        (StatusCode::OK, padded(256 * 1024 + 1), Err(TokenError::KeysUnavailable)),
        (StatusCode::OK, "<html>".to_owned(), Err(TokenError::KeysUnavailable)),
        (StatusCode::OK, "[]".to_owned(), Err(TokenError::KeysUnavailable)),
        (StatusCode::OK, r#"{"keys": {}}"#.to_owned(), Err(TokenError::KeysUnavailable)),
        (StatusCode::FOUND, good.clone(), Err(TokenError::KeysUnavailable)),
        (StatusCode::NOT_FOUND, good.clone(), Err(TokenError::KeysUnavailable)),
        (StatusCode::INTERNAL_SERVER_ERROR, good.clone(), Err(TokenError::KeysUnavailable)),
    ] {
        let issuer = Issuer::start(&[]).await;
        issuer.answer(status, &body);
        let verifier = issuer.verifier(TokenAlgorithm::EdDsa);
        let said = verifier.verify_at(&signer.token("one"), at(0)).await;
        assert_eq!((said, issuer.fetches()), (expected, 1), "{status} {}", &body[..body.len().min(40)]);
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = AuthConfig { jwks_url: format!("http://{nobody}/"), ..auth(TokenAlgorithm::EdDsa) };
    let verifier = Verifier::new(&config).unwrap();
    let said = verifier.verify_at(&signer.token("one"), at(0)).await;
    assert_eq!(said, Err(TokenError::KeysUnavailable));
}

#[tokio::test]
async fn requests_share_a_fetch_and_known_keys_do_not_wait_for_it() {
    let (old, new) = (Signer::ed25519(1), Signer::ed25519(2));
    let (old_key, new_key) = (old.jwk("old", &json!({})), new.jwk("new", &json!({})));
    let issuer = Issuer::start(std::slice::from_ref(&old_key)).await;
    let verifier = Arc::new(issuer.verifier(TokenAlgorithm::EdDsa));
    let verify = |token: String, seconds| {
        let verifier = Arc::clone(&verifier);
        async move { verifier.verify_at(&token, at(seconds)).await }
    };

    let first = join_all((0..20).map(|_| verify(old.token("old"), 0))).await;
    assert!(first.iter().all(|said| *said == Ok(identity())), "{first:?}");
    assert_eq!(issuer.fetches(), 1);

    let closed = issuer.shared.gate.write().await;
    issuer.publish(&[old_key, new_key]);
    let waiting = tokio::spawn(join_all((0..20).map(|_| verify(new.token("new"), 60))));
    issuer.asked(2).await;
    for seconds in [60, 600, 3_599] {
        let said = verify(old.token("old"), seconds).now_or_never();
        assert_eq!(said, Some(Ok(identity())), "at once, at {seconds} seconds");
    }
    drop(closed);
    let said = waiting.await.unwrap();
    assert!(said.iter().all(|said| *said == Ok(identity())), "{said:?}");
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_request_that_is_broken_off_leaves_its_fetch_to_others() {
    let signer = Signer::ed25519(1);
    let issuer = Issuer::start(&[signer.jwk("one", &json!({}))]).await;
    let verifier = Arc::new(issuer.verifier(TokenAlgorithm::EdDsa));
    let closed = issuer.shared.gate.write().await;
    let (token, broken) = (signer.token("one"), Arc::clone(&verifier));
    let request = tokio::spawn(async move { broken.verify_at(&token, at(0)).await });
    issuer.asked(1).await;
    request.abort();
    assert!(request.await.unwrap_err().is_cancelled());
    drop(closed);
    assert_eq!(verifier.verify_at(&signer.token("one"), at(1)).await, Ok(identity()));
    assert_eq!(issuer.fetches(), 1);
}

#[tokio::test]
async fn the_real_time_decides_when_none_is_given() {
    let verifier = secret_verifier();
    let signer = Signer::hmac(SECRET);
    let now = Utc::now().timestamp();
    for (exp, expected) in
        [(now + 600, Ok(identity())), (now - 600, Err(TokenError::Invalid("it has expired")))]
    {
        let mut claims = claims();
        claims["exp"] = json!(exp);
        assert_eq!(verifier.verify(&signer.sign(&signer.header(""), &claims)).await, expected);
    }
}

#[tokio::test]
async fn a_secret_is_long_enough_and_shown_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let token = Signer::hmac(SECRET).token("");
    let text = std::str::from_utf8(SECRET).unwrap();
    for (contents, expected) in [
        (text.to_owned(), Ok(identity())),
        (format!("{text}\n"), Ok(identity())),
        (format!("{text}\r\n"), Ok(identity())),
        (format!("{text} "), Err(WRONG_SIGNATURE)),
        (format!("{text}\n\n"), Err(WRONG_SIGNATURE)),
    ] {
        let secret_file = write(folder.path(), "secret", contents.as_bytes());
        let config = AuthConfig { secret_file, ..auth(TokenAlgorithm::Hs256) };
        let verifier = Verifier::new(&config).unwrap();
        assert_eq!(verifier.verify_at(&token, at(0)).await, expected, "{contents:?}");
        let shown = format!("{config:?} {verifier:?}");
        assert!(!shown.contains("thirty") && !shown.contains("116, 104"), "{shown}");
    }
    for (contents, expected) in [
        (Some(format!("{}\n", &text[..31])), "auth.secret_file holds fewer than 32 bytes"),
        (Some(String::new()), "auth.secret_file holds fewer than 32 bytes"),
        (None, "auth.secret_file cannot be read (entity not found)"),
    ] {
        let secret_file = match contents {
            Some(contents) => write(folder.path(), "secret", contents.as_bytes()),
            None => folder.path().join("absent"),
        };
        let error = Verifier::new(&AuthConfig { secret_file, ..auth(TokenAlgorithm::Hs256) }).unwrap_err();
        assert_eq!(error.code(), "config-contradiction");
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!format!("{error} {error:?}").contains("thirty"), "{error:?}");
    }
}

#[test]
fn a_section_that_does_not_fit_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let who = format!("issuer = \"{ISSUER}\"\naudience = \"{AUDIENCE}\"\n");
    let with = |more: &str| format!("[auth]\n{who}{more}");
    let url = "jwks_url = \"https://project.example.org/jwks.json\"\n";
    let file = "secret_file = \"/etc/certvakt/secret\"\n";
    for good in [
        String::new(),
        "[auth]\n".to_owned(),
        with(url),
        with(&format!("algorithm = \"RS256\"\n{url}")),
        with(&format!("algorithm = \"EdDSA\"\n{url}")),
        with(&format!("algorithm = \"HS256\"\n{file}")),
        with("jwks_url = \"http://127.0.0.1:8000/jwks.json\"\n"),
        with("jwks_url = \"http://[::1]/jwks.json\"\n"),
    ] {
        let config = Config::read(&write_config(folder.path(), &good)).unwrap();
        assert_eq!(config.auth.is_off(), !good.contains("issuer"), "{good}");
    }
    for (wrong, expected) in [
        (format!("[auth]\n{url}"), "auth.issuer is missing"),
        (format!("[auth]\naudience = \"{AUDIENCE}\"\n{url}"), "auth.issuer is missing"),
        (format!("[auth]\nissuer = \"{ISSUER}\"\n{url}"), "auth.audience is missing"),
        (with(""), "needs auth.jwks_url"),
        (with(file), "needs auth.jwks_url, and no auth.secret_file"),
        (with(&format!("algorithm = \"RS256\"\n{file}")), "needs auth.jwks_url, and no auth.secret_file"),
        (with("algorithm = \"HS256\"\n"), "HS256 needs auth.secret_file"),
        (with(&format!("algorithm = \"HS256\"\n{url}")), "needs auth.secret_file, and no auth.jwks_url"),
        (with(&format!("{url}{file}")), "are both set"),
        (with("jwks_url = \"project.example.org\"\n"), "auth.jwks_url is no address"),
        (with("jwks_url = \"http://project.example.org/\"\n"), "must begin with https://"),
        (with("jwks_url = \"file:///etc/passwd\"\n"), "must begin with https://"),
        (with("algorithm = \"none\"\n"), "line 4"),
        (with("algorithm = \"HS512\"\n"), "line 4"),
        (with("algorithms = [\"RS256\"]\n"), "did you mean 'algorithm'?"),
        (with("secret = \"abc\"\n"), "did you mean 'secret_file'?"),
    ] {
        let error = Config::read(&write_config(folder.path(), &wrong)).unwrap_err().to_string();
        assert!(error.contains(expected) && error.lines().count() == 1, "{wrong}: {error}");
    }
    assert!(Verifier::new(&AuthConfig::default()).is_err(), "a section that is off verifies nothing");
}
