//! The displayed values of a workbook's cells, in fields of a row, and their faults.

use calamine::{DataRef, ExcelDateTime, XlsxError};
use chrono::NaiveDate;

use super::error::ReadError;
use super::number_format::NumberFormat;
use super::parts::BadPart;

/// The first character of a field for a cell without a usable value; the rest of the field is the reason.
/// Unicode defines it for this purpose (chapter 23, "Substitute").
pub(crate) const FAULT: char = '\u{1a}';
/// The first character of a field that is a date, as opposed to text that looks like a date.
pub(crate) const DATE: char = '\u{1d}';

/// The limit from which integers are not exact (ECMA-376 stores numbers as binary64).
pub(super) const LARGEST_NUMBER: f64 = 1e15;
/// The first day on which spreadsheets agree. Before it, some count 29 February 1900, which did not exist.
const FIRST_SERIAL: f64 = 61.0;

/// The reason why a workbook cannot be read.
pub(super) enum BadWorkbook {
    Read(ReadError),
    /// The file is damaged. The library's message would not help the file's owner.
    Damaged,
}

impl From<XlsxError> for BadWorkbook {
    fn from(_: XlsxError) -> Self {
        Self::Damaged
    }
}

impl From<ReadError> for BadWorkbook {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<BadPart> for BadWorkbook {
    fn from(_: BadPart) -> Self {
        Self::Damaged
    }
}

/// A field for a cell without a usable value, which starts with [`FAULT`].
pub(super) fn fault(row: u32, column: u32, reason: &str) -> String {
    let (mut letters, mut left) = (Vec::new(), column + 1);
    while left > 0 {
        left -= 1;
        letters.insert(0, char::from(b'A' + u8::try_from(left % 26).unwrap_or_default()));
        left /= 26;
    }
    let name: String = letters.into_iter().collect();
    format!("{FAULT}cell {name}{} {reason}", u64::from(row) + 1)
}

/// The displayed value of a cell, as a CSV export would contain it, with dates in an unambiguous format; or
/// its fault.
pub(super) fn shown(data: &DataRef<'_>, format: NumberFormat) -> Result<String, &'static str> {
    match data {
        DataRef::DateTime(at) => date(*at, format),
        DataRef::DateTimeIso(text) => written_date(text, format),
        DataRef::DurationIso(text) | DataRef::String(text) => of_text(text),
        DataRef::SharedString(text) => of_text(text),
        DataRef::Empty => Ok(String::new()),
        DataRef::Error(_) => Err("has an error instead of a value: correct its formula"),
        DataRef::Bool(truth) => Ok(truth.to_string().to_uppercase()),
        #[expect(clippy::cast_precision_loss, reason = "only its size matters")]
        DataRef::Int(value) => number(value.to_string(), *value as f64, format),
        DataRef::Float(value) => number(value.to_string(), *value, format),
    }
}

fn number(text: String, value: f64, format: NumberFormat) -> Result<String, &'static str> {
    if value.abs() >= LARGEST_NUMBER {
        return Err("has a number with more digits than a workbook stores: format it as text");
    }
    match format {
        NumberFormat::Zeros(digits) => Ok(format!("{text:0>digits$}")),
        NumberFormat::Grouped if value.abs() < 1000.0 => Ok(text),
        NumberFormat::Grouped | NumberFormat::Disguised => {
            Err("shows something other than its number: format it as text")
        }
        NumberFormat::Number | NumberFormat::Day | NumberFormat::Time | NumberFormat::Month => Ok(text),
    }
}

fn date(at: ExcelDateTime, format: NumberFormat) -> Result<String, &'static str> {
    let form = form_of(format)?;
    match at.as_datetime() {
        Some(day) if at.as_f64() >= FIRST_SERIAL => Ok(format!("{DATE}{}", day.format(form))),
        _ => Err("has a date that does not exist: correct it"),
    }
}

/// A date in a cell of the date type (ISO 8601).
fn written_date(text: &str, format: NumberFormat) -> Result<String, &'static str> {
    let day = text.get(..10).and_then(|day| day.parse::<NaiveDate>().ok());
    match (format, day) {
        (NumberFormat::Day | NumberFormat::Month | NumberFormat::Disguised, Some(day)) => {
            Ok(format!("{DATE}{}", day.format(form_of(format)?)))
        }
        (_, Some(_)) => Ok(format!("{DATE}{text}")),
        (_, None) => Err("has a date that does not exist: correct it"),
    }
}

/// The format of a date that represents its displayed value.
const fn form_of(format: NumberFormat) -> Result<&'static str, &'static str> {
    match format {
        NumberFormat::Day => Ok("%Y-%m-%d"),
        NumberFormat::Time => Ok("%Y-%m-%d %H:%M:%S"),
        NumberFormat::Month => Ok("%m/%Y"),
        _ => Err("does not show its whole date: format it with day, month and year"),
    }
}

/// A cell's text, which must not start with the mark of a fault or a date.
pub(super) fn of_text(text: &str) -> Result<String, &'static str> {
    if text.starts_with([FAULT, DATE]) {
        Err("contains control characters: enter it again")
    } else {
        Ok(text.to_owned())
    }
}
