//! Registers that an administrator hands over: announced, handed over, and taken in by the service.

use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use serde::Serialize;
use serde_json::Value;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use utoipa::ToSchema;
use uuid::Uuid;

use super::idempotency::{About, Once, StoredResponse};
use super::{Api, Caller};
use crate::http::extract::{Body, Path};
use crate::http::problem::{Problems, Refusal};
use crate::import::uploads::{Register, no_room};
use crate::store::tenant::uploads::{self, Announced, Upload};

/// The longest register, in bytes. Longer ones come in by `certvakt import`.
const LONGEST_REGISTER: usize = 20 * 1024 * 1024;
/// Limits how many registers are written to the database at once, because each is held in memory.
static IN_MEMORY: Semaphore = Semaphore::const_new(4);

/// A register, and what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Import {
    id: Uuid,
    organisation_id: Uuid,
    chapter_id: Uuid,
    /// `waiting` for its content, `received`, `taken` or `refused`.
    #[schema(example = "taken")]
    state: String,
    /// Of one that was taken: how many rows were read, added, updated, unchanged and rejected, and the first rejects.
    /// Of one that was refused: the code of the error, and what to do.
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

/// Announce a register, and how it is to be read; then send it within an hour
#[utoipa::path(post, path = "/api/v1/imports", tag = "imports",
    params(("idempotency-key" = Option<String>, Header, description = "The request's own key, for sending it again",
        min_length = 1, max_length = 255)),
    request_body = Register, responses(
    (status = CREATED, body = Import, headers(("location" = String))),
    Problems))]
pub(super) async fn announce(
    State(api): State<Api>,
    caller: Caller,
    headers: HeaderMap,
    Body(register): Body<Register>,
) -> Result<StoredResponse, Refusal> {
    register.check().map_err(Refusal::Invalid)?;
    let options = serde_json::to_value(&register).map_err(|_| Refusal::Fault)?;
    // The database's JSON has no place for it.
    if options.to_string().contains("\\u0000") {
        return Err(Refusal::Invalid("a name has a character that no name has".to_owned()));
    }
    let mut first = match Once::begin(&api, &caller, &headers, &("import", &register), About::Import).await? {
        Once::Answered(answer) => return Ok(answer),
        Once::First(first) => first,
    };
    let import = match uploads::announce(&mut first.tx, register.chapter_id, &options).await? {
        Announced::As(upload) => Import::from(upload),
        Announced::NotTheirs => return Err(Refusal::NotFound),
        Announced::TooMany => return Err(Refusal::TooManyImports),
    };
    let location = format!("/api/v1/imports/{}", import.id);
    let answer = StoredResponse::new(StatusCode::CREATED, &import)?.with_location(location);
    first.answer(answer).await
}

/// Send a register that was announced: CSV, TSV or XLSX, of at most 20 MiB
#[utoipa::path(put, path = "/api/v1/imports/{id}/content", tag = "imports", params(("id" = Uuid, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = ACCEPTED, body = Import),
    Problems))]
pub(super) async fn hand_over(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<Uuid>,
    body: RawBody,
) -> Result<(StatusCode, Json<Import>), Refusal> {
    // Twenty megabytes are read of nobody who may not send them.
    let mut tx = api.login(&caller).await?;
    let upload = uploads::upload(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    tx.commit().await?;
    // Only administrators see an upload.
    api.check_step_up(&caller)?;
    if upload.state != "waiting" {
        return Err(Refusal::AlreadySent);
    }
    let _turn = api.receiving(upload.organisation_id).await?;
    let mut register = receive(body).await?;
    let _one_of_few = IN_MEMORY.acquire().await.map_err(|_| Refusal::Fault)?;
    let mut content = Vec::new();
    register.read_to_end(&mut content).await.map_err(|error| no_room(&error))?;
    let mut tx = api.person(&caller).await?;
    let is_handed_over = uploads::hand_over(&mut tx, id, &content).await?;
    let upload = uploads::upload(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    if !is_handed_over {
        return Err(Refusal::AlreadySent);
    }
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(upload.into())))
}

/// Receives a register into a file without a name, and rewinds it. A slow client holds no connection to the database.
async fn receive(body: RawBody) -> Result<File, Refusal> {
    let mut file = File::from_std(tempfile::tempfile().map_err(|error| no_room(&error))?);
    let (mut pieces, mut bytes) = (body.into_data_stream(), 0);
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| {
            Refusal::Invalid("the register did not arrive to its end: send it again".to_owned())
        })?;
        bytes += piece.len();
        if bytes > LONGEST_REGISTER {
            return Err(Refusal::TooLong);
        }
        file.write_all(&piece).await.map_err(|error| no_room(&error))?;
    }
    if bytes == 0 {
        return Err(Refusal::Invalid("the body is the register itself, and it is empty".to_owned()));
    }
    file.rewind().await.map_err(|error| no_room(&error))?;
    Ok(file)
}

/// A register, and what became of it
#[utoipa::path(get, path = "/api/v1/imports/{id}", tag = "imports", params(("id" = Uuid, Path)), responses(
    (status = OK, body = Import),
    Problems))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Import>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let upload = uploads::upload(&mut tx, id).await?.ok_or(Refusal::NotFound)?;
    tx.commit().await?;
    Ok(Json(upload.into()))
}
