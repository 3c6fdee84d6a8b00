//! Uploaded registers, for the service that imports them.

use serde_json::Value;
use uuid::Uuid;

use super::{RegistrarTx, StoreError};

/// An uploaded register that waits to be imported.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The upload's id.
    pub id: Uuid,
    /// The person who uploaded it; `None` if they were erased since.
    pub person_id: Option<Uuid>,
    /// The organisation's slug.
    pub organisation: String,
    /// The chapter's slug.
    pub chapter: String,
    /// The options for reading it.
    pub options: Value,
    /// The content.
    pub content: Vec<u8>,
    /// The number of attempts, including this one.
    pub attempt: i32,
}

/// Returns the next register to import, and counts the attempt.
pub async fn next(tx: &mut RegistrarTx) -> Result<Option<Received>, StoreError> {
    Ok(sqlx::query_file_as!(Received, "src/upload/next.sql").fetch_optional(tx).await?)
}

/// Records the result of a register, and deletes its content.
pub async fn finish(tx: &mut RegistrarTx, id: Uuid, state: &str, result: &Value) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.uploads set state = $2, result = $3, content = null, finished_at = clock_timestamp()
         where id = $1 and state = 'received'",
        id,
        state,
        result,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes announcements whose register was not sent within an hour, because each counts towards its
/// organisation's limit; finished uploads after 30 days; and stored responses after a day.
pub async fn delete_old(tx: &mut RegistrarTx) -> Result<(), StoreError> {
    sqlx::query!(
        "with uploads as (
           delete from certvakt.uploads
           where created_at < now() - interval '30 days' and state <> 'received'
             or created_at < now() - interval '1 hour' and state = 'waiting'
         )
         delete from certvakt.idempotency_keys where created_at < now() - interval '1 day'"
    )
    .execute(tx)
    .await?;
    Ok(())
}
