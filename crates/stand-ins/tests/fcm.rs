//! The stand-in for Firebase Cloud Messaging refuses the same requests as the real service.
#![allow(missing_docs, clippy::unwrap_used, clippy::disallowed_methods)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use certvakt_testing::jwt::Signer;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SEND: &str = "/v1/projects/stand-in/messages:send";

struct StandIn {
    process: Child,
    address: String,
    _folder: tempfile::TempDir,
}

impl StandIn {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_fcm-stand-in"))
            .arg("--folder")
            .arg(folder.path())
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        Self { process, address: listening["address"].as_str().unwrap().to_owned(), _folder: folder }
    }

    /// Asks for an access token with the claims of a valid request, changed by `more`.
    async fn sign_in(&self, grant: &str, more: Value) -> (StatusCode, Value) {
        let now = chrono::Utc::now().timestamp();
        let mut claims = json!({
            "iss": "sender@stand-in.iam.gserviceaccount.com",
            "aud": format!("{}/token", self.address),
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
            "iat": now,
            "exp": now + 3600,
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let signer = Signer::rsa();
        let assertion = signer.sign(&signer.header("stand-in-key"), &claims);
        let request = client(false).post(format!("{}/token", self.address));
        let response =
            request.form(&[("grant_type", grant), ("assertion", &assertion)]).send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

fn client(http2: bool) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder();
    if http2 { builder.http2_prior_knowledge() } else { builder }.build().unwrap()
}

#[tokio::test]
async fn an_access_token_needs_a_valid_assertion() {
    let stand_in = StandIn::start();
    let now = chrono::Utc::now().timestamp();
    for (grant, more, error) in [
        ("password", json!({}), "unsupported_grant_type"),
        (GRANT, json!({ "aud": "https://elsewhere.invalid/token" }), "invalid_grant"),
        (GRANT, json!({ "iss": "another@stand-in.iam.gserviceaccount.com" }), "invalid_scope"),
        (GRANT, json!({ "scope": "openid" }), "invalid_scope"),
        (GRANT, json!({ "exp": now + 7200 }), "invalid_grant"),
        (GRANT, json!({ "iat": now - 7200, "exp": now - 3600 }), "invalid_grant"),
    ] {
        let (status, answer) = stand_in.sign_in(grant, more.clone()).await;
        assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &json!(error)), "{more}");
    }
    let (status, answer) = stand_in.sign_in(GRANT, json!({})).await;
    assert_eq!((status, &answer["token_type"]), (StatusCode::OK, &json!("Bearer")));
}

#[tokio::test]
async fn a_message_has_the_documented_form() {
    let stand_in = StandIn::start();
    let (_, answer) = stand_in.sign_in(GRANT, json!({})).await;
    let token = answer["access_token"].as_str().unwrap();
    let message = json!({ "message": { "token": "ok-1", "data": { "id": "1" } } }).to_string();
    let too_long = json!({ "message": { "token": "ok-1", "data": { "id": "x".repeat(4096) } } }).to_string();
    let unknown_field = json!({ "message": { "tokn": "ok-1" } }).to_string();
    for (http2, path, bearer, body, status) in [
        (true, SEND, token, message.as_str(), StatusCode::OK),
        (false, SEND, token, &message, StatusCode::BAD_REQUEST),
        (true, SEND, "made-up", &message, StatusCode::UNAUTHORIZED),
        (true, "/v1/projects/other/messages:send", token, &message, StatusCode::NOT_FOUND),
        (true, SEND, token, "{", StatusCode::BAD_REQUEST),
        (true, SEND, token, &unknown_field, StatusCode::BAD_REQUEST),
        (true, SEND, token, &too_long, StatusCode::BAD_REQUEST),
    ] {
        let request = client(http2).post(format!("{}{path}", stand_in.address)).bearer_auth(bearer);
        let response = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(response.status(), status, "{path} {body}");
    }
}
