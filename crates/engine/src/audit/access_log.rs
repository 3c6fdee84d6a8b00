//! The writer of the access log. Responses do not wait for it: an event waits for at most half a second in a
//! buffer, which drops and counts events if it is full.

use std::time::Duration;

use certvakt_store::audit::access_log::{self, Event};
use certvakt_store::{Database, StoreError};
use metrics::counter;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout, timeout_at};

/// The size of the buffer: more than a minute of a busy service. Further events are lost.
const WAITING: usize = 10_000;
/// The number of events written at once.
const BATCH: usize = 500;
/// The maximum time for which the first event of a batch waits for others.
const PATIENCE: Duration = Duration::from_millis(500);
/// The pause after a database error.
const AFTER_A_FAILURE: Duration = Duration::from_secs(1);
/// The time for which a shutdown waits for the events of the last responses.
const LAST_EVENTS: Duration = Duration::from_secs(3);

/// The sending side of the buffer, which never blocks.
#[derive(Debug, Clone)]
pub struct Recorder(mpsc::Sender<Event>);

/// The receiving side of the buffer.
#[derive(Debug)]
pub struct Waiting(mpsc::Receiver<Event>);

/// Creates the buffer.
pub fn buffer() -> (Recorder, Waiting) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Recorder(sender), Waiting(receiver))
}

impl Recorder {
    /// Adds an event. If the buffer is full, the event is lost, which the gap in the sequence numbers shows
    /// later.
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
    /// Writes events until shutdown, then writes the remaining ones.
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
        // The last responses are still in progress.
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
    access_log::begin_recording(&mut tx).await?;
    tx.commit().await
}

async fn write(database: &Database, batch: &[Event]) -> Result<(), StoreError> {
    if batch.is_empty() {
        return Ok(());
    }
    let mut tx = database.worker().await?;
    access_log::record(&mut tx, batch).await?;
    tx.commit().await
}
