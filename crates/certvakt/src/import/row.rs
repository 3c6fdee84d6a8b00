//! One row: checked, and written in COPY's text form with what is wrong with it, if anything is.

use std::borrow::Cow;
use std::str::FromStr;

use certvakt_rules::calendar::{end_of_day, instant, is_plausible, last_valid_day, start_of_day};
use certvakt_rules::national_number::is_national_number;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::dates::{self, DateFormat, When};
use super::process::Rows;
use super::source::Form;
use super::text::{fold, is_clean, is_spreadsheet_error, normal, normal_id};
use super::workbook::{DATE, FAULT};
use crate::config::nearest;
use crate::mail::address;

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
            Self::Email => address::LONGEST,
            _ => 200,
        }
    }
}

impl FromStr for Field {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|field| field.as_str() == name).ok_or_else(|| {
            match nearest(name, Self::ALL.into_iter().map(Self::as_str)) {
                Some(near) => format!("unknown field '{name}', did you mean '{near}'?"),
                None => {
                    format!("unknown field '{name}'; there are {}", Self::ALL.map(Self::as_str).join(", "))
                }
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
    /// Values of the status column that mean active, folded.
    pub active_status: Vec<String>,
    /// Which day an instant means that is another day here than where it was written; none: it is rejected.
    pub instant_day: Option<InstantDay>,
    /// Whether a blank expiry means that the certification does not expire.
    pub blank_never_expires: bool,
    /// How many fields the header has.
    pub width: usize,
    /// The organisation's time zone.
    pub zone: Tz,
    /// Today there.
    pub today: NaiveDate,
}

impl Mapping {
    /// What stands in a field's column, if anything does.
    fn raw<'a>(&self, record: &'a csv::StringRecord, field: Field) -> Option<&'a str> {
        let (_, place) = self.columns.iter().find(|(mapped, _)| *mapped == field)?;
        record.get(*place).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// Which day an instant means whose day differs between its own offset and the organisation's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum InstantDay {
    /// The day in the organisation's time zone
    Local,
    /// The day that is written
    Written,
}

#[derive(Debug, Default)]
struct Row<'a> {
    external_id: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    email: Option<Cow<'a, str>>,
    push_token: Option<Cow<'a, str>>,
    issued_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    status: Option<&'static str>,
    /// Why the mail address is left out, if it is.
    email_reason: Option<Reason>,
    /// Why the device is left out, if it is.
    push_token_reason: Option<Reason>,
}

/// What is wrong with a value. Never the value.
type Reason = Cow<'static, str>;
/// What is wrong with a row: the field at fault, or `row`, and why.
type Fault = (&'static str, Reason);

/// The field of a fault that is the whole row's.
const ROW: &str = "row";

fn fault(field: Field, reason: &'static str) -> Fault {
    (field.as_str(), Cow::Borrowed(reason))
}

/// Checks a row and appends it to a chunk: line, the fields, why contacts are left out, and the field at fault and the
/// reason, if the row is rejected.
pub(super) fn append(chunk: &mut Vec<u8>, rows: &Rows, mapping: &Mapping, record: &csv::StringRecord) {
    let checked = whole(rows, mapping, record).and_then(|()| check(rows.form(), mapping, record));
    let (row, fault) = match checked {
        Ok(row) => (row, None),
        Err(fault) => {
            // A value that may be a national number is not kept even among the rejects.
            let external_id = mapping.raw(record, Field::ExternalId).map(normal_id).filter(|id| {
                !is_national_number(id) && is_clean(id) && id.chars().count() <= Field::ExternalId.longest()
            });
            (Row { external_id, ..Row::default() }, Some(fault))
        }
    };
    chunk.extend_from_slice(rows.line().to_string().as_bytes());
    let instant = |at: Option<DateTime<Utc>>| at.map(|at| at.to_rfc3339());
    let (issued, expires) = (instant(row.issued_at), instant(row.expires_at));
    for text in [
        row.external_id.as_deref(),
        row.name.as_deref(),
        row.email.as_deref(),
        row.push_token.as_deref(),
        issued.as_deref(),
        expires.as_deref(),
        row.status,
        row.email_reason.as_deref(),
        row.push_token_reason.as_deref(),
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

/// Rejects a row that is several, or parts of several: a quotation mark that was opened by mistake and closed by
/// another one further down joins what stands between them. Rejects one, too, that ends before what a blank decides.
fn whole(rows: &Rows, mapping: &Mapping, record: &csv::StringRecord) -> Result<(), Fault> {
    // In a workbook nothing can be joined, and cells that are blank are not there; beside the table there may be notes.
    if rows.form() == Form::Workbook {
        return Ok(());
    }
    if record.iter().skip(mapping.width).any(|field| !field.trim().is_empty()) {
        return Err((ROW, "more fields than the header: check its quotation marks and separators".into()));
    }
    if record.len() < mapping.width && record.iter().any(|field| field.contains('\n')) {
        return Err((ROW, "several lines with too few fields: check the quotation marks".into()));
    }
    let is_missing = |(field, place): &&(Field, usize)| field.is_decisive() && *place >= record.len();
    match mapping.columns.iter().find(is_missing) {
        Some((field, _)) => Err(fault(*field, "the row has no field for this column")),
        None => Ok(()),
    }
}

fn check<'a>(form: Form, mapping: &Mapping, record: &'a csv::StringRecord) -> Result<Row<'a>, Fault> {
    let mut row = Row::default();
    let mut status = None;
    let (mut issued, mut expires) = (None, None);
    for (field, place) in &mapping.columns {
        let Some(raw) = record.get(*place).map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let value = match usable(form, *field, raw) {
            Ok(value) => value,
            // A wrong contact costs the contact, not the certification.
            Err(reason) if *field == Field::Email => {
                row.email_reason = Some(reason);
                continue;
            }
            Err(reason) if *field == Field::PushToken => {
                row.push_token_reason = Some(reason);
                continue;
            }
            Err(reason) => return Err((field.as_str(), reason)),
        };
        let value = Some(value).filter(|value| !value.is_empty());
        match field {
            Field::ExternalId => row.external_id = value,
            Field::Name => row.name = value,
            Field::Email => row.email = value,
            Field::PushToken => row.push_token = value,
            Field::Status => status = value,
            Field::IssuedAt => issued = value,
            Field::ExpiresAt => expires = value,
        }
    }
    if row.external_id.is_none() {
        return Err(fault(Field::ExternalId, "blank"));
    }
    if mapping.columns.iter().any(|(field, _)| *field == Field::Status) {
        let status = fold(status.as_deref().unwrap_or_default());
        row.status = Some(if mapping.active_status.contains(&status) { "active" } else { "suspended" });
    }
    row.issued_at = issued.map(|text| moment(&text, mapping, Field::IssuedAt, start_of_day)).transpose()?;
    row.expires_at = expires.map(|text| moment(&text, mapping, Field::ExpiresAt, end_of_day)).transpose()?;
    if row.expires_at.is_none() && row.status != Some("suspended") && !mapping.blank_never_expires {
        return Err(fault(
            Field::ExpiresAt,
            "blank: use --blank-expires never if a blank date means that it does not expire",
        ));
    }
    if let (Some(issued_at), Some(expires_at)) = (row.issued_at, row.expires_at)
        && expires_at < issued_at
    {
        return Err(fault(Field::ExpiresAt, "before the day of issue"));
    }
    Ok(row)
}

/// A field's value in its normal form; or why it cannot be used.
fn usable(form: Form, field: Field, text: &str) -> Result<Cow<'_, str>, Reason> {
    if let Some(cell) = text.strip_prefix(FAULT).filter(|_| form == Form::Workbook) {
        return Err(cell.to_owned().into());
    }
    let text = match text.strip_prefix(DATE).filter(|_| form == Form::Workbook) {
        None => text,
        Some(date) if matches!(field, Field::IssuedAt | Field::ExpiresAt) => date,
        Some(_) => return Err("a date instead of text: format its cell as text".into()),
    };
    if !is_clean(text) {
        return Err("it contains control characters or unreadable characters".into());
    }
    let value = if field == Field::ExternalId { normal_id(text) } else { normal(text) };
    Err(if is_spreadsheet_error(&value) {
        "a spreadsheet error instead of a value: correct its formula".into()
    } else if is_national_number(&value) {
        "a national identity number, which certvakt does not need: remove it from the register".into()
    } else if field == Field::ExternalId && is_shortened(&value) {
        "a number that a spreadsheet has rounded: format its column as text and export it again".into()
    } else if value.chars().count() > field.longest() {
        "too long".into()
    } else if field == Field::PushToken && !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        "not a device token".into()
    } else if field == Field::Email {
        return address::canonical(&value).map(Cow::Owned).map_err(|fault| fault.as_str().into());
    } else {
        return Ok(value);
    })
}

/// The instant that a date means; of a day, the one that `of_day` gives.
fn moment(
    text: &str,
    mapping: &Mapping,
    field: Field,
    of_day: fn(NaiveDate, Tz) -> DateTime<Utc>,
) -> Result<DateTime<Utc>, Fault> {
    let zone = mapping.zone;
    let at = match dates::parse(text, &mapping.date_formats).map_err(|reason| fault(field, reason))? {
        When::Day(day) => of_day(day, zone),
        When::Local(local) => instant(local, zone),
        When::Instant(at) => {
            let is_same_day = at.date_naive() == last_valid_day(at.to_utc(), zone);
            match mapping.instant_day {
                _ if is_same_day => at.to_utc(),
                Some(InstantDay::Local) => at.to_utc(),
                Some(InstantDay::Written) => of_day(at.date_naive(), zone),
                None => {
                    return Err(fault(
                        field,
                        "a different day in the organisation's time zone than at its own offset: use --instant-day local or written",
                    ));
                }
            }
        }
    };
    if is_plausible(last_valid_day(at, zone), mapping.today) {
        Ok(at)
    } else {
        Err(fault(field, "the year is before 1900 or more than 50 years from now"))
    }
}

/// Whether a text is a number of which a spreadsheet has kept the first digits only, like `1.23457E+15`.
fn is_shortened(text: &str) -> bool {
    text.split_once("E+").is_some_and(|(digits, exponent)| {
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        are_digits(exponent) && are_digits(&digits.replacen([',', '.'], "", 1))
    })
}
