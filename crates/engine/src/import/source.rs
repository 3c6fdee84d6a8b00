//! Reads a register as rows: CSV, TSV or XLSX, in UTF-8, UTF-16 or Windows-1252.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use csv::StringRecord;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::error::ReadError;
use super::workbook;
use crate::config::ImportConfig;

/// The format of a register's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// CSV or TSV.
    Text,
    /// XLSX.
    Workbook,
}

/// The rows of a file, header first.
pub(crate) enum Rows {
    Text { reader: Box<csv::Reader<RowGuard>>, line: u64 },
    Workbook { rows: std::vec::IntoIter<(u64, StringRecord)>, line: u64 },
}

impl Rows {
    /// Reads the next row that is not empty; whether there was one.
    pub(crate) fn next(&mut self, record: &mut StringRecord) -> Result<bool, ReadError> {
        match self {
            Self::Text { reader, line } => {
                let found = reader.read_record(record).map_err(|error| text_error(&error))?;
                *line = record.position().map_or(*line, csv::Position::line);
                Ok(found)
            }
            Self::Workbook { rows, line } => {
                let next = rows.next();
                let found = next.is_some();
                if let Some(row) = next {
                    (*line, *record) = row;
                }
                Ok(found)
            }
        }
    }

    /// The line at which the last row starts, counted from 1.
    pub(crate) const fn line(&self) -> u64 {
        match self {
            Self::Text { line, .. } | Self::Workbook { line, .. } => *line,
        }
    }

    /// The format of the file.
    pub(crate) const fn form(&self) -> Form {
        match self {
            Self::Text { .. } => Form::Text,
            Self::Workbook { .. } => Form::Workbook,
        }
    }
}

fn text_error(error: &csv::Error) -> ReadError {
    if let csv::ErrorKind::Io(cause) = error.kind()
        && let Some(bad_row) = cause.get_ref().and_then(|inner| inner.downcast_ref::<BadRow>())
    {
        return match *bad_row {
            BadRow::TooLong { line, limit } => ReadError::RowTooLong { line, limit },
            BadRow::Unclosed { line } => ReadError::UnclosedQuote(line),
        };
    }
    ReadError::Unreadable(error.to_string())
}

/// Detects the format of a file, and reads it from its beginning. `progress` counts its bytes.
pub(crate) fn open(
    mut file: File,
    config: &ImportConfig,
    progress: &indicatif::ProgressBar,
) -> Result<Rows, ReadError> {
    let unreadable = |cause: io::Error| ReadError::Unreadable(cause.to_string());
    let size = file.metadata().map_err(unreadable)?.len();
    let mut start = [0; 4];
    file.rewind().map_err(unreadable)?;
    let known = file.read(&mut start).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    if start.starts_with(b"PK\x03\x04") {
        let rows = workbook::read(&file, size, config)?;
        return Ok(Rows::Workbook { rows: rows.into_iter(), line: 0 });
    }
    let sniffed = sniff(&mut file)?;
    if known == 0 {
        return Err(ReadError::Empty);
    }
    file.rewind().map_err(unreadable)?;
    let decoded = DecodeReaderBytesBuilder::new()
        .encoding(Some(sniffed.encoding))
        .bom_override(true)
        .strip_bom(true)
        .build(progress.wrap_read(file));
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(sniffed.delimiter)
        .from_reader(RowGuard::new(decoded, config.max_row_bytes, &sniffed));
    Ok(Rows::Text { reader: Box::new(reader), line: 0 })
}

/// The properties of a text file.
struct Sniffed {
    encoding: &'static Encoding,
    delimiter: u8,
}

/// Scans the whole file once, in pieces, because the only non-ASCII character may be in the last row.
fn sniff(file: &mut File) -> Result<Sniffed, ReadError> {
    let mut buffer = vec![0; 64 * 1024];
    let mut carried = 0;
    let mut encodings = Encodings::default();
    let mut header: Option<Vec<u8>> = None;
    let mut is_wide = false;
    loop {
        let read =
            file.read(&mut buffer[carried..]).map_err(|cause| ReadError::Unreadable(cause.to_string()))?;
        let piece = &buffer[..carried + read];
        if header.is_none() {
            is_wide = piece.starts_with(&[0xff, 0xfe]) || piece.starts_with(&[0xfe, 0xff]);
            let end = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            header = Some(piece[..end.unwrap_or(piece.len())].to_vec());
        }
        if is_wide {
            break;
        }
        // All control characters except tab, line feed, form feed and carriage return do not occur in text.
        if piece[carried..]
            .iter()
            .any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | 0x1a))
        {
            return Err(ReadError::Binary);
        }
        let left = encodings.look_at(piece, read == 0);
        if read == 0 {
            break;
        }
        let end = piece.len();
        buffer.copy_within(end - left..end, 0);
        carried = left;
    }
    let header = header.unwrap_or_default();
    let count = |delimiter: u8| header.split(|byte| *byte == delimiter).count();
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|delimiter| (count(*delimiter), *delimiter == b','))
        .unwrap_or(b',');
    Ok(Sniffed { encoding: encodings.the_one()?, delimiter })
}

/// The evidence for a text's encoding from bytes above 0x7f.
#[derive(Debug, Default)]
struct Encodings {
    line_feeds: u64,
    returns: u64,
    /// The number of characters that are well-formed UTF-8.
    well_formed: u64,
    /// The number of those that do not occur in Windows-1252 text, where they would read as `Ã` or `â` before
    /// a sign.
    certain: u64,
    /// The number of bytes that are not UTF-8.
    ill_formed: u64,
    first_well_formed: u64,
    first_ill_formed: u64,
}

impl Encodings {
    /// Examines a piece. Returns the number of bytes at its end that may be the start of a character, unless
    /// it is the end of the file.
    fn look_at(&mut self, piece: &[u8], is_end: bool) -> usize {
        if piece.is_ascii() {
            self.count_lines(piece);
            return 0;
        }
        let mut seen = 0;
        for chunk in piece.utf8_chunks() {
            let (valid, invalid) = (chunk.valid(), chunk.invalid());
            seen += valid.len() + invalid.len();
            self.look_at_characters(valid);
            let may_go_on = seen == piece.len()
                && !is_end
                && std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if may_go_on {
                return invalid.len();
            }
            if !invalid.is_empty() {
                if self.ill_formed == 0 {
                    self.first_ill_formed = self.line();
                }
                self.ill_formed += invalid.len() as u64;
            }
        }
        0
    }

    fn look_at_characters(&mut self, text: &str) {
        for line in text.split_inclusive(['\n', '\r']) {
            if !line.is_ascii() {
                if self.well_formed == 0 {
                    self.first_well_formed = self.line();
                }
                self.well_formed += line.chars().filter(|char| !char.is_ascii()).count() as u64;
                self.certain += line.bytes().filter(|byte| matches!(byte, 0xc3 | 0xe2 | 0xef)).count() as u64;
            }
            self.count_lines(line.as_bytes());
        }
    }

    fn count_lines(&mut self, bytes: &[u8]) {
        self.line_feeds += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.returns += memchr::memchr_iter(b'\r', bytes).count() as u64;
    }

    /// The current line, from 1.
    fn line(&self) -> u64 {
        self.line_feeds.max(self.returns) + 1
    }

    /// The encoding of the whole text, or an error if it is mixed.
    fn the_one(&self) -> Result<&'static Encoding, ReadError> {
        if self.ill_formed == 0 {
            Ok(UTF_8)
        } else if self.certain > 0 || self.well_formed > self.ill_formed {
            let is_utf8 = self.well_formed >= self.ill_formed;
            Err(ReadError::MixedEncodings(if is_utf8 {
                self.first_ill_formed
            } else {
                self.first_well_formed
            }))
        } else {
            Ok(WINDOWS_1252)
        }
    }
}

/// An invalid row of a text file.
#[derive(Debug, thiserror::Error)]
enum BadRow {
    #[error("a row is too long")]
    TooLong { line: u64, limit: u64 },
    #[error("a quotation mark is never closed")]
    Unclosed { line: u64 },
}

/// The position of a byte in a row (RFC 4180). A quotation mark has a meaning only at the start of a field
/// and inside quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    FieldStart,
    Unquoted,
    Quoted,
    QuoteInQuotes,
}

/// Rejects a row that is longer than a limit, so that a line of 200 MB ends the import before it fills the
/// memory, and a file that ends inside quotes. Converts every line end to a line feed, because the CSV reader
/// miscounts lines with others.
pub(crate) struct RowGuard {
    inner: BufReader<DecodeReaderBytes<indicatif::ProgressBarIter<File>, Vec<u8>>>,
    limit: u64,
    delimiter: u8,
    row_bytes: u64,
    line: u64,
    row_line: u64,
    quote_line: u64,
    place: Position,
    is_after_return: bool,
}

impl RowGuard {
    fn new(
        inner: DecodeReaderBytes<indicatif::ProgressBarIter<File>, Vec<u8>>,
        limit: u64,
        sniffed: &Sniffed,
    ) -> Self {
        Self {
            inner: BufReader::with_capacity(64 * 1024, inner),
            limit,
            delimiter: sniffed.delimiter,
            row_bytes: 0,
            line: 1,
            row_line: 1,
            quote_line: 1,
            place: Position::FieldStart,
            is_after_return: false,
        }
    }
}

impl Read for RowGuard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            if read == 0 && self.place == Position::Quoted {
                return Err(io::Error::other(BadRow::Unclosed { line: self.quote_line }));
            }
            let mut kept = 0;
            for at in 0..read {
                let is_after_return = std::mem::replace(&mut self.is_after_return, buffer[at] == b'\r');
                let byte = match buffer[at] {
                    b'\n' if is_after_return => continue,
                    b'\r' => b'\n',
                    byte => byte,
                };
                buffer[kept] = byte;
                kept += 1;
                self.pass(byte)?;
            }
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

impl RowGuard {
    fn pass(&mut self, byte: u8) -> io::Result<()> {
        self.row_bytes += 1;
        if byte == b'\n' {
            self.line += 1;
        }
        self.place = match (self.place, byte) {
            (Position::FieldStart, b'"') => {
                self.quote_line = self.line;
                Position::Quoted
            }
            (Position::Quoted, b'"') => Position::QuoteInQuotes,
            (Position::QuoteInQuotes, b'"') | (Position::Quoted, _) => Position::Quoted,
            // A quoted field over several lines that is not followed by a separator started with a stray
            // quotation mark.
            (Position::QuoteInQuotes, byte)
                if self.line > self.quote_line
                    && byte != b'\n'
                    && byte != b'\r'
                    && byte != self.delimiter =>
            {
                return Err(io::Error::other(BadRow::Unclosed { line: self.quote_line }));
            }
            (_, b'\n') => {
                self.row_bytes = 0;
                self.row_line = self.line;
                Position::FieldStart
            }
            (_, byte) if byte == self.delimiter => Position::FieldStart,
            _ => Position::Unquoted,
        };
        if self.row_bytes > self.limit {
            return Err(io::Error::other(BadRow::TooLong { line: self.row_line, limit: self.limit }));
        }
        Ok(())
    }
}
