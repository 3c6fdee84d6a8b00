//! Reads the rows of a workbook (XLSX, ECMA-376): the displayed values of one of its sheets.

use std::fs::File;
use std::io::BufReader;
use std::panic::AssertUnwindSafe;

use calamine::{Reader, Xlsx};
use csv::StringRecord;

use super::cells::{BadWorkbook, fault, shown};
use super::error::ReadError;
use super::location::Location;
use super::number_format::NumberFormat;
use super::ods::{self, OpenDocument};
use super::parts;
use super::sheets::{self, Book, Collector, Limits, Sheet};
use super::xlsb::{self, Binary};
use crate::config::ImportConfig;

/// The maximum ratio of the size of a workbook's contents to the size of the file.
const LARGEST_EXPANSION: u64 = 20;

/// Reads the rows of a workbook of this size in bytes, each with its line from 1.
pub(super) fn read(
    file: &File,
    size: u64,
    config: &ImportConfig,
    location: &Location,
) -> Result<Vec<(u64, StringRecord)>, ReadError> {
    if size > config.max_xlsx_bytes {
        return Err(ReadError::TooLarge { bytes: size, limit: config.max_xlsx_bytes });
    }
    let limit = config.max_xlsx_bytes.saturating_mul(LARGEST_EXPANSION);
    // The library panics on some broken workbooks.
    let limits = Limits { all: limit, row: config.max_row_bytes };
    let rows = std::panic::catch_unwind(AssertUnwindSafe(|| rows_of(file, limits, location)));
    match rows {
        Ok(Ok(rows)) => Ok(rows),
        Ok(Err(BadWorkbook::Read(error))) => Err(error),
        Ok(Err(BadWorkbook::Damaged)) | Err(_) => Err(ReadError::Binary),
    }
}

/// Reads the non-empty rows of a sheet, each with its line.
fn rows_of(
    file: &File,
    limits: Limits,
    location: &Location,
) -> Result<Vec<(u64, StringRecord)>, BadWorkbook> {
    let mut archive = parts::open(file)?;
    let expanded = parts::expanded(&mut archive)?;
    if expanded > limits.all {
        return Err(ReadError::TooLarge { bytes: expanded, limit: limits.all }.into());
    }
    parts::check_whole(&mut archive)?;
    if parts::has(&archive, ods::CONTENT) {
        return sheets::rows(&mut OpenDocument::open(archive)?, limits, location);
    }
    if parts::has(&archive, xlsb::WORKBOOK) {
        return sheets::rows(&mut Binary::open(file, archive)?, limits, location);
    }
    sheets::rows(&mut Office { workbook: Xlsx::new(BufReader::new(file))?, archive }, limits, location)
}

/// An XLSX workbook.
struct Office<'a> {
    workbook: Xlsx<BufReader<&'a File>>,
    archive: parts::Archive<'a>,
}

impl Book for Office<'_> {
    fn sheets(&self) -> Vec<Sheet> {
        Sheet::of_library(self.workbook.sheets_metadata())
    }

    fn read(&mut self, sheet: &str, rows: &mut Collector) -> Result<(), BadWorkbook> {
        let unusable =
            if rows.is_complete() { Some(parts::unusable_cells(&mut self.archive, sheet)?) } else { None };
        let mut cells = self.workbook.worksheet_cells_reader(sheet)?;
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
        let mut number = 0;
        while let Some((found, style)) = cells.next_cell_with_style_id()? {
            let (row, column) = found.get_position();
            let format = formats.get(style).copied().unwrap_or(NumberFormat::Number);
            let value = match unusable.as_ref().and_then(|unusable| unusable.reasons.get(&number)) {
                Some(reason) => Err(*reason),
                None => shown(found.get_value(), format),
            };
            number += 1;
            let text = value.unwrap_or_else(|reason| fault(row, column, reason));
            if !rows.add(u64::from(row) + 1, column, &text)? {
                return Ok(());
            }
        }
        // If the two parsers see different numbers of cells, trust neither.
        match unusable {
            Some(unusable) if number != unusable.cells => Err(BadWorkbook::Damaged),
            _ => Ok(()),
        }
    }
}
