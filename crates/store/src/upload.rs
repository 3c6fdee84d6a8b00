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
    /// The chapter's slug, of rows that name none.
    pub chapter: Option<String>,
    /// The chapters that the coordinator who sent it managed; `None` if an administrator sent it.
    pub limited_to: Option<Vec<Uuid>>,
    /// Whether they still manage them.
    pub is_entitled: bool,
    /// The options for reading it.
    pub options: Value,
    /// The content.
    pub content: Vec<u8>,
    /// The number of attempts, including this one.
    pub attempt: i32,
    /// Whether to check it only.
    pub is_check: bool,
    /// Whether it was sent on a page.
    pub is_on_page: bool,
}

/// Returns the next register to import, and counts the attempt.
pub async fn next(tx: &mut RegistrarTx) -> Result<Option<Received>, StoreError> {
    Ok(sqlx::query_file_as!(Received, "src/upload/next.sql").fetch_optional(tx).await?)
}

/// Records the result of a register and its rejected rows, and deletes its content.
pub async fn finish(
    tx: &mut RegistrarTx,
    id: Uuid,
    state: &str,
    result: &Value,
    rejected: Option<&Value>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.uploads
         set state = $2, result = $3, rejected = $4, content = null, proposal = null, finished_at = clock_timestamp()
         where id = $1 and state = 'received'",
        id,
        state,
        result,
        rejected,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records the result of the check of a register, whose content stays for the import.
pub async fn finish_check(
    tx: &mut RegistrarTx,
    id: Uuid,
    result: &Value,
    rejected: Option<&Value>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.uploads set state = 'checked', result = $2, rejected = $3, attempt = 0
         where id = $1 and state = 'checking'",
        id,
        result,
        rejected,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes announcements whose register was not sent within an hour, because each counts towards its
/// organisation's limit; registers that nobody imported after a day; finished uploads, and what is stored to undo an import, after 30 days; and stored responses
/// after a day.
pub async fn delete_old(tx: &mut RegistrarTx) -> Result<(), StoreError> {
    sqlx::query!(
        "with uploads as (
           delete from certvakt.uploads
           where created_at < now() - interval '30 days' and state <> 'received'
             or created_at < now() - interval '1 hour' and state = 'waiting'
             or created_at < now() - interval '1 day' and state in ('draft', 'checking', 'checked')
         ),
         changes as (
           delete from certvakt.import_changes
           where import_id in (select id from certvakt.imports where finished_at < now() - interval '30 days')
         )
         delete from certvakt.idempotency_keys where created_at < now() - interval '1 day'"
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// An import that a person wants to undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoRequest {
    /// The person who requested it; `None` if they were erased since.
    pub person_id: Option<Uuid>,
    /// The number of the import.
    pub import_id: i64,
    /// The number of attempts, including this one.
    pub attempt: i32,
}

/// Returns the next import to undo, and counts the attempt. One that failed does not hold up the others.
pub async fn next_undo(tx: &mut RegistrarTx) -> Result<Option<UndoRequest>, StoreError> {
    Ok(sqlx::query_as!(
        UndoRequest,
        "update certvakt.imports i set undo_attempt = i.undo_attempt + 1
         where i.id = (
           select id from certvakt.imports where undo_requested_at is not null
           order by undo_attempt, undo_requested_at limit 1 for no key update skip locked)
         returning i.undo_requested_by as person_id, i.id as import_id, i.undo_attempt as attempt"
    )
    .fetch_optional(tx)
    .await?)
}

/// Records the outcome of an undo: its result, or why it was refused.
pub async fn finish_undo(
    tx: &mut RegistrarTx,
    import_id: i64,
    is_undone: bool,
    outcome: &Value,
) -> Result<(), StoreError> {
    sqlx::query!(
        "with upload as (
           update certvakt.uploads
           set state = case when $2 then 'undone' else state end,
             result = result || jsonb_build_object('undo', $3::jsonb)
           where (result ->> 'import')::bigint = $1 and state = 'imported'
         )
         update certvakt.imports set undo_requested_at = null, undo_attempt = 0, undo = $3 where id = $1",
        import_id,
        is_undone,
        outcome,
    )
    .execute(tx)
    .await?;
    Ok(())
}
