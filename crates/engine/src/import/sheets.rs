//! Chooses the sheet of a workbook that contains the register, and collects its cells into rows within limits.

use calamine::{SheetType, SheetVisible};
use csv::StringRecord;

use super::cells::BadWorkbook;
use super::error::ReadError;
use super::location::{HEADER_WITHIN, Location};

/// The maximum number of sheets in an error, and of characters of each name.
const NAMES_SHOWN: usize = 30;
const NAME_SHOWN: usize = 60;

/// The limits of a sheet, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) all: u64,
    pub(super) row: u64,
}

/// A sheet of a workbook.
#[derive(Debug, Clone)]
pub(super) struct Sheet {
    pub(super) name: String,
    pub(super) is_visible: bool,
}

impl Sheet {
    /// The sheets with cells of a workbook that the library reads.
    pub(super) fn of_library(all: &[calamine::Sheet]) -> Vec<Self> {
        all.iter()
            .filter(|sheet| sheet.typ == SheetType::WorkSheet)
            .map(|sheet| Self {
                name: sheet.name.clone(),
                is_visible: sheet.visible == SheetVisible::Visible,
            })
            .collect()
    }
}

/// A workbook of any format.
pub(super) trait Book {
    /// Its sheets with cells, in order.
    fn sheets(&self) -> Vec<Sheet>;
    /// Reads the cells of a sheet, cell by cell, because a sheet can declare a width of a billion cells.
    fn read(&mut self, sheet: &str, rows: &mut Collector) -> Result<(), BadWorkbook>;
}

/// Reads the rows of the chosen sheet.
pub(super) fn rows(
    book: &mut impl Book,
    limits: Limits,
    location: &Location,
) -> Result<Vec<(u64, StringRecord)>, BadWorkbook> {
    let sheet = choose(book, limits, location)?;
    let mut rows = Collector::all(limits);
    book.read(&sheet, &mut rows)?;
    Ok(rows.rows)
}

/// The given sheet; by default, the only visible sheet with the named columns, or the first visible one.
fn choose(book: &mut impl Book, limits: Limits, location: &Location) -> Result<String, BadWorkbook> {
    let sheets = book.sheets();
    if let Some(wanted) = location.sheet.as_deref().map(str::trim) {
        let by_number = || sheets.get(wanted.parse::<usize>().ok()?.checked_sub(1)?);
        let chosen = sheets.iter().find(|sheet| sheet.name.trim() == wanted).or_else(by_number);
        let unknown = || ReadError::NoSheet(names(sheets.iter().map(|sheet| &sheet.name)));
        return Ok(chosen.ok_or_else(unknown)?.name.clone());
    }
    let visible: Vec<String> =
        sheets.into_iter().filter(|sheet| sheet.is_visible).map(|sheet| sheet.name).collect();
    let first = visible.first().ok_or(ReadError::Hidden)?.clone();
    if visible.len() == 1 || location.columns.is_empty() {
        return Ok(first);
    }
    let mut with_columns = Vec::new();
    for sheet in visible {
        let mut rows = Collector::start(limits, location.header_row);
        match book.read(&sheet, &mut rows) {
            // Another sheet may have longer rows than a register.
            Ok(()) | Err(BadWorkbook::Read(_)) => {}
            Err(error) => return Err(error),
        }
        let has_columns = |(line, row): &(u64, StringRecord)| {
            location.is_header(*line, row) && location.columns_in(row) == location.columns.len()
        };
        if rows.rows.iter().any(has_columns) {
            with_columns.push(sheet);
        }
    }
    match with_columns.as_slice() {
        [] => Ok(first),
        [one] => Ok(one.clone()),
        several => Err(ReadError::SeveralSheets(names(several.iter())).into()),
    }
}

/// The names of sheets, for an error.
fn names<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let shorten = |name: &String| name.chars().filter(|char| !char.is_control()).take(NAME_SHOWN).collect();
    names.take(NAMES_SHOWN).map(shorten).collect()
}

/// The non-empty rows of a sheet, each with its line from 1.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) rows: Vec<(u64, StringRecord)>,
    limits: Limits,
    /// The number of bytes of all rows and of the last row.
    bytes: u64,
    row_bytes: u64,
    /// The line of the header, or 0 to stop after the rows that can be the header; `None` for all rows.
    header: Option<u64>,
}

impl Collector {
    /// Collects all rows.
    pub(super) const fn all(limits: Limits) -> Self {
        Self { rows: Vec::new(), limits, bytes: 0, row_bytes: 0, header: None }
    }

    /// Collects the rows that can be the header.
    fn start(limits: Limits, header: Option<u64>) -> Self {
        Self { header: Some(header.unwrap_or(0)), ..Self::all(limits) }
    }

    /// Whether it collects all rows.
    pub(super) const fn is_complete(&self) -> bool {
        self.header.is_none()
    }

    /// Adds a cell; `column` counts from 0. Returns whether it takes more cells.
    pub(super) fn add(&mut self, line: u64, column: u32, text: &str) -> Result<bool, BadWorkbook> {
        if text.is_empty() {
            return Ok(true);
        }
        let is_new = match self.rows.last() {
            Some((last, _)) if *last > line => return Err(BadWorkbook::Damaged),
            Some((last, _)) => *last < line,
            None => true,
        };
        if is_new {
            let is_behind = match self.header {
                None => false,
                Some(0) => self.rows.len() >= HEADER_WITHIN,
                Some(header) => header < line,
            };
            if is_behind {
                return Ok(false);
            }
            self.rows.push((line, StringRecord::new()));
            self.row_bytes = 0;
        }
        let Some((_, record)) = self.rows.last_mut() else { return Ok(false) };
        let skipped = (column as usize).checked_sub(record.len()).ok_or(BadWorkbook::Damaged)?;
        // A field takes its text and its end offset.
        let taken = (skipped as u64 + 1) * 8 + text.len() as u64;
        (self.bytes, self.row_bytes) = (self.bytes + taken, self.row_bytes + taken);
        if self.row_bytes > self.limits.row {
            return Err(ReadError::RowTooLong { line, limit: self.limits.row }.into());
        }
        if self.bytes > self.limits.all {
            return Err(ReadError::TooLarge { bytes: self.bytes, limit: self.limits.all }.into());
        }
        for _ in 0..skipped {
            record.push_field("");
        }
        record.push_field(text);
        Ok(true)
    }
}
