//! Code that the Rust peers share: signing in at the push service, and posting a message to it over as
//! many HTTP/2 connections as configured.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Body, Client};
use serde::Deserialize;
use serde_json::json;

/// Any error; a peer prints it and exits.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Sends messages to one project of the push service.
#[derive(Debug)]
pub struct Sender {
    clients: Vec<Client>,
    next: AtomicUsize,
    url: String,
    bearer: String,
}

/// The part of a service account's key file that signing in needs.
#[derive(Deserialize)]
struct Account {
    project_id: String,
    private_key_id: String,
    private_key: String,
    client_email: String,
    token_uri: String,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
}

impl Sender {
    /// Signs in with the key file and opens the clients, a connection each.
    pub async fn sign_in(endpoint: &str, account: &Path, connections: usize) -> Result<Self, Failure> {
        // A second call finds the provider installed, which is what it wants.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let account: Account = serde_json::from_slice(&std::fs::read(account)?)?;
        let clients: Vec<Client> = (0..connections)
            .map(|_| Client::builder().http2_prior_knowledge().pool_max_idle_per_host(1).build())
            .collect::<Result<_, _>>()?;
        let client = clients.first().ok_or("there must be a connection")?;
        let granted: Granted = client
            .post(&account.token_uri)
            .form(&[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", &assertion(&account)?),
            ])
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        Ok(Self {
            next: AtomicUsize::new(0),
            url: format!("{endpoint}/v1/projects/{}/messages:send", account.project_id),
            bearer: granted.access_token,
            clients,
        })
    }

    /// Posts a message and reads the whole answer, which must be 200.
    pub async fn post(&self, message: impl Into<Body>) -> Result<(), Failure> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.clients.len();
        let request = self.clients[turn].post(&self.url).bearer_auth(&self.bearer);
        let answer = request.header(CONTENT_TYPE, "application/json").body(message).send().await?;
        answer.error_for_status()?.bytes().await?;
        Ok(())
    }
}

/// The signed claim that is exchanged for an access token.
fn assertion(account: &Account) -> Result<String, Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let claims = json!({
        "iss": account.client_email,
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "aud": account.token_uri,
        "iat": now,
        "exp": now + 300,
    });
    let header = Header { kid: Some(account.private_key_id.clone()), ..Header::new(Algorithm::RS256) };
    let key = EncodingKey::from_rsa_pem(account.private_key.as_bytes())?;
    Ok(jsonwebtoken::encode(&header, &claims, &key)?)
}
