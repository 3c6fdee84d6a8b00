//! Records a large run in two concurrent transactions, each for half of the certifications. One transaction
//! alone would be limited by one of the server's processors, which computes keys and updates indexes.

use std::time::Duration;

use certvakt_store::run::{self, Part, Request, RunCounts};
use certvakt_store::{Database, StoreError, WorkerTx};
use futures_util::future::{join_all, try_join_all};
use tokio::time::{MissedTickBehavior, interval, timeout};

/// The number of notices from which a second connection pays off.
pub(super) const WORTH_IT_FROM: i64 = 10_000;
/// The time limit for getting the two connections: a pooler may have none left, and another run may wait for
/// ours.
const WAIT_FOR_CONNECTIONS: Duration = Duration::from_secs(1);
/// The interval at which the transaction with the run's lock is used in the meantime; it may be idle for 60
/// s.
const KEEP_LOCK_EVERY: Duration = Duration::from_secs(15);

/// Records a run that is known to be within its limit, or is approved. Returns `None` if there are not
/// enough connections.
///
/// Each half commits as soon as it is recorded, and never waits for the other: a transaction that deletes a
/// certification of each half would wait for both, which the server could not detect as a deadlock. If one
/// half fails, the other's notices stay; the next run finds them and adds the rest.
pub(super) async fn record(
    database: &Database,
    lock: &mut WorkerTx,
    request: Request<'_>,
    limit: i64,
) -> Result<Option<RunCounts>, StoreError> {
    let parts = Part::halves(request);
    let connections = try_join_all(parts.map(|_| database.worker()));
    let Ok(lanes) = timeout(WAIT_FOR_CONNECTIONS, connections).await else { return Ok(None) };
    let halves = lanes?.into_iter().zip(parts).map(|(mut tx, part)| async move {
        run::disable_sequential_scans(&mut tx).await?;
        let found = run::record(&mut tx, request, limit, part).await?;
        tx.commit().await?;
        Ok::<RunCounts, StoreError>(found)
    });
    // Wait for both halves, even if one fails.
    let recording = join_all(halves);
    tokio::pin!(recording);
    let mut ticks = interval(KEEP_LOCK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();
    let found = loop {
        tokio::select! {
            found = &mut recording => break found,
            _ = ticks.tick() => run::keep_lock(lock).await?,
        }
    };
    let found = found.into_iter().collect::<Result<Vec<RunCounts>, StoreError>>()?;
    Ok(found.into_iter().reduce(|mut all, half| {
        all.join(&half);
        all
    }))
}
