//! One row: checked, and written in COPY's text form with what is wrong with it, if anything is.

use std::borrow::Cow;
use std::str::FromStr;

use certvakt_rules::calendar::{end_of_day, instant, start_of_day};
use certvakt_rules::national_number::is_national_number;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::dates::{self, DateFormat, When};
use super::process::Rows;
use super::source::{FAULT, Form};
use crate::config::nearest;

/// A field that a column of the register can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The register's id.
    ExternalId,
    /// When the certification ends.
    ExpiresAt,
    /// When it was issued.
    IssuedAt,
    /// The mentor's name.
    Name,
    /// The mentor's mail address.
    Email,
    /// The mentor's device.
    PushToken,
    /// Whether the certification is active.
    Status,
}

impl Field {
    const ALL: [Self; 7] = [
        Self::ExternalId,
        Self::ExpiresAt,
        Self::IssuedAt,
        Self::Name,
        Self::Email,
        Self::PushToken,
        Self::Status,
    ];

    /// Its name on the command line and in the rejects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::ExpiresAt => "expires_at",
            Self::IssuedAt => "issued_at",
            Self::Name => "name",
            Self::Email => "email",
            Self::PushToken => "push_token",
            Self::Status => "status",
        }
    }

    /// Whether a blank says something: a row that ends before its column must not be taken for one with a blank.
    const fn is_decisive(self) -> bool {
        matches!(self, Self::ExternalId | Self::ExpiresAt | Self::Status)
    }

    /// The longest value in characters, as the schema has it.
    const fn longest(self) -> usize {
        match self {
            Self::PushToken => 2048,
            Self::Email => 254,
            _ => 200,
        }
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|field| field.as_str() == name).ok_or_else(|| {
            match nearest(name, Self::ALL.into_iter().map(Self::as_str)) {
                Some(near) => format!("there is no field '{name}', did you mean '{near}'?"),
                None => format!(
                    "there is no field '{name}'; there are {}",
                    Self::ALL.map(Self::as_str).join(", ")
                ),
            }
        })
    }
}

/// How the columns of a file are read.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Which field stands where.
    pub columns: Vec<(Field, usize)>,
    /// Forms of dates that would be ambiguous.
    pub date_formats: Vec<DateFormat>,
    /// Values of the status column that mean active, in any case.
    pub active_status: Vec<String>,
    /// Whether a blank expiry means that the certification does not expire.
    pub blank_never_expires: bool,
    /// How many fields the header has.
    pub width: usize,
    /// The organisation's time zone.
    pub zone: Tz,
}

#[derive(Debug, Default)]
struct Row<'a> {
    external_id: Option<&'a str>,
    name: Option<&'a str>,
    email: Option<&'a str>,
    push_token: Option<&'a str>,
    issued_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    status: Option<&'static str>,
}

/// What is wrong with a row: the field at fault, or `row`, and why. Never the value.
type Fault = (&'static str, Cow<'static, str>);

/// The field of a fault that is the whole row's.
const ROW: &str = "row";

fn fault(field: &'static str, reason: &'static str) -> Fault {
    (field, Cow::Borrowed(reason))
}

/// Expiries that the schema takes, in Unix seconds: from 1900 to 9998.
const EXPIRIES: std::ops::Range<i64> = -2_208_988_800..253_370_764_800;

/// Checks a row and appends it to a chunk: line, external id, name, mail address, device, issued,
/// expires, status, and the field at fault and the reason, if there is a fault.
pub(super) fn append(chunk: &mut Vec<u8>, rows: &Rows, mapping: &Mapping, record: &csv::StringRecord) {
    let (row, fault) = match whole(rows, mapping, record).and_then(|()| check(rows.form(), mapping, record)) {
        Ok(row) => (row, None),
        Err(fault) => {
            // A value that may be a national number is not kept even among the rejects.
            let external_id = value(mapping, record, Field::ExternalId)
                .filter(|id| !is_national_number(id) && is_clean(id) && id.chars().count() <= 200);
            (Row { external_id, ..Row::default() }, Some(fault))
        }
    };
    chunk.extend_from_slice(rows.line().to_string().as_bytes());
    let instant = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339());
    let (issued, expires) = (instant(row.issued_at), instant(row.expires_at));
    for text in [
        row.external_id,
        row.name,
        row.email,
        row.push_token,
        issued.as_deref(),
        expires.as_deref(),
        row.status,
        fault.as_ref().map(|(field, _)| *field),
        fault.as_ref().map(|(_, reason)| reason.as_ref()),
    ] {
        chunk.push(b'\t');
        match text {
            Some(text) => escape(chunk, text),
            None => chunk.extend_from_slice(b"\\N"),
        }
    }
    chunk.push(b'\n');
}

/// COPY's text form (PostgreSQL documentation, COPY, "Text Format").
fn escape(chunk: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'\\' => chunk.extend_from_slice(b"\\\\"),
            b'\t' => chunk.extend_from_slice(b"\\t"),
            b'\n' => chunk.extend_from_slice(b"\\n"),
            b'\r' => chunk.extend_from_slice(b"\\r"),
            other => chunk.push(other),
        }
    }
}

fn value<'a>(mapping: &Mapping, record: &'a csv::StringRecord, field: Field) -> Option<&'a str> {
    let (_, place) = mapping.columns.iter().find(|(mapped, _)| *mapped == field)?;
    record.get(*place).map(str::trim).filter(|text| !text.is_empty())
}

fn is_clean(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

/// Rejects a row that is several, or parts of several: a quotation mark that was opened by mistake and closed by
/// another one further down joins what stands between them. Rejects one, too, that ends before what a blank decides.
fn whole(rows: &Rows, mapping: &Mapping, record: &csv::StringRecord) -> Result<(), Fault> {
    // In a workbook nothing can be joined, and cells that are blank are not there; beside the table there may be notes.
    if rows.form() == Form::Workbook {
        return Ok(());
    }
    if record.iter().skip(mapping.width).any(|field| !field.trim().is_empty()) {
        return Err(fault(ROW, "more fields than the header: a quotation mark or a separator stands wrong"));
    }
    if record.len() < mapping.width && record.iter().any(|field| field.contains('\n')) {
        return Err(fault(ROW, "several lines with too few fields: a quotation mark stands wrong"));
    }
    let is_missing = |(field, place): &&(Field, usize)| field.is_decisive() && *place >= record.len();
    match mapping.columns.iter().find(is_missing) {
        Some((field, _)) => Err(fault(field.as_str(), "the row ends before this column")),
        None => Ok(()),
    }
}

/// What a spreadsheet shows in place of a value that it cannot work out, in English and in Norwegian: it is never a
/// value. A column that was too narrow leaves number signs only.
fn is_spreadsheet_error(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|rest| {
        matches!(rest, "N/A" | "I/T" | "GETTING_DATA")
            || (rest.len() > 1 && rest.bytes().all(|byte| byte == b'#'))
            || (rest.ends_with(['!', '?'])
                && rest.chars().all(|char| !char.is_lowercase() && !char.is_whitespace()))
    })
}

fn check<'a>(form: Form, mapping: &Mapping, record: &'a csv::StringRecord) -> Result<Row<'a>, Fault> {
    for (field, _) in &mapping.columns {
        let Some(text) = value(mapping, record, *field) else { continue };
        if let Some(cell) = text.strip_prefix(FAULT).filter(|_| form == Form::Workbook) {
            return Err((field.as_str(), cell.to_owned().into()));
        }
        let complaint = if is_spreadsheet_error(text) {
            "an error of a spreadsheet in place of a value: correct its formula"
        } else if is_national_number(text) {
            "a national identity number, which nobody needs here: take it out of the register"
        } else if text.chars().count() > field.longest() {
            "longer than it may be"
        } else if *field == Field::PushToken && !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            "no device token"
        } else if !is_clean(text) {
            "it holds control characters"
        } else {
            continue;
        };
        return Err(fault(field.as_str(), complaint));
    }
    let mut row = Row {
        external_id: value(mapping, record, Field::ExternalId),
        name: value(mapping, record, Field::Name),
        email: value(mapping, record, Field::Email),
        push_token: value(mapping, record, Field::PushToken),
        ..Row::default()
    };
    if row.external_id.is_none() {
        return Err(fault(Field::ExternalId.as_str(), "blank"));
    }
    if row.email.is_some_and(|email| !is_mail_address(email)) {
        return Err(fault(Field::Email.as_str(), "no mail address"));
    }
    if mapping.columns.iter().any(|(field, _)| *field == Field::Status) {
        let status = value(mapping, record, Field::Status).unwrap_or_default();
        let is_active = mapping.active_status.iter().any(|active| active.eq_ignore_ascii_case(status));
        row.status = Some(if is_active { "active" } else { "suspended" });
    }
    if let Some(text) = value(mapping, record, Field::IssuedAt) {
        row.issued_at = Some(match when(text, mapping, Field::IssuedAt)? {
            When::Day(day) => start_of_day(day, mapping.zone),
            When::Local(local) => instant(local, mapping.zone),
            When::Instant(at) => at,
        });
    }
    match value(mapping, record, Field::ExpiresAt) {
        Some(text) => {
            row.expires_at = Some(match when(text, mapping, Field::ExpiresAt)? {
                When::Day(day) => end_of_day(day, mapping.zone),
                When::Local(local) => instant(local, mapping.zone),
                When::Instant(at) => at,
            });
        }
        None if row.status != Some("suspended") && !mapping.blank_never_expires => {
            return Err(fault(
                Field::ExpiresAt.as_str(),
                "blank: say --blank-expires never if that means it does not expire",
            ));
        }
        None => {}
    }
    if row.expires_at.is_some_and(|at| !EXPIRIES.contains(&at.timestamp())) {
        return Err(fault(Field::ExpiresAt.as_str(), "the year is not between 1900 and 9998"));
    }
    if let (Some(issued_at), Some(expires_at)) = (row.issued_at, row.expires_at)
        && expires_at < issued_at
    {
        return Err(fault(Field::ExpiresAt.as_str(), "before the day of issue"));
    }
    Ok(row)
}

fn when(text: &str, mapping: &Mapping, field: Field) -> Result<When, Fault> {
    dates::parse(text, &mapping.date_formats).map_err(|reason| fault(field.as_str(), reason))
}

fn is_mail_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && !text.contains(char::is_whitespace)
    })
}
