//! The form that gives a chapter a new coordinator, and ends that role of the present ones if that is wanted.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_store::CallerTx;
use certvakt_store::caller;
use certvakt_store::caller::chapters::{self, ChapterPeople, Member};
use serde::Deserialize;
use uuid::Uuid;

use super::chapters::{PATH, administered};
use super::error::PageError;
use super::form::{Fault, of_field};
use super::link::link;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query, check_text};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The maximum number of people that a search shows.
const MOST: u32 = 20;
/// The prefix of the fields of the present coordinators whose role ends.
const ENDS: &str = "ends-";

/// The search for the new coordinator.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    q: String,
}

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The text of the search.
    q: String,
    /// The new coordinator.
    successor: String,
    /// Set to invite the new coordinator to sign in.
    invite: Option<String>,
    /// The fields of the present coordinators.
    #[serde(flatten)]
    rest: HashMap<String, String>,
}

#[derive(Template)]
#[template(path = "handover.html")]
struct HandoverPage {
    layout: Layout,
    id: Uuid,
    q: String,
    is_searched: bool,
    /// Whether the search found more people than the page shows.
    is_cut: bool,
    people: Vec<Person>,
    coordinators: Vec<Person>,
    /// Whether the new coordinator is to be invited; `None` if the service sends no e-mails.
    invite: Option<bool>,
    faults: Vec<Fault>,
}

/// Somebody who can be chosen.
struct Person {
    id: Uuid,
    name: String,
    chapters: String,
    is_chosen: bool,
}

impl HandoverPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the search, and the form with what it found.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Search { q }): Query<Search>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Outlook).await?;
    let (chapter, _) = administered(&mut tx, id).await?;
    let present = chapters::coordinators(&mut tx, id).await?;
    let found = search(&mut tx, &chapter, &q).await?;
    tx.commit().await?;
    let fields = Fields { q, ..Fields::default() };
    Ok(page(StatusCode::OK, &form(&api, layout, &chapter, &present, found, &fields)))
}

/// Hands the chapter over.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Outlook).await?;
    let (chapter, _) = administered(&mut tx, id).await?;
    let relieved: Vec<Uuid> =
        fields.rest.keys().filter_map(|name| name.strip_prefix(ENDS)?.parse().ok()).collect();
    let successor: Option<Uuid> = fields.successor.parse().ok();
    let is_done = match successor {
        Some(successor) => chapters::hand_over(&mut tx, id, successor, &relieved).await?,
        None => false,
    };
    let Some(successor) = successor.filter(|_| is_done) else {
        let present = chapters::coordinators(&mut tx, id).await?;
        let found = search(&mut tx, &chapter, &fields.q).await?;
        let field = if found.is_empty() { "q" } else { "successor" };
        let what = layout.text.say("fault-successor");
        let mut refused = form(&api, layout, &chapter, &present, found, &fields);
        refused.faults = vec![Fault { field: field.into(), what }];
        refused.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused));
    };
    let mails = api.mails().filter(|_| fields.invite.is_some());
    let is_uninvited = mails.is_some() && !caller::invite(&mut tx, successor).await?;
    tx.commit().await?;
    if let Some(mails) = mails {
        mails.wake();
    }
    let id = id.to_string();
    let query = [("handed", id.as_str()), ("uninvited", if is_uninvited { "true" } else { "false" })];
    Ok(Redirect::to(&link(PATH, &query)).into_response())
}

/// The people whose name contains a text; nobody without a text.
async fn search(tx: &mut CallerTx, chapter: &ChapterPeople, text: &str) -> Result<Vec<Member>, ApiError> {
    check_text(Some(&text.to_owned()))?;
    match text.trim() {
        "" => Ok(Vec::new()),
        text => Ok(chapters::members(tx, chapter.organisation_id, text, MOST + 1).await?),
    }
}

fn form(
    api: &Api,
    layout: Layout,
    chapter: &ChapterPeople,
    present: &[Member],
    mut found: Vec<Member>,
    fields: &Fields,
) -> HandoverPage {
    let is_cut = found.len() > MOST as usize;
    found.truncate(MOST as usize);
    let person = |one: &Member, is_chosen: bool| Person {
        id: one.person_id,
        name: line(&one.name),
        chapters: one.chapters.iter().map(|name| line(name)).collect::<Vec<_>>().join(", "),
        is_chosen,
    };
    let ends = |one: &Member| fields.rest.contains_key(&format!("{ENDS}{}", one.person_id));
    let heading = layout.text.named("handover-title", &chapter.name);
    HandoverPage {
        id: chapter.id,
        is_searched: !fields.q.trim().is_empty(),
        q: fields.q.clone(),
        is_cut,
        people: found.iter().map(|one| person(one, fields.successor == one.person_id.to_string())).collect(),
        coordinators: present.iter().map(|one| person(one, ends(one))).collect(),
        invite: api.mails().map(|_| fields.invite.is_some()),
        faults: Vec::new(),
        layout: Layout { heading, ..layout },
    }
}
