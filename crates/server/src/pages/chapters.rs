//! The chapters with their coordinators and mentors, and the form that moves all mentors of one to another. The move is hard to
//! take back, so it is shown first.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_store::CallerTx;
use certvakt_store::caller::chapters::{self, ChapterPeople};
use certvakt_store::caller::mentor;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Fault, of_field};
use super::link::link;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The path of the list.
pub(super) const PATH: &str = "/chapters";

/// The query after a change.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AfterChange {
    /// The chapter to which the mentors moved.
    moved: String,
    /// The chapter that was handed over.
    handed: String,
    /// Set if an invitation was asked for, and the new coordinator has no mail address.
    uninvited: bool,
}

#[derive(Template)]
#[template(path = "chapters.html")]
struct ChaptersPage {
    layout: Layout,
    chapters: Vec<Shown>,
    /// Whether the new coordinator could not be invited.
    is_uninvited: bool,
}

/// A chapter of the list.
struct Shown {
    id: Uuid,
    organisation: Uuid,
    name: String,
    coordinators: String,
    /// Whether nobody coordinates the chapter's mentors.
    is_alarming: bool,
    mentors: String,
    may_move: bool,
    may_hand_over: bool,
}

/// Shows the chapters.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(after): Query<AfterChange>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Outlook).await?;
    let found = chapters::with_people(&mut tx).await?;
    tx.commit().await?;
    let text = layout.text;
    let named = |id: &str| found.iter().find(|one| one.id.to_string() == id);
    let news = named(&after.moved).map(|one| text.named("chapters-moved-title", &one.name)).or_else(|| {
        let one = named(&after.handed)?;
        let arguments = [("name", line(&one.name).into()), ("people", joined(&one.coordinators).into())];
        Some(text.with("chapters-handed-title", &arguments))
    });
    let has_news = news.is_some();
    let shown = found.iter().map(|one| Shown {
        id: one.id,
        organisation: one.organisation_id,
        name: line(&one.name),
        coordinators: match one.coordinators.as_slice() {
            [] if one.lacks_coordinator => text.say("chapter-without-coordinator"),
            [] => text.say("chapter-coordinated-above"),
            names => joined(names),
        },
        is_alarming: one.lacks_coordinator,
        mentors: text.count("chapter-mentors", one.mentors),
        may_move: one.is_administered && one.mentors > 0,
        may_hand_over: one.is_administered,
    });
    let shown = shown.collect();
    let heading = news.unwrap_or_else(|| text.say("chapters-title"));
    let layout = Layout { heading, has_news, ..layout };
    Ok(page(StatusCode::OK, &ChaptersPage { layout, chapters: shown, is_uninvited: after.uninvited }))
}

/// Names, separated by commas.
fn joined(names: &[String]) -> String {
    names.iter().map(|name| line(name)).collect::<Vec<_>>().join(", ")
}

/// The fields of a move, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The id of the new chapter.
    chapter: String,
    /// `save` if the person has seen the consequences, `edit` to change what was entered.
    step: String,
}

#[derive(Template)]
#[template(path = "chapter_move.html")]
struct MovePage {
    layout: Layout,
    id: Uuid,
    mentors: String,
    /// The id, the name, and whether it is chosen.
    chapters: Vec<(Uuid, String, bool)>,
    /// The chapter to be checked, with its name.
    chosen: Option<(Uuid, String)>,
    faults: Vec<Fault>,
}

impl MovePage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the form that moves all mentors.
pub(super) async fn show_move(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Outlook).await?;
    let (before, others) = administered(&mut tx, id).await?;
    tx.commit().await?;
    Ok(page(StatusCode::OK, &form(layout, &before, &others, &Fields::default())))
}

/// Moves all mentors, or shows the consequences first.
pub(super) async fn make_move(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Outlook).await?;
    let (before, others) = administered(&mut tx, id).await?;
    let text = layout.text;
    let mut shown = form(layout, &before, &others, &fields);
    if fields.step == "edit" {
        return Ok(page(StatusCode::OK, &shown));
    }
    let Some(after) = others.iter().find(|one| fields.chapter == one.id.to_string()) else {
        shown.faults = vec![Fault { field: "chapter".into(), what: text.say("fault-chapters") }];
        shown.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
    };
    if fields.step != "save" {
        tx.commit().await?;
        shown.chosen = Some((after.id, line(&after.name)));
        shown.layout.heading = text.named("chapter-move-check", &before.name);
        shown.layout.has_news = true;
        return Ok(page(StatusCode::OK, &shown));
    }
    // A form that is sent twice finds nobody left.
    mentor::move_mentors(&mut tx, None, before.id, after.id).await?.ok_or(ApiError::NotYours)?;
    tx.commit().await?;
    Ok(Redirect::to(&link(PATH, &[("moved", &after.id.to_string())])).into_response())
}

/// A chapter of an organisation that the caller administers, and the organisation's other chapters.
pub(super) async fn administered(
    tx: &mut CallerTx,
    id: Uuid,
) -> Result<(ChapterPeople, Vec<ChapterPeople>), PageError> {
    let mut found = chapters::with_people(tx).await?;
    let at = found.iter().position(|one| one.id == id).ok_or(ApiError::NotFound)?;
    let before = found.remove(at);
    if !before.is_administered {
        return Err(ApiError::NotYours.into());
    }
    found.retain(|one| one.organisation_id == before.organisation_id);
    Ok((before, found))
}

fn form(layout: Layout, before: &ChapterPeople, others: &[ChapterPeople], fields: &Fields) -> MovePage {
    let text = layout.text;
    let heading = text.named("chapter-move-title", &before.name);
    let chapters =
        others.iter().map(|one| (one.id, line(&one.name), fields.chapter == one.id.to_string())).collect();
    MovePage {
        id: before.id,
        mentors: text.count("chapter-mentors", before.mentors),
        chapters,
        chosen: None,
        faults: Vec::new(),
        layout: Layout { heading, ..layout },
    }
}
