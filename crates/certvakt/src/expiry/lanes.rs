//! A large run is recorded by two transactions at once, each for a half of what it reads: one alone
//! keeps one of the server's processors busy with keys, indexes and foreign keys, and nothing else.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::store::run::{self, Part, Request, RunCounts};
use crate::store::{Database, StoreError, WorkerTx};

/// Notices from which on a second connection is worth its while.
pub(super) const WORTH_IT_FROM: i64 = 10_000;
/// How long we wait for the two connections: a pooler may have none to spare, and another run may wait
/// for the ones that we hold.
const WAIT_FOR_CONNECTIONS: Duration = Duration::from_secs(1);
/// How often the transaction that holds the run's lock is used meanwhile; it may idle for 60 s.
const KEEP_LOCK_EVERY: Duration = Duration::from_secs(15);

/// Records a run, which must be known to be within its limit or approved. None, if there are not
/// connections enough at the moment.
///
/// Each half is made to last as soon as it is recorded, and never waits for the other: whoever deletes
/// a certification of each waits for both, which the server could not see as a deadlock. When one fails
/// the other's notices stay; the next run finds them recorded and adds the rest.
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
        let found = run::record(&mut tx, request, limit, part).await?;
        tx.commit().await?;
        Ok::<RunCounts, StoreError>(found)
    });
    // Both to their end, whatever becomes of the other.
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
