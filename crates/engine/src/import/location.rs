//! Where the table of a register is in its file, and how a text file is written.

use csv::StringRecord;
pub use encoding_rs::Encoding;
use encoding_rs::REPLACEMENT;

use super::cells::DATE;

/// The number of rows among which the header is searched.
pub(super) const HEADER_WITHIN: usize = 20;

/// Where the table of a register is in its file, and how a text file is written; `None` to detect it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Location {
    /// The columns that the header has, by which the header, the sheet and the separator are detected.
    pub columns: Vec<String>,
    /// The sheet of a workbook: its name, or its number from 1.
    pub sheet: Option<String>,
    /// The line of the header, from 1.
    pub header_row: Option<u64>,
    /// The separator of a text file's fields.
    pub separator: Option<u8>,
    /// The encoding of a text file without a byte order mark.
    pub encoding: Option<&'static Encoding>,
}

impl Location {
    /// The number of the named columns that a row contains.
    pub(super) fn columns_in(&self, row: &StringRecord) -> usize {
        let is_in =
            |column: &str| row.iter().any(|name| name.trim_start_matches(DATE).trim() == column.trim());
        // A field can have several columns, with a sign between them that can also occur in a name.
        self.columns
            .iter()
            .filter(|columns| is_in(columns) || columns.contains('+') && columns.split('+').all(is_in))
            .count()
    }

    /// Whether a row of this line, from 1, can be the header.
    pub(super) fn is_header(&self, line: u64, row: &StringRecord) -> bool {
        self.header_row.map_or_else(|| self.columns_in(row) == self.columns.len(), |header| header == line)
    }
}

/// Parses a separator: one ASCII character, or `tab`.
pub fn separator(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(*byte),
        _ => Err("a separator is one ASCII character other than a quotation mark, or tab".to_owned()),
    }
}

/// Parses the name of an encoding (WHATWG Encoding Standard, section 4.2).
pub fn encoding(label: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != REPLACEMENT).ok_or_else(|| {
        "unknown encoding: use a name of the WHATWG Encoding Standard, such as utf-8, utf-16le or windows-1252"
            .to_owned()
    })
}
