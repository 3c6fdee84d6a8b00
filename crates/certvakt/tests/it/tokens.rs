//! Bearer tokens: accepted ones, rejected ones with the reason, and fetches of an issuer's keys. Time is an
//! argument everywhere.

mod claims;
mod configuration;
mod fetching;
mod keys;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use certvakt_engine::config::{AuthConfig, Config, TokenAlgorithm};
use certvakt_server::token::{Identity, TokenError, Verifier};
use certvakt_testing::jwt::Signer;
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::{RwLock, watch};

use crate::stand_in::write_config;

const ISSUER: &str = "https://project.example.org/auth/v1";
const AUDIENCE: &str = "authenticated";
const SUBJECT: &str = "6f1c1f0e-8c5e-4c07-9d0a-0f6f4b0f5b11";
const SECRET: &[u8; 32] = b"thirty-two bytes, no more, no le";
const START: i64 = 1_800_000_000;
const UNKNOWN_KEY: TokenError = TokenError::Invalid("the issuer has no key with its kid");
const WRONG_SIGNATURE: TokenError = TokenError::Invalid("its signature is wrong");
const OTHER_ALGORITHM: TokenError = TokenError::Invalid("its alg is not auth.algorithm");
const MALFORMED_HEADER: TokenError =
    TokenError::Invalid("its header is malformed or has an unknown algorithm");

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(START + seconds, 0).unwrap()
}

fn identity() -> Identity {
    Identity { issuer: ISSUER.to_owned(), subject: SUBJECT.to_owned() }
}

/// Claims that are valid for a day.
fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": SUBJECT, "exp": START + 86_400, "role": "authenticated" })
}

/// An accepted token.
fn signed_by(signer: &Signer, kid: &str) -> String {
    signer.sign(&signer.header(kid), &claims())
}

/// An issuer's server, which counts requests, and responds when the test allows it.
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
    // The target of a redirect would be a valid response, but must not be requested.
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
