//! A form with a file, and the person who sent it.

use std::collections::HashMap;
use std::io::SeekFrom;

use axum::extract::multipart::{Field, Multipart};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use certvakt_engine::import::uploads::no_room;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};

use super::error::PageError;
use super::visitor::Visitor;
use crate::api::{Api, LONGEST_REGISTER};
use crate::problem::ApiError;

/// The maximum size of a form with a file, in bytes.
pub(super) const LONGEST_UPLOAD: usize = LONGEST_REGISTER + 64 * 1024;
/// The maximum number of fields besides the file, and of bytes in each.
const MOST_FIELDS: usize = 20;
const LONGEST_FIELD: usize = 1024;

/// A form of ours with a file, and the person who sent it. The file comes after the other fields.
pub(super) struct Upload {
    pub(super) visitor: Visitor,
    pub(super) fields: HashMap<String, String>,
    pub(super) file: Result<File, NoFile>,
}

/// Why a form has no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoFile {
    /// The person chose none, or it is empty.
    Missing,
    /// It is larger than the limit.
    TooLong,
}

impl FromRequest<Api> for Upload {
    type Rejection = PageError;

    async fn from_request(request: Request, api: &Api) -> Result<Self, PageError> {
        let (mut parts, body) = request.into_parts();
        let (visitor, session) = match Visitor::of(&mut parts, api).await {
            // Nobody is signed in for whom the file could be stored.
            Err(PageError::NotSignedIn(path)) => {
                return Err(PageError::FormNotSaved { path, is_kept: false });
            }
            found => found?,
        };
        // A file that is received changes nothing yet. What it changes is another form, which is kept.
        let visitor = visitor.changing_nothing();
        let headers = parts.headers.clone();
        let incomplete = || ApiError::Invalid("the form is incomplete".to_owned());
        let form = Multipart::from_request(Request::from_parts(parts, body), api).await;
        let mut form = form.map_err(|_| incomplete())?;
        let (mut fields, mut file) = (HashMap::new(), Err(NoFile::Missing));
        while let Some(field) = form.next_field().await.map_err(|_| incomplete())? {
            let name = field.name().unwrap_or_default().to_owned();
            if field.file_name().is_some() {
                // A file is received only for a form of ours.
                session.check(&headers, fields.get("csrf").map(String::as_str))?;
                file = receive(field).await?;
                break;
            }
            let value = short(field).await.filter(|_| fields.len() < MOST_FIELDS);
            fields.insert(name, value.ok_or_else(incomplete)?);
        }
        session.check(&headers, fields.get("csrf").map(String::as_str))?;
        Ok(Self { visitor, fields, file })
    }
}

/// The value of a field; `None` if it is too long or does not arrive.
async fn short(mut field: Field<'_>) -> Option<String> {
    let mut value = Vec::new();
    while let Some(piece) = field.chunk().await.ok()? {
        value.extend_from_slice(&piece);
        if value.len() > LONGEST_FIELD {
            return None;
        }
    }
    String::from_utf8(value).ok()
}

/// Receives a file into an unnamed one, which disappears even if this process crashes, and rewinds it.
async fn receive(mut field: Field<'_>) -> Result<Result<File, NoFile>, ApiError> {
    let mut file = File::from_std(tempfile::tempfile().map_err(|error| no_room(&error))?);
    let mut bytes = 0;
    loop {
        let piece = match field.chunk().await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Ok(Err(NoFile::TooLong));
            }
            Err(_) => {
                return Err(ApiError::Invalid(
                    "the file did not arrive completely: send it again".to_owned(),
                ));
            }
        };
        bytes += piece.len();
        if bytes > LONGEST_REGISTER {
            return Ok(Err(NoFile::TooLong));
        }
        file.write_all(&piece).await.map_err(|error| no_room(&error))?;
    }
    if bytes == 0 {
        return Ok(Err(NoFile::Missing));
    }
    file.flush().await.map_err(|error| no_room(&error))?;
    file.seek(SeekFrom::Start(0)).await.map_err(|error| no_room(&error))?;
    Ok(Ok(file))
}
