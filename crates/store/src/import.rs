//! Imports: a temporary staging table, and its merge with set-based statements.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde_json::json;
use sqlx::Executor;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{RegistrarTx, StoreError};

/// The number of rejected rows in a page.
const PAGE: i64 = 1_000;

/// The target of an import.
#[derive(Debug, Clone)]
pub struct Target {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter.
    pub chapter_id: Uuid,
    /// The type's code.
    pub certification_type: String,
    /// How to treat changed dates; `None` if a later date is a renewal, and an earlier one a correction.
    pub dates_are: Option<DatesAre>,
    /// Whether it was uploaded through the API, not started by an operator.
    pub came_by_api: bool,
    /// The person who uploaded it.
    pub actor: Option<Uuid>,
}

/// How an import treats changed dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatesAre {
    /// As renewals, which start a new cycle
    Renewals,
    /// As corrections, in the same cycle
    Corrections,
}

impl DatesAre {
    /// The kind in `certvakt.certification_changes`.
    const fn kind(self) -> &'static str {
        match self {
            Self::Renewals => "renewed",
            Self::Corrections => "corrected",
        }
    }
}

/// The numbers of rows by outcome.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow, serde::Serialize)]
pub struct Counts {
    /// Rows in the file, without the header.
    pub read: i64,
    /// New certifications.
    pub added: i64,
    /// Rows with a changed certification or person.
    pub updated: i64,
    /// Rows without a change.
    pub unchanged: i64,
    /// Rejected rows.
    pub rejected: i64,
    /// Updated certifications with a renewed date.
    pub renewed: i64,
    /// Updated certifications with a corrected date.
    pub corrected: i64,
    /// Rejected contacts in rows that were imported.
    pub contacts_rejected: i64,
    #[serde(skip)]
    started_at: DateTime<Utc>,
}

/// Creates the staging table. It is temporary, because PostgreSQL refuses COPY into a table with row-level
/// security.
pub async fn prepare(tx: &mut RegistrarTx) -> Result<(), StoreError> {
    tx.execute(include_str!("import/staging.sql")).await?;
    Ok(())
}

/// Copies rows in COPY's text format as they arrive. If the sender is dropped, the caller must decide whether
/// to roll back the transaction.
pub async fn copy(tx: &mut RegistrarTx, mut chunks: mpsc::Receiver<Vec<u8>>) -> Result<(), StoreError> {
    let mut copy = tx.connection().copy_in_raw("copy import_rows from stdin").await?;
    while let Some(chunk) = chunks.recv().await {
        copy.send(chunk).await?;
    }
    copy.finish().await?;
    Ok(())
}

/// Matches the staged rows with the register, and rejects repeated and erased ones.
pub async fn match_rows(tx: &mut RegistrarTx, target: &Target) -> Result<(), StoreError> {
    let said =
        json!({ "kind": target.dates_are.map(DatesAre::kind), "source": "register", "actor": target.actor });
    sqlx::query("select set_config('certvakt.change', $1, true)")
        .bind(said.to_string())
        .execute(&mut *tx)
        .await?;
    // Two registers of an organisation can contain the same people, so merge them one after the other.
    sqlx::query("select from certvakt.organisations where id = $1 for no key update")
        .bind(target.organisation_id)
        .execute(&mut *tx)
        .await?;
    tx.execute(include_str!("import/twice.sql")).await?;
    let (organisation, chapter, code) =
        (target.organisation_id, target.chapter_id, &target.certification_type);
    for query in [
        sqlx::query(include_str!("import/erased.sql")).bind(organisation),
        sqlx::query(include_str!("import/match.sql")).bind(organisation).bind(chapter).bind(code),
    ] {
        query.execute(&mut *tx).await?;
    }
    Ok(())
}

/// The numbers of rows that show whether a whole file looks wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Moves {
    /// Rows in the file.
    pub read: i64,
    /// Rejected rows.
    pub rejected: i64,
    /// Rows of certifications that had an expiry date before.
    pub known: i64,
    /// Those whose date changes.
    pub moved: i64,
    /// Those whose new date is the old one with day and month exchanged.
    pub swapped: i64,
}

/// Counts the rejected rows and the dates that move.
pub async fn moves(tx: &mut RegistrarTx, zone: Tz) -> Result<Moves, StoreError> {
    Ok(sqlx::query_as(include_str!("import/moves.sql")).bind(zone.name()).fetch_one(tx).await?)
}

/// A date that moves.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Move {
    /// The line in the file.
    pub line: i64,
    /// The last valid day before.
    pub before: NaiveDate,
    /// The last valid day after; `None` if the certification no longer expires.
    pub after: Option<NaiveDate>,
}

/// The first three rejected rows.
pub async fn first_rejected(tx: &mut RegistrarTx) -> Result<Vec<Rejected>, StoreError> {
    Ok(sqlx::query_as(
        "select line, reject_column, reject_reason, external_id, false as is_row_imported
         from import_rows where reject_reason is not null order by line limit 3",
    )
    .fetch_all(tx)
    .await?)
}

/// The first three dates that move; or, if `swapped`, of those whose day and month are exchanged.
pub async fn first_moves(tx: &mut RegistrarTx, zone: Tz, swapped: bool) -> Result<Vec<Move>, StoreError> {
    Ok(sqlx::query_as(include_str!("import/first_moves.sql"))
        .bind(zone.name())
        .bind(swapped)
        .fetch_all(tx)
        .await?)
}

/// Merges the matched rows into the register.
pub async fn merge(tx: &mut RegistrarTx, target: &Target) -> Result<Counts, StoreError> {
    // The statements of the merge, with their parameters among organisation, chapter and type.
    let (organisation, chapter, code) =
        (target.organisation_id, target.chapter_id, &target.certification_type);
    let of_organisation = |sql: &'static str| sqlx::query(sql).bind(organisation).bind(chapter);
    for query in [
        sqlx::query(include_str!("import/people.sql")).bind(organisation),
        of_organisation(include_str!("import/memberships.sql")),
        of_organisation(include_str!("import/added.sql")).bind(code),
        of_organisation(include_str!("import/updated.sql")),
        sqlx::query(include_str!("import/emails.sql")).bind(organisation).bind(target.came_by_api),
        sqlx::query(include_str!("import/devices.sql")).bind(organisation),
    ] {
        query.execute(&mut *tx).await?;
    }
    Ok(sqlx::query_as::<_, Counts>(include_str!("import/counts.sql"))
        .bind(target.dates_are.map(DatesAre::kind))
        .fetch_one(tx)
        .await?)
}

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
}

/// A page of the rejected rows and contacts, in the order of the file, starting after a line and column.
pub async fn rejects(
    tx: &mut RegistrarTx,
    after_line: i64,
    after_column: &str,
) -> Result<Vec<Rejected>, StoreError> {
    Ok(sqlx::query_as::<_, Rejected>(
        "select r.line, x.reject_column, x.reject_reason, r.external_id, x.is_row_imported
         from import_rows r
         cross join lateral (values
           (r.reject_column, r.reject_reason, false),
           ('email', case when r.reject_reason is null then r.email_reason end, true),
           ('push_token', case when r.reject_reason is null then r.push_token_reason end, true)
         ) x(reject_column, reject_reason, is_row_imported)
         where x.reject_reason is not null and (r.line, x.reject_column) > ($1, $2)
         order by r.line, x.reject_column limit $3",
    )
    .bind(after_line)
    .bind(after_column)
    .bind(PAGE)
    .fetch_all(tx)
    .await?)
}

/// Records an import.
pub async fn record(tx: &mut RegistrarTx, target: &Target, counts: &Counts) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.imports
           (organisation_id, chapter_id, certification_type, read, added, updated, unchanged, rejected,
            renewed, corrected, contacts_rejected, started_at)
         select $1, $2, $3, c.read, c.added, c.updated, c.unchanged, c.rejected, c.renewed, c.corrected,
           c.contacts_rejected, $5
         from jsonb_populate_record(null::certvakt.imports, $4) c",
        target.organisation_id,
        target.chapter_id,
        target.certification_type,
        json!(counts),
        counts.started_at,
    )
    .execute(tx)
    .await?;
    Ok(())
}
