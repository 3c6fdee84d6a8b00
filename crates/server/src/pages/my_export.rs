//! All that is stored about the person, as a file for themselves (GDPR, articles 15 and 20).

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use certvakt_base::i18n::Locale;
use certvakt_engine::people::readable::{self, Ordered};
use serde::Deserialize;

use super::error::PageError;
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::Section;
use crate::problem::ApiError;

/// The format, as the command `certvakt person export` calls it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Format {
    /// `json` for other programs; otherwise text.
    output: String,
}

/// The file.
pub(super) async fn file(
    State(api): State<Api>,
    visitor: Visitor,
    Query(Format { output }): Query<Format>,
) -> Result<Response, PageError> {
    let (tx, layout) = visitor.begin(&api, Section::Mine).await?;
    tx.commit().await?;
    let found = visitor.export(&api, layout.person()).await?;
    let unreadable = |error: serde_json::Error| {
        tracing::error!("cannot read an export: {error}");
        ApiError::Fault
    };
    let mut export: Ordered = serde_json::from_str(&found.export).map_err(unreadable)?;
    remove_names_of_viewers(&mut export);
    let (kind, name, body) = if output == "json" {
        let body = serde_json::to_string_pretty(&export).map_err(unreadable)?;
        ("application/json", "attachment; filename=\"mine-data.json\"", body)
    } else {
        let body = readable::text(&export, Locale::from_tag(layout.text.tag()), found.zone.0);
        ("text/plain; charset=utf-8", "attachment; filename=\"mine-data.txt\"", body)
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
    ];
    Ok((headers, body).into_response())
}

/// Leaves out the names of those who viewed the data, which could harm them (article 15, paragraph 4): nobody checks this file
/// before the person gets it. Their ids remain.
fn remove_names_of_viewers(export: &mut Ordered) {
    let Ordered::Fields(sections) = export else { return };
    let Some(Ordered::List(views)) = sections.get_mut("who_looked") else { return };
    for view in views {
        if let Ordered::Fields(fields) = view {
            fields.shift_remove("name");
        }
    }
}
