//! Registers that were handed over through the API, as the service takes them in.

use serde_json::Value;
use uuid::Uuid;

use super::{RegistrarTx, StoreError};

/// A register that waits to be taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Its id.
    pub id: Uuid,
    /// Who handed it over; none, if they were erased since.
    pub person_id: Option<Uuid>,
    /// The organisation's slug.
    pub organisation: String,
    /// The chapter's slug.
    pub chapter: String,
    /// How it is to be read.
    pub options: Value,
    /// Its bytes.
    pub content: Vec<u8>,
    /// How often it was tried, this time included.
    pub attempt: i32,
}

/// The register that is to be tried next; the try is counted.
pub async fn next(tx: &mut RegistrarTx) -> Result<Option<Received>, StoreError> {
    Ok(sqlx::query_file_as!(Received, "src/store/upload/next.sql").fetch_optional(tx).await?)
}

/// Writes down what became of a register, and forgets its content.
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

/// Forgets registers that were not sent within an hour, for each takes one of its organisation's few places; those that
/// were read after 30 days, and answers after a day.
pub async fn forget_old(tx: &mut RegistrarTx) -> Result<(), StoreError> {
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
