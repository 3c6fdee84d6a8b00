//! Registers that were handed over through the API, as the service takes them in.

use serde_json::Value;
use uuid::Uuid;

use super::{RegistrarTx, StoreError};

/// A register that waits to be taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Its id.
    pub id: Uuid,
    /// The organisation's slug.
    pub organisation: String,
    /// The chapter's slug.
    pub chapter: String,
    /// How it is to be read.
    pub options: Value,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// The register that has waited for longest. Two services may both have it: taking in a register twice changes
/// nothing, and what became of it is written once.
pub async fn next(tx: &mut RegistrarTx) -> Result<Option<Received>, StoreError> {
    Ok(sqlx::query_as!(
        Received,
        r#"select u.id, o.slug as organisation, h.slug as chapter, u.options, u.content as "content!"
           from certvakt.uploads u
           join certvakt.organisations o on o.id = u.organisation_id
           join certvakt.chapters h on h.id = u.chapter_id
           where u.state = 'received' order by u.created_at limit 1"#
    )
    .fetch_optional(tx)
    .await?)
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

/// Forgets registers that were announced or read more than 30 days ago.
pub async fn forget_old(tx: &mut RegistrarTx) -> Result<(), StoreError> {
    sqlx::query!(
        "delete from certvakt.uploads where created_at < now() - interval '30 days' and state <> 'received'"
    )
    .execute(tx)
    .await?;
    Ok(())
}
