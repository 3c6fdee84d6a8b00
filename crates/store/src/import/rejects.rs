//! The rejected rows of an import.

use crate::{RegistrarTx, StoreError};

/// The number of rejected rows in a page.
const PAGE: i64 = 1_000;

/// A rejected row or contact.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Rejected {
    /// The line in the file.
    pub line: i64,
    /// The field at fault.
    #[sqlx(rename = "reject_column")]
    pub column: String,
    /// The reason.
    #[sqlx(rename = "reject_reason")]
    pub reason: String,
    /// The id in the register, if it could be read.
    pub external_id: Option<String>,
    /// Whether only a contact was rejected.
    pub is_row_imported: bool,
    /// The stable code, if the row could be read, but the person who sent the register may not import it.
    #[sqlx(rename = "reject_code")]
    pub code: Option<String>,
}

/// A page of the rejected rows and contacts, in the order of the file, starting after a line and column.
pub async fn rejects(
    tx: &mut RegistrarTx,
    after_line: i64,
    after_column: &str,
) -> Result<Vec<Rejected>, StoreError> {
    Ok(sqlx::query_as::<_, Rejected>(include_str!("rejects.sql"))
        .bind(after_line)
        .bind(after_column)
        .bind(PAGE)
        .fetch_all(tx)
        .await?)
}

/// The first three rejected rows.
pub async fn first_rejected(tx: &mut RegistrarTx) -> Result<Vec<Rejected>, StoreError> {
    Ok(sqlx::query_as(
        "select line, reject_column, reject_reason, external_id, false as is_row_imported, reject_code
         from import_rows where reject_reason is not null and reject_code is null order by line limit 3",
    )
    .fetch_all(tx)
    .await?)
}
