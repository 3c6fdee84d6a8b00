//! Stored responses of requests with an idempotency key.

use serde_json::Value;

use crate::{CallerTx, StoreError};

/// The state of a key.
#[derive(Debug, Clone, PartialEq)]
pub enum Known {
    /// A new key. This transaction has locked it, so a concurrent request with the same key waits.
    Not,
    /// The same request was made before, and got this response.
    Answered(Value),
    /// The key was used for another request.
    Otherwise,
}

/// Reserves a key of the caller for a request. `request` is the whole content of the request.
pub async fn take(tx: &mut CallerTx, key: &str, request: &[u8]) -> Result<Known, StoreError> {
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

/// Stores the response for a key that this transaction reserved.
pub async fn store(tx: &mut CallerTx, key: &str, answer: &Value) -> Result<(), StoreError> {
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
