//! How a portal tells of completed renewal courses, and how what it tells is read.

use std::collections::BTreeMap;

use certvakt_rules::last_valid_day;
use certvakt_rules::text::is_plain;
use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Contract, Word};

/// The longest id of an event and the longest key, in characters, as the schema has them.
const LONGEST_ID: usize = 200;

/// How a portal tells of completed renewal courses: one in the body of a webhook, or as entries of pages that are
/// read. Places are JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundTerms {
    /// Where the portal's id of the event stands: the same id, the same renewal.
    pub event: String,
    /// Where the portal's key of the mentor stands.
    pub key: String,
    /// Where its word for the course stands; none: every course renews the one type of `types`.
    pub course: Option<String>,
    /// Where the day stands on which it was completed: a date, or an instant (RFC 3339).
    pub completed: String,
    /// Where the new last valid day stands, likewise; none: the rule of the type says it.
    pub until: Option<String>,
    /// Where it stands who made the change that is told of.
    pub origin: Option<String>,
    /// The portal's word there for us: what we have told it ourselves is no news.
    pub ours: Option<Word>,
    /// Which type of certification a course renews, by the portal's word for it.
    pub types: BTreeMap<String, String>,
    /// Courses completed before this day renew nobody: they are from before certvakt came.
    pub since: Option<NaiveDate>,
    /// JSON Schema of one report.
    pub schema: Value,
    /// Where in a page that is read the reports stand; empty: the page is the array of them.
    #[serde(default)]
    pub entries: String,
    /// Where in a page the address of the next one stands.
    pub next: Option<String>,
    /// Where in the last page the address stands at which only what is new can be read; none: all is read each time.
    pub delta: Option<String>,
}

/// What a portal tells of a completed course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The portal's id of the event.
    pub event_id: String,
    /// The portal's key of the mentor.
    pub partner_key: String,
    /// Which type the course renews; none: the contract does not know the course.
    pub certification_type: Option<String>,
    /// When it was completed, in the organisation's time zone.
    pub completed_on: NaiveDate,
    /// The new last valid day; none: the portal names none.
    pub valid_until: Option<NaiveDate>,
    /// Whether the portal only tells us what we have told it.
    pub is_ours: bool,
    /// Whether the course is from before certvakt came.
    pub is_old: bool,
}

impl InboundTerms {
    /// Reads a report that keeps to the schema. An error names the place, and nothing that is there.
    pub fn read(&self, entry: &Value, zone: Tz) -> Result<Report, String> {
        let place = |pointer: &str| entry.pointer(pointer).filter(|value| !value.is_null());
        let needed = |pointer: &str| {
            text(place(pointer)).ok_or_else(|| format!("there is no text or number at {pointer}"))
        };
        let id = |pointer: &str| {
            let id = needed(pointer)?;
            let is_fit = (1..=LONGEST_ID).contains(&id.chars().count()) && is_plain(&id);
            if is_fit {
                Ok(id)
            } else {
                Err(format!("the value at {pointer} does not have 1 to {LONGEST_ID} characters"))
            }
        };
        let date = |pointer: &str, value: &Value| {
            day(value, zone).ok_or_else(|| format!("there is no date at {pointer}"))
        };
        let completed_on = date(&self.completed, place(&self.completed).unwrap_or(&Value::Null))?;
        let until = self.until.as_deref().and_then(|pointer| Some((pointer, place(pointer)?)));
        let certification_type = match &self.course {
            Some(course) => self.types.get(&needed(course)?),
            None => self.types.values().next(),
        };
        let origin = self.origin.as_deref().and_then(place);
        Ok(Report {
            event_id: id(&self.event)?,
            partner_key: id(&self.key)?,
            certification_type: certification_type.cloned(),
            completed_on,
            valid_until: until.map(|(pointer, value)| date(pointer, value)).transpose()?,
            is_ours: origin.is_some_and(|word| self.ours.as_ref().is_some_and(|ours| json!(ours) == *word)),
            is_old: self.since.is_some_and(|since| completed_on < since),
        })
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The day that a date or an instant names.
fn day(value: &Value, zone: Tz) -> Option<NaiveDate> {
    let text = value.as_str()?;
    let day = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => day,
        Err(_) => last_valid_day(DateTime::parse_from_rfc3339(text).ok()?.to_utc(), zone),
    };
    // As far as the schema goes.
    (1900..=9998).contains(&day.year()).then_some(day)
}

/// What contradicts itself, if anything does.
pub(super) fn check(contract: &Contract) -> Result<(), String> {
    let read_at = contract.stages.iter().find(|(_, addresses)| addresses.inbound.is_some());
    let Some(terms) = &contract.inbound else {
        return match read_at {
            Some((stage, _)) => {
                Err(format!("[inbound] is missing: stages.{}.inbound needs it", stage.as_str()))
            }
            None => Ok(()),
        };
    };
    let optional = [&terms.course, &terms.until, &terms.origin, &terms.next, &terms.delta];
    let pointers =
        [&terms.event, &terms.key, &terms.completed].into_iter().chain(optional.into_iter().flatten());
    if let Some(wrong) = pointers.into_iter().find(|pointer| !pointer.starts_with('/')) {
        return Err(format!("'{wrong}' in [inbound] is not a JSON pointer: start it with /"));
    }
    if terms.types.is_empty() || (terms.course.is_none() && terms.types.len() > 1) {
        return Err("inbound.types must map each course to a type of certification, and have exactly one entry without inbound.course".to_owned());
    }
    if terms.origin.is_some() != terms.ours.is_some() {
        return Err("inbound.origin and inbound.ours belong together".to_owned());
    }
    if read_at.is_some() && terms.since.is_none() {
        return Err("inbound.since is missing: certvakt reads reports, so it needs the date of the oldest report to consider".to_owned());
    }
    Ok(())
}
