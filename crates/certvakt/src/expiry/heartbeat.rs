//! Telling a watcher outside that the runs happen (the convention of healthchecks.io).

use std::time::Duration;

use crate::config::HeartbeatConfig;

/// How long a watcher may take to answer. It never holds up a run.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The watcher's address, if there is one.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    url: Option<String>,
    client: reqwest::Client,
}

impl Heartbeat {
    /// The configured watcher.
    pub fn new(config: &HeartbeatConfig) -> Self {
        Self {
            url: Some(config.url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty()),
            client: crate::http::client(TIMEOUT),
        }
    }

    /// A run starts.
    pub async fn start(&self) {
        self.call("/start").await;
    }

    /// Every run succeeded, and what was recorded is being delivered.
    pub async fn success(&self) {
        self.call("").await;
    }

    /// A run failed or is held, or deliveries are stuck.
    pub async fn fail(&self) {
        self.call("/fail").await;
    }

    async fn call(&self, what: &str) {
        let Some(url) = &self.url else { return };
        let answer = self
            .client
            .get(format!("{url}{what}"))
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        if let Err(error) = answer {
            // The address may hold a secret.
            tracing::warn!("the heartbeat could not be called: {}", error.without_url());
        }
    }
}
