//! The undo of an import.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use sqlx::Executor;
use uuid::Uuid;

use super::{RegistrarTx, StoreError, Zone};

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// Its number.
    pub id: i64,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The organisation's slug.
    pub organisation: String,
    /// The organisation's time zone.
    pub zone: Zone,
    /// Its transaction.
    pub transaction: String,
    /// The time at which it began.
    pub started_at: DateTime<Utc>,
    /// The time at which it ended.
    pub finished_at: DateTime<Utc>,
    /// The time at which it was undone.
    pub undone_at: Option<DateTime<Utc>>,
    /// The chapters that it created.
    pub new_chapter_ids: Vec<Uuid>,
    /// Whether it is too old, so that the values before it were deleted.
    pub is_too_old: bool,
}

/// Finds an import, and locks it.
pub async fn find(tx: &mut RegistrarTx, id: i64) -> Result<Option<Import>, StoreError> {
    Ok(sqlx::query_file_as!(Import, "src/undo/find.sql", id).fetch_optional(tx).await?)
}

/// An import in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its number.
    pub id: i64,
    /// The time at which it ended.
    pub finished_at: DateTime<Utc>,
    /// The rows that were read.
    pub read: i64,
    /// The new certifications.
    pub added: i64,
    /// The rows with a change.
    pub updated: i64,
    /// The rejected rows.
    pub rejected: i64,
    /// The operator who started it.
    pub operator: Option<String>,
    /// The time at which it was undone.
    pub undone_at: Option<DateTime<Utc>>,
}

/// The last imports of an organisation, newest first.
pub async fn list(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    limit: i64,
) -> Result<Vec<Listed>, StoreError> {
    Ok(sqlx::query_as!(
        Listed,
        "select id, finished_at, read, added, updated, rejected, operator, undone_at
         from certvakt.imports where organisation_id = $1 order by id desc limit $2",
        organisation_id,
        limit,
    )
    .fetch_all(tx)
    .await?)
}

/// A certification in the result of an undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Kept {
    /// The certification's id in the register; `None` if only the person is concerned.
    pub external_id: Option<String>,
    /// The fields that stay.
    pub fields: Vec<String>,
}

/// The result of an undo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Undone {
    /// The certifications that were deleted, because the import had added them.
    pub deleted: i64,
    /// The certifications that were changed back.
    pub reverted: i64,
    /// The people who were changed back.
    pub people: i64,
    /// The certifications whose mentors have had notices since, by their ids in the register. Those that the import
    /// had added were suspended, because a notice cannot be taken back; the others were corrected.
    pub notified: Vec<String>,
    /// What stays because it was changed since.
    pub kept: Vec<Kept>,
}

impl Undone {
    /// The same with at most this number of certifications in each list.
    #[must_use]
    pub fn shortened(mut self, most: usize) -> Self {
        self.notified.truncate(most);
        self.kept.truncate(most);
        self
    }
}

/// Undoes an import. `actor` is the person who requested it.
pub async fn undo(tx: &mut RegistrarTx, import: &Import, actor: Option<Uuid>) -> Result<Undone, StoreError> {
    let (id, organisation) = (import.id, import.organisation_id);
    super::import::lock(tx, organisation).await?;
    let said = json!({ "kind": "undone", "source": "undo", "actor": actor });
    sqlx::query("select set_config('certvakt.change', $1, true)")
        .bind(said.to_string())
        .execute(&mut *tx)
        .await?;
    let (added, kept) = (include_str!("undo/added.sql"), include_str!("undo/kept.sql"));
    sqlx::query(added).bind(organisation).bind(&import.transaction).execute(&mut *tx).await?;
    tx.execute("analyze undo_added").await?;
    sqlx::query(kept)
        .bind(id)
        .bind(organisation)
        .bind(import.finished_at)
        .bind(actor)
        .execute(&mut *tx)
        .await?;
    let counts = sqlx::query_as(include_str!("undo/counts.sql")).bind(id);
    let (deleted, reverted, people) = counts.fetch_one(&mut *tx).await?;
    let notified = sqlx::query_scalar(include_str!("undo/notified.sql"))
        .bind(id)
        .bind(import.started_at)
        .fetch_all(&mut *tx)
        .await?;
    let kept = sqlx::query_as(include_str!("undo/listed.sql")).fetch_all(&mut *tx).await?;
    for query in [
        sqlx::query(include_str!("undo/suspensions.sql")).bind(id),
        sqlx::query(include_str!("undo/leaves.sql")).bind(id),
        sqlx::query(include_str!("undo/certifications.sql")).bind(id),
        sqlx::query(include_str!("undo/names.sql")).bind(id).bind(organisation),
        sqlx::query(include_str!("undo/contacts.sql")).bind(id).bind(organisation).bind(actor.is_some()),
        sqlx::query(include_str!("undo/suspend_added.sql")),
        sqlx::query(include_str!("undo/delete_added.sql")),
        sqlx::query(include_str!("undo/register_ids.sql")).bind(organisation).bind(import.started_at),
        sqlx::query(include_str!("undo/memberships.sql")).bind(organisation).bind(import.started_at),
        sqlx::query(include_str!("undo/people.sql")).bind(import.started_at).bind(organisation),
        sqlx::query(include_str!("undo/chapters.sql")).bind(&import.new_chapter_ids),
        sqlx::query(include_str!("undo/finish.sql")).bind(id),
    ] {
        query.execute(&mut *tx).await?;
    }
    Ok(Undone { deleted, reverted, people, notified, kept })
}
