//! Registers that administrators and coordinators upload, and the imports that they may see.

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
    /// The chapter of rows that name none.
    pub chapter_id: Option<Uuid>,
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

/// What a register is announced for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A chapter: that of rows that name none
    Chapter(Uuid),
    /// An organisation, whose chapter for such rows is chosen later
    Organisation(Uuid),
}

/// Announces a register. A register whose content and columns are given is a draft. That of a coordinator is limited to the
/// chapters that they manage in the organisation.
pub async fn announce(
    tx: &mut CallerTx,
    place: Place,
    options: &Value,
    draft: Option<(&[u8], &Value)>,
) -> Result<Announced, StoreError> {
    let (chapter, organisation) = match place {
        Place::Chapter(chapter) => (Some(chapter), None),
        Place::Organisation(organisation) => (None, Some(organisation)),
    };
    let known = sqlx::query!(
        r#"select waiting as "waiting!", today as "today!" from certvakt.uploads_of(
             coalesce((select h.organisation_id from certvakt.chapters h where h.id = $1), $2))"#,
        chapter,
        organisation,
    )
    .fetch_one(&mut *tx)
    .await?;
    if known.waiting >= MOST_WAITING || known.today >= MOST_A_DAY {
        return Ok(Announced::TooMany);
    }
    let (content, proposal) = draft.unzip();
    let announced = sqlx::query_file_as!(
        Upload,
        "src/caller/announce.sql",
        chapter,
        organisation,
        options,
        content,
        proposal
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
    /// Whether the caller sent it, or asked for its last check.
    pub is_own: bool,
    /// The chapters that the coordinator who sent it managed, to which it is limited; `None` if an administrator sent it.
    pub limited_to: Option<Vec<Uuid>>,
}

/// One upload with its details, if the caller may see it.
pub async fn details(tx: &mut CallerTx, id: Uuid) -> Result<Option<UploadDetails>, StoreError> {
    let found = sqlx::query!(
        r#"select u.id, u.organisation_id, u.chapter_id, u.result, u.created_at, u.finished_at, u.options, u.proposal,
             case when u.state = 'imported' and i.undone_at is not null then 'undone' else u.state end as "state!",
             u.state in ('checking', 'received') or i.undo_requested_at is not null as "is_waiting!",
             u.person_id is not distinct from (select certvakt.current_person()) as "is_own!",
             u.limited_to
           from certvakt.uploads u
           left join certvakt.imports i on i.id = (u.result ->> 'import')::bigint
           where u.id = $1"#,
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
        is_own: one.is_own,
        limited_to: one.limited_to,
    });
    let upload: Vec<Upload> = found.iter().map(|one| one.upload.clone()).collect();
    tx.saw(&upload);
    Ok(found)
}

/// Stores other options for reading a register that is not imported yet, which the caller takes over. Returns false if it is
/// being checked or imported, or was imported.
pub async fn read_again(
    tx: &mut CallerTx,
    id: Uuid,
    options: &Value,
    proposal: &Value,
) -> Result<bool, StoreError> {
    let changed = sqlx::query!(
        "update certvakt.uploads
         set options = $2, proposal = $3, state = 'draft', person_id = certvakt.current_person()
         where id = $1 and state in ('draft', 'checked')",
        id,
        options,
        proposal,
    );
    Ok(changed.execute(tx).await?.rows_affected() > 0)
}

/// Asks for the check of a draft with other options, which the caller takes over. Returns false if it is no longer a draft.
pub async fn request_check(
    tx: &mut CallerTx,
    id: Uuid,
    chapter: Option<Uuid>,
    options: &Value,
    proposal: &Value,
) -> Result<bool, StoreError> {
    let requested = sqlx::query!(
        "update certvakt.uploads
         set options = $2, proposal = $3, chapter_id = $4, attempt = 0, state = 'checking',
           person_id = certvakt.current_person()
         where id = $1 and state in ('draft', 'checked')",
        id,
        options,
        proposal,
        chapter,
    );
    Ok(requested.execute(tx).await?.rows_affected() > 0)
}

/// Asks for the import of a register that was checked for the caller. Returns false if it was not.
pub async fn request_import(tx: &mut CallerTx, id: Uuid, options: &Value) -> Result<bool, StoreError> {
    let requested = sqlx::query!(
        "update certvakt.uploads set options = $2, attempt = 0, state = 'received'
         where id = $1 and state = 'checked' and person_id = certvakt.current_person()",
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

/// The content of a register that is not imported yet.
pub async fn content(tx: &mut CallerTx, id: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
    let content = sqlx::query_scalar!(
        "select content from certvakt.uploads where id = $1 and state in ('draft', 'checked')",
        id
    );
    Ok(content.fetch_optional(tx).await?.flatten())
}

/// The rejected rows of a register as they were in the file, if it has any.
pub async fn rejected(tx: &mut CallerTx, id: Uuid) -> Result<Option<Value>, StoreError> {
    let rejected = sqlx::query_scalar!("select rejected from certvakt.uploads where id = $1", id);
    Ok(rejected.fetch_optional(tx).await?.flatten())
}

/// An import in the list of imports.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// The upload; `None` if a command made the import, or another coordinator.
    pub upload_id: Option<Uuid>,
    /// The number of the import; `None` if nothing is imported.
    pub import_id: Option<i64>,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The state of the upload.
    pub state: String,
    /// The result, or why it was refused.
    pub result: Option<Value>,
    /// The time of the upload, or of the import by a command.
    pub at: DateTime<Utc>,
    /// The name of the person who uploaded the register.
    pub sender: Option<String>,
    /// The operator whose command made the import.
    pub operator: Option<String>,
}
crate::rows_read::of_organisation!(Listed);

/// The newest uploads that the caller may see, and the other imports of 30 days.
pub async fn list(tx: &mut CallerTx, most: i64) -> Result<Vec<Listed>, StoreError> {
    let found = sqlx::query_file_as!(Listed, "src/caller/imports.sql", most).fetch_all(&mut *tx).await?;
    tx.saw(&found);
    Ok(found)
}

/// An import, by an upload or by a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Import {
    /// Its number.
    pub id: i64,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The numbers of rows by outcome.
    pub result: Value,
    /// The time at which it ended.
    pub finished_at: DateTime<Utc>,
    /// The name of the person who uploaded the register.
    pub sender: Option<String>,
    /// The operator whose command made the import.
    pub operator: Option<String>,
    /// Whether it was undone.
    pub is_undone: bool,
    /// Whether the service has yet to undo it.
    pub is_waiting: bool,
    /// Whether it can be undone: for 30 days.
    pub is_undoable: bool,
}
crate::rows_read::of_organisation!(Import);

/// The import with a number, if the caller may see it.
pub async fn import(tx: &mut CallerTx, id: i64) -> Result<Option<Import>, StoreError> {
    let found = sqlx::query_file_as!(Import, "src/caller/import.sql", id).fetch_optional(&mut *tx).await?;
    tx.saw(found.as_slice());
    Ok(found)
}

/// Requests the undo of the import with a number. Returns false if it is undone, or too old.
pub async fn request_undo_of(tx: &mut CallerTx, id: i64) -> Result<bool, StoreError> {
    let requested = sqlx::query!(
        "update certvakt.imports
         set undo_requested_at = now(), undo_requested_by = certvakt.current_person()
         where id = $1 and undone_at is null and finished_at > now() - interval '30 days'",
        id,
    );
    Ok(requested.execute(tx).await?.rows_affected() > 0)
}

/// The saved mappings of the organisations that the caller administers, and the caller's own.
pub async fn mappings(tx: &mut CallerTx) -> Result<Vec<SavedMapping>, StoreError> {
    Ok(sqlx::query_as!(
        SavedMapping,
        r#"select organisation_id, name, options, owner_id is not null as "is_own!" from certvakt.import_mappings
           order by certvakt.alphabetical(name), organisation_id, owner_id nulls first"#
    )
    .fetch_all(tx)
    .await?)
}

/// A saved mapping of an organisation that the caller administers, or of the caller.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedMapping {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The name.
    pub name: String,
    /// The options for reading the register.
    pub options: Value,
    /// Whether it is the caller's own.
    pub is_own: bool,
}

/// Stores the content of an announced upload. Returns false if no upload waits for content.
pub async fn upload_content(tx: &mut CallerTx, id: Uuid, content: &[u8]) -> Result<bool, StoreError> {
    let handed_over = sqlx::query!(
        "update certvakt.uploads set content = $2, state = 'received' where id = $1 and state = 'waiting' and person_id = certvakt.current_person()",
        id,
        content,
    );
    Ok(handed_over.execute(tx).await?.rows_affected() > 0)
}

/// Requests the undo of an import. Returns false if the upload was not imported, or is undone.
pub async fn request_undo(tx: &mut CallerTx, id: Uuid) -> Result<bool, StoreError> {
    let requested = sqlx::query!(
        "update certvakt.imports i
         set undo_requested_at = now(), undo_requested_by = certvakt.current_person()
         from certvakt.uploads u
         where u.id = $1 and u.state = 'imported' and i.id = (u.result ->> 'import')::bigint and i.undone_at is null",
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
