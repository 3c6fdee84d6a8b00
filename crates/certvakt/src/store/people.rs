//! What is stored of a person: all of it shown, or all of it erased.

use serde::Serialize;
use uuid::Uuid;

use super::{RegistrarTx, StoreError, WorkerTx};

/// All that is stored of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// As JSON whose keys are in the order in which it is read.
    pub export: String,
    /// The language in which they read: `nb` or `en`.
    pub locale: String,
    /// The time zone of an organisation of theirs, a name of the IANA database.
    pub time_zone: String,
}

/// All that is stored of a person; none: there is no such person.
pub async fn export(tx: &mut WorkerTx, person: Uuid) -> Result<Option<Export>, StoreError> {
    let found = sqlx::query_file_as!(Export, "src/store/people/export.sql", person);
    Ok(found.fetch_optional(tx).await?)
}

/// Whether somebody was erased; none: there is no such person. Waits for registers of their organisations that
/// are being read, and keeps others waiting.
pub async fn is_erased(tx: &mut RegistrarTx, person: Uuid) -> Result<Option<bool>, StoreError> {
    sqlx::query_file!("src/store/people/hold.sql", person).execute(&mut *tx).await?;
    Ok(sqlx::query_scalar!(
        r#"select erased_at is not null as "is_erased!" from certvakt.people where id = $1 for update"#,
        person,
    )
    .fetch_optional(tx)
    .await?)
}

/// What was erased, of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// Of which kind.
    pub place: String,
    /// How many.
    pub rows: i64,
}

/// Erases all that is stored of a person but their id.
pub async fn erase(tx: &mut RegistrarTx, person: Uuid) -> Result<Vec<Erased>, StoreError> {
    let said = r#"{"kind": "withdrawn", "source": "command"}"#;
    sqlx::query_scalar!("select set_config('certvakt.change', $1, true)", said).fetch_one(&mut *tx).await?;
    let erased = sqlx::query_file_as!(Erased, "src/store/people/erase.sql", person).fetch_all(&mut *tx).await;
    erased.map_err(|error| match error.as_database_error().and_then(|error| error.constraint()) {
        Some("history_full") => StoreError::Invalid(
            "the history of one of the person's certifications is full: raise the limit with `certvakt history limit`, then erase the person again"
                .to_owned(),
        ),
        _ => error.into(),
    })
}
