//! A person's data: export and erasure.

use serde::Serialize;
use uuid::Uuid;

use super::{RegistrarTx, StoreError, WorkerTx, Zone};

/// The export of a person's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The data as JSON, with keys in reading order.
    pub export: String,
    /// The person's language: `nb` or `en`.
    pub locale: String,
    /// The time zone of an organisation of theirs; UTC if they belong to none.
    pub zone: Zone,
}

/// Exports a person's data. Returns `None` if the person does not exist.
pub async fn export(tx: &mut WorkerTx, person: Uuid) -> Result<Option<Export>, StoreError> {
    let found = sqlx::query_file_as!(Export, "src/people/export.sql", person);
    Ok(found.fetch_optional(tx).await?)
}

/// Whether a person was erased; `None` if the person does not exist. Waits for running imports of their
/// organisations, and makes later ones wait.
pub async fn is_erased(tx: &mut RegistrarTx, person: Uuid) -> Result<Option<bool>, StoreError> {
    sqlx::query_file!("src/people/hold.sql", person).execute(&mut *tx).await?;
    Ok(sqlx::query_scalar!(
        r#"select erased_at is not null as "is_erased!" from certvakt.people where id = $1 for update"#,
        person,
    )
    .fetch_optional(tx)
    .await?)
}

/// The number of erased rows of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Erased {
    /// The kind of data.
    pub place: String,
    /// The number of rows.
    pub rows: i64,
}

/// Erases all data of a person except their id.
pub async fn erase(tx: &mut RegistrarTx, person: Uuid) -> Result<Vec<Erased>, StoreError> {
    let said = r#"{"kind": "withdrawn", "source": "command"}"#;
    sqlx::query_scalar!("select set_config('certvakt.change', $1, true)", said).fetch_one(&mut *tx).await?;
    let erased = sqlx::query_file_as!(Erased, "src/people/erase.sql", person).fetch_all(&mut *tx).await;
    erased.map_err(|error| match error.as_database_error().and_then(|error| error.constraint()) {
        Some("history_full") => StoreError::Invalid(
            "the history of one of the person's certifications is full: raise the limit with `certvakt history limit`, then erase the person again"
                .to_owned(),
        ),
        _ => error.into(),
    })
}
