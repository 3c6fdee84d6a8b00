//! The form that moves a mentor to another chapter. The same form moves them back.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_store::CallerTx;
use certvakt_store::caller::mentor::{self, Mentor};
use certvakt_store::caller::outlook::managed_chapters;
use certvakt_store::caller::{Certification, outlook::ManagedChapter};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Fault, changeable, of_field};
use super::of_app;
use super::row::{about, name_of};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The id of the new chapter.
    chapter: String,
    /// The chapter that the person saw, so that a repeated form moves nobody again.
    from: String,
}

#[derive(Template)]
#[template(path = "moving.html")]
struct MovingPage {
    layout: Layout,
    id: Uuid,
    from: Uuid,
    about: String,
    /// The id, the name, and whether it is chosen.
    chapters: Vec<(Uuid, String, bool)>,
    faults: Vec<Fault>,
}

impl MovingPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the form.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let found = match movable(&mut tx, id).await {
        Ok((found, _)) => found,
        Err(refusal) => return of_app::explained(refusal, &mut tx, id, &api, layout).await,
    };
    let chapters = destinations(&mut tx, &found).await?;
    tx.commit().await?;
    Ok(page(StatusCode::OK, &form(layout, &found, &chapters, &Fields::default())))
}

/// Moves the mentor.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let (found, mentor) = movable(&mut tx, id).await?;
    let done = || Redirect::to(&format!("/certifications/{id}?done=moved")).into_response();
    let chosen: Option<Uuid> = fields.chapter.parse().ok();
    // The form was sent before, and its move is made.
    if chosen == Some(found.chapter_id) && fields.from.parse() != Ok(found.chapter_id) {
        return Ok(done());
    }
    let chapters = destinations(&mut tx, &found).await?;
    let Some(after) = chosen.filter(|chosen| chapters.iter().any(|one| one.id == *chosen)) else {
        let what = layout.text.say("fault-chapter");
        let mut refused = form(layout, &found, &chapters, &fields);
        refused.faults = vec![Fault { field: "chapter".into(), what }];
        refused.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused));
    };
    let moved = mentor::move_mentors(&mut tx, Some(&[mentor.mentor_id]), found.chapter_id, after).await?;
    if moved != Some(1) {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    Ok(done())
}

/// A certification whose mentor the caller may move from its chapter.
async fn movable(tx: &mut CallerTx, id: Uuid) -> Result<(Certification, Mentor), PageError> {
    let found = changeable(tx, id).await?;
    let mentor = mentor::mentor(tx, id).await?.ok_or(ApiError::NotFound)?;
    if mentor.is_member { Ok((found, mentor)) } else { Err(ApiError::NotYours.into()) }
}

/// The other chapters of the organisation that the caller manages.
async fn destinations(tx: &mut CallerTx, found: &Certification) -> Result<Vec<ManagedChapter>, PageError> {
    let mut chapters = managed_chapters(tx).await?;
    chapters.retain(|one| one.organisation_id == found.organisation_id && one.id != found.chapter_id);
    Ok(chapters)
}

fn form(layout: Layout, found: &Certification, chapters: &[ManagedChapter], fields: &Fields) -> MovingPage {
    let text = layout.text;
    let heading = text.named("action-move-title", &name_of(found, text));
    let chapters =
        chapters.iter().map(|one| (one.id, line(&one.name), fields.chapter == one.id.to_string())).collect();
    MovingPage {
        id: found.id,
        from: found.chapter_id,
        about: about(found),
        chapters,
        faults: Vec::new(),
        layout: Layout { heading, ..layout },
    }
}
