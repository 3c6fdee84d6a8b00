//! Reads a register as rows: delimited text, or a workbook.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};

use csv::StringRecord;
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::error::ReadError;
use super::location::{HEADER_WITHIN, Location};
use super::{sniff, workbook};
use crate::config::ImportConfig;

/// The format of a register's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Delimited text.
    Text,
    /// XLSX, XLSB or ODS.
    Workbook,
}

/// The rows of a file, header first.
pub(crate) struct Rows {
    source: Source,
    /// Rows that were read to find the header, each with its line.
    waiting: VecDeque<(u64, StringRecord)>,
    line: u64,
}

enum Source {
    Text(Box<csv::Reader<RowGuard>>),
    Workbook(std::vec::IntoIter<(u64, StringRecord)>),
}

impl Source {
    /// Reads the next row that is not empty. Returns its line, if there was one.
    fn next(&mut self, record: &mut StringRecord) -> Result<Option<u64>, ReadError> {
        match self {
            Self::Text(reader) => {
                let found = reader.read_record(record).map_err(|error| text_error(&error))?;
                Ok(found.then(|| record.position().map_or(0, csv::Position::line)))
            }
            Self::Workbook(rows) => Ok(rows.next().map(|(line, row)| {
                *record = row;
                line
            })),
        }
    }
}

impl Rows {
    /// Skips the rows in front of the header: titles, comments, and the separator's row (`sep=;`).
    fn from_header(mut source: Source, location: &Location, skipped: u64) -> Result<Self, ReadError> {
        let (mut seen, mut record) = (VecDeque::<(u64, StringRecord)>::new(), StringRecord::new());
        let mut header = None;
        while header.is_none() && (location.header_row.is_some() || seen.len() < HEADER_WITHIN) {
            let Some(line) = source.next(&mut record)? else { break };
            if line <= skipped {
                continue;
            }
            if location.header_row.is_some() {
                seen.clear();
            }
            if location.header_row.is_some_and(|header| header < line) {
                break;
            }
            header = location.is_header(line, &record).then_some(seen.len());
            seen.push_back((line, record.clone()));
        }
        if let (None, Some(line)) = (header, location.header_row) {
            return Err(ReadError::NoHeader(line));
        }
        // Without a row that has all columns, the error is about the first row that has the most of them.
        let best = || (0..seen.len()).rev().max_by_key(|at| location.columns_in(&seen[*at].1)).unwrap_or(0);
        let header = header.unwrap_or_else(best);
        Ok(Self { source, waiting: seen.split_off(header), line: 0 })
    }

    /// Reads the next row that is not empty; whether there was one.
    pub(crate) fn next(&mut self, record: &mut StringRecord) -> Result<bool, ReadError> {
        let next = match self.waiting.pop_front() {
            Some((line, row)) => {
                *record = row;
                Some(line)
            }
            None => self.source.next(record)?,
        };
        self.line = next.unwrap_or(self.line);
        Ok(next.is_some())
    }

    /// The line at which the last row starts, counted from 1.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// The format of the file.
    pub(crate) const fn form(&self) -> Form {
        match self.source {
            Source::Text(_) => Form::Text,
            Source::Workbook(_) => Form::Workbook,
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

/// Detects the format of a file, and reads it from its header. `progress` counts its bytes.
pub(crate) fn open(
    mut file: File,
    config: &ImportConfig,
    location: &Location,
    progress: &indicatif::ProgressBar,
) -> Result<Rows, ReadError> {
    let unreadable = |cause: io::Error| ReadError::Unreadable(cause.to_string());
    let size = file.metadata().map_err(unreadable)?.len();
    let mut start = [0; 4];
    file.rewind().map_err(unreadable)?;
    let known = file.read(&mut start).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    if start.starts_with(b"PK\x03\x04") {
        let rows = workbook::read(&file, size, config, location)?;
        return Rows::from_header(Source::Workbook(rows.into_iter()), location, 0);
    }
    let sniffed = sniff::text(&mut file, location)?;
    if known == 0 {
        return Err(ReadError::Empty);
    }
    if location.sheet.is_some() {
        return Err(ReadError::NoSheet(Vec::new()));
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
        .from_reader(RowGuard::new(decoded, config.max_row_bytes, sniffed.delimiter));
    Rows::from_header(Source::Text(Box::new(reader)), location, u64::from(sniffed.names_separator))
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
        delimiter: u8,
    ) -> Self {
        Self {
            inner: BufReader::with_capacity(64 * 1024, inner),
            limit,
            delimiter,
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
