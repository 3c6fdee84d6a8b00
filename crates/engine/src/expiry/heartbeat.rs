//! The heartbeat for an external monitor of the runs (the convention of healthchecks.io).

use std::time::Duration;

use certvakt_store::{Database, StoreError, organisation, report};

use crate::config::HeartbeatConfig;

/// The time limit of the monitor's response, so that it never holds up a run.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The heartbeat, which is off without an address.
#[derive(Debug, Clone)]
pub struct Heartbeat {
    url: Option<String>,
    max_queue_age_minutes: u32,
    client: reqwest::Client,
}

impl Heartbeat {
    /// Creates the heartbeat from the configuration.
    pub fn new(config: &HeartbeatConfig) -> Self {
        Self {
            url: Some(config.url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty()),
            max_queue_age_minutes: config.max_queue_age_minutes,
            client: crate::outbound::client(TIMEOUT),
        }
    }

    /// Reports that the runs start.
    pub async fn start(&self) {
        self.call("/start").await;
    }

    /// Reports that the runs ended: a success only if all of them recorded what was due, and the age of the
    /// queue is below its limit.
    pub async fn end(&self, database: &Database, all_recorded: bool) {
        if self.url.is_none() {
            return;
        }
        let limit = i64::from(self.max_queue_age_minutes) * 60;
        let is_success = all_recorded && queue_age(database).await.is_ok_and(|age| age < limit);
        self.call(if is_success { "" } else { "/fail" }).await;
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
            // The address may contain a secret.
            tracing::warn!("could not call the heartbeat: {}", error.without_url());
        }
    }
}

/// The age of the oldest deliverable notice, in seconds.
async fn queue_age(database: &Database) -> Result<i64, StoreError> {
    let mut tx = database.worker().await?;
    let organisations = organisation::list(&mut tx).await?;
    let queue = report::queue(&mut tx, &organisations).await?;
    tx.rollback().await?;
    Ok(queue.oldest_seconds)
}
