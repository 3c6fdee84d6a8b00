//! The form that records that a mentor is the same person as another. It cannot be undone, so the page shows
//! both people first.

use std::collections::HashSet;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_store::caller::{self, Certification, Filter, addresses, mentor};
use certvakt_store::{CallerTx, MergeOutcome};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Fault, changeable, of_field};
use super::of_app;
use super::reach::readable;
use super::row::{Row, name_of};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query, check_text};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The maximum number of people that a search shows.
const MOST: usize = 20;
/// The maximum number of certifications that a search reads: a person has a few.
const MOST_READ: u32 = 100;

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The text of the search.
    q: String,
    /// A certification of the person who stays.
    other: String,
    /// `save` if the person has seen the consequences, `edit` to change what was entered.
    step: String,
}

#[derive(Template)]
#[template(path = "merging.html")]
struct MergingPage {
    layout: Layout,
    id: Uuid,
    about: String,
    q: String,
    is_searched: bool,
    /// Whether the search found more people than the page shows.
    is_cut: bool,
    /// Those who can stay: a certification, the name, what tells them apart, and whether they are chosen.
    people: Vec<(Uuid, String, String, bool)>,
    /// The two people to be checked, with the certification of the one who stays.
    checked: Option<(Uuid, Vec<Side>)>,
    faults: Vec<Fault>,
}

/// One of the two people.
struct Side {
    /// Whether this is the duplicate or the one who stays.
    what: String,
    name: String,
    addresses: Vec<String>,
    certifications: Vec<Row>,
}

impl MergingPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the search, and what it found.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(fields): Query<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let duplicate = match mergeable(&mut tx, id).await {
        Ok(duplicate) => duplicate,
        Err(refusal) => return of_app::explained(refusal, &mut tx, id, &api, layout).await,
    };
    let shown = form(&mut tx, layout, &duplicate, &fields).await?;
    tx.commit().await?;
    Ok(page(StatusCode::OK, &shown))
}

/// Merges the mentor with the other, or shows both first.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let duplicate = mergeable(&mut tx, id).await?;
    let text = layout.text;
    if fields.step == "edit" {
        return Ok(page(StatusCode::OK, &form(&mut tx, layout, &duplicate, &fields).await?));
    }
    let Some(survivor) = other(&mut tx, &duplicate, &fields.other).await? else {
        return Ok(refused(form(&mut tx, layout, &duplicate, &fields).await?, text.say("fault-merge")));
    };
    if fields.step != "save" {
        let mut shown = form(&mut tx, layout, &duplicate, &fields).await?;
        let sides = vec![
            side(&mut tx, &duplicate, text.say("merge-duplicate"), api.clock().now(), text).await?,
            side(&mut tx, &survivor, text.say("merge-survivor"), api.clock().now(), text).await?,
        ];
        tx.commit().await?;
        shown.checked = Some((survivor.id, sides));
        shown.layout.heading = text.named("merge-check", &name_of(&duplicate, text));
        shown.layout.has_news = true;
        return Ok(page(StatusCode::OK, &shown));
    }
    let outcome =
        mentor::merge(&mut tx, duplicate.mentor_id, survivor.mentor_id, duplicate.organisation_id).await?;
    match outcome {
        MergeOutcome::Merged => {
            tx.commit().await?;
            Ok(Redirect::to(&format!("/certifications/{}?done=absorbed", survivor.id)).into_response())
        }
        MergeOutcome::Forbidden => Err(ApiError::NotYours.into()),
        outcome => {
            let shown = form(&mut tx, layout, &duplicate, &fields).await?;
            Ok(refused(shown, text.say(&format!("fault-merge-{outcome}"))))
        }
    }
}

fn refused(mut shown: MergingPage, what: String) -> Response {
    let field = if shown.people.is_empty() { "q" } else { "other" };
    shown.faults = vec![Fault { field: field.into(), what }];
    shown.layout.is_refused = true;
    page(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// A certification whose mentor the caller may merge with another.
async fn mergeable(tx: &mut CallerTx, id: Uuid) -> Result<Certification, PageError> {
    let found = changeable(tx, id).await?;
    let mentor = mentor::mentor(tx, id).await?.ok_or(ApiError::NotFound)?;
    if mentor.is_administrator { Ok(found) } else { Err(ApiError::NotYours.into()) }
}

/// A certification of another person of the same organisation.
async fn other(
    tx: &mut CallerTx,
    duplicate: &Certification,
    chosen: &str,
) -> Result<Option<Certification>, PageError> {
    let Ok(chosen) = chosen.parse() else { return Ok(None) };
    let found = caller::certification(tx, chosen).await?;
    Ok(found.filter(|one| {
        one.organisation_id == duplicate.organisation_id
            && one.mentor_id != duplicate.mentor_id
            && one.is_managed
    }))
}

/// What is known of one of the two people in the organisation.
async fn side(
    tx: &mut CallerTx,
    one: &Certification,
    what: String,
    now: DateTime<Utc>,
    text: Text,
) -> Result<Side, PageError> {
    let mut all = caller::certifications_of(tx, one.mentor_id).await?;
    all.retain(|other| other.organisation_id == one.organisation_id);
    let addresses = addresses::addresses(tx, one.id).await?;
    Ok(Side {
        what,
        name: name_of(one, text),
        addresses: readable(&addresses).map(|(_, address)| line(address)).collect(),
        certifications: all.iter().map(|one| Row::of(one, now, text)).collect(),
    })
}

async fn form(
    tx: &mut CallerTx,
    layout: Layout,
    duplicate: &Certification,
    fields: &Fields,
) -> Result<MergingPage, PageError> {
    let text = layout.text;
    let heading = text.named("action-merge-title", &name_of(duplicate, text));
    check_text(Some(&fields.q))?;
    let wanted = fields.q.trim();
    let mut found = Vec::new();
    if !wanted.is_empty() {
        let filter = Filter { text: Some(wanted.to_owned()), ..Filter::default() };
        found = caller::certifications(tx, &filter, None, MOST_READ).await?;
    }
    let is_full = found.len() == MOST_READ as usize;
    let mut seen = HashSet::from([duplicate.mentor_id]);
    found.retain(|one| {
        one.organisation_id == duplicate.organisation_id && one.is_managed && seen.insert(one.mentor_id)
    });
    let is_cut = is_full || found.len() > MOST;
    found.truncate(MOST);
    let about = |one: &Certification| {
        let facts = [one.chapter.as_deref(), one.type_name.as_deref(), one.external_id.as_deref()];
        facts.into_iter().flatten().map(line).collect::<Vec<_>>().join(", ")
    };
    let person =
        |one: &Certification| (one.id, name_of(one, text), about(one), fields.other == one.id.to_string());
    Ok(MergingPage {
        id: duplicate.id,
        about: about(duplicate),
        is_searched: !wanted.is_empty(),
        q: fields.q.clone(),
        is_cut,
        people: found.iter().map(person).collect(),
        checked: None,
        faults: Vec::new(),
        layout: Layout { heading, ..layout },
    })
}
