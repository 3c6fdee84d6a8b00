//! `file`: one line of JSON per notice, for development and closed networks.

use std::path::PathBuf;
use std::time::Duration;

use certvakt_base::private;
use certvakt_rules::Stage;
use futures_util::future::BoxFuture;
use governor::DefaultDirectRateLimiter;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::channel::{Address, Channel, Outcome, Reach, Stopped, Wait};
use crate::config::ChannelName;
use crate::delivery::{DeliveryError, Notice, text};

/// Appends notices to a file.
#[derive(Debug)]
pub(super) struct FileChannel {
    path: PathBuf,
}

/// The fields of a line. It identifies the person by id, without a name or an address.
#[derive(Serialize)]
struct Line<'a> {
    idempotency_key: &'a str,
    certification_id: Uuid,
    person_id: Uuid,
    stage: Stage,
    last_valid_day: chrono::NaiveDate,
    days_left: i64,
    title: String,
    body: String,
}

impl FileChannel {
    pub(super) fn new(path: PathBuf) -> Result<Self, DeliveryError> {
        // Opening a pipe would block until it has a reader.
        if std::fs::metadata(&path).is_ok_and(|found| !found.is_file()) {
            return Err(DeliveryError::Channel {
                channel: "file",
                reason: "file.path is not a regular file: choose another path".to_owned(),
            });
        }
        Ok(Self { path })
    }

    async fn open(&self) -> std::io::Result<tokio::fs::File> {
        let path = self.path.clone();
        let opened =
            tokio::task::spawn_blocking(move || private::open(std::fs::File::options().append(true), &path));
        Ok(tokio::fs::File::from_std(opened.await.map_err(std::io::Error::other)??))
    }

    async fn append(&self, line: &Line<'_>) -> std::io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        let mut file = self.open().await?;
        // One write in append mode, so that lines of several workers do not mix.
        file.write_all(&text).await?;
        file.sync_data().await
    }
}

impl Channel for FileChannel {
    fn name(&self) -> ChannelName {
        ChannelName::File
    }

    fn reaches(&self) -> Reach {
        Reach::Everyone
    }

    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async move {
            let opened = self.open().await;
            opened.map(drop).map_err(|error| format!("cannot write the file: {}", error.kind()))
        })
    }

    fn pace(&self) -> Option<&DefaultDirectRateLimiter> {
        None
    }

    fn send<'a>(
        &'a self,
        notice: &'a Notice<'a>,
        to: &'a Address,
    ) -> BoxFuture<'a, Result<Outcome, Stopped>> {
        Box::pin(async move {
            let text = text::push(notice);
            let line = Line {
                idempotency_key: notice.idempotency_key,
                certification_id: notice.certification_id,
                person_id: to.person_id,
                stage: notice.stage,
                last_valid_day: notice.last_valid_day,
                days_left: notice.days_left,
                title: text.title,
                body: text.body,
            };
            Ok(match self.append(&line).await {
                Ok(()) => Outcome::Delivered { reference: "written".to_owned() },
                Err(error) => Outcome::Retry {
                    wait: Wait::Backoff(Duration::from_secs(1)),
                    reason: format!("cannot write the file: {}", error.kind()),
                },
            })
        })
    }
}
