//! Checks a row, and writes it in COPY's text format, with its fault if there is one.

use std::borrow::Cow;
use std::str::FromStr;

use certvakt_base::suggest::nearest;
use certvakt_rules::calendar::{end_of_day, instant, is_plausible, last_valid_day, start_of_day};
use certvakt_rules::national_number::is_national_number;
use certvakt_rules::normal::{fold, is_clean, is_spreadsheet_error, normal, normal_id};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::cells::{DATE, FAULT};
use super::dates::{self, DateFormat, When};
use super::never::{self, Never};
use super::process::Rows;
use super::source::Form;
use crate::mail::address;

/// A field of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The certification's id in the register.
    ExternalId,
    /// The end of the validity.
    ExpiresAt,
    /// The day of issue.
    IssuedAt,
    /// The mentor's name.
    Name,
    /// The mentor's e-mail address.
    Email,
    /// The token of the mentor's device.
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

    /// The field's name on the command line and in the rejects.
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

    /// Whether a blank has a meaning, so that a row without the column must not count as blank.
    const fn is_decisive(self) -> bool {
        matches!(self, Self::ExternalId | Self::ExpiresAt | Self::Status)
    }

    /// The maximum length of a value in characters, as in the schema.
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

/// The mapping of a file's columns, with the options for reading them.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The position of each field's column.
    pub columns: Vec<(Field, usize)>,
    /// The formats of ambiguous dates.
    pub date_formats: Vec<DateFormat>,
    /// The values of the status column that mean active, with folded case.
    pub active_status: Vec<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset; `None` to reject it.
    pub instant_day: Option<InstantDay>,
    /// Whether a blank expiry means that the certification does not expire.
    pub blank_never_expires: bool,
    /// The values of the expiry that mean that the certification does not expire.
    pub(super) never: Never,
    /// The number of fields in the header.
    pub width: usize,
    /// The organisation's time zone.
    pub zone: Tz,
    /// Today in the organisation's time zone.
    pub today: NaiveDate,
}

impl Mapping {
    /// The value in a field's column, if it is not blank.
    fn raw<'a>(&self, record: &'a csv::StringRecord, field: Field) -> Option<&'a str> {
        let (_, place) = self.columns.iter().find(|(mapped, _)| *mapped == field)?;
        record.get(*place).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// The day of an instant whose date at its own offset differs from the date in the organisation's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstantDay {
    /// The day in the organisation's time zone.
    Local,
    /// The day as written, at the instant's own offset.
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
    /// The reason why the e-mail address is not imported, if so.
    email_reason: Option<Reason>,
    /// The reason why the device is not imported, if so.
    push_token_reason: Option<Reason>,
}

/// The fault of a value. It never contains the value.
type Reason = Cow<'static, str>;
/// The fault of a row: the field at fault, or `row`, and the reason.
type Fault = (&'static str, Reason);

/// The field of a fault of the whole row.
const ROW: &str = "row";

fn fault(field: Field, reason: &'static str) -> Fault {
    (field.as_str(), Cow::Borrowed(reason))
}

/// Checks a row, and appends it to a chunk: the line, the fields, the reasons for contacts that are not
/// imported, and, for a rejected row, the field at fault and the reason.
pub(super) fn append(chunk: &mut Vec<u8>, rows: &Rows, mapping: &Mapping, record: &csv::StringRecord) {
    let checked = whole(rows, mapping, record).and_then(|()| check(rows.form(), mapping, record));
    let (row, fault) = match checked {
        Ok(row) => (row, None),
        Err(fault) => {
            // Never store a value that may be a national identity number, not even in the rejects.
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

/// Escapes a value for COPY's text format (PostgreSQL documentation, COPY, "Text Format").
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

/// Rejects a row that consists of several rows or parts of them, which happens if a stray quotation mark
/// opens a field that ends at another quotation mark further down. Also rejects a row that ends before a
/// column whose blank has a meaning.
fn whole(rows: &Rows, mapping: &Mapping, record: &csv::StringRecord) -> Result<(), Fault> {
    // A workbook has no quotation marks and does not store blank cells, and there can be notes beside the
    // table.
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
            // An invalid contact does not reject the certification.
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
    let never_expires = expires.as_ref().is_some_and(|text| mapping.never.contains(text));
    row.expires_at = expires
        .filter(|_| !never_expires)
        .map(|text| moment(&text, mapping, Field::ExpiresAt, end_of_day))
        .transpose()?;
    if row.expires_at.is_none()
        && !never_expires
        && row.status != Some("suspended")
        && !mapping.blank_never_expires
    {
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

/// A field's value in its normal form, or the reason why it is unusable.
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

/// The instant of a date; for a day, `of_day` gives it.
fn moment(
    text: &str,
    mapping: &Mapping,
    field: Field,
    of_day: fn(NaiveDate, Tz) -> DateTime<Utc>,
) -> Result<DateTime<Utc>, Fault> {
    let zone = mapping.zone;
    let parsed = dates::parse(text, &mapping.date_formats).map_err(|reason| match field {
        Field::ExpiresAt if never::is_likely(text) => fault(
            field,
            "not a date: correct it, or use --never VALUE if it means that the certification does not expire",
        ),
        _ => fault(field, reason),
    });
    let at = match parsed? {
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
        Err(fault(
            field,
            match field {
                Field::ExpiresAt => {
                    "the year is before 1900 or more than 50 years from now: correct it, or use --never VALUE if it means that the certification does not expire"
                }
                _ => "the year is before 1900 or more than 50 years from now: correct it",
            },
        ))
    }
}

/// Whether a text is a number that a spreadsheet has rounded, such as `1.23457E+15`.
fn is_shortened(text: &str) -> bool {
    text.split_once("E+").is_some_and(|(digits, exponent)| {
        let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        are_digits(exponent) && are_digits(&digits.replacen([',', '.'], "", 1))
    })
}
