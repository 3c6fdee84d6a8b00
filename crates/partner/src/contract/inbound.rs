//! The terms for a portal's reports of completed renewal courses, and the parser of reports.

use certvakt_rules::last_valid_day;
use certvakt_rules::text::is_plain;
use chrono::{DateTime, Datelike, NaiveDate};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::terms::{Contract, InboundTerms};

/// The maximum length of an event's id and of a key, in characters, as in the schema.
const LONGEST_ID: usize = 200;

/// A report of a completed course.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The portal's id of the event.
    pub event_id: String,
    /// The portal's key for the mentor.
    pub partner_key: String,
    /// The type that the course renews; `None` if the contract does not contain the course.
    pub certification_type: Option<String>,
    /// The day of completion, in the organisation's time zone.
    pub completed_on: NaiveDate,
    /// The new last valid day, if the portal gives one.
    pub valid_until: Option<NaiveDate>,
    /// Whether certvakt itself sent the reported change to the portal.
    pub is_ours: bool,
    /// Whether the course was completed before `since`.
    pub is_old: bool,
}

impl InboundTerms {
    /// Reads a report that matches the schema. An error contains the place, but not the value.
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

/// The day of a date or a time.
fn day(value: &Value, zone: Tz) -> Option<NaiveDate> {
    let text = value.as_str()?;
    let day = match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        Ok(day) => day,
        Err(_) => last_valid_day(DateTime::parse_from_rfc3339(text).ok()?.to_utc(), zone),
    };
    // The range of dates in the database's schema.
    (1900..=9998).contains(&day.year()).then_some(day)
}

/// Checks the terms for contradictions.
pub(super) fn check(contract: &Contract) -> Result<(), String> {
    let read_at = contract.environments.iter().find(|(_, addresses)| addresses.inbound.is_some());
    let Some(terms) = &contract.inbound else {
        return match read_at {
            Some((environment, _)) => {
                Err(format!("[inbound] is missing: environments.{}.inbound needs it", environment.as_str()))
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
