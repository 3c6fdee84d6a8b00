//! The form that the caller sent after their session had expired.

use crate::{CallerTx, StoreError};

/// A form that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptForm {
    /// The path to which it was sent.
    pub path: String,
    /// Its fields, as `application/x-www-form-urlencoded`.
    pub fields: String,
}

/// Discards the caller's form.
pub async fn discard_kept_form(tx: &mut CallerTx) -> Result<(), StoreError> {
    sqlx::query!("delete from certvakt.kept_forms where person_id = (select certvakt.current_person())")
        .execute(tx)
        .await?;
    Ok(())
}

/// The caller's form of the last hour.
pub async fn kept_form(tx: &mut CallerTx) -> Result<Option<KeptForm>, StoreError> {
    let found = sqlx::query_as!(
        KeptForm,
        "select path, fields from certvakt.kept_forms
         where person_id = (select certvakt.current_person()) and kept_at > now() - interval '1 hour'"
    );
    Ok(found.fetch_optional(tx).await?)
}
