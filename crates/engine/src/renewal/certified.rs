//! Determines who was certified on a day, by which history entry, and the notices until then.

use std::collections::HashMap;

use certvakt_rules::calendar::{end_of_day, last_valid_day};
use certvakt_rules::renewal::{self as rules, Entry, Reading};
use certvakt_store::CertificationStatus;
use certvakt_store::renewal::CertificationHistory;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

/// The state of a certification at the end of a day, as it was known then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Certified {
    /// The certification.
    pub certification_id: Uuid,
    /// The mentor.
    pub mentor_id: Uuid,
    /// The organisation's short name.
    pub organisation: String,
    /// The chapter's name.
    pub chapter: String,
    /// The type's name.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The certification's id in the register.
    pub external_id: Option<String>,
    /// Whether the certification was valid.
    pub was_certified: bool,
    /// The reason: `valid`, `lapsed`, `suspended`, `not yet`, or `unknown` if its history cannot be read.
    pub because: &'static str,
    /// The last valid day, as it was known on that day; `None` if it did not expire.
    pub last_valid_day: Option<NaiveDate>,
    /// The entry that determines the state; `None` for the first record.
    pub entry_id: Option<Uuid>,
    /// Whether the date was corrected afterwards.
    pub corrected_later: bool,
    /// The stages that the mentor was notified of in the cycle; `None` if unknown, because the log does not
    /// reach back to it.
    pub told: Option<Vec<String>>,
    /// The source of these stages: `log` or `history`, if known.
    pub told_from: Option<&'static str>,
}

/// The notices of certifications: the stage, and the time at which it was recorded.
pub type NoticesByCertification = HashMap<Uuid, Vec<(String, DateTime<Utc>)>>;

/// Determines the state of a certification on a day. The log is complete since `since`, or from the start if
/// `None`.
pub fn on(
    day: NaiveDate,
    one: &CertificationHistory,
    told: &NoticesByCertification,
    log_complete_since: Option<DateTime<Utc>>,
) -> Certified {
    let zone = one.zone.0;
    let end = end_of_day(day, zone);
    let entries: Option<Vec<Entry>> = one
        .history
        .iter()
        .map(|written| match rules::read(written) {
            Ok(Reading::Known(entry)) => Some(*entry),
            Ok(Reading::Later(_)) | Err(_) => None,
        })
        .collect();
    let unknown = Certified {
        certification_id: one.id,
        mentor_id: one.mentor_id,
        organisation: one.organisation.clone(),
        chapter: one.chapter.clone(),
        type_name: one.type_name.clone(),
        external_id: one.external_id.clone(),
        was_certified: false,
        because: "unknown",
        last_valid_day: None,
        entry_id: None,
        corrected_later: false,
        told: None,
        told_from: None,
    };
    let Some(entries) = entries else { return unknown };
    let standing =
        rules::standing_at(&entries, end, one.expires_at, one.status == CertificationStatus::Suspended);
    let last = standing.expires_at.map(|at| last_valid_day(at, zone));
    let began = one.issued_at.unwrap_or(one.created_at);
    let because = if began > end {
        "not yet"
    } else if standing.is_stopped {
        "suspended"
    } else if last.is_some_and(|last| last < day) {
        "lapsed"
    } else {
        "valid"
    };
    let cycle_began = standing.cycle.map_or(one.created_at, |entry| entry.at);
    let (stages, from) = if log_complete_since.is_none_or(|since| since <= cycle_began) {
        let of_cycle =
            told.get(&one.id).into_iter().flatten().filter(|(_, at)| (cycle_began..=end).contains(at));
        (Some(of_cycle.map(|(stage, _)| stage.clone()).collect()), Some("log"))
    } else {
        let told = standing.closed_by.and_then(|entry| entry.told.as_ref());
        let stages: Option<Vec<String>> = told.map(|stages| stages.iter().map(ToString::to_string).collect());
        let from = stages.as_ref().map(|_| "history");
        (stages, from)
    };
    Certified {
        was_certified: because == "valid",
        because,
        last_valid_day: last,
        entry_id: standing.by.map(|entry| entry.id),
        corrected_later: standing.is_corrected_later,
        told: stages,
        told_from: from,
        ..unknown
    }
}
