//! The result of a change of several certifications, and the undo of what a person changed with a form.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_engine::renewal::undo::undo;
use certvakt_store::caller::change_results::{self, FormResult};
use certvakt_store::caller::{self, Certification};
use serde::Deserialize;
use uuid::Uuid;

use super::action::Action;
use super::error::PageError;
use super::row::{Row, tell_apart};
use super::visitor::{Again, Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The query after a change or an undo.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AfterChange {
    /// The path of the action, or `undone`.
    done: String,
}

#[derive(Template)]
#[template(path = "results.html")]
struct ResultsPage {
    layout: Layout,
    form: Uuid,
    /// Those that were not changed, each with the reason.
    refused: Vec<(Row, String)>,
    /// Those that are changed, changed again since, and undone, below their headings.
    groups: Vec<(String, Vec<Row>)>,
    /// The number of changes that can be undone.
    undoable: usize,
}

/// Shows the result of a change of several certifications.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(form): Path<Uuid>,
    Query(AfterChange { done }): Query<AfterChange>,
) -> Result<Response, PageError> {
    let now = api.clock().now();
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let results = change_results::of_form(&mut tx, form).await?;
    let ids: Vec<Uuid> = results.iter().map(|one| one.certification_id).collect();
    let mut found = caller::certifications_by_id(&mut tx, &ids).await?;
    tx.commit().await?;
    if found.is_empty() {
        return Err(ApiError::NotFound.into());
    }
    let text = layout.text;
    let (mut refused, mut changed, mut since, mut undone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let results: HashMap<Uuid, &FormResult> =
        results.iter().map(|result| (result.certification_id, result)).collect();
    // In the order of the check before, which was that of the former dates.
    found.sort_by_key(|one| {
        let replaced = results.get(&one.id).and_then(|result| result.replaced.as_ref().ok());
        let end = replaced.map_or(one.expires_at, |replaced| replaced.expires_at);
        (end.is_none(), end, one.id)
    });
    for one in &found {
        let Some(result) = results.get(&one.id) else { continue };
        let row = Row::of(one, now, text);
        match (&result.replaced, result.undone_at) {
            (Err(code), _) => refused.push((row, reason(code, text))),
            (Ok(_), Some(_)) => undone.push(row),
            (Ok(_), None) if is_changed_since(result, one) => since.push(row),
            (Ok(_), None) => changed.push(row),
        }
    }
    let rows = refused.iter_mut().map(|(row, _)| row);
    tell_apart(rows.chain(&mut changed).chain(&mut since).chain(&mut undone));
    let heading = match Action::from_path(&done) {
        _ if !undone.is_empty() => text.count("several-undone-title", undone.len()),
        Some(action) if action.is_for_several() => {
            text.count(&format!("{}-several-done", action.key()), changed.len() + since.len())
        }
        _ => text.count("several-done", changed.len() + since.len()),
    };
    let layout = Layout { heading, has_news: !done.is_empty(), ..layout };
    let undoable = changed.len();
    let groups =
        [("several-changed", changed), ("several-since", since), ("several-undone", undone)].into_iter();
    let groups = groups.filter(|(_, rows)| !rows.is_empty());
    let groups = groups.map(|(key, rows)| (text.count(key, rows.len()), rows)).collect();
    Ok(page(StatusCode::OK, &ResultsPage { layout, form, refused, groups, undoable }))
}

/// Whether a certification was changed after the change with the form.
fn is_changed_since(result: &FormResult, one: &Certification) -> bool {
    result.replaced.as_ref().is_ok_and(|replaced| replaced.version != one.updated_at)
}

/// Why a certification was not changed.
pub(super) fn reason(code: &str, text: Text) -> String {
    let known = text.say(&format!("refusal-{code}"));
    if known.is_empty() { text.say("refusal-other") } else { known }
}

/// The fields of the form that undoes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The certification whose page the form was on; empty to undo everything that was changed together.
    certification: String,
}

/// Undoes a change, and shows the result.
pub(super) async fn make(
    State(api): State<Api>,
    Path(form): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Certifications).await?;
    let results = change_results::of_form(&mut tx, form).await?;
    tx.commit().await?;
    let only: Option<Uuid> = match fields.certification.as_str() {
        "" => None,
        id => Some(id.parse().map_err(|_| ApiError::NotFound)?),
    };
    let asked: Vec<FormResult> =
        results.into_iter().filter(|one| only.is_none_or(|id| id == one.certification_id)).collect();
    if asked.is_empty() {
        return Err(ApiError::NotFound.into());
    }
    let undone = undo(&Again(&visitor, &api), form, &asked).await?;
    // A form that is sent twice finds that the first one has undone the change.
    let is_undone = async || -> Result<bool, ApiError> {
        let mut tx = visitor.again(&api).await?;
        let results = change_results::of_form(&mut tx, form).await?;
        tx.commit().await?;
        Ok(results.iter().any(|one| only == Some(one.certification_id) && one.undone_at.is_some()))
    };
    match only {
        // It was changed since.
        Some(_) if !undone.kept.is_empty() && !is_undone().await? => Err(ApiError::OtherVersion.into()),
        Some(id) => Ok(Redirect::to(&format!("/certifications/{id}?done=undone")).into_response()),
        None => Ok(Redirect::to(&format!("/changes/{form}?done=undone")).into_response()),
    }
}

/// Leads back to the result, after a sign-in in the middle of an undo.
pub(super) async fn lead_back(Path(form): Path<Uuid>) -> Redirect {
    Redirect::to(&format!("/changes/{form}"))
}
