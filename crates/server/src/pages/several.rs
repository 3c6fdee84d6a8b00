//! A change of several certifications at once: the page where the person checks which, and the change.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_engine::expiry::standing::Standing;
use certvakt_engine::renewal::batch::{BATCH, apply_different};
use certvakt_engine::renewal::{Change, ChangeOutcome, ChangeRequest, RenewalError, Source};
use certvakt_store::caller::{self, Certification, change_results, overview};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::action::Action;
use super::certifications::{ListQuery, filter_of};
use super::change::{Fields, change, date_field, version};
use super::dates;
use super::error::PageError;
use super::form::{Fault, of_field};
use super::link::link;
use super::row::Row;
use super::visitor::{Again, Sent, Visitor};
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::{Layout, Section, SignedIn};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The maximum number of certifications in one change.
pub(super) const MOST: u32 = 1000;
/// The maximum size of the form, in bytes: each certification has two fields of about 60 bytes.
pub(super) const LONGEST_FORM: usize = 256 * 1024;

/// The prefixes of the fields of a certification: its version, and whether it is chosen.
const SEEN: &str = "seen-";
const CHOSEN: &str = "chosen-";

/// The list to change, and how.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SeveralQuery {
    action: String,
    #[serde(flatten)]
    list: ListQuery,
}

#[derive(Template)]
#[template(path = "several.html")]
struct SeveralPage {
    layout: Layout,
    action: Action,
    fields: Fields,
    /// The label and the hint of the date; `None` if the change has no date.
    date: Option<(String, String)>,
    /// Whether the form asks for evidence.
    has_evidence: bool,
    rows: Vec<Choice>,
    /// Whether there are more certifications than one change can have.
    is_cut: bool,
    /// The link to the list.
    back: String,
    faults: Vec<Fault>,
}

/// A certification to choose.
struct Choice {
    row: Row,
    /// The time of its last change, in microseconds since 1970.
    version: String,
    is_chosen: bool,
}

impl Choice {
    fn of(one: &Certification, version: &str, is_chosen: bool, now: DateTime<Utc>, text: Text) -> Self {
        Self { row: Row::of(one, now, text), version: version.to_owned(), is_chosen }
    }
}

impl SeveralPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the certifications of a list that the person may change, all of them chosen.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<SeveralQuery>,
) -> Result<Response, PageError> {
    let action = several(&query.action)?;
    let now = api.clock().now();
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    manages(&layout)?;
    let types = overview::certification_types(&mut tx).await?;
    let filter = filter_of(&mut tx, &query.list, &types, &api).await?;
    let mut found = caller::certifications(&mut tx, &filter, None, MOST + 1).await?;
    tx.commit().await?;
    let is_cut = found.len() > MOST as usize;
    found.truncate(MOST as usize);
    found.retain(|one| one.is_managed && action.is_possible(Standing::of(one, now).state));
    let zone = found.first().map(|one| one.zone.0);
    let mut fields = Fields { key: Uuid::new_v4().to_string(), ..Fields::default() };
    if let Some(zone) = zone.filter(|_| action == Action::Renewal) {
        fields.date = dates::write(api.clock().today(zone));
    }
    let text = layout.text;
    let rows = found
        .iter()
        .map(|one| Choice::of(one, &one.updated_at.timestamp_micros().to_string(), true, now, text))
        .collect();
    let back = link("/certifications", &query.list.without(""));
    Ok(page(StatusCode::OK, &SeveralPage { is_cut, back, ..form(layout, action, fields, rows) }))
}

/// Makes the change of those that are chosen.
pub(super) async fn make(
    State(api): State<Api>,
    Sent { visitor, form: sent }: Sent<HashMap<String, String>>,
) -> Result<Response, PageError> {
    let now = api.clock().now();
    let field = |name: &str| sent.get(name).cloned().unwrap_or_default();
    let action = several(&field("action"))?;
    let fields = Fields {
        date: field("date"),
        evidence: field("evidence"),
        note: field("note"),
        early: field("early"),
        key: field("key"),
        ..Fields::default()
    };
    let form_id: Uuid =
        fields.key.parse().map_err(|_| ApiError::Invalid("the form has no key".to_owned()))?;
    let mut seen: Vec<(Uuid, &String)> = sent
        .iter()
        .filter_map(|(name, version)| Some((name.strip_prefix(SEEN)?.parse().ok()?, version)))
        .collect();
    seen.sort_unstable();
    if seen.len() > MOST as usize {
        return Err(ApiError::Invalid(format!("more than {MOST} certifications")).into());
    }
    let is_chosen = |id: Uuid| sent.contains_key(&format!("{CHOSEN}{id}"));
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    manages(&layout)?;
    let text = layout.text;
    let request = |change: Change, seen| ChangeRequest {
        change,
        evidence: Some(fields.evidence.trim()).filter(|text| !text.is_empty()),
        note: Some(fields.note.trim()).filter(|text| !text.is_empty()),
        key: Some(fields.key.as_str()),
        source: Source::Api,
        seen,
        form: Some(form_id),
    };
    let checked = change(action, &fields, text).and_then(|change| {
        if !seen.iter().any(|(id, _)| is_chosen(*id)) {
            return Err(Fault { field: "chosen".into(), what: text.say("fault-none-chosen") });
        }
        let words = |_| Fault { field: "note".into(), what: text.say("fault-words") };
        request(change, None).check().map(|()| change).map_err(words)
    });
    let change = match checked {
        Ok(change) => change,
        Err(fault) => {
            let ids: Vec<Uuid> = seen.iter().map(|(id, _)| *id).collect();
            let found = caller::certifications_by_id(&mut tx, &ids).await?;
            let rows = found.iter().map(|one| {
                let seen = seen.iter().find(|(id, _)| *id == one.id).map_or("", |(_, version)| version);
                Choice::of(one, seen, is_chosen(one.id), now, text)
            });
            let rows = rows.collect();
            let layout = Layout { is_refused: true, ..layout };
            let refused = SeveralPage { faults: vec![fault], ..form(layout, action, fields, rows) };
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused));
        }
    };
    tx.commit().await?;
    let requests: Vec<(Uuid, ChangeRequest<'_>)> = seen
        .into_iter()
        .filter(|(id, _)| is_chosen(*id))
        .map(|(id, seen)| (id, request(change, Some(version(seen)))))
        .collect();
    let again = Again(&visitor, &api);
    let mut refused = Vec::new();
    for some in requests.chunks(BATCH) {
        let asked: Vec<(Uuid, &ChangeRequest<'_>)> =
            some.iter().map(|(id, request)| (*id, request)).collect();
        let outcomes = apply_different(&again, &asked, now).await?;
        refused
            .extend(asked.iter().zip(&outcomes).filter_map(|((id, _), outcome)| Some((*id, code(outcome)?))));
    }
    let mut tx = visitor.again(&api).await?;
    change_results::refuse(&mut tx, form_id, &refused).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/changes/{form_id}?done={}", action.path())).into_response())
}

/// Why a change was not made, as a code; `None` if it was made.
fn code(outcome: &Result<ChangeOutcome, RenewalError>) -> Option<&'static str> {
    match outcome {
        Ok(outcome) if outcome.is_changed => None,
        Ok(_) => Some("unchanged"),
        Err(error) => Some(error.code()),
    }
}

/// Refuses a person who manages nobody.
fn manages(layout: &Layout) -> Result<(), ApiError> {
    if layout.signed_in.as_ref().is_some_and(SignedIn::manages) { Ok(()) } else { Err(ApiError::NotYours) }
}

/// An action that can be made for several certifications.
fn several(path: &str) -> Result<Action, ApiError> {
    Action::from_path(path).filter(|action| action.is_for_several()).ok_or(ApiError::NotFound)
}

fn form(layout: Layout, action: Action, fields: Fields, rows: Vec<Choice>) -> SeveralPage {
    let text = layout.text;
    let heading = text.count(&format!("{}-several-title", action.key()), rows.len());
    SeveralPage {
        action,
        date: date_field(action, &fields, text),
        has_evidence: action == Action::Renewal,
        fields,
        rows,
        is_cut: false,
        back: "/certifications".to_owned(),
        faults: Vec::new(),
        layout: Layout { heading, ..layout },
    }
}
