//! Tables as files for spreadsheets: CSV with semicolons, as European spreadsheets expect it.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use certvakt_rules::text::is_control;

use crate::problem::ApiError;

/// By this mark, spreadsheets recognise UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A file that is being written.
pub(super) struct File(csv::Writer<Vec<u8>>);

impl File {
    /// A file with its headings.
    pub(super) fn new(headings: &[String]) -> Self {
        let rows = csv::WriterBuilder::new().delimiter(b';').from_writer(BYTE_ORDER_MARK.to_vec());
        let mut file = Self(rows);
        file.row(headings);
        file
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: &[String]) {
        // Writing to memory does not fail, and every row of a file has the same length.
        let _ = self.0.write_record(cells.iter().map(|cell| as_text(cell)));
    }

    /// The response with the file, under a name.
    pub(super) fn response(self, name: &'static str) -> Result<Response, ApiError> {
        let rows = self.0.into_inner().map_err(|_| ApiError::Fault)?;
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
            (header::CONTENT_DISPOSITION, HeaderValue::from_static(name)),
        ];
        Ok((headers, rows).into_response())
    }
}

/// A cell that a spreadsheet reads as text or as a number, never as a formula (OWASP, CSV injection). A phone number keeps
/// its plus sign, so that the file can be imported.
fn as_text(cell: &str) -> String {
    let cell: String = cell.chars().map(|char| if is_control(char) { ' ' } else { char }).collect();
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
