//! All that is stored about a person, as a file (GDPR, articles 15 and 20): for themselves, and for an administrator who gives
//! it to them.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use certvakt_base::i18n::Locale;
use certvakt_engine::people::readable::{self, Ordered};
use certvakt_store::people::Export;
use serde::Deserialize;

use super::error::PageError;
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::Section;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The format, as the command `certvakt person export` calls it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Format {
    /// `json` for other programs; otherwise text.
    output: String,
}

/// Whether the file names those who viewed the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// An administrator checks the file before the person gets it.
    Kept,
    /// The names could harm those who viewed the data (article 15, paragraph 4), and nobody checks the file before the person
    /// gets it. Their ids remain.
    Removed,
}

/// The file about the person who is signed in.
pub(super) async fn file(
    State(api): State<Api>,
    visitor: Visitor,
    Query(format): Query<Format>,
) -> Result<Response, PageError> {
    let (tx, layout) = visitor.begin(&api, Section::Mine).await?;
    tx.commit().await?;
    let found = visitor.export(&api, layout.person()).await?;
    response(&found, &format, layout.text, Names::Removed)
}

/// An export as a file.
pub(super) fn response(
    found: &Export,
    Format { output }: &Format,
    text: Text,
    names: Names,
) -> Result<Response, PageError> {
    let unreadable = |error: serde_json::Error| {
        tracing::error!("cannot read an export: {error}");
        ApiError::Fault
    };
    let mut export: Ordered = serde_json::from_str(&found.export).map_err(unreadable)?;
    // An administrator gives it to a person, in that person's language.
    let (name, locale) = match names {
        Names::Kept => ("person", Locale::from_tag(&found.locale)),
        Names::Removed => ("mine-data", Locale::from_tag(text.tag())),
    };
    if names == Names::Removed {
        remove_names_of_viewers(&mut export);
    }
    let (kind, ending, body) = if output == "json" {
        ("application/json", "json", serde_json::to_string_pretty(&export).map_err(unreadable)?)
    } else {
        ("text/plain; charset=utf-8", "txt", readable::text(&export, locale, found.zone.0))
    };
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}.{ending}\""))
        .map_err(|_| ApiError::Fault)?;
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static(kind)), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, body).into_response())
}

/// Leaves out the names of those who viewed the data.
fn remove_names_of_viewers(export: &mut Ordered) {
    let Ordered::Fields(sections) = export else { return };
    let Some(Ordered::List(views)) = sections.get_mut("who_looked") else { return };
    for view in views {
        if let Ordered::Fields(fields) = view {
            fields.shift_remove("name");
        }
    }
}
