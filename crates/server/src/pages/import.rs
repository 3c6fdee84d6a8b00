//! One import: where it stands, its result, and its undo.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_engine::import::rejected_rows::RejectedRows;
use certvakt_engine::import::uploads::Register;
use certvakt_store::caller::uploads::{self, UploadDetails};
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::error::PageError;
use super::form::Nothing;
use super::import_check;
use super::register::{self, Outcome, PATH, REJECTS, Rejection, Undo, new_chapters, path, refusal};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// How long the page waits for a check, an import or an undo before it answers, and how often it looks.
pub(super) const WAIT: Duration = Duration::from_secs(8);
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);

#[derive(Template)]
#[template(path = "import.html")]
pub(super) struct ImportPage {
    layout: Layout,
    /// The path of the import.
    path: String,
    /// Whether it is still being checked, imported or undone.
    is_waiting: bool,
    /// What happened, as sentences.
    pub(super) facts: Vec<String>,
    rejects: Vec<Rejection>,
    /// The heading of the rejected rows.
    rejects_title: String,
    /// Whether the rejected rows can be downloaded.
    has_file: bool,
    pub(super) is_undoable: bool,
}

/// Shows an import. It waits some seconds for what the service has yet to do.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let until = Instant::now() + WAIT;
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let mut found = uploads::details(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    // Each look is a transaction of its own, and none is open in between.
    while found.is_waiting && Instant::now() < until {
        tx.commit().await?;
        tokio::time::sleep(LOOK_EVERY).await;
        tx = visitor.again(&api).await?;
        found = uploads::details(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    }
    let rejected = register::rejected(&mut tx, id).await?;
    tx.commit().await?;
    Ok(match found.upload.state.as_str() {
        "draft" => Redirect::to(&format!("{}/columns", path(id))).into_response(),
        "checked" => import_check::page_of(&found, &rejected, layout)?,
        _ => page(StatusCode::OK, &result_of(&found, &rejected, layout)),
    })
}

/// The page of an import that was sent on a page or through the API.
fn result_of(found: &UploadDetails, rejected: &RejectedRows, layout: Layout) -> ImportPage {
    let outcome = Outcome::of(found.upload.result.as_ref());
    let columns = Register::deserialize(&found.options).map(|register| register.options.columns);
    let rejects =
        Rejection::first(&outcome.rejects, REJECTS, rejected, &columns.unwrap_or_default(), layout.text);
    let number = outcome.rejected + outcome.duplicate + outcome.contacts_rejected;
    let is_all = i64::try_from(rejects.len()).is_ok_and(|shown| shown >= number);
    let rejects_title = layout.text.say(if is_all { "import-rejects-title" } else { "import-rejects-first" });
    let is_undoable = found.upload.state == "imported" && !found.is_waiting && outcome.import.is_some();
    let shown = result(&found.upload.state, &outcome, found.is_waiting, path(found.upload.id), layout);
    ImportPage { rejects, rejects_title, has_file: !rejected.rows.is_empty(), is_undoable, ..shown }
}

/// The page of a result, without its rejected rows.
pub(super) fn result(
    state: &str,
    outcome: &Outcome,
    is_waiting: bool,
    path: String,
    layout: Layout,
) -> ImportPage {
    let text = layout.text;
    let state = if state == "imported" && is_waiting { "undoing" } else { state };
    let mut facts = Vec::new();
    match state {
        "refused" => facts.push(refusal(outcome.code.as_deref().unwrap_or_default(), text)),
        "imported" | "undone" => {
            let numbers = [
                ("import-added", outcome.added),
                ("import-updated", outcome.updated),
                ("import-renewed", outcome.renewed),
                ("import-corrected", outcome.corrected),
                ("import-unchanged", outcome.unchanged),
                ("import-duplicate", outcome.duplicate),
                ("import-rejected", outcome.rejected),
            ];
            let numbers = numbers.into_iter().filter(|(_, number)| *number > 0);
            facts.extend(numbers.map(|(key, number)| text.count(key, number)));
            facts.extend(new_chapters("import-new-chapters", &outcome.new_chapters, text));
        }
        _ => facts.push(text.say("import-wait")),
    }
    facts.extend(outcome.undo.iter().flat_map(|undo| undone(undo, text)));
    ImportPage {
        path,
        is_waiting,
        facts,
        rejects: Vec::new(),
        rejects_title: String::new(),
        has_file: false,
        is_undoable: false,
        layout: Layout { heading: text.say(&format!("import-{state}-title")), has_news: true, ..layout },
    }
}

/// What an undo changed, and what it kept.
fn undone(undo: &Undo, text: Text) -> Vec<String> {
    if undo.code.is_some() {
        return vec![text.say("import-undo-refused")];
    }
    let numbers = [
        ("import-undo-deleted", undo.deleted),
        ("import-undo-reverted", undo.reverted),
        ("import-undo-notified", i64::try_from(undo.notified.len()).unwrap_or(i64::MAX)),
        ("import-undo-kept", i64::try_from(undo.kept.len()).unwrap_or(i64::MAX)),
    ];
    let numbers = numbers.into_iter().filter(|(_, number)| *number > 0);
    numbers.map(|(key, number)| text.count(key, number)).collect()
}

/// Undoes an import.
pub(super) async fn undo(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Imports).await?;
    uploads::upload(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    // A form that was sent twice undoes nothing more.
    if uploads::request_undo(&mut tx, id).await? {
        tx.commit().await?;
    }
    Ok(Redirect::to(&path(id)).into_response())
}

/// Discards a register that is not imported yet.
pub(super) async fn discard(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Imports).await?;
    uploads::upload(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    let is_discarded = uploads::discard(&mut tx, id).await?;
    let to = if is_discarded { format!("{PATH}?discarded=true") } else { path(id) };
    tx.commit().await?;
    Ok(Redirect::to(&to).into_response())
}

/// A form that was interrupted by a sign-in leads back to the import.
pub(super) async fn lead_back(Path(id): Path<Uuid>) -> Redirect {
    Redirect::to(&path(id))
}
