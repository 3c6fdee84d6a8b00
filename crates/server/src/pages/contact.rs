//! The form that records a contact with a mentor, which removes them from `Today` until a date.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_rules::calendar::{YEARS_AHEAD, is_plausible};
use certvakt_rules::stage::shift;
use certvakt_rules::text::is_plain_note;
use certvakt_store::caller::{addresses, contacts};
use certvakt_store::{CallerTx, ContactOutcome, StoreError};
use chrono::NaiveDate;
use serde::Deserialize;
use uuid::Uuid;

use super::chapter_switch::{keep_known, of_form};
use super::dates;
use super::error::PageError;
use super::form::{Fault, Nothing, changeable, of_field};
use super::link::link;
use super::reach::readable;
use super::row::Row;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The number of days after which the form suggests the next contact.
const NEXT_AFTER_DAYS: i64 = 14;
/// The maximum length of what was said, in characters, as in the schema.
const LONGEST_NOTE: usize = 500;

/// The chapter that the page before the form showed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct From {
    chapter: String,
}

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    outcome: String,
    /// The day of the next contact.
    next_on: String,
    /// What was said.
    note: String,
    /// The id of the contact: a form that is sent twice records one.
    key: String,
    /// The chapter that `Today` shows again.
    chapter: String,
}

#[derive(Template)]
#[template(path = "contact.html")]
struct ContactPage {
    layout: Layout,
    id: Uuid,
    /// The value, the label, and whether it is chosen.
    outcomes: Vec<(&'static str, String, bool)>,
    next_on: String,
    note: String,
    key: String,
    about: String,
    /// Today's date with the weekday.
    today: String,
    /// The phone numbers of the mentor.
    phones: Vec<String>,
    faults: Vec<Fault>,
}

impl ContactPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the form.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(From { chapter }): Query<From>,
) -> Result<Response, PageError> {
    let (mut tx, mut layout) = visitor.begin(&api, Section::Today).await?;
    let found = changeable(&mut tx, id).await?;
    keep_known(&mut tx, &mut layout, &chapter).await?;
    let phones = phones(&mut tx, id).await?;
    tx.commit().await?;
    let today = api.clock().today(found.zone.0);
    let next = shift(today, NEXT_AFTER_DAYS);
    let row = Row::of(&found, api.clock().now(), layout.text);
    let key = Uuid::new_v4().to_string();
    let fields = Fields { next_on: dates::write(next), key, ..Fields::default() };
    Ok(page(StatusCode::OK, &form(layout, row, phones, today, fields, Vec::new())))
}

/// Records the contact.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, mut layout) = visitor.begin(&api, Section::Today).await?;
    let found = changeable(&mut tx, id).await?;
    let today = api.clock().today(found.zone.0);
    let Read { outcome, next_on, note } = match read(&fields, today) {
        Ok(read) => read,
        Err(keys) => {
            let text = layout.text;
            let phones = phones(&mut tx, id).await?;
            keep_known(&mut tx, &mut layout, &fields.chapter).await?;
            tx.commit().await?;
            let row = Row::of(&found, api.clock().now(), text);
            let faults = keys
                .into_iter()
                .map(|(field, key)| Fault { field: field.into(), what: text.count(key, YEARS_AHEAD) });
            let faults = faults.collect();
            let layout = Layout { is_refused: true, ..layout };
            let shown = form(layout, row, phones, today, fields, faults);
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    let key = fields.key.parse().unwrap_or_else(|_| Uuid::new_v4());
    contacts::record(&mut tx, key, id, outcome, next_on, note).await?;
    tx.commit().await?;
    let parameters =
        [("done", "contact"), ("about", &id.to_string()), ("chapter", &of_form(&fields.chapter))];
    Ok(Redirect::to(&link("/today", &parameters)).into_response())
}

/// Removes a contact that the person recorded within the last day. A repeated form has no effect.
pub(super) async fn undo(
    State(api): State<Api>,
    Path((id, contact)): Path<(Uuid, Uuid)>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Certifications).await?;
    changeable(&mut tx, id).await?;
    let known = contacts::of_certification(&mut tx, id).await?;
    if known.iter().any(|one| one.id == contact) && !contacts::undo(&mut tx, contact, id).await? {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    Ok(Redirect::to(&format!("/certifications/{id}?done=contact-undone")).into_response())
}

/// Leads a browser that reloads back to the certification.
pub(super) async fn lead_back(Path((id, _)): Path<(Uuid, Uuid)>) -> Redirect {
    Redirect::to(&format!("/certifications/{id}"))
}

/// A field that is wrong, with the key of what is wrong.
type Wrong = (&'static str, &'static str);

/// What the fields say.
#[derive(Debug)]
struct Read<'a> {
    outcome: ContactOutcome,
    next_on: Option<NaiveDate>,
    note: Option<&'a str>,
}

/// What the fields say, or those that are wrong.
fn read(fields: &Fields, today: NaiveDate) -> Result<Read<'_>, Vec<Wrong>> {
    let outcome = fields.outcome.parse::<ContactOutcome>().map_err(|_| ("outcome", "fault-outcome"));
    let next = match (fields.next_on.trim(), outcome) {
        // A mentor who stops needs no further contact, so the date that the form suggests does not count.
        (_, Ok(ContactOutcome::Stops)) => Ok(None),
        ("", _) => Err(("next_on", "fault-date-missing")),
        (written, _) => match dates::parse(written) {
            Err(none) => Err(("next_on", none.key())),
            Ok(day) if day <= today || !is_plausible(day, today) => Err(("next_on", "fault-next-past")),
            Ok(day) => Ok(Some(day)),
        },
    };
    let note = Some(fields.note.trim()).filter(|note| !note.is_empty());
    let is_wrong = note.is_some_and(|note| note.chars().count() > LONGEST_NOTE || !is_plain_note(note));
    let said = if is_wrong { Err(("note", "fault-contact-note")) } else { Ok(note) };
    match (outcome, next, said) {
        (Ok(outcome), Ok(next_on), Ok(note)) => Ok(Read { outcome, next_on, note }),
        (outcome, next, said) => Err(outcome.err().into_iter().chain(next.err()).chain(said.err()).collect()),
    }
}

/// The phone numbers of a certification's mentor, each as E.164 writes it.
async fn phones(tx: &mut CallerTx, certification: Uuid) -> Result<Vec<String>, StoreError> {
    let points = addresses::addresses(tx, certification).await?;
    Ok(readable(&points).filter(|(kind, _)| *kind == "phone").map(|(_, number)| line(number)).collect())
}

fn form(
    layout: Layout,
    row: Row,
    phones: Vec<String>,
    today: NaiveDate,
    fields: Fields,
    faults: Vec<Fault>,
) -> ContactPage {
    let text = layout.text;
    let outcomes = ContactOutcome::NAMES
        .iter()
        .map(|name| (*name, text.say(&format!("contact-{name}")), *name == fields.outcome));
    let heading = text.named("action-contact-title", &row.name);
    ContactPage {
        id: row.id,
        outcomes: outcomes.collect(),
        next_on: fields.next_on,
        note: fields.note,
        key: fields.key,
        about: row.about,
        today: text.long_date(today),
        phones,
        faults,
        layout: Layout { heading, ..layout },
    }
}
