//! Reads the rows of a workbook (XLSX, ECMA-376): the displayed values of its first visible sheet.

use std::fs::File;
use std::io::BufReader;
use std::panic::AssertUnwindSafe;

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};
use chrono::NaiveDate;
use csv::StringRecord;

use super::error::ReadError;
use super::number_format::NumberFormat;
use super::parts::{self, BadPart};
use crate::config::ImportConfig;

/// The maximum ratio of the size of a workbook's contents to the size of the file.
const LARGEST_EXPANSION: u64 = 20;

/// The first character of a field for a cell without a usable value; the rest of the field is the reason.
/// Unicode defines it for this purpose (chapter 23, "Substitute").
pub(crate) const FAULT: char = '\u{1a}';
/// The first character of a field that is a date, as opposed to text that looks like a date.
pub(crate) const DATE: char = '\u{1d}';

/// The limit from which integers are not exact (ECMA-376 stores numbers as binary64).
const LARGEST_NUMBER: f64 = 1e15;
/// The first day on which spreadsheets agree. Before it, some count 29 February 1900, which did not exist.
const FIRST_SERIAL: f64 = 61.0;

/// Reads the rows of a workbook of this size in bytes, each with its line from 1.
pub(super) fn read(
    file: &File,
    size: u64,
    config: &ImportConfig,
) -> Result<Vec<(u64, StringRecord)>, ReadError> {
    if size > config.max_xlsx_bytes {
        return Err(ReadError::TooLarge { bytes: size, limit: config.max_xlsx_bytes });
    }
    let limit = config.max_xlsx_bytes.saturating_mul(LARGEST_EXPANSION);
    // The library panics on some broken workbooks.
    let rows = std::panic::catch_unwind(AssertUnwindSafe(|| rows_of(file, limit, config.max_row_bytes)));
    match rows {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(BadWorkbook::Read(error))) => Err(error),
        Ok(Err(BadWorkbook::Damaged)) | Err(_) => Err(ReadError::Binary),
    }
}

/// The reason why a workbook cannot be read.
enum BadWorkbook {
    Read(ReadError),
    /// The file is damaged. The library's message would not help the file's owner.
    Damaged,
}

impl From<XlsxError> for BadWorkbook {
    fn from(_: XlsxError) -> Self {
        Self::Damaged
    }
}

impl From<BadPart> for BadWorkbook {
    fn from(_: BadPart) -> Self {
        Self::Damaged
    }
}

/// Reads the non-empty rows of the first visible sheet, each with its line. It reads cell by cell, because a
/// sheet can declare a width of a billion cells. All rows together take at most `limit` bytes, and each at
/// most `row_limit`.
fn rows_of(file: &File, limit: u64, row_limit: u64) -> Result<Vec<(u64, StringRecord)>, BadWorkbook> {
    let mut archive = parts::open(file)?;
    let expanded = parts::expanded(&mut archive)?;
    if expanded > limit {
        return Err(BadWorkbook::Read(ReadError::TooLarge { bytes: expanded, limit }));
    }
    parts::check_whole(&mut archive)?;
    let mut workbook = Xlsx::new(BufReader::new(file))?;
    let is_shown = |sheet: &&calamine::Sheet| {
        sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
    };
    let sheet = workbook.sheets_metadata().iter().find(is_shown).map(|sheet| sheet.name.clone());
    let sheet = sheet.ok_or(BadWorkbook::Read(ReadError::Hidden))?;
    let unusable = parts::unusable_cells(&mut archive, &sheet)?;
    let mut cells = workbook.worksheet_cells_reader(&sheet)?;
    let formats: Vec<NumberFormat> = cells
        .styles()
        .iter()
        .map(|style| {
            style
                .number_format
                .as_ref()
                .map_or(NumberFormat::Number, |one| NumberFormat::of(&one.format_code))
        })
        .collect();
    let mut rows: Vec<(u64, StringRecord)> = Vec::new();
    let (mut bytes, mut row_bytes) = (0, 0);
    let mut number = 0;
    while let Some((found, style)) = cells.next_cell_with_style_id()? {
        let (row, column) = found.get_position();
        let line = u64::from(row) + 1;
        let format = formats.get(style).copied().unwrap_or(NumberFormat::Number);
        let value = match unusable.reasons.get(&number) {
            Some(reason) => Err(*reason),
            None => shown(found.get_value(), format),
        };
        number += 1;
        let text = value.unwrap_or_else(|reason| fault(row, column, reason));
        if text.is_empty() {
            continue;
        }
        if rows.last().is_none_or(|(last, _)| *last != line) {
            rows.push((line, StringRecord::new()));
            row_bytes = 0;
        }
        let Some((_, record)) = rows.last_mut() else { break };
        let Some(skipped) = (column as usize).checked_sub(record.len()) else {
            return Err(BadWorkbook::Damaged);
        };
        // A field takes its text and its end offset.
        let taken = (skipped as u64 + 1) * 8 + text.len() as u64;
        (bytes, row_bytes) = (bytes + taken, row_bytes + taken);
        if row_bytes > row_limit {
            return Err(BadWorkbook::Read(ReadError::RowTooLong { line, limit: row_limit }));
        }
        if bytes > limit {
            return Err(BadWorkbook::Read(ReadError::TooLarge { bytes, limit }));
        }
        for _ in 0..skipped {
            record.push_field("");
        }
        record.push_field(&text);
    }
    // If the two parsers see different numbers of cells, trust neither.
    if number == unusable.cells { Ok(rows) } else { Err(BadWorkbook::Damaged) }
}

/// A field for a cell without a usable value, which starts with [`FAULT`].
fn fault(row: u32, column: u32, reason: &str) -> String {
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
fn shown(data: &DataRef<'_>, format: NumberFormat) -> Result<String, &'static str> {
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
        _ => Err("has a date that does not exist"),
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
        (_, None) => Err("has a date that does not exist"),
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
fn of_text(text: &str) -> Result<String, &'static str> {
    if text.starts_with([FAULT, DATE]) { Err("contains control characters") } else { Ok(text.to_owned()) }
}
