//! Retention: deletes old rows in small batches, which never lock a table for long.

use serde::Serialize;
use sqlx::postgres::types::PgInterval;

use super::{Database, StoreError, WorkerTx, auth};

/// The number of rows deleted in one transaction.
const BATCH: i32 = 5_000;

/// The numbers of deleted rows; in a dry run, of rows that would be deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Deleted {
    /// Notices. Their deliveries and attempts are deleted with them.
    pub notices: i64,
    /// Records of runs.
    pub runs: i64,
    /// Records of imports.
    pub imports: i64,
    /// Events of the access log, which are always kept for a year.
    pub access_events: i64,
}

/// Counts the rows that are older than a number of days.
pub async fn count(database: &Database, older_than_days: u32) -> Result<Deleted, StoreError> {
    let mut tx = database.worker().await?;
    Ok(sqlx::query_as!(
        Deleted,
        r#"select
             (select count(*) from public.cert_notification_log where sent_at < now() - $1::interval) as "notices!",
             (select count(*) from certvakt.runs where finished_at < now() - $1::interval) as "runs!",
             (select count(*) from certvakt.imports where finished_at < now() - $1::interval) as "imports!",
             (select count(*) from certvakt.access_events where at < now() - greatest($1::interval, interval '365 days'))
               as "access_events!""#,
        interval(older_than_days),
    )
    .fetch_one(&mut tx)
    .await?)
}

/// Deletes the rows that are older than a number of days, one batch per transaction, and expired sessions, e-mails and
/// former addresses. Tells `progress` how many notices each batch deleted.
pub async fn delete(
    database: &Database,
    older_than_days: u32,
    progress: impl Fn(u64),
) -> Result<Deleted, StoreError> {
    let mut deleted = Deleted::default();
    loop {
        let mut tx = database.worker().await?;
        let notices = sqlx::query_scalar!(
            r#"select certvakt.delete_old_notices($1, $2) as "deleted!""#,
            interval(older_than_days),
            BATCH,
        )
        .fetch_one(&mut tx)
        .await?;
        let runs = sqlx::query!(
            "delete from certvakt.runs where id in (
               select id from certvakt.runs where finished_at < now() - $1::interval order by finished_at limit $2)",
            interval(older_than_days),
            i64::from(BATCH),
        )
        .execute(&mut tx)
        .await?;
        let imports = sqlx::query!(
            "delete from certvakt.imports where id in (
               select id from certvakt.imports where finished_at < now() - $1::interval order by finished_at limit $2)",
            interval(older_than_days),
            i64::from(BATCH),
        )
        .execute(&mut tx)
        .await?;
        let access_events = sqlx::query_scalar!(
            r#"select certvakt.delete_old_access_events($1, $2) as "deleted!""#,
            interval(older_than_days),
            BATCH,
        )
        .fetch_one(&mut tx)
        .await?;
        tx.commit().await?;
        let batch = Deleted {
            notices,
            runs: i64::try_from(runs.rows_affected()).unwrap_or(i64::MAX),
            imports: i64::try_from(imports.rows_affected()).unwrap_or(i64::MAX),
            access_events,
        };
        if batch == Deleted::default() {
            break;
        }
        deleted.notices += batch.notices;
        deleted.runs += batch.runs;
        deleted.imports += batch.imports;
        deleted.access_events += batch.access_events;
        progress(batch.notices.unsigned_abs());
    }
    let mut tx = database.worker().await?;
    delete_import_changes(&mut tx).await?;
    tx.commit().await?;
    // `serve` does this only if people sign in or e-mail is configured, but triggers write e-mails in any
    // case.
    let mut tx = database.auth().await?;
    auth::sweep(&mut tx).await?;
    tx.commit().await?;
    Ok(deleted)
}

/// Deletes what is stored to undo an import, after 30 days.
async fn delete_import_changes(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from certvakt.import_changes where import_id in (
           select id from certvakt.imports where finished_at < now() - interval '30 days')"
    )
    .execute(tx)
    .await?;
    Ok(())
}

fn interval(days: u32) -> PgInterval {
    PgInterval { months: 0, days: i32::try_from(days).unwrap_or(i32::MAX), microseconds: 0 }
}
