//! Renewals: the last valid day that a rule gives, and the entries of a certification's history.
//!
//! The database writes the entries. This module reads entries of every version, and checks their hash chain
//! by the stored text.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::stage::Stage;

/// The rule for the last valid day of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// From the day on which the course was completed.
    FromCompletion,
    /// From the old last valid day; from the completion if there was none.
    FromExpiry,
    /// From the old last valid day; from the completion if there was none, or if it had passed.
    FromExpiryUnlessLapsed,
    /// To the end of the year in which the course was completed. The type needs no validity.
    ToEndOfYear,
    /// From the completion, extended to the next occurrence of a month and day.
    ToDay(u32, u32),
}

/// The error for a text that is not a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write completion, expiry, expiry-unless-lapsed, end-of-year or a day of the year as MM-DD")]
pub struct UnknownRule;

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        match text {
            "completion" => Ok(Self::FromCompletion),
            "expiry" => Ok(Self::FromExpiry),
            "expiry-unless-lapsed" => Ok(Self::FromExpiryUnlessLapsed),
            "end-of-year" => Ok(Self::ToEndOfYear),
            day => {
                // A leap year has every day.
                let day =
                    NaiveDate::parse_from_str(&format!("2024-{day}"), "%Y-%m-%d").map_err(|_| UnknownRule)?;
                Some(Self::ToDay(day.month(), day.day()))
                    .filter(|rule| rule.to_string() == text)
                    .ok_or(UnknownRule)
            }
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FromCompletion => f.write_str("completion"),
            Self::FromExpiry => f.write_str("expiry"),
            Self::FromExpiryUnlessLapsed => f.write_str("expiry-unless-lapsed"),
            Self::ToEndOfYear => f.write_str("end-of-year"),
            Self::ToDay(month, day) => write!(f, "{month:02}-{day:02}"),
        }
    }
}

/// The last valid day of a renewal; `None` if it is beyond the range of dates, or the rule needs a validity and
/// there is none.
///
/// Months are calendar months: 31 August plus six months is the last day of February.
pub fn last_valid_day(
    rule: Rule,
    validity: Option<Months>,
    completed_on: NaiveDate,
    old: Option<NaiveDate>,
) -> Option<NaiveDate> {
    match rule {
        Rule::FromCompletion => completed_on.checked_add_months(validity?),
        Rule::FromExpiry => old.unwrap_or(completed_on).checked_add_months(validity?),
        Rule::FromExpiryUnlessLapsed => {
            old.filter(|old| *old >= completed_on).unwrap_or(completed_on).checked_add_months(validity?)
        }
        Rule::ToEndOfYear => day_of_year(completed_on.year(), 12, 31),
        Rule::ToDay(month, day) => {
            let from = completed_on.checked_add_months(validity?)?;
            (from.year()..=from.year() + 1)
                .filter_map(|year| day_of_year(year, month, day))
                .find(|on| *on >= from)
        }
    }
}

/// The first day on which a certification can be renewed, if its type limits that; `days` are the days before
/// the last valid day.
pub fn renewable_from(last_valid_day: NaiveDate, days: u16) -> NaiveDate {
    last_valid_day.checked_sub_days(Days::new(days.into())).unwrap_or(NaiveDate::MIN)
}

/// A day of a year; 29 February becomes the 28th in other than leap years.
fn day_of_year(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).or_else(|| NaiveDate::from_ymd_opt(year, month, day - 1))
}

/// The kind of change of a history entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A renewal, which started a new cycle.
    Renewed,
    /// A correction of the date; the cycle continued.
    Corrected,
    /// A suspension.
    Suspended,
    /// A reinstatement after a suspension or a withdrawal.
    Reinstated,
    /// A withdrawal, which is permanent unless the certification is reinstated.
    Withdrawn,
    /// The undo of a change of the date, by an import or a person; the cycle continued.
    Undone,
}

impl Kind {
    /// The name in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Corrected => "corrected",
            Self::Suspended => "suspended",
            Self::Reinstated => "reinstated",
            Self::Withdrawn => "withdrawn",
            Self::Undone => "undone",
        }
    }
}

/// A history entry in the current version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The entry's id.
    pub id: Uuid,
    /// The kind of change.
    pub kind: Kind,
    /// The time of the change.
    pub at: DateTime<Utc>,
    /// The person who made the change, if known.
    pub actor: Option<Uuid>,
    /// The day on which the course was completed.
    pub completed_on: Option<NaiveDate>,
    /// The end of the validity before the change; `None` if it did not expire.
    pub expires_before: Option<DateTime<Utc>>,
    /// The end of the validity after the change; `None` if it does not expire.
    pub expires_after: Option<DateTime<Utc>>,
    /// The stages that the mentor was notified of in the cycle that this entry closes; `None` if it closes
    /// none.
    pub told: Option<Vec<Stage>>,
    /// The salted digest of the evidence and the note, in lower-case hexadecimal; `None` if there was
    /// neither.
    pub words: Option<String>,
    /// The hash of the previous entry, in lower-case hexadecimal; `None` for the first entry.
    pub previous: Option<String>,
    /// The source of the change; `None` for entries of version 1, which do not have it.
    #[serde(default)]
    pub source: Option<String>,
}

/// A parsed entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// An entry of a known version, converted to the current one.
    Known(Box<Entry>),
    /// An entry of a later version, which is shown as stored.
    Later(u64),
}

/// The current version of entries.
pub const VERSION: u64 = 2;

/// Parses an entry of any version. An error is the end of a sentence about the entry.
pub fn read(written: &Value) -> Result<Reading, String> {
    let Value::Object(fields) = written else { return Err("is not an object".to_owned()) };
    let version = fields.get("schema_version").and_then(Value::as_u64).filter(|version| *version > 0);
    let Some(version) = version else { return Err("has no version".to_owned()) };
    if version > VERSION {
        return Ok(Reading::Later(version));
    }
    let mut fields = fields.clone();
    fields.remove("schema_version");
    // Version 2 added a field. An entry must have exactly the fields of its version.
    let is_of_version = fields.len() == if version >= 2 { 11 } else { 10 };
    if !is_of_version || fields.contains_key("source") != (version >= 2) {
        return Err("does not have the fields of its version".to_owned());
    }
    serde_json::from_value(Value::Object(fields))
        .map(Reading::Known)
        .map_err(|error| format!("does not have the form of its version: {error}"))
}

/// The hash of an entry: the SHA-256, in hexadecimal, of its canonical form by RFC 8785.
/// `certvakt.entry_hash` computes the same hash in SQL. `None` if it has no canonical form.
pub fn entry_hash(written: &Value) -> Option<String> {
    Some(crate::key::hex_digest(serde_json_canonicalizer::to_vec(written).ok()?))
}

/// A fault of a history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The number of the entry, from 1.
    pub number: usize,
    /// The description.
    pub what: String,
}

/// Checks every entry of a history: its fields, and the hash of the previous entry.
pub fn check(history: &[Value]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut previous = None;
    for (number, written) in (1..).zip(history) {
        let mut wrong = |what: String| faults.push(Fault { number, what });
        if let Err(what) = read(written) {
            wrong(what);
        }
        if written.get("previous").and_then(Value::as_str) != previous.as_deref() {
            wrong("does not contain the hash of the previous entry: one of the two was changed".to_owned());
        }
        previous = entry_hash(written);
        if previous.is_none() {
            wrong("has no canonical form".to_owned());
        }
    }
    faults
}

/// The digest of the evidence and the note: the SHA-256, in hexadecimal, of a salt and their canonical form.
pub fn words_digest(salt: &[u8], evidence: Option<&str>, note: Option<&str>) -> Option<String> {
    let words = serde_json::json!({ "evidence": evidence, "note": note });
    let text = serde_json_canonicalizer::to_vec(&words).ok()?;
    Some(crate::key::hex_digest([salt, &text].concat()))
}

/// The id of the entry of a request with a key, so that the same key is the same entry.
pub fn entry_id(certification: Uuid, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("{certification}|{key}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The state of a certification at a time, as it was known then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// The end of the validity; `None` if it did not expire.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the certification was suspended or withdrawn.
    pub is_stopped: bool,
    /// The entry that determines the state; `None` for the first record.
    pub by: Option<&'a Entry>,
    /// The entry that started the cycle; `None` for the first record.
    pub cycle: Option<&'a Entry>,
    /// The entry that closed the cycle, if it is closed.
    pub closed_by: Option<&'a Entry>,
    /// Whether the date was corrected later.
    pub is_corrected_later: bool,
}

/// Whether a renewal was undone, or corrected to the former date, by one of the later entries.
fn is_taken_back(renewal: &Entry, later: &[Entry]) -> bool {
    later.iter().any(|entry| {
        matches!(entry.kind, Kind::Corrected | Kind::Undone)
            && entry.expires_before == renewal.expires_after
            && entry.expires_after == renewal.expires_before
    })
}

/// Determines the state of a certification at a time, from its entries, oldest first, and its current state.
pub fn standing_at(
    entries: &[Entry],
    at: DateTime<Utc>,
    expires_now: Option<DateTime<Utc>>,
    is_stopped_now: bool,
) -> Standing<'_> {
    let (before, after) = entries.split_at(entries.partition_point(|entry| entry.at <= at));
    let is_dated = |entry: &&Entry| matches!(entry.kind, Kind::Renewed | Kind::Corrected | Kind::Undone);
    let is_status = |entry: &&Entry| !is_dated(entry);
    let closes = |entry: &Entry, later: &[Entry]| match entry.kind {
        Kind::Renewed => !is_taken_back(entry, later),
        kind => kind == Kind::Withdrawn,
    };
    let begins = |(number, entry): &(usize, &Entry)| {
        entry.kind == Kind::Renewed && !is_taken_back(entry, &before[number + 1..])
    };
    let dated = before.iter().rfind(is_dated);
    Standing {
        expires_at: match (dated, after.iter().find(is_dated)) {
            (Some(entry), _) => entry.expires_after,
            (None, Some(next)) => next.expires_before,
            (None, None) => expires_now,
        },
        is_stopped: match (before.iter().rfind(is_status), after.iter().find(is_status)) {
            (Some(entry), _) => entry.kind != Kind::Reinstated,
            (None, Some(next)) => next.kind == Kind::Reinstated,
            (None, None) => is_stopped_now,
        },
        by: before.last(),
        cycle: before.iter().enumerate().rev().find(begins).map(|(_, entry)| entry),
        closed_by: (1..)
            .zip(after)
            .find(|(next, entry)| closes(entry, &after[*next..]))
            .map(|(_, entry)| entry),
        is_corrected_later: after
            .iter()
            .take_while(|entry| entry.kind != Kind::Renewed)
            .any(|entry| matches!(entry.kind, Kind::Corrected | Kind::Undone)),
    }
}
