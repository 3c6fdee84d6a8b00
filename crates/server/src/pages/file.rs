//! Tables as files for spreadsheets: workbooks, and CSV with semicolons, as European spreadsheets expect it.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use certvakt_rules::text::is_control;
use chrono::{Datelike, NaiveDate};
use rust_xlsxwriter::{ExcelDateTime, Format as CellFormat, Workbook, Worksheet, XlsxError};

use crate::problem::ApiError;

/// By this mark, spreadsheets recognise UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// The number format of dates in workbooks. Spreadsheets show it in their own language's order.
const DATE_FORMAT: &str = "yyyy-mm-dd";

/// A format of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Text with a semicolon between cells.
    Csv,
    /// An Office Open XML workbook (ISO/IEC 29500).
    Workbook,
}

/// A cell of a row.
pub(super) enum Cell {
    Text(String),
    Date(NaiveDate),
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A table that is to be a file.
pub(super) struct File {
    headings: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl File {
    /// A table with its headings.
    pub(super) fn new(headings: &[String]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The response with the file, under a name without an ending.
    pub(super) fn response(self, format: Format, name: &str) -> Result<Response, ApiError> {
        let (kind, ending, content) = match format {
            Format::Csv => ("text/csv; charset=utf-8", "csv", self.csv().ok()),
            Format::Workbook => (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                "xlsx",
                self.workbook().ok(),
            ),
        };
        let content = content.ok_or(ApiError::Fault)?;
        let disposition = HeaderValue::try_from(format!("attachment; filename=\"{name}.{ending}\""))
            .map_err(|_| ApiError::Fault)?;
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
            (header::CONTENT_DISPOSITION, disposition),
        ];
        Ok((headers, content).into_response())
    }

    fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut rows =
            csv::WriterBuilder::new().flexible(true).delimiter(b';').from_writer(BYTE_ORDER_MARK.to_vec());
        rows.write_record(self.headings.iter().map(|heading| as_text(heading)))?;
        for row in &self.rows {
            rows.write_record(row.iter().map(|cell| match cell {
                Cell::Text(text) => as_text(text),
                Cell::Date(day) => day.to_string(),
            }))?;
        }
        rows.into_inner().map_err(|error| error.into_error().into())
    }

    fn workbook(&self) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet();
        let (bold, day_format) =
            (CellFormat::new().set_bold(), CellFormat::new().set_num_format(DATE_FORMAT));
        for (column, heading) in (0..).zip(&self.headings) {
            sheet.write_string_with_format(0, column, plain(heading), &bold)?;
        }
        for (line, row) in (1..).zip(&self.rows) {
            for (column, cell) in (0..).zip(row) {
                write(sheet, (line, column), cell, &day_format)?;
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        sheet.autofit();
        workbook.save_to_buffer()
    }
}

/// Writes a cell of a workbook. A text is never a formula there.
fn write(
    sheet: &mut Worksheet,
    (line, column): (u32, u16),
    cell: &Cell,
    day_format: &CellFormat,
) -> Result<(), XlsxError> {
    // A workbook has no dates before 1900 (ISO/IEC 29500-1, 18.17.4.1).
    match cell {
        Cell::Date(day) if (1900..=9999).contains(&day.year()) => {
            let [month, day_of_month] = [day.month(), day.day()].map(|part| u8::try_from(part).unwrap_or(1));
            let year = u16::try_from(day.year()).unwrap_or(1900);
            let date = ExcelDateTime::from_ymd(year, month, day_of_month)?;
            sheet.write_datetime_with_format(line, column, date, day_format)?;
        }
        Cell::Date(day) => {
            sheet.write_string(line, column, day.to_string())?;
        }
        Cell::Text(text) => {
            sheet.write_string(line, column, plain(text))?;
        }
    }
    Ok(())
}

/// A text without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|char| if is_control(char) { ' ' } else { char }).collect()
}

/// A cell that a spreadsheet reads as text or as a number, never as a formula (OWASP, CSV injection). A phone number keeps
/// its plus sign, so that the file can be imported.
fn as_text(cell: &str) -> String {
    let cell = plain(cell);
    let is_number = cell
        .strip_prefix(['+', '-'])
        .is_some_and(|rest| rest.chars().all(|char| char.is_ascii_digit() || char == ' '));
    if cell.starts_with(['=', '+', '-', '@']) && !is_number { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_never_a_formula() {
        for (cell, written) in [
            ("Åse", "Åse"),
            ("=1+1", "'=1+1"),
            ("+47 900 00 000", "+47 900 00 000"),
            ("+47*2", "'+47*2"),
            ("-5", "-5"),
            ("-A1", "'-A1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("a\tb", "a b"),
        ] {
            assert_eq!(as_text(cell), written, "{cell}");
        }
    }
}
