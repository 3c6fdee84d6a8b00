//! Checks a row, and writes it in COPY's text format, with its fault if there is one.

use std::borrow::Cow;

use certvakt_rules::calendar::{end_of_day, start_of_day};
use certvakt_rules::national_number::is_national_number;
use certvakt_rules::normal::{fold, is_clean, normal_id};
use certvakt_store::import as staging;
use chrono::{DateTime, Utc};

use super::cells::DATE;
use super::fault::{Fault, Reason, fault};
use super::field::Field;
use super::mapping::Mapping;
use super::process::Rows;
use super::source::Form;
use super::values;

#[derive(Debug, Default)]
struct Row<'a> {
    external_id: Option<Cow<'a, str>>,
    name: Option<Cow<'a, str>>,
    family_name: Option<Cow<'a, str>>,
    /// Addresses with spaces between them.
    emails: Option<Cow<'a, str>>,
    push_token: Option<Cow<'a, str>>,
    issued_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    status: Option<&'static str>,
    /// The reason why the e-mail address is not imported, if so.
    email_reason: Option<Reason>,
    /// The reason why the device is not imported, if so.
    push_token_reason: Option<Reason>,
    more: More<'a>,
}

/// The fields that most registers do not have.
#[derive(Debug, Default)]
struct More<'a> {
    person_id: Option<Cow<'a, str>>,
    replaces: Option<Cow<'a, str>>,
    /// The chapter's id.
    chapter: Option<String>,
    /// The type's code.
    certification_type: Option<String>,
    /// Phone numbers with spaces between them.
    phones: Option<Cow<'a, str>>,
    language: Option<&'static str>,
    /// The last day of a suspension; `-infinity` if the register has none.
    suspended_until: Option<String>,
    phone_reason: Option<Reason>,
    language_reason: Option<Reason>,
}

impl More<'_> {
    /// The values in the order of [`staging::MORE_COLUMNS`].
    fn values(&self) -> [Option<&str>; staging::MORE_COLUMNS.len()] {
        [
            self.person_id.as_deref(),
            self.replaces.as_deref(),
            self.chapter.as_deref(),
            self.certification_type.as_deref(),
            self.phones.as_deref(),
            self.language,
            self.suspended_until.as_deref(),
            self.phone_reason.as_deref(),
            self.language_reason.as_deref(),
        ]
    }
}

/// The field of a fault of the whole row.
const ROW: &str = "row";

/// The option in the reasons for values that may mean *never*.
const SUGGESTS_NEVER: &str = "--never";

/// Checks a row, and appends it to a chunk: the line, the fields, the reasons for contacts that are not
/// imported, and, for a rejected row, the field at fault and the reason.
pub(super) fn append(chunk: &mut Vec<u8>, rows: &Rows, mapping: &mut Mapping, record: &csv::StringRecord) {
    let checked = whole(rows, mapping, record).and_then(|()| check(rows.form(), mapping, record));
    let (row, fault) = match checked {
        Ok(row) => (row, None),
        Err(fault) => {
            if fault.1.contains(SUGGESTS_NEVER)
                && let Some(value) = mapping.raw(record, Field::ExpiresAt)
            {
                mapping.unread.count(value.trim_start_matches(DATE));
            }
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
    let values = [
        row.external_id.as_deref(),
        row.name.as_deref(),
        row.family_name.as_deref(),
        row.emails.as_deref(),
        row.push_token.as_deref(),
        issued.as_deref(),
        expires.as_deref(),
        row.status,
        row.email_reason.as_deref(),
        row.push_token_reason.as_deref(),
        fault.as_ref().map(|(field, _)| *field),
        fault.as_ref().map(|(_, reason)| reason.as_ref()),
    ];
    let more = mapping.has_more.then(|| row.more.values());
    for text in values.into_iter().chain(more.into_iter().flatten()) {
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
        Some((field, _)) => Err(fault(*field, "the row has no field for this column: check its separators")),
        None => Ok(()),
    }
}

fn check<'a>(form: Form, mapping: &mut Mapping, record: &'a csv::StringRecord) -> Result<Row<'a>, Fault> {
    let (mut row, cells) = cells(form, mapping, record)?;
    if row.external_id.is_none() {
        return Err(fault(Field::ExternalId, "blank: enter the number, or take the row out"));
    }
    if mapping.has(Field::PersonId) && row.more.person_id.is_none() {
        return Err(fault(Field::PersonId, "blank: enter the number of the person"));
    }
    if row.name.as_ref().is_some_and(|name| name.chars().count() > Field::Name.longest()) {
        return Err(fault(Field::Name, "too long: shorten it, or check the column"));
    }
    if row.more.replaces.is_some() && row.more.replaces == row.external_id {
        return Err(fault(
            Field::Replaces,
            "the number of the same row: enter that of the old certification",
        ));
    }
    if mapping.has(Field::Status) {
        let status = fold(cells.status.as_deref().unwrap_or_default());
        row.status = Some(if mapping.active_status.contains(&status) { "active" } else { "suspended" });
    }
    if mapping.has(Field::SuspendedUntil) {
        let until = cells.suspended_until.map(|text| values::day(&text, mapping, Field::SuspendedUntil));
        let until = until.transpose()?;
        if let Some(day) = until.filter(|day| *day >= mapping.today) {
            row.status = Some("suspended");
            row.more.suspended_until = Some(day.to_string());
        } else {
            row.more.suspended_until = Some("-infinity".to_owned());
            // If the last day is over, the register's status can be from before that day.
            if until.is_some() && row.status == Some("suspended") {
                row.status = Some("over");
            }
        }
    }
    let issued = cells.issued_at;
    row.issued_at =
        issued.map(|text| values::moment(&text, mapping, Field::IssuedAt, start_of_day)).transpose()?;
    let never_expires = cells.expires_at.as_ref().is_some_and(|text| mapping.never.contains(text));
    row.expires_at = cells
        .expires_at
        .filter(|_| !never_expires)
        .map(|text| values::moment(&text, mapping, Field::ExpiresAt, end_of_day))
        .transpose()?;
    if row.expires_at.is_none()
        && !never_expires
        && !matches!(row.status, Some("suspended" | "over"))
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
        return Err(fault(Field::ExpiresAt, "before the day of issue: correct one of the two"));
    }
    // Last, so that a row that is rejected for another reason creates no chapter.
    if let Some(types) = &mut mapping.types {
        row.more.certification_type = types.find(cells.certification_type.as_deref())?;
    }
    if let Some(chapters) = &mut mapping.chapters {
        row.more.chapter = chapters.find(cells.chapter.as_deref())?;
    }
    Ok(row)
}

/// The values that depend on the others of the row, or on the organisation.
#[derive(Debug, Default)]
struct Cells<'a> {
    status: Option<Cow<'a, str>>,
    suspended_until: Option<Cow<'a, str>>,
    issued_at: Option<Cow<'a, str>>,
    expires_at: Option<Cow<'a, str>>,
    chapter: Option<Cow<'a, str>>,
    certification_type: Option<Cow<'a, str>>,
}

/// Reads the mapped cells of a row.
fn cells<'a>(
    form: Form,
    mapping: &Mapping,
    record: &'a csv::StringRecord,
) -> Result<(Row<'a>, Cells<'a>), Fault> {
    let (mut row, mut cells) = (Row::default(), Cells::default());
    for (field, place) in &mapping.columns {
        let Some(raw) = record.get(*place).map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let value = match values::usable(form, *field, raw) {
            Ok(value) => value,
            // An invalid contact does not reject the certification.
            Err(reason) if field.is_optional_part() => {
                *row.reason_of(*field) = Some(reason);
                continue;
            }
            Err(reason) => return Err((field.as_str(), reason)),
        };
        if value.is_empty() {
            continue;
        }
        match field {
            Field::ExternalId => row.external_id = Some(value),
            Field::PersonId => row.more.person_id = Some(value),
            Field::Replaces => row.more.replaces = Some(value),
            Field::Name => {
                row.family_name = (mapping.family_name == Some(*place)).then(|| value.clone());
                row.name = Some(joined(row.name.take(), value));
            }
            Field::Email => row.add_all(*field, &values::emails(&value), values::email),
            Field::Phone => {
                row.add_all(*field, &value.split([';', ',', '/']).collect::<Vec<_>>(), values::phone);
            }
            Field::Language => {
                row.more.language = values::language(&value);
                if row.more.language.is_none() {
                    *row.reason_of(*field) = Some("not a language that certvakt writes: nb or en".into());
                }
            }
            Field::PushToken => row.push_token = Some(value),
            Field::Status => cells.status = Some(value),
            Field::IssuedAt => cells.issued_at = Some(value),
            Field::ExpiresAt => cells.expires_at = Some(value),
            Field::SuspendedUntil => cells.suspended_until = Some(value),
            Field::Chapter => cells.chapter = Some(value),
            Field::Type => cells.certification_type = Some(value),
        }
    }
    Ok((row, cells))
}

impl Row<'_> {
    /// The reason why the field is not imported.
    fn reason_of(&mut self, field: Field) -> &mut Option<Reason> {
        match field {
            Field::Email => &mut self.email_reason,
            Field::Phone => &mut self.more.phone_reason,
            Field::Language => &mut self.more.language_reason,
            _ => &mut self.push_token_reason,
        }
    }

    /// Adds the addresses of a cell, each once.
    fn add_all(
        &mut self,
        field: Field,
        addresses: &[&str],
        canonical: impl Fn(&str) -> Result<String, Reason>,
    ) {
        for one in addresses.iter().map(|one| one.trim()).filter(|one| !one.is_empty()) {
            match canonical(one) {
                Ok(address) => {
                    let known = if field == Field::Email { &mut self.emails } else { &mut self.more.phones };
                    let is_repeated = known.as_ref().is_some_and(|known| {
                        known.split(' ').any(|other| other.eq_ignore_ascii_case(&address))
                    });
                    if !is_repeated {
                        *known = Some(joined(known.take(), Cow::Owned(address)));
                    }
                }
                Err(reason) => *self.reason_of(field) = Some(reason),
            }
        }
    }
}

/// Two parts with a space between them.
fn joined<'a>(first: Option<Cow<'a, str>>, second: Cow<'a, str>) -> Cow<'a, str> {
    match first {
        None => second,
        Some(first) => Cow::Owned(format!("{first} {second}")),
    }
}
