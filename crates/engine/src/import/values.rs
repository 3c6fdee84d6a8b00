//! Reads the values of a register's cells.

use std::borrow::Cow;

use certvakt_rules::calendar::{end_of_day, instant, is_plausible, last_valid_day};
use certvakt_rules::national_number::is_national_number;
use certvakt_rules::normal::{fold_accents, is_clean, is_spreadsheet_error, normal, normal_id};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::cells::{DATE, FAULT};
use super::dates::{self, When};
use super::fault::{Fault, Reason, fault};
use super::field::Field;
use super::mapping::{InstantDay, Mapping};
use super::never;
use super::source::Form;
use crate::mail::address;

/// The canonical form of an e-mail address.
pub(super) fn email(text: &str) -> Result<String, Reason> {
    address::canonical(text).map_err(|fault| fault.as_str().into())
}

/// The e-mail addresses in a cell, with semicolons or commas between them. Spaces separate them only if every part is an
/// address, because a space can also be a mistake inside an address.
pub(super) fn emails(cell: &str) -> Vec<&str> {
    cell.split([';', ','])
        .flat_map(|part| {
            let words: Vec<&str> = part.split_whitespace().collect();
            if words.iter().all(|word| address::canonical(word).is_ok()) { words } else { vec![part] }
        })
        .collect()
}

/// A phone number as digits, with `+` in front if it begins with a country's code (ITU-T E.164: at most 15 digits).
pub(super) fn phone(text: &str) -> Result<String, Reason> {
    let digits: String = text
        .chars()
        .filter(|char| !char.is_whitespace() && !"()-.\u{2010}\u{2011}\u{2013}".contains(*char))
        .collect();
    let (plus, digits) = match digits.strip_prefix('+').or_else(|| digits.strip_prefix("00")) {
        Some(digits) => ("+", digits),
        None => ("", digits.as_str()),
    };
    if (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(format!("{plus}{digits}"))
    } else {
        Err("not a phone number: correct it".into())
    }
}

/// The language in which certvakt writes to a person: a language tag (RFC 5646) or the language's name.
pub(super) fn language(text: &str) -> Option<&'static str> {
    let folded = fold_accents(text);
    let first = folded.split(['-', '_', ' ', '(']).next().unwrap_or_default();
    match first {
        "nb" | "nn" | "no" | "nor" | "nob" | "nno" | "norsk" | "bokmal" | "nynorsk" | "norwegian"
        | "norska" | "norwegisch" | "norvegien" => Some("nb"),
        "en" | "eng" | "engelsk" | "engelska" | "english" | "englisch" | "anglais" => Some("en"),
        _ => None,
    }
}

/// A field's value in its normal form, or the reason why it is unusable.
pub(super) fn usable(form: Form, field: Field, text: &str) -> Result<Cow<'_, str>, Reason> {
    if let Some(cell) = text.strip_prefix(FAULT).filter(|_| form == Form::Workbook) {
        return Err(cell.to_owned().into());
    }
    let text = match text.strip_prefix(DATE).filter(|_| form == Form::Workbook) {
        None => text,
        Some(date) if field.is_day() => date,
        Some(_) => return Err("a date instead of text: format its cell as text".into()),
    };
    if !is_clean(text) {
        return Err("it contains control characters or unreadable characters: enter it again".into());
    }
    let value = if field.is_id() { normal_id(text) } else { normal(text) };
    Err(if is_spreadsheet_error(&value) {
        "a spreadsheet error instead of a value: correct its formula".into()
    } else if is_national_number(&value) {
        "a national identity number, which certvakt does not need: remove it from the register".into()
    } else if field.is_id() && is_shortened(&value) {
        "a number that a spreadsheet has rounded: format its column as text and export it again".into()
    } else if value.chars().count() > field.longest() {
        "too long: shorten it, or check the column".into()
    } else if field == Field::PushToken && !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        "not a device token: leave it out, or check the column".into()
    } else {
        return Ok(value);
    })
}

/// The day of a date in the organisation's time zone.
pub(super) fn day(text: &str, mapping: &Mapping, field: Field) -> Result<NaiveDate, Fault> {
    moment(text, mapping, field, end_of_day).map(|at| last_valid_day(at, mapping.zone))
}

/// The instant of a date; for a day, `of_day` gives it.
pub(super) fn moment(
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
