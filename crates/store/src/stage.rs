//! The declared stages. Declaring one changes the schema, so it is an action of the owner.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection};

use super::error::code_of;
use super::{StoreError, WorkerTx, connect_options};

/// A declared stage.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Declared {
    /// The stage's name.
    pub name: String,
    /// The number of days from the due date to the last valid day; -1 for `expired`.
    pub days_before: i32,
}

/// The declared stages in the order of their due dates, and the number of days for which notices are kept at least.
pub async fn list(tx: &mut WorkerTx) -> Result<(Vec<Declared>, i32), StoreError> {
    let stages = sqlx::query_as!(
        Declared,
        r#"select name as "name!", days_before from certvakt.stages order by days_before desc"#
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok((stages, days_kept(tx).await?))
}

/// The number of days for which notices are kept at least.
pub async fn days_kept(tx: &mut WorkerTx) -> Result<i32, StoreError> {
    Ok(sqlx::query_scalar!(r#"select certvakt.days_kept() as "days!""#).fetch_one(tx).await?)
}

/// The check constraints that do not enumerate exactly the declared stages, or that were not validated.
pub async fn wrong_checks(tx: &mut WorkerTx) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_file_scalar!("src/doctor/stages.sql").fetch_all(tx).await?)
}

/// A change of the declared stages, by the owner of the schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Declares the stage that starts this number of days before the last valid day.
    Declare(u16),
    /// Removes it, unless something has it.
    Remove(u16),
}

/// The longest wait for one lock, in milliseconds. A change locks four tables, and four waits must end before
/// `deadlock_timeout` (one second by default): in a deadlock it is the change that gives way, never the run.
const LOCK_TIMEOUT: &str = "200ms";
/// The number of attempts to lock the tables, and the pause between two of them.
const ATTEMPTS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// Changes the declared stages, over a separate direct connection as the owner. Returns the number of days for which
/// notices are kept at least from then on.
pub async fn change(address: &str, change: Change) -> Result<i32, StoreError> {
    let mut connection = connect_options(address)?.connect().await?;
    let mut attempt = 1;
    let changed = loop {
        match attempt_change(&mut connection, change).await {
            Err(error) if attempt < ATTEMPTS && is_locked(&error) => tokio::time::sleep(PAUSE).await,
            result => break result,
        }
        attempt += 1;
    };
    let changed = match (changed, change) {
        (Ok(kept), Change::Declare(_)) => validate(&mut connection).await.map(|()| kept),
        (changed, _) => changed,
    };
    let _ = connection.close().await;
    meaning(changed, change)
}

async fn attempt_change(connection: &mut PgConnection, change: Change) -> Result<i32, sqlx::Error> {
    let mut tx = connection.begin().await?;
    set_lock_timeout(&mut tx, LOCK_TIMEOUT).await?;
    let kept = match change {
        Change::Declare(days) => {
            let kept =
                sqlx::query_scalar!(r#"select certvakt.declare_stage($1) as "days!""#, i32::from(days));
            kept.fetch_one(&mut *tx).await?
        }
        Change::Remove(days) => {
            let kept = sqlx::query_scalar!(r#"select certvakt.remove_stage($1) as "days!""#, i32::from(days));
            kept.fetch_one(&mut *tx).await?
        }
    };
    tx.commit().await?;
    Ok(kept)
}

/// Validating reads the log. In its own transaction, it does not stop those who write to it.
async fn validate(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut tx = connection.begin().await?;
    set_lock_timeout(&mut tx, "5s").await?;
    sqlx::query!("select certvakt.validate_stages()").execute(&mut *tx).await?;
    tx.commit().await
}

async fn set_lock_timeout(connection: &mut PgConnection, timeout: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("select set_config('lock_timeout', $1, true)", timeout).fetch_one(connection).await?;
    Ok(())
}

/// Whether another transaction held a lock that the statement needs: `lock_not_available` or `deadlock_detected`.
fn is_locked(error: &sqlx::Error) -> bool {
    matches!(code_of(error).as_deref(), Some("55P03" | "40P01"))
}

fn meaning<T>(result: Result<T, sqlx::Error>, change: Change) -> Result<T, StoreError> {
    let (Change::Declare(days) | Change::Remove(days)) = change;
    result.map_err(|error| match code_of(&error).as_deref() {
        Some("23514") => StoreError::Invalid(format!(
            "the lead time of {days} days is in use: an organisation or a type selects it, or the log has a notice of it; `certvakt organisation set S --lead-times` and `certvakt type set T --organisation S --lead-times` select others"
        )),
        Some("23001") => StoreError::Invalid(format!(
            "the lead time of {days} days stays declared, because a new organisation selects it: select others with `certvakt organisation set S --lead-times`"
        )),
        Some("54000") => StoreError::Invalid(
            "12 lead times are declared, which is the maximum: remove one with `certvakt stage remove`".to_owned(),
        ),
        _ => match error.into() {
            StoreError::Refused { said, .. } => StoreError::Refused {
                said,
                hint: "declare stages as the login that owns the schema, as for `certvakt migrate`",
            },
            other => other,
        },
    })
}
