//! Imports through the API: an administrator or a coordinator announces a register and uploads it, and the service imports it.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::State;
use axum::http::StatusCode;
use certvakt_engine::import::ReadingOptions;
use certvakt_engine::import::uploads::{Register, no_room};
use certvakt_store::caller::uploads::{self, Announced, Place, Upload};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::{Semaphore, SemaphorePermit};
use utoipa::ToSchema;
use uuid::Uuid;

use super::idempotency::{About, IdempotencyKey, Once, StoredResponse};
use super::params::Id;
use super::state::{Api, Caller};
use crate::extract::{Body, Headers, Path};
use crate::problem::{ApiError, Problems};

/// The maximum size of a register, in bytes. `certvakt import` accepts larger ones.
pub(crate) const LONGEST_REGISTER: usize = 20 * 1024 * 1024;
/// Limits how many registers are written to the database at once, because each is held in memory.
static IN_MEMORY: Semaphore = Semaphore::const_new(4);

/// An import and its result.
#[derive(Serialize, ToSchema)]
pub(super) struct Import {
    id: Uuid,
    organisation_id: Uuid,
    /// The chapter of rows that name none.
    chapter_id: Option<Uuid>,
    /// `waiting` for its content, `received`, `imported`, `refused` or `undone`. A register that was sent on the page for
    /// imports can also be `draft`, `checking` or `checked`.
    #[schema(example = "imported")]
    state: String,
    /// If the state is `imported`: the numbers of rows that were read, added, updated, unchanged, duplicate and rejected,
    /// and the first rejects. If it is `refused`: the code of the error, and what to do.
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    created_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
}

impl From<Upload> for Import {
    fn from(one: Upload) -> Self {
        Self {
            id: one.id,
            organisation_id: one.organisation_id,
            chapter_id: one.chapter_id,
            state: one.state,
            result: one.result,
            created_at: one.created_at,
            finished_at: one.finished_at,
        }
    }
}

/// An announcement of an import, with the options for reading the register.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the members of a JSON object")]
pub(super) struct Announcement {
    /// The chapter of rows that name none.
    chapter_id: Uuid,
    /// The code of the type of rows that name none. It may be left out if `columns` has a `type`.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 63)]
    certification_type: Option<String>,
    /// The saved mapping that has the other options; those that are given here override it.
    #[schema(max_length = 63)]
    mapping: Option<String>,
    /// The column of each field. Without a mapping, `external_id` and `expires_at` are required; `issued_at`, `name`, `email`, `phone`,
    /// `language`, `push_token`, `status`, `suspended_until`, `person_id`, `chapter`, `type` and `replaces` are
    /// optional. `name`, `email` and `phone` can have several columns, with `+` between them.
    #[schema(example = json!({ "external_id": "Medlemsnr", "expires_at": "Gyldig til" }))]
    #[serde(default)]
    columns: BTreeMap<String, String>,
    /// The formats of ambiguous dates, such as `MM/DD/YYYY`.
    #[serde(default)]
    #[schema(max_items = 20)]
    date_formats: Vec<String>,
    /// The values of the status column that mean active; defaults to `active`.
    #[serde(default)]
    #[schema(max_items = 50)]
    active_status: Vec<String>,
    /// How to treat changed dates: as `renewals` or as `corrections`. By default, a later date is a renewal,
    /// and an earlier one is a correction.
    #[schema(pattern = "^(renewals|corrections)$")]
    dates_are: Option<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset: `local` or `written`. By default, its row is rejected.
    #[schema(pattern = "^(local|written)$")]
    instant_day: Option<String>,
    /// Whether a blank expiry date means that the certification does not expire. By default, its row is
    /// rejected.
    #[serde(default)]
    blank_never_expires: bool,
    /// The values of the expiry date that mean that the certification does not expire, such as `9999-12-31`.
    #[serde(default)]
    #[schema(max_items = 50)]
    never: Vec<String>,
    /// The sheet of a workbook: its name, or its number from 1. By default, the only visible sheet with the
    /// columns.
    #[schema(max_length = 200)]
    sheet: Option<String>,
    /// The line of the column names, from 1. By default, the first of 20 rows that has all columns.
    #[schema(minimum = 1, maximum = 1_048_576)]
    header_row: Option<u64>,
    /// The separator of a text file's fields: an ASCII character, or `tab`. By default, it is detected.
    separator: Option<String>,
    /// The encoding of a text file, such as `windows-1252`. By default, it is detected.
    encoding: Option<String>,
    /// Whether a person has one certification of each type, so that a new number replaces the old one. It needs a
    /// column for `person_id`.
    #[serde(default)]
    one_per_type: bool,
    /// What happens to certifications of the chapters and types in the register that are missing from it: `report`
    /// (the default), `suspend`, until a register contains them again, or `withdraw`. Too many hold the import.
    #[schema(pattern = "^(report|suspend|withdraw)$")]
    missing: Option<String>,
    /// Whether to suspend or withdraw them even if rows are rejected. By default they are only reported then.
    #[serde(default)]
    missing_despite_rejects: bool,
    /// Whether to import even if the whole file looks wrong (`import-held`).
    #[serde(default)]
    approve: bool,
    /// Whether to report the result and change nothing.
    #[serde(default)]
    dry_run: bool,
}

impl From<Announcement> for Register {
    fn from(one: Announcement) -> Self {
        Self {
            chapter_id: Some(one.chapter_id),
            mapping: one.mapping,
            options: ReadingOptions {
                chapter: None,
                certification_type: one.certification_type,
                columns: one.columns,
                date_formats: one.date_formats,
                active_status: one.active_status,
                dates_are: one.dates_are,
                instant_day: one.instant_day,
                blank_never_expires: one.blank_never_expires,
                never: one.never,
                sheet: one.sheet,
                header_row: one.header_row,
                separator: one.separator,
                encoding: one.encoding,
                one_per_type: one.one_per_type,
                missing: one.missing,
                missing_despite_rejects: one.missing_despite_rejects,
            },
            approve: one.approve,
            dry_run: one.dry_run,
            add_chapters: false,
            save_as: None,
            same_people: Vec::new(),
        }
    }
}

/// Announce an import with its options; upload its content within an hour
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports",
    params(IdempotencyKey),
    request_body = Announcement, responses(
    (status = CREATED, body = Import, headers(("location" = String))),
    Problems))]
pub(super) async fn announce(
    State(api): State<Api>,
    caller: Caller,
    Headers(key): Headers<IdempotencyKey>,
    Body(announcement): Body<Announcement>,
) -> Result<StoredResponse, ApiError> {
    let chapter = announcement.chapter_id;
    let register = Register::from(announcement);
    register.check().map_err(ApiError::Invalid)?;
    let options = serde_json::to_value(&register).map_err(|_| ApiError::Fault)?;
    // PostgreSQL's jsonb cannot store U+0000.
    if options.to_string().contains("\\u0000") {
        return Err(ApiError::Invalid("a name contains an invalid character".to_owned()));
    }
    let mut first = match Once::begin(&api, &caller, &key, &("import", &register), About::Import).await? {
        Once::Answered(answer) => return Ok(answer),
        Once::First(first) => first,
    };
    let import = match uploads::announce(&mut first.tx, Place::Chapter(chapter), &options, None).await? {
        Announced::As(upload) => Import::from(upload),
        Announced::NotTheirs => return Err(ApiError::NotFound),
        Announced::TooMany => return Err(ApiError::TooManyImports),
    };
    let location = format!("/api/v1/imports/{}", import.id);
    let answer = StoredResponse::new(StatusCode::CREATED, &import)?.with_location(location);
    first.answer(answer).await
}

/// Upload the register of an announced import: CSV, TSV or XLSX, at most 20 MiB
#[utoipa::path(put, path = "/api/v1/imports/{id}/content", tag = "imports", params(Id),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = ACCEPTED, body = Import),
    Problems))]
pub(super) async fn upload_content(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    body: RawBody,
) -> Result<(StatusCode, Json<Import>), ApiError> {
    // Check the caller's permission before reading up to 20 MiB.
    let mut tx = api.login(&caller).await?;
    let upload = uploads::upload(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    let is_administrator = certvakt_store::caller::is_administrator(&mut tx).await?;
    tx.commit().await?;
    if is_administrator {
        api.check_step_up(&caller)?;
    }
    if upload.state != "waiting" {
        return Err(ApiError::AlreadySent);
    }
    let _turn = api.receiving(upload.organisation_id).await?;
    let mut register = receive(body).await?;
    let _one_of_few = in_memory().await?;
    let mut content = Vec::new();
    register.read_to_end(&mut content).await.map_err(|error| no_room(&error))?;
    let mut tx = api.person(&caller).await?;
    let is_handed_over = uploads::upload_content(&mut tx, id, &content).await?;
    let upload = uploads::upload(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    if !is_handed_over {
        return Err(ApiError::AlreadySent);
    }
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(upload.into())))
}

/// Waits until another register may be held in memory.
pub(crate) async fn in_memory() -> Result<SemaphorePermit<'static>, ApiError> {
    IN_MEMORY.acquire().await.map_err(|_| ApiError::Fault)
}

/// Receives a register into an unnamed file, and rewinds the file. A slow client holds no database
/// connection.
async fn receive(body: RawBody) -> Result<File, ApiError> {
    let mut file = File::from_std(tempfile::tempfile().map_err(|error| no_room(&error))?);
    let (mut pieces, mut bytes) = (body.into_data_stream(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| {
            ApiError::Invalid("the register did not arrive completely: send it again".to_owned())
        })?;
        bytes += piece.len();
        if bytes > LONGEST_REGISTER {
            return Err(ApiError::TooLong);
        }
        file.write_all(&piece).await.map_err(|error| no_room(&error))?;
    }
    if bytes == 0 {
        return Err(ApiError::Invalid("the body is empty: send the register itself".to_owned()));
    }
    file.rewind().await.map_err(|error| no_room(&error))?;
    Ok(file)
}

/// Undo an import of the last 30 days, except what was changed since; the state becomes `undone` within seconds
#[utoipa::path(post, path = "/api/v1/imports/{id}/undo", tag = "imports", params(Id), responses(
    (status = ACCEPTED, body = Import),
    Problems))]
pub(super) async fn undo(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
) -> Result<(StatusCode, Json<Import>), ApiError> {
    let mut tx = api.person(&caller).await?;
    let upload = uploads::upload(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    if !uploads::request_undo(&mut tx, id).await? {
        return Err(ApiError::NotImported);
    }
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(upload.into())))
}

/// Get an import and its result
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "imports", params(Id), responses(
    (status = OK, body = Import),
    Problems))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
) -> Result<Json<Import>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let upload = uploads::upload(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    tx.commit().await?;
    Ok(Json(upload.into()))
}
