//! The HTTP API: the permissions of each kind of person, and the responses to invalid requests.

mod access;
mod access_log;
mod changes;
mod creating;
mod imports;
mod lists;
mod matrix;
mod opt_outs;
mod requests;
mod sharing;

use std::time::Duration;

use certvakt_testing::jwt::Signer;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{NOON, TestDatabase};
use crate::service::Service;

const SECRET: &str = "a secret of the tests, of forty bytes...";
const WORLD: &str = concat!(
    include_str!("../../../../supabase/tests/fixtures/world.psql"),
    include_str!("../../../../supabase/tests/fixtures/certified.psql")
);
const ISSUER: &str = "https://issuer.example";

/// The service on the test data of two organisations, at noon of a day on which all certifications have five
/// days left.
struct Api {
    database: TestDatabase,
    service: Service,
    client: reqwest::Client,
    config: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

/// A response.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    etag: String,
    headers: reqwest::header::HeaderMap,
    body: Value,
}

impl Answer {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        let etag = headers.get("etag").map_or(String::new(), |etag| etag.to_str().unwrap().to_owned());
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, etag, headers, body }
    }
}

impl Api {
    async fn start() -> Self {
        let database = TestDatabase::rehearsal().await;
        database.execute(WORLD).await;
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret");
        std::fs::write(&secret, SECRET).unwrap();
        let config = folder.path().join("certvakt.toml");
        let text = format!(
            "[serve]\nlisten = \"127.0.0.1:0\"\n[auth]\nissuer = \"{ISSUER}\"\naudience = \"authenticated\"\n\
             algorithm = \"HS256\"\nsecret_file = \"{}\"\n",
            secret.display()
        );
        std::fs::write(&config, text).unwrap();
        let service = Service::start(&database, &config, NOON);
        let client = certvakt_engine::outbound::client(Duration::from_secs(30));
        Self { database, service, client, config, _folder: folder }
    }

    /// Starts the service again, after it was killed.
    fn restart(&mut self) {
        self.service = Service::start(&self.database, &self.config, NOON);
    }

    /// A request of a login of the test data; `nobody` has no token.
    fn request(&self, who: &str, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("http://{}/api/v1{path}", self.service.address()));
        if who == "nobody" { request } else { request.bearer_auth(token(who)) }
    }

    /// Sends a request as a login of the test data.
    async fn ask(&self, who: &str, method: Method, path: &str, etag: &str, body: Option<&Value>) -> Answer {
        let mut request = self.request(who, method, path);
        if !etag.is_empty() {
            request = request.header("if-match", etag);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request).await
    }

    /// Sends a request that creates something, with an idempotency key if it is not empty.
    async fn make(&self, who: &str, path: &str, key: &str, body: &Value) -> Answer {
        let request = self.request(who, Method::POST, path).json(body);
        Answer::of(if key.is_empty() { request } else { request.header("idempotency-key", key) }).await
    }

    async fn get(&self, who: &str, path: &str) -> Answer {
        self.ask(who, Method::GET, path, "", None).await
    }

    /// The ids in a list.
    async fn listed(&self, who: &str, path: &str) -> Vec<String> {
        let answer = self.get(who, path).await;
        let items = answer.body.get("items").unwrap_or(&answer.body).as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }
}

pub fn token(subject: &str) -> String {
    let expires: u64 = 4_102_444_800;
    let claims = json!({ "iss": ISSUER, "sub": subject, "aud": "authenticated", "exp": expires });
    let signer = Signer::hmac(SECRET.as_bytes());
    signer.sign(&signer.header("one"), &claims)
}

fn id(end: &str) -> String {
    format!("00000000-0000-4000-8000-{end}")
}
