//! The record of access is written behind the answers: an event waits for at most half a second, in a buffer
//! that forgets and counts what does not fit.

use std::time::Duration;

use metrics::counter;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::store::audit::access::{self, Event};
use crate::store::{Database, StoreError};

/// Events that wait to be written before further ones are lost: a minute and more of a busy service.
const WAITING: usize = 10_000;
/// Events written at once.
const BATCH: usize = 500;
/// How long the first event of a batch waits for others.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long to wait after the database has refused.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);
/// For how long a process that ends waits for the last answers' events.
const LAST_EVENTS: Duration = Duration::from_secs(3);

/// Takes events, and never makes anybody wait.
#[derive(Debug, Clone)]
pub struct Recorder(mpsc::Sender<Event>);

/// Events that wait to be written.
#[derive(Debug)]
pub struct Waiting(mpsc::Receiver<Event>);

/// A recorder, and what is to be written.
pub fn buffer() -> (Recorder, Waiting) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Recorder(sender), Waiting(receiver))
}

impl Recorder {
    /// Takes an event. One that finds no room is lost, which its number tells later.
    pub fn record(&self, event: Event) {
        counter!("certvakt_access_events_total").increment(1);
        if let Err(error) = self.0.try_send(event) {
            counter!("certvakt_access_events_lost_total").increment(1);
            let (TrySendError::Full(event) | TrySendError::Closed(event)) = error;
            tracing::error!(
                number = event.number,
                "an event of the access audit was lost: its buffer is full"
            );
        }
    }
}

impl Waiting {
    /// Writes events until the process ends and all have been written.
    pub async fn run(mut self, database: &Database, mut ending: watch::Receiver<bool>) {
        while let Err(error) = begin(database).await {
            tracing::warn!(code = error.code(), "the access audit cannot start yet: {error}");
            if timeout(AFTER_A_FAILURE, ending.wait_for(|ending| *ending)).await.is_ok() {
                return;
            }
        }
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                first = self.0.recv() => match first {
                    Some(first) => batch.push(first),
                    None => return,
                },
                _ = ending.wait_for(|ending| *ending) => break,
            }
            let until = Instant::now() + PATIENCE;
            while batch.len() < BATCH
                && let Ok(Some(event)) = timeout_at(until, self.0.recv()).await
            {
                batch.push(event);
            }
            while let Err(error) = write(database, &batch).await {
                tracing::error!(code = error.code(), "the access audit could not write its events: {error}");
                if *ending.borrow() {
                    return;
                }
                sleep(AFTER_A_FAILURE).await;
            }
            batch.clear();
        }
        // The last answers are under way still.
        let until = Instant::now() + LAST_EVENTS;
        while let Ok(Some(event)) = timeout_at(until, self.0.recv()).await {
            batch.push(event);
        }
        if let Err(error) = write(database, &batch).await {
            tracing::error!(code = error.code(), "the access audit could not write its last events: {error}");
        }
    }
}

async fn begin(database: &Database) -> Result<(), StoreError> {
    let mut tx = database.worker().await?;
    access::begin_recording(&mut tx).await?;
    tx.commit().await
}

async fn write(database: &Database, batch: &[Event]) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut tx = database.worker().await?;
    access::record(&mut tx, batch).await?;
    tx.commit().await
}
