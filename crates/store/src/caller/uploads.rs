//! Registers that administrators upload.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::{CallerTx, StoreError};

/// An upload of a register, with its result.
#[derive(Debug, Clone, PartialEq)]
pub struct Upload {
    /// Its id.
    pub id: Uuid,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter to which new mentors belong.
    pub chapter_id: Uuid,
    /// `waiting`, `received`, `imported`, `refused` or `undone`.
    pub state: String,
    /// The result of the import.
    pub result: Option<Value>,
    /// The time of the announcement.
    pub created_at: DateTime<Utc>,
    /// The time at which the import ended.
    pub finished_at: Option<DateTime<Utc>>,
}
crate::rows_read::of_organisation!(Upload);

/// The maximum number of an organisation's uploads that wait to be imported, and of its announcements in a
/// day.
const MOST_WAITING: i64 = 10;
const MOST_A_DAY: i64 = 200;

/// The outcome of an announcement.
#[derive(Debug, Clone, PartialEq)]
pub enum Announced {
    /// The upload, which may now be sent.
    As(Upload),
    /// The caller may not upload registers for the chapter.
    NotTheirs,
    /// The organisation has reached its limit.
    TooMany,
}

/// Announces a register for a chapter.
pub async fn announce(tx: &mut CallerTx, chapter: Uuid, options: &Value) -> Result<Announced, StoreError> {
    let known = sqlx::query!(
        r#"select count(*) filter (where u.state in ('waiting', 'received')) as "waiting!",
             count(*) filter (where u.created_at > now() - interval '1 day') as "today!"
           from certvakt.uploads u
           where u.organisation_id = (select h.organisation_id from certvakt.chapters h where h.id = $1)"#,
        chapter,
    )
    .fetch_one(&mut *tx)
    .await?;
    if known.waiting >= MOST_WAITING || known.today >= MOST_A_DAY {
        return Ok(Announced::TooMany);
    }
    let announced = sqlx::query_as!(
        Upload,
        "insert into certvakt.uploads (organisation_id, chapter_id, options)
         select h.organisation_id, h.id, $2 from certvakt.chapters h
         where h.id = $1 and exists (
           select from certvakt.visible_memberships m where m.person_id = (select certvakt.current_person())
             and m.organisation_id = h.organisation_id and m.role = 'org_admin')
         returning id, organisation_id, chapter_id, state, result, created_at, finished_at",
        chapter,
        options,
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.saw(announced.as_slice());
    Ok(announced.map_or(Announced::NotTheirs, Announced::As))
}

/// Stores the content of an announced upload. Returns false if no upload waits for content.
pub async fn upload_content(tx: &mut CallerTx, id: Uuid, content: &[u8]) -> Result<bool, StoreError> {
    let handed_over = sqlx::query!(
        "update certvakt.uploads set content = $2, state = 'received' where id = $1 and state = 'waiting'",
        id,
        content,
    );
    Ok(handed_over.execute(tx).await?.rows_affected() > 0)
}

/// Requests the undo of an import. Returns false if the upload was not imported, or is undone.
pub async fn request_undo(tx: &mut CallerTx, id: Uuid) -> Result<bool, StoreError> {
    let requested = sqlx::query!(
        "update certvakt.uploads
         set undo_requested_at = now(), undo_requested_by = certvakt.current_person()
         where id = $1 and state = 'imported' and result ? 'import'",
        id,
    );
    Ok(requested.execute(tx).await?.rows_affected() > 0)
}

/// One upload, if the caller may see it.
pub async fn upload(tx: &mut CallerTx, id: Uuid) -> Result<Option<Upload>, StoreError> {
    let found = sqlx::query_as!(
        Upload,
        "select id, organisation_id, chapter_id, state, result, created_at, finished_at from certvakt.uploads where id = $1",
        id,
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.saw(found.as_slice());
    Ok(found)
}
