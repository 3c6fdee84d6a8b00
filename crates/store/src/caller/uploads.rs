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

/// Announces a register for a chapter. A register whose content and columns are given is a draft.
pub async fn announce(
    tx: &mut CallerTx,
    chapter: Uuid,
    options: &Value,
    draft: Option<(&[u8], &Value)>,
) -> Result<Announced, StoreError> {
    let known = sqlx::query!(
        r#"select count(*) filter (where u.state in ('waiting', 'draft', 'checking', 'checked', 'received')) as "waiting!",
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
    let (content, proposal) = draft.unzip();
    let announced = sqlx::query_as!(
        Upload,
        "insert into certvakt.uploads (organisation_id, chapter_id, options, content, proposal, state)
         select h.organisation_id, h.id, $2, $3, $4, case when $3::bytea is null then 'waiting' else 'draft' end
         from certvakt.chapters h
         where h.id = $1 and exists (
           select from certvakt.visible_memberships m where m.person_id = (select certvakt.current_person())
             and m.organisation_id = h.organisation_id and m.role = 'org_admin')
         returning id, organisation_id, chapter_id, state, result, created_at, finished_at",
        chapter,
        options,
        content,
        proposal,
    )
    .fetch_optional(&mut *tx)
    .await?;
    tx.saw(announced.as_slice());
    Ok(announced.map_or(Announced::NotTheirs, Announced::As))
}

/// An upload, with what the pages need to continue with it.
#[derive(Debug, Clone, PartialEq)]
pub struct UploadDetails {
    /// The upload.
    pub upload: Upload,
    /// The options for reading it.
    pub options: Value,
    /// Its columns.
    pub proposal: Option<Value>,
    /// Whether the service has yet to check it, to import it, or to undo its import.
    pub is_waiting: bool,
}

/// One upload with its details, if the caller may see it.
pub async fn details(tx: &mut CallerTx, id: Uuid) -> Result<Option<UploadDetails>, StoreError> {
    let found = sqlx::query!(
        r#"select id, organisation_id, chapter_id, state, result, created_at, finished_at, options, proposal,
             state in ('checking', 'received') or undo_requested_at is not null as "is_waiting!"
           from certvakt.uploads where id = $1"#,
        id,
    )
    .fetch_optional(&mut *tx)
    .await?;
    let found = found.map(|one| UploadDetails {
        upload: Upload {
            id: one.id,
            organisation_id: one.organisation_id,
            chapter_id: one.chapter_id,
            state: one.state,
            result: one.result,
            created_at: one.created_at,
            finished_at: one.finished_at,
        },
        options: one.options,
        proposal: one.proposal,
        is_waiting: one.is_waiting,
    });
    let upload: Vec<Upload> = found.iter().map(|one| one.upload.clone()).collect();
    tx.saw(&upload);
    Ok(found)
}

/// Asks for the check of a draft with other options. Returns false if it is no longer a draft.
pub async fn request_check(
    tx: &mut CallerTx,
    id: Uuid,
    options: &Value,
    proposal: &Value,
) -> Result<bool, StoreError> {
    let requested = sqlx::query!(
        "update certvakt.uploads set options = $2, proposal = $3, attempt = 0, state = 'checking'
         where id = $1 and state in ('draft', 'checked')",
        id,
        options,
        proposal,
    );
    Ok(requested.execute(tx).await?.rows_affected() > 0)
}

/// Asks for the import of a checked register. Returns false if it is not checked.
pub async fn request_import(tx: &mut CallerTx, id: Uuid, options: &Value) -> Result<bool, StoreError> {
    let requested = sqlx::query!(
        "update certvakt.uploads set options = $2, attempt = 0, state = 'received' where id = $1 and state = 'checked'",
        id,
        options,
    );
    Ok(requested.execute(tx).await?.rows_affected() > 0)
}

/// Discards a register that is not imported yet. Returns false if there is none.
pub async fn discard(tx: &mut CallerTx, id: Uuid) -> Result<bool, StoreError> {
    let discarded =
        sqlx::query!("delete from certvakt.uploads where id = $1 and state in ('draft', 'checked')", id);
    Ok(discarded.execute(tx).await?.rows_affected() > 0)
}

/// The content of a checked register.
pub async fn content(tx: &mut CallerTx, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(sqlx::query_scalar!("select content from certvakt.uploads where id = $1 and state = 'checked'", id)
        .fetch_optional(tx)
        .await?
        .flatten())
}

/// The newest uploads that the caller may see.
pub async fn uploads(tx: &mut CallerTx, most: i64) -> Result<Vec<Upload>, StoreError> {
    let found = sqlx::query_as!(
        Upload,
        "select id, organisation_id, chapter_id, state,
           case when state in ('imported', 'undone', 'refused') then result end as result, created_at, finished_at
         from certvakt.uploads where state <> 'waiting' order by created_at desc, id limit $1",
        most,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The saved mappings of the organisations that the caller administers.
pub async fn mappings(tx: &mut CallerTx) -> Result<Vec<SavedMapping>, StoreError> {
    Ok(sqlx::query_as!(
        SavedMapping,
        r#"select organisation_id, name, options from certvakt.import_mappings
           order by certvakt.alphabetical(name), organisation_id"#
    )
    .fetch_all(tx)
    .await?)
}

/// A saved mapping of an organisation that the caller administers.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedMapping {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The name.
    pub name: String,
    /// The options for reading the register.
    pub options: Value,
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
