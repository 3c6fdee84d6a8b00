//! Answers to requests that may be sent again.

use serde_json::Value;

use crate::store::{StoreError, TenantTx};

/// What is known of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// Nothing: it is taken by this transaction now, and whoever comes with it waits for its end.
    Not,
    /// The same was asked for before, and answered with this.
    Answered(Value),
    /// It was used for something else.
    Otherwise,
}

/// Takes a key of who is asking for what they ask for, of which `request` is the whole.
pub async fn take(tx: &mut TenantTx, key: &str, request: &[u8]) -> Result<Known, StoreError> {
    sqlx::query!(
        "delete from certvakt.idempotency_keys
         where person_id = (select certvakt.current_person()) and created_at < now() - interval '1 day'"
    )
    .execute(&mut *tx)
    .await?;
    let taken = sqlx::query!(
        "insert into certvakt.idempotency_keys (person_id, key, request_hash)
         values (certvakt.current_person(), $1, sha256($2)) on conflict do nothing",
        key,
        request,
    );
    if taken.execute(&mut *tx).await?.rows_affected() > 0 {
        return Ok(Known::Not);
    }
    let known = sqlx::query!(
        r#"select request_hash = sha256($2) as "is_same!", answer from certvakt.idempotency_keys
           where person_id = (select certvakt.current_person()) and key = $1"#,
        key,
        request,
    );
    Ok(match known.fetch_optional(tx).await? {
        Some(known) if known.is_same => known.answer.map_or(Known::Otherwise, Known::Answered),
        _ => Known::Otherwise,
    })
}

/// Keeps the answer of a key that this transaction took.
pub async fn store(tx: &mut TenantTx, key: &str, answer: &Value) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.idempotency_keys set answer = $2
         where person_id = (select certvakt.current_person()) and key = $1",
        key,
        answer,
    )
    .execute(tx)
    .await?;
    Ok(())
}
