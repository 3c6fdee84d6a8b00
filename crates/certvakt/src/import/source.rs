//! A register's file as rows, whatever its form: CSV, TSV or XLSX, in any of the encodings met.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::panic::AssertUnwindSafe;
use std::path::Path;

use calamine::{Data, Reader, Xlsx, XlsxError};
use csv::StringRecord;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::ImportError;
use crate::config::ImportConfig;

/// How much larger than the file a workbook's contents may be.
const LARGEST_EXPANSION: u64 = 20;

/// The rows of a file, its header first.
pub(crate) enum Rows {
    Text { reader: Box<csv::Reader<RowGuard>>, line: u64 },
    Workbook { rows: std::vec::IntoIter<(u64, StringRecord)>, line: u64 },
}

impl Rows {
    /// Reads the next row that is not empty; whether there was one.
    pub(crate) fn next(&mut self, record: &mut StringRecord) -> Result<bool, ImportError> {
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

    /// The line at which the row that was read begins, from 1.
    pub(crate) const fn line(&self) -> u64 {
        match self {
            Self::Text { line, .. } | Self::Workbook { line, .. } => *line,
        }
    }
}

fn text_error(error: &csv::Error) -> ImportError {
    if let csv::ErrorKind::Io(cause) = error.kind()
        && let Some(bad_row) = cause.get_ref().and_then(|inner| inner.downcast_ref::<BadRow>())
    {
        return match *bad_row {
            BadRow::TooLong { line, limit } => ImportError::RowTooLong { line, limit },
            BadRow::Unclosed { line } => ImportError::UnclosedQuote(line),
        };
    }
    ImportError::Unreadable { file: "the file".to_owned(), cause: error.to_string() }
}

/// Opens a file and recognises its form.
pub(crate) fn open(
    path: &Path,
    config: &ImportConfig,
    progress: &indicatif::ProgressBar,
) -> Result<Rows, ImportError> {
    let unreadable = |cause: io::Error| ImportError::unreadable(path, &cause);
    let mut file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut start = [0; 4];
    let known = file.read(&mut start).map_err(unreadable)?;
    file.rewind().map_err(unreadable)?;
    if start.starts_with(b"PK\x03\x04") {
        return workbook(path, file, size, config);
    }
    let sniffed = sniff(&mut file)
        .map_err(unreadable)?
        .ok_or_else(|| ImportError::Binary(path.display().to_string()))?;
    if known == 0 {
        return Err(ImportError::Empty(path.display().to_string()));
    }
    file.rewind().map_err(unreadable)?;
    progress.set_length(size);
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

/// What a look over the whole text tells.
struct Sniffed {
    encoding: &'static Encoding,
    delimiter: u8,
    /// How lines end.
    line_end: LineEnd,
}

/// How the lines of a text end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    /// With a line feed.
    LineFeed,
    /// With a carriage return and a line feed.
    ReturnAndLineFeed,
    /// With a carriage return, as very old spreadsheets wrote them.
    Return,
}

/// Looks over the whole file once, in pieces: a register of which only the last row has an æ must be
/// read as what it is. None: it is no text.
fn sniff(file: &mut File) -> io::Result<Option<Sniffed>> {
    let mut buffer = vec![0; 64 * 1024];
    let mut carried = 0;
    let mut is_utf8 = true;
    let mut header: Option<Vec<u8>> = None;
    let mut is_wide = false;
    let mut has_line_feed = true;
    loop {
        let read = file.read(&mut buffer[carried..])?;
        if read == 0 {
            is_utf8 &= carried == 0;
            break;
        }
        let piece = &buffer[..carried + read];
        if header.is_none() {
            is_wide = piece.starts_with(&[0xff, 0xfe]) || piece.starts_with(&[0xfe, 0xff]);
            let end = piece.iter().position(|byte| *byte == b'\n');
            has_line_feed = end.is_some();
            header = Some(piece[..end.unwrap_or(piece.len())].to_vec());
        }
        if is_wide {
            break;
        }
        // Control characters that no text has: all but tab, line feed, form feed, carriage return.
        if piece[carried..]
            .iter()
            .any(|byte| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | 0x1a))
        {
            return Ok(None);
        }
        let mut left = 0;
        if is_utf8 && let Err(error) = std::str::from_utf8(piece) {
            // A character may be cut by the end of the piece.
            if error.error_len().is_none() {
                left = piece.len() - error.valid_up_to();
            } else {
                is_utf8 = false;
            }
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
    // In UTF-16 another byte stands between the two.
    let has_return =
        if has_line_feed && !is_wide { header.ends_with(b"\r") } else { header.contains(&b'\r') };
    Ok(Some(Sniffed {
        encoding: if is_utf8 { UTF_8 } else { WINDOWS_1252 },
        delimiter,
        line_end: match (has_return, has_line_feed) {
            (true, true) => LineEnd::ReturnAndLineFeed,
            (true, false) => LineEnd::Return,
            (false, _) => LineEnd::LineFeed,
        },
    }))
}

/// A row of a text file that cannot be one.
#[derive(Debug, thiserror::Error)]
enum BadRow {
    #[error("a row is too long")]
    TooLong { line: u64, limit: u64 },
    #[error("a quotation mark is never closed")]
    Unclosed { line: u64 },
}

/// Where in a row a byte stands (RFC 4180): a quotation mark means something at a field's start and
/// inside quotes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    FieldStart,
    Unquoted,
    Quoted,
    QuoteInQuotes,
}

/// Lets a row pass only while it is shorter than a limit, so that a line of 200 MB ends the import
/// before it fills the memory, and none that ends inside quotes. Every line end becomes a line feed:
/// with others the CSV reader counts lines wrongly.
pub(crate) struct RowGuard {
    inner: BufReader<DecodeReaderBytes<indicatif::ProgressBarIter<File>, Vec<u8>>>,
    limit: u64,
    delimiter: u8,
    line_end: LineEnd,
    row_bytes: u64,
    line: u64,
    row_line: u64,
    quote_line: u64,
    place: Place,
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
            line_end: sniffed.line_end,
            row_bytes: 0,
            line: 1,
            row_line: 1,
            quote_line: 1,
            place: Place::FieldStart,
        }
    }
}

impl Read for RowGuard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            if read == 0 && self.place == Place::Quoted {
                return Err(io::Error::other(BadRow::Unclosed { line: self.quote_line }));
            }
            let mut kept = 0;
            for at in 0..read {
                let byte = match (buffer[at], self.line_end) {
                    (b'\r', LineEnd::ReturnAndLineFeed) => continue,
                    (b'\r', LineEnd::Return) => b'\n',
                    (byte, _) => byte,
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
            (Place::FieldStart, b'"') => {
                self.quote_line = self.line;
                Place::Quoted
            }
            (Place::Quoted, b'"') => Place::QuoteInQuotes,
            (Place::QuoteInQuotes, b'"') | (Place::Quoted, _) => Place::Quoted,
            // A quoted field over several lines that does not end where a field ends began by mistake.
            (Place::QuoteInQuotes, byte)
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
                Place::FieldStart
            }
            (_, byte) if byte == self.delimiter => Place::FieldStart,
            _ => Place::Unquoted,
        };
        if self.row_bytes > self.limit {
            return Err(io::Error::other(BadRow::TooLong { line: self.row_line, limit: self.limit }));
        }
        Ok(())
    }
}

fn workbook(path: &Path, file: File, size: u64, config: &ImportConfig) -> Result<Rows, ImportError> {
    let binary = || ImportError::Binary(path.display().to_string());
    let too_large =
        |bytes: u64, limit: u64| ImportError::TooLarge { file: path.display().to_string(), bytes, limit };
    if size > config.max_xlsx_bytes {
        return Err(too_large(size, config.max_xlsx_bytes));
    }
    let mut archive = zip::ZipArchive::new(BufReader::new(&file)).map_err(|_| binary())?;
    let mut expanded = 0;
    for number in 0..archive.len() {
        expanded += archive.by_index_raw(number).map_err(|_| binary())?.size();
    }
    drop(archive);
    let limit = config.max_xlsx_bytes.saturating_mul(LARGEST_EXPANSION);
    if expanded > limit {
        return Err(too_large(expanded, limit));
    }
    // The reader panics on some workbooks that it cannot read.
    let rows = std::panic::catch_unwind(AssertUnwindSafe(|| rows_of(file, limit)));
    match rows {
        Ok(Ok(Some(rows))) => Ok(Rows::Workbook { rows: rows.into_iter(), line: 0 }),
        Ok(Ok(None)) => Err(too_large(limit + 1, limit)),
        Ok(Err(_)) | Err(_) => Err(binary()),
    }
}

/// The rows of the first sheet that are not empty, each with its line, read cell by cell: a sheet may
/// say that it is a billion cells wide. None, if they take more than `limit` bytes.
fn rows_of(file: File, limit: u64) -> Result<Option<Vec<(u64, StringRecord)>>, XlsxError> {
    let mut workbook = Xlsx::new(BufReader::new(file))?;
    let Some(sheet) = workbook.sheet_names().first().cloned() else { return Ok(Some(Vec::new())) };
    let mut cells = workbook.worksheet_cells_reader(&sheet)?;
    let mut rows: Vec<(u64, StringRecord)> = Vec::new();
    let mut bytes: u64 = 0;
    while let Some(found) = cells.next_cell()? {
        let (row, column) = found.get_position();
        let (line, column) = (u64::from(row) + 1, column as usize);
        let text = cell(&Data::from(found.get_value().clone()));
        if text.is_empty() {
            continue;
        }
        if rows.last().is_none_or(|(last, _)| *last != line) {
            rows.push((line, StringRecord::new()));
        }
        let Some((_, record)) = rows.last_mut() else { break };
        let Some(skipped) = column.checked_sub(record.len()) else {
            return Err(XlsxError::Unexpected("cells out of their order"));
        };
        // A field takes its text and the place where it ends.
        bytes += (skipped as u64 + 1) * 8 + text.len() as u64;
        if bytes > limit {
            return Ok(None);
        }
        for _ in 0..skipped {
            record.push_field("");
        }
        record.push_field(&text);
    }
    Ok(Some(rows))
}

/// A cell as the text that a CSV export would have, dates in the form that means one day only.
fn cell(data: &Data) -> String {
    match data {
        Data::DateTime(at) => {
            at.as_datetime().map_or_else(String::new, |at| at.format("%Y-%m-%d %H:%M:%S").to_string())
        }
        Data::DateTimeIso(text) | Data::DurationIso(text) | Data::String(text) => text.clone(),
        Data::Empty | Data::Error(_) => String::new(),
        Data::Bool(truth) => truth.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
    }
}
