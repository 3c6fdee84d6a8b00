//! Renewals: the last valid day that a rule gives, and the entries of a certification's history.
//!
//! The database writes the entries. Here they are read, whichever version wrote them, and their chain is
//! checked, from the text that was first written.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::stage::Stage;

/// From which day a type of certification counts its validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// From the day on which what renews it was completed.
    FromCompletion,
    /// From the old last valid day; from the completion, if there was none.
    FromExpiry,
    /// From the completion, and on to the next such day of a year: month and day.
    ToDay(u32, u32),
}

/// The text of a rule is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write completion, expiry or a day of the year as MM-DD")]
pub struct UnknownRule;

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        match text {
            "completion" => Ok(Self::FromCompletion),
            "expiry" => Ok(Self::FromExpiry),
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
            Self::ToDay(month, day) => write!(f, "{month:02}-{day:02}"),
        }
    }
}

/// The last valid day of a renewal. None: it lies beyond the calendar.
///
/// Months are those of the calendar: 31 August and six months is the last day of February.
pub fn last_valid_day(
    rule: Rule,
    validity: Months,
    completed_on: NaiveDate,
    old: Option<NaiveDate>,
) -> Option<NaiveDate> {
    match rule {
        Rule::FromCompletion => completed_on.checked_add_months(validity),
        Rule::FromExpiry => old.unwrap_or(completed_on).checked_add_months(validity),
        Rule::ToDay(month, day) => {
            let from = completed_on.checked_add_months(validity)?;
            (from.year()..=from.year() + 1)
                .filter_map(|year| day_of_year(year, month, day))
                .find(|on| *on >= from)
        }
    }
}

/// The day of a year; 29 February is the 28th where there is none.
fn day_of_year(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).or_else(|| NaiveDate::from_ymd_opt(year, month, day - 1))
}

/// What an entry of a history tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It was renewed: a new cycle began.
    Renewed,
    /// A date was corrected: the cycle goes on.
    Corrected,
    /// It was suspended.
    Suspended,
    /// A suspension, or a withdrawal, was lifted.
    Reinstated,
    /// It was withdrawn, for good unless it is reinstated.
    Withdrawn,
}

impl Kind {
    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Renewed => "renewed",
            Self::Corrected => "corrected",
            Self::Suspended => "suspended",
            Self::Reinstated => "reinstated",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// An entry of a history, as the version that is written now has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// What it tells of.
    pub kind: Kind,
    /// When it was written.
    pub at: DateTime<Utc>,
    /// The person who made the change; none: no person that is known.
    pub actor: Option<Uuid>,
    /// When what renews it was completed.
    pub completed_on: Option<NaiveDate>,
    /// When it ended before; none: never.
    pub expires_before: Option<DateTime<Utc>>,
    /// When it ends after; none: never.
    pub expires_after: Option<DateTime<Utc>>,
    /// The stages that were told in the cycle that this closes; none: it closes none.
    pub told: Option<Vec<Stage>>,
    /// A salted digest of evidence and note, in lower-case hex; none: there was neither.
    pub words: Option<String>,
    /// The hash of the entry before, in lower-case hex; none: it is the first.
    pub previous: Option<String>,
    /// Which way it came in. Since version 2; none: an entry of version 1 does not say.
    #[serde(default)]
    pub source: Option<String>,
}

/// An entry as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// Of a version that is known, raised to the present one.
    Known(Box<Entry>),
    /// Of a later version: it is kept, and shown as it is.
    Later(u64),
}

/// The version that is written now.
pub const VERSION: u64 = 2;

/// Reads an entry of whatever version. An error says what is wrong with it, in a sentence's end.
pub fn read(written: &Value) -> Result<Reading, String> {
    let Value::Object(fields) = written else { return Err("is not an object".to_owned()) };
    let version = fields.get("schema_version").and_then(Value::as_u64).filter(|version| *version > 0);
    let Some(version) = version else { return Err("has no version".to_owned()) };
    if version > VERSION {
        return Ok(Reading::Later(version));
    }
    let mut fields = fields.clone();
    fields.remove("schema_version");
    // What version 2 added. A field that a version did not have is none of its fields.
    let is_of_version = fields.len() == if version >= 2 { 11 } else { 10 };
    if !is_of_version || fields.contains_key("source") != (version >= 2) {
        return Err("does not have the fields of its version".to_owned());
    }
    serde_json::from_value(Value::Object(fields))
        .map(Reading::Known)
        .map_err(|error| format!("does not have the form of its version: {error}"))
}

/// The hash of an entry: hex SHA-256 of its text as RFC 8785 writes it. `certvakt.entry_hash` computes the
/// same in SQL. None: it has no such text.
pub fn entry_hash(written: &Value) -> Option<String> {
    Some(crate::key::hex_digest(serde_json_canonicalizer::to_vec(written).ok()?))
}

/// Where a history does not hold together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Which entry, from 1.
    pub number: usize,
    /// What is wrong with it.
    pub what: String,
}

/// Looks at every entry of a history: its form, and whether it holds the hash of the one before.
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

/// The digest of what was written about a renewal: hex SHA-256 of a salt and the words' canonical text.
pub fn words_digest(salt: &[u8], evidence: Option<&str>, note: Option<&str>) -> Option<String> {
    let words = serde_json::json!({ "evidence": evidence, "note": note });
    let text = serde_json_canonicalizer::to_vec(&words).ok()?;
    Some(crate::key::hex_digest([salt, &text].concat()))
}

/// The id of the entry that a request with a key of its own makes: the same key, the same renewal.
pub fn entry_id(certification: Uuid, key: &str) -> Uuid {
    let digest = Sha256::digest(format!("{certification}|{key}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// How a certification stood at an instant, by what was known then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing<'a> {
    /// When it was to end; none: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it was suspended or withdrawn.
    pub is_stopped: bool,
    /// The entry that says so; none: it stood as it was recorded.
    pub by: Option<&'a Entry>,
    /// The entry that began the cycle; none: the record did.
    pub cycle: Option<&'a Entry>,
    /// The entry that closed the cycle; none: none has.
    pub closed_by: Option<&'a Entry>,
    /// Whether its date was corrected later.
    pub is_corrected_later: bool,
}

/// How a certification stood at an instant, from its entries, the oldest first, and from how it stands now.
pub fn standing_at(
    entries: &[Entry],
    at: DateTime<Utc>,
    expires_now: Option<DateTime<Utc>>,
    is_stopped_now: bool,
) -> Standing<'_> {
    let (before, after) = entries.split_at(entries.partition_point(|entry| entry.at <= at));
    let is_dated = |entry: &&Entry| matches!(entry.kind, Kind::Renewed | Kind::Corrected);
    let is_status = |entry: &&Entry| !is_dated(entry);
    let closes = |entry: &&Entry| matches!(entry.kind, Kind::Renewed | Kind::Withdrawn);
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
        cycle: before.iter().rfind(|entry| entry.kind == Kind::Renewed),
        closed_by: after.iter().find(closes),
        is_corrected_later: after
            .iter()
            .take_while(|entry| entry.kind != Kind::Renewed)
            .any(|entry| entry.kind == Kind::Corrected),
    }
}
