//! A register's file as rows, whatever its form: CSV, TSV or XLSX, in any of the encodings met.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

use calamine::{Data, Reader, Xlsx};
use csv::StringRecord;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use super::ImportError;
use crate::config::ImportConfig;

/// How much larger than the file a workbook's contents may be.
const LARGEST_EXPANSION: u64 = 20;

/// The rows of a file, its header first.
pub(super) enum Rows {
    Text { reader: Box<csv::Reader<RowGuard>>, line: u64 },
    Workbook { rows: std::vec::IntoIter<StringRecord>, line: u64 },
}

impl Rows {
    /// Reads the next row that is not empty; whether there was one.
    pub(super) fn next(&mut self, record: &mut StringRecord) -> Result<bool, ImportError> {
        match self {
            Self::Text { reader, line } => {
                let found = reader.read_record(record).map_err(|error| text_error(&error))?;
                *line = record.position().map_or(*line, csv::Position::line);
                Ok(found)
            }
            Self::Workbook { rows, line } => {
                for row in rows.by_ref() {
                    *line += 1;
                    if row.iter().any(|cell| !cell.is_empty()) {
                        *record = row;
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// The line at which the row that was read begins, from 1.
    pub(super) const fn line(&self) -> u64 {
        match self {
            Self::Text { line, .. } | Self::Workbook { line, .. } => *line,
        }
    }
}

fn text_error(error: &csv::Error) -> ImportError {
    if let csv::ErrorKind::Io(cause) = error.kind()
        && let Some(too_long) = cause.get_ref().and_then(|inner| inner.downcast_ref::<TooLong>())
    {
        return ImportError::RowTooLong { line: too_long.line, limit: too_long.limit };
    }
    ImportError::Unreadable { file: "the file".to_owned(), cause: error.to_string() }
}

/// Opens a file and recognises its form.
pub(super) fn open(
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
        .from_reader(RowGuard::new(decoded, config.max_row_bytes, sniffed.has_returns));
    Ok(Rows::Text { reader: Box::new(reader), line: 0 })
}

/// What a look over the whole text tells.
struct Sniffed {
    encoding: &'static Encoding,
    delimiter: u8,
    /// Whether lines end with a carriage return before the line feed.
    has_returns: bool,
}

/// Looks over the whole file once, in pieces: a register of which only the last row has an æ must be
/// read as what it is. None: it is no text.
fn sniff(file: &mut File) -> io::Result<Option<Sniffed>> {
    let mut buffer = vec![0; 64 * 1024];
    let mut carried = 0;
    let mut is_utf8 = true;
    let mut header: Option<Vec<u8>> = None;
    let mut is_wide = false;
    loop {
        let read = file.read(&mut buffer[carried..])?;
        if read == 0 {
            is_utf8 &= carried == 0;
            break;
        }
        let piece = &buffer[..carried + read];
        if header.is_none() {
            is_wide = piece.starts_with(&[0xff, 0xfe]) || piece.starts_with(&[0xfe, 0xff]);
            let end = piece.iter().position(|byte| *byte == b'\n').unwrap_or(piece.len());
            header = Some(piece[..end].to_vec());
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
    Ok(Some(Sniffed {
        encoding: if is_utf8 { UTF_8 } else { WINDOWS_1252 },
        delimiter,
        has_returns: header.ends_with(b"\r"),
    }))
}

/// A row of a text file that is too long to be one.
#[derive(Debug, thiserror::Error)]
#[error("a row is too long")]
struct TooLong {
    line: u64,
    limit: u64,
}

/// Lets a row pass only while it is shorter than a limit, so that a line of 200 MB, or a quotation
/// mark that is never closed, ends the import before it fills the memory. Carriage returns that end
/// lines are left out: with them the CSV reader counts lines wrongly.
pub(super) struct RowGuard {
    inner: BufReader<DecodeReaderBytes<indicatif::ProgressBarIter<File>, Vec<u8>>>,
    limit: u64,
    without_returns: bool,
    row_bytes: u64,
    line: u64,
    row_line: u64,
    in_quotes: bool,
}

impl RowGuard {
    fn new(
        inner: DecodeReaderBytes<indicatif::ProgressBarIter<File>, Vec<u8>>,
        limit: u64,
        without_returns: bool,
    ) -> Self {
        Self {
            inner: BufReader::with_capacity(64 * 1024, inner),
            limit,
            without_returns,
            row_bytes: 0,
            line: 1,
            row_line: 1,
            in_quotes: false,
        }
    }
}

impl Read for RowGuard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.inner.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                if byte == b'\r' && self.without_returns {
                    continue;
                }
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
        match byte {
            // A doubled quotation mark inside quotes toggles twice.
            b'"' => self.in_quotes = !self.in_quotes,
            b'\n' => {
                self.line += 1;
                if !self.in_quotes {
                    self.row_bytes = 0;
                    self.row_line = self.line;
                }
            }
            _ => {}
        }
        if self.row_bytes > self.limit {
            return Err(io::Error::other(TooLong { line: self.row_line, limit: self.limit }));
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
    let mut workbook = Xlsx::new(BufReader::new(file)).map_err(|_| binary())?;
    let range = workbook.worksheet_range_at(0).ok_or_else(binary)?.map_err(|_| binary())?;
    let above = range.start().map_or(0, |(row, _)| u64::from(row));
    let rows: Vec<StringRecord> = range.rows().map(|row| row.iter().map(cell).collect()).collect();
    Ok(Rows::Workbook { rows: rows.into_iter(), line: above })
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
