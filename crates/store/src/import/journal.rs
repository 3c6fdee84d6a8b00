//! The record of an import, and of what it changed.

use serde_json::json;
use uuid::Uuid;

use super::{Counts, Coverage, NewChapter, Target};
use crate::{RegistrarTx, StoreError};

/// What an import did beside the outcome of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<'a> {
    /// The chapters and types of its rows.
    pub coverage: &'a Coverage,
    /// Whether rows are about people who were known before.
    pub has_known: bool,
    /// The chapters that it created.
    pub new_chapters: &'a [NewChapter],
    /// The number of certifications that were suspended or withdrawn because they were missing.
    pub missing: i64,
}

/// Records an import, and what it changed, so that it can be undone. Returns its number.
pub async fn record(
    tx: &mut RegistrarTx,
    target: &Target,
    counts: &Counts,
    done: &Done<'_>,
) -> Result<i64, StoreError> {
    let new_chapters: Vec<Uuid> = done.new_chapters.iter().map(|one| one.id).collect();
    let id = sqlx::query_scalar!(
        "insert into certvakt.imports
           (organisation_id, chapter_ids, certification_types, read, added, updated, unchanged, duplicate, rejected,
            renewed, corrected, replaced, missing, contacts_rejected, started_at, new_chapter_ids, person_id, limited_to)
         select $1, $2, $3, c.read, c.added, c.updated, c.unchanged, c.duplicate, c.rejected, c.renewed, c.corrected,
           c.replaced, $6, c.contacts_rejected, $5, $7, $8, $9
         from jsonb_populate_record(null::certvakt.imports, $4) c
         returning id",
        target.organisation_id,
        &done.coverage.chapters,
        &done.coverage.types,
        json!(counts),
        counts.started_at,
        done.missing,
        &new_chapters,
        target.source.actor(),
        target.source.chapters(),
    )
    .fetch_one(&mut *tx)
    .await?;
    if done.has_known {
        sqlx::query(include_str!("journal.sql")).bind(id).execute(&mut *tx).await?;
    }
    sqlx::query(include_str!("journal_suspensions.sql")).bind(id).bind(done.missing > 0).execute(tx).await?;
    Ok(id)
}
