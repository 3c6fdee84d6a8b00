//! The chapters of an organisation: adding one, and renaming one. Where an app owns the hierarchy, it does both, and the page
//! only shows them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_rules::normal::{entered_name, fold, short_name};
use certvakt_store::settings::{self, ChapterOfTree, Present};
use certvakt_store::{CallerTx, StoreError};
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Done, Fault, of_field};
use super::settings::{PATH, administered};
use super::three_way::Entered;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

#[derive(Template)]
#[template(path = "settings_chapters.html")]
struct ChaptersPage {
    layout: Layout,
    id: Uuid,
    section: &'static str,
    chapters: Vec<Shown>,
    is_changeable: bool,
    app_url: String,
    name: String,
    parents: Vec<Choice>,
    faults: Vec<Fault>,
}

/// A chapter of the list.
struct Shown {
    id: Uuid,
    name: String,
    /// The chapter above; empty at the top level.
    above: String,
}

impl ChaptersPage {
    fn new(
        api: &Api,
        layout: Layout,
        present: &Present,
        chapters: &[ChapterOfTree],
        entered: &Entered,
    ) -> Self {
        let text = layout.text;
        let of = |field: &str| entered.get(field).map(String::as_str).unwrap_or_default();
        let above = |one: &ChapterOfTree| {
            let parent = chapters.iter().find(|other| Some(other.id) == one.parent_id);
            parent.map(|parent| text.named("settings-chapter-below", &parent.name)).unwrap_or_default()
        };
        let parents =
            chapters.iter().map(|one| Choice::new(one.id.to_string(), line(&one.name), of("parent")));
        Self {
            id: present.id,
            section: "settings-section-chapters",
            is_changeable: chapters.iter().any(|one| one.is_changeable),
            app_url: api.pages().app_url.clone(),
            chapters: chapters
                .iter()
                .map(|one| Shown { id: one.id, name: line(&one.name), above: above(one) })
                .collect(),
            name: of("name").to_owned(),
            parents: parents.collect(),
            faults: Vec::new(),
            layout: Layout { heading: text.named("settings-chapters-title", &present.name), ..layout },
        }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// An organisation that the caller administers, with its chapters.
async fn with_chapters(tx: &mut CallerTx, id: Uuid) -> Result<(Present, Vec<ChapterOfTree>), PageError> {
    let present = administered(tx, id).await?;
    let chapters = settings::chapters(tx, id).await?;
    Ok((present, chapters))
}

/// Refuses a change where an app owns the hierarchy.
fn check_changeable(chapters: &[ChapterOfTree]) -> Result<(), PageError> {
    if chapters.iter().any(|one| one.is_changeable) { Ok(()) } else { Err(ApiError::NotYours.into()) }
}

/// What is wrong with the name of a chapter, as the key of a text.
fn fault_of_name(
    chapters: &[ChapterOfTree],
    of: Option<Uuid>,
    name: Option<&String>,
) -> Option<&'static str> {
    let Some(name) = name else { return Some("fault-setup-chapter") };
    let is_known = chapters.iter().any(|one| Some(one.id) != of && fold(&one.name) == fold(name));
    is_known.then_some("fault-settings-known")
}

/// Shows the chapters.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, chapters) = with_chapters(&mut tx, id).await?;
    tx.commit().await?;
    let mut shown = ChaptersPage::new(&api, layout, &present, &chapters, &Entered::new());
    if let Some(saved) = chapters.iter().find(|one| one.slug == done) {
        shown.layout.heading = shown.layout.text.named("settings-saved", &saved.name);
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// Adds a chapter.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: entered }: Sent<Entered>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, chapters) = with_chapters(&mut tx, id).await?;
    check_changeable(&chapters)?;
    let mut shown = ChaptersPage::new(&api, layout, &present, &chapters, &entered);
    let text = shown.layout.text;
    let new = entered_name(&shown.name);
    let parent = entered.get("parent").filter(|parent| !parent.is_empty());
    let above = parent.and_then(|parent| chapters.iter().find(|one| one.id.to_string() == *parent));
    if let Some(key) = fault_of_name(&chapters, None, new.as_ref()) {
        shown.faults.push(Fault { field: "name".into(), what: text.say(key) });
    }
    if parent.is_some() && above.is_none() {
        shown.faults.push(Fault { field: "parent".into(), what: text.say("fault-chapters") });
    }
    if let (Some(name), true) = (new, shown.faults.is_empty()) {
        let slugs: Vec<String> = chapters.iter().map(|one| one.slug.clone()).collect();
        let slug = short_name(&name, "chapter", &slugs);
        match settings::add_chapter(&mut tx, id, &slug, &name, above.map(|one| one.id)).await {
            // The same form, sent twice at once.
            Err(StoreError::Exists { .. }) => {
                let what = text.say("fault-settings-known");
                shown.faults.push(Fault { field: "name".into(), what });
            }
            added => {
                added?;
                tx.commit().await?;
                return Ok(Redirect::to(&format!("{PATH}/{id}/chapters?done={slug}")).into_response());
            }
        }
    }
    shown.layout.is_refused = true;
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
}

#[derive(Template)]
#[template(path = "settings_chapter.html")]
struct ChapterPage {
    layout: Layout,
    /// The path of the form.
    path: String,
    /// The path of the list.
    list: String,
    name: String,
    faults: Vec<Fault>,
}

impl ChapterPage {
    fn new(layout: Layout, id: Uuid, chapter: &ChapterOfTree, name: String) -> Self {
        let heading = layout.text.named("settings-chapter-title", &chapter.name);
        let list = format!("{PATH}/{id}/chapters");
        let path = format!("{list}/{}", chapter.id);
        Self { layout: Layout { heading, ..layout }, path, list, name, faults: Vec::new() }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the form that renames a chapter.
pub(super) async fn show_one(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, chapter)): Path<(Uuid, Uuid)>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (_, chapters) = with_chapters(&mut tx, id).await?;
    tx.commit().await?;
    check_changeable(&chapters)?;
    let found = chapters.iter().find(|one| one.id == chapter).ok_or(ApiError::NotFound)?;
    Ok(page(StatusCode::OK, &ChapterPage::new(layout, id, found, found.name.clone())))
}

/// Renames a chapter.
pub(super) async fn make_one(
    State(api): State<Api>,
    Path((id, chapter)): Path<(Uuid, Uuid)>,
    Sent { visitor, form: entered }: Sent<Entered>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (_, chapters) = with_chapters(&mut tx, id).await?;
    check_changeable(&chapters)?;
    let found = chapters.iter().find(|one| one.id == chapter).ok_or(ApiError::NotFound)?;
    let written = entered.get("name").cloned().unwrap_or_default();
    let new = entered_name(&written);
    let fault = fault_of_name(&chapters, Some(chapter), new.as_ref());
    if let (Some(new), None) = (&new, fault) {
        if !settings::rename_chapter(&mut tx, id, chapter, new).await? {
            return Err(ApiError::NotFound.into());
        }
        tx.commit().await?;
        return Ok(Redirect::to(&format!("{PATH}/{id}/chapters?done={}", found.slug)).into_response());
    }
    let mut shown = ChapterPage::new(layout, id, found, written);
    let what = fault.map(|key| shown.layout.text.say(key)).unwrap_or_default();
    shown.faults = vec![Fault { field: "name".into(), what }];
    shown.layout.is_refused = true;
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
}
