//! The form that records a contact with a mentor, which removes them from `Today` until a date.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_rules::calendar::{YEARS_AHEAD, is_plausible};
use certvakt_rules::stage::shift;
use certvakt_store::ContactOutcome;
use certvakt_store::caller::contacts;
use chrono::NaiveDate;
use serde::Deserialize;
use uuid::Uuid;

use super::dates;
use super::error::PageError;
use super::form::{Fault, changeable, of_field};
use super::row::Row;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;

/// The number of days after which the form suggests the next contact.
const NEXT_AFTER_DAYS: i64 = 14;

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    outcome: String,
    /// The day of the next contact.
    next_on: String,
    /// The id of the contact: a form that is sent twice records one.
    key: String,
}

#[derive(Template)]
#[template(path = "contact.html")]
struct ContactPage {
    layout: Layout,
    id: Uuid,
    /// The value, the label, and whether it is chosen.
    outcomes: Vec<(&'static str, String, bool)>,
    next_on: String,
    key: String,
    about: String,
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
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Today).await?;
    let found = changeable(&mut tx, id).await?;
    tx.commit().await?;
    let next = shift(api.clock().today(found.zone.0), NEXT_AFTER_DAYS);
    let row = Row::of(&found, api.clock().now(), layout.text);
    let key = Uuid::new_v4().to_string();
    let fields = Fields { next_on: dates::write(next), key, ..Fields::default() };
    Ok(page(StatusCode::OK, &form(layout, row, fields, Vec::new())))
}

/// Records the contact.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Today).await?;
    let found = changeable(&mut tx, id).await?;
    let today = api.clock().today(found.zone.0);
    let (outcome, next_on) = match read(&fields, today) {
        Ok(read) => read,
        Err(keys) => {
            let text = layout.text;
            let row = Row::of(&found, api.clock().now(), text);
            let faults = keys
                .into_iter()
                .map(|(field, key)| Fault { field: field.into(), what: text.count(key, YEARS_AHEAD) });
            let faults = faults.collect();
            let layout = Layout { is_refused: true, ..layout };
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &form(layout, row, fields, faults)));
        }
    };
    let key = fields.key.parse().unwrap_or_else(|_| Uuid::new_v4());
    contacts::record(&mut tx, key, id, outcome, next_on).await?;
    tx.commit().await?;
    Ok(Redirect::to("/today?done=contact").into_response())
}

/// A field that is wrong, with the key of what is wrong.
type Wrong = (&'static str, &'static str);

/// The outcome and the day of the next contact, or the fields that are wrong.
fn read(fields: &Fields, today: NaiveDate) -> Result<(ContactOutcome, Option<NaiveDate>), Vec<Wrong>> {
    let outcome = fields.outcome.parse::<ContactOutcome>().map_err(|_| ("outcome", "fault-outcome"));
    let next = match (fields.next_on.trim(), outcome) {
        // Those who stop need no further contact.
        ("", Ok(ContactOutcome::Stops)) => Ok(None),
        ("", _) => Err(("next_on", "fault-date-missing")),
        (written, _) => match dates::parse(written) {
            Err(none) => Err(("next_on", none.key())),
            Ok(day) if day <= today || !is_plausible(day, today) => Err(("next_on", "fault-next-past")),
            Ok(day) => Ok(Some(day)),
        },
    };
    match (outcome, next) {
        (Ok(outcome), Ok(next)) => Ok((outcome, next)),
        (outcome, next) => Err(outcome.err().into_iter().chain(next.err()).collect()),
    }
}

fn form(layout: Layout, row: Row, fields: Fields, faults: Vec<Fault>) -> ContactPage {
    let text = layout.text;
    let outcomes = ContactOutcome::NAMES
        .iter()
        .map(|name| (*name, text.say(&format!("contact-{name}")), *name == fields.outcome));
    let heading = text.named("action-contact-title", &row.name);
    ContactPage {
        id: row.id,
        outcomes: outcomes.collect(),
        next_on: fields.next_on,
        key: fields.key,
        about: row.about,
        faults,
        layout: Layout { heading, ..layout },
    }
}
