//! A register's file as rows, whatever its form: CSV, TSV or XLSX, in any of the encodings met.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::panic::AssertUnwindSafe;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Style, Xlsx, XlsxError};
use csv::StringRecord;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use serde::{Deserialize, Serialize};

use crate::config::ImportConfig;

/// How much larger than the file a workbook's contents may be.
const LARGEST_EXPANSION: u64 = 20;

/// The character at which a field begins that stands for a cell without a usable value; the rest of the field is the
/// reason. Unicode has it for this purpose (chapter 23, "Substitute").
pub(crate) const FAULT: char = '\u{1a}';

/// What a register's file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// CSV or TSV.
    Text,
    /// XLSX.
    Workbook,
}

/// Why a register cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ReadError {
    /// The system does not let it be read; what the system says.
    #[error("it cannot be read ({0}): check the path and its permissions")]
    Unreadable(String),
    /// It is no text and no workbook.
    #[error("it is neither text nor an XLSX workbook: export the register as CSV")]
    Binary,
    /// Some of it is in another encoding than the rest; the first such line.
    #[error("line {0} is in another encoding than the rest: save the register as UTF-8")]
    MixedEncodings(u64),
    /// It has no header.
    #[error("it is empty: its first row must name the columns")]
    Empty,
    /// Every sheet of a workbook is hidden.
    #[error("every sheet of the workbook is hidden: show the one that holds the register")]
    Hidden,
    /// A row is longer than any row may be.
    #[error(
        "the row from line {line} on is longer than {limit} bytes: a quotation mark may be missing there (import.max_row_bytes)"
    )]
    RowTooLong {
        /// Where the row begins.
        line: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A quotation mark is never closed.
    #[error("the quotation mark that opens in line {0} is not closed where a field ends: close or remove it")]
    UnclosedQuote(u64),
    /// A workbook is larger than may be read into memory.
    #[error(
        "it holds {bytes} bytes, more than the {limit} that a workbook may have: export it as CSV (import.max_xlsx_bytes)"
    )]
    TooLarge {
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Reading it took more memory than it may.
    #[error("reading it takes more memory than a register may: export it as CSV (import.max_memory_bytes)")]
    TooMuchMemory,
    /// Reading it took more processor time than it may.
    #[error("reading it takes longer than a register of its size may: export it as CSV")]
    TooSlow,
    /// Its reader ended early.
    #[error("its reader failed: export the register as CSV, and report the file")]
    Broken,
}

impl ReadError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "import-unreadable",
            Self::Binary => "import-binary",
            Self::MixedEncodings(_) => "import-mixed-encodings",
            Self::Empty => "import-empty",
            Self::Hidden => "import-hidden",
            Self::RowTooLong { .. } => "import-row-too-long",
            Self::UnclosedQuote(_) => "import-unclosed-quote",
            Self::TooLarge { .. } => "import-too-large",
            Self::TooMuchMemory => "import-too-much-memory",
            Self::TooSlow => "import-too-slow",
            Self::Broken => "import-broken",
        }
    }
}

/// The rows of a file, its header first.
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

    /// The line at which the row that was read begins, from 1.
    pub(crate) const fn line(&self) -> u64 {
        match self {
            Self::Text { line, .. } | Self::Workbook { line, .. } => *line,
        }
    }

    /// What the file is.
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

/// Recognises the form of a file, which is read from its beginning. `progress` counts its bytes.
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
        return workbook(file, size, config);
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

/// What a look over the whole text tells.
struct Sniffed {
    encoding: &'static Encoding,
    delimiter: u8,
}

/// Looks over the whole file once, in pieces: a register of which only the last row has an æ must be
/// read as what it is.
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
        // Control characters that no text has: all but tab, line feed, form feed, carriage return.
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

/// What the bytes above 0x7f say of a text's encoding.
#[derive(Debug, Default)]
struct Encodings {
    line_feeds: u64,
    returns: u64,
    /// Characters that are well-formed UTF-8.
    well_formed: u64,
    /// Of them those that no text in Windows-1252 has: it would read `Ã` or `â` before signs.
    certain: u64,
    /// Bytes that are not UTF-8.
    ill_formed: u64,
    first_well_formed: u64,
    first_ill_formed: u64,
}

impl Encodings {
    /// Looks at a piece; returns how many bytes at its end may be the beginning of a character. At the end of the
    /// file nothing follows them.
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

    /// The line that is being looked at, from 1.
    fn line(&self) -> u64 {
        self.line_feeds.max(self.returns) + 1
    }

    /// The encoding of the whole text, if it has one.
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
    row_bytes: u64,
    line: u64,
    row_line: u64,
    quote_line: u64,
    place: Place,
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
            place: Place::FieldStart,
            is_after_return: false,
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

fn workbook(file: File, size: u64, config: &ImportConfig) -> Result<Rows, ReadError> {
    if size > config.max_xlsx_bytes {
        return Err(ReadError::TooLarge { bytes: size, limit: config.max_xlsx_bytes });
    }
    let limit = config.max_xlsx_bytes.saturating_mul(LARGEST_EXPANSION);
    let expanded = expanded(&file).map_err(|_| ReadError::Binary)?;
    if expanded > limit {
        return Err(ReadError::TooLarge { bytes: expanded, limit });
    }
    // The reader panics on some workbooks that it cannot read.
    let rows = std::panic::catch_unwind(AssertUnwindSafe(|| rows_of(file, limit, config.max_row_bytes)));
    match rows {
        Ok(Ok(rows)) => Ok(Rows::Workbook { rows: rows.into_iter(), line: 0 }),
        Ok(Err(BadWorkbook::Read(error))) => Err(error),
        Ok(Err(BadWorkbook::Xlsx(_))) | Err(_) => Err(ReadError::Binary),
    }
}

/// How many bytes a workbook says that it holds. Parts that say too little end where they said.
fn expanded(file: &File) -> zip::result::ZipResult<u64> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file))?;
    let mut expanded: u64 = 0;
    for number in 0..archive.len() {
        expanded = expanded.saturating_add(archive.by_index_raw(number)?.size());
    }
    Ok(expanded)
}

/// Why a workbook gives no rows.
enum BadWorkbook {
    Read(ReadError),
    Xlsx(#[expect(dead_code, reason = "its words mean nothing to the people who have the file")] XlsxError),
}

impl From<XlsxError> for BadWorkbook {
    fn from(error: XlsxError) -> Self {
        Self::Xlsx(error)
    }
}

/// The rows of the first visible sheet that are not empty, each with its line, read cell by cell: a sheet may say that
/// it is a billion cells wide. They take at most `limit` bytes together, and `row_limit` each.
fn rows_of(file: File, limit: u64, row_limit: u64) -> Result<Vec<(u64, StringRecord)>, BadWorkbook> {
    let mut workbook = Xlsx::new(BufReader::new(file))?;
    let is_shown = |sheet: &&calamine::Sheet| {
        sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible
    };
    let sheet = workbook.sheets_metadata().iter().find(is_shown).map(|sheet| sheet.name.clone());
    let sheet = sheet.ok_or(BadWorkbook::Read(ReadError::Hidden))?;
    let without_result = formulas_without_result(&mut workbook, &sheet)?;
    let mut cells = workbook.worksheet_cells_reader(&sheet)?;
    let formats: Vec<NumberFormat> = cells.styles().iter().map(NumberFormat::of).collect();
    let mut rows: Vec<(u64, StringRecord)> = Vec::new();
    let (mut bytes, mut row_bytes) = (0, 0);
    while let Some((found, style)) = cells.next_cell_with_style_id()? {
        let (row, column) = found.get_position();
        let line = u64::from(row) + 1;
        let format = formats.get(style).copied().unwrap_or(NumberFormat::Plain);
        let text = if without_result.contains(&(row, column)) {
            fault(row, column, "holds a formula without a result: open the workbook and save it")
        } else {
            cell(found.get_value(), format).unwrap_or_else(|reason| fault(row, column, reason))
        };
        if text.is_empty() {
            continue;
        }
        if rows.last().is_none_or(|(last, _)| *last != line) {
            rows.push((line, StringRecord::new()));
            row_bytes = 0;
        }
        let Some((_, record)) = rows.last_mut() else { break };
        let Some(skipped) = (column as usize).checked_sub(record.len()) else {
            return Err(XlsxError::Unexpected("cells out of their order").into());
        };
        // A field takes its text and the place where it ends.
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
    Ok(rows)
}

/// Where formulas stand of whose results the workbook says nothing, as one that a program wrote may have them.
fn formulas_without_result(
    workbook: &mut Xlsx<BufReader<File>>,
    sheet: &str,
) -> Result<HashSet<(u32, u32)>, XlsxError> {
    let mut cells = workbook.worksheet_cells_reader(sheet)?;
    let mut found = HashSet::new();
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        if cell.formula.is_some() && cell.value == DataRef::Empty {
            found.insert(cell.pos);
        }
    }
    Ok(found)
}

/// A field in place of a cell's value, which begins with [`FAULT`].
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

/// What a cell's number format does to what people see of it (ECMA-376, part 1, section 18.8.31).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NumberFormat {
    /// The number, or the date to the day or finer.
    Plain,
    /// Of a date only the month and the year.
    Month,
    /// The number with zeros in front, this many digits together.
    Zeros(usize),
    /// Something else than the number or the date, like letters in front, or only the year.
    Disguised,
}

impl NumberFormat {
    fn of(style: &Style) -> Self {
        style.number_format.as_ref().map_or(Self::Plain, |format| Self::of_code(&format.format_code))
    }

    fn of_code(code: &str) -> Self {
        // The first section is that of positive numbers and dates, unless a condition says otherwise.
        let code = code.split(';').next().unwrap_or_default();
        let (mut letters, mut has_literal) = (String::new(), false);
        let mut chars = code.chars();
        while let Some(char) = chars.next() {
            match char {
                '"' => has_literal |= chars.by_ref().take_while(|char| *char != '"').count() > 0,
                '[' => {
                    has_literal |=
                        chars.by_ref().take_while(|char| *char != ']').any(|char| "<>=".contains(char));
                }
                '_' | '*' => _ = chars.next(),
                '\\' => has_literal |= chars.next().is_some(),
                other => letters.push(other.to_ascii_lowercase()),
            }
        }
        if letters.is_empty() || letters == "general" || letters == "@" {
            return if has_literal { Self::Disguised } else { Self::Plain };
        }
        if letters.contains(['y', 'm', 'd', 'h', 's']) {
            return match (letters.contains('y'), letters.contains('m'), letters.contains(['d', 'h', 's'])) {
                (true, true, false) => Self::Month,
                (true, false, false) => Self::Disguised,
                _ => Self::Plain,
            };
        }
        let whole = letters.split(['.', 'e', '/']).next().unwrap_or_default();
        let zeros = whole.matches('0').count();
        if has_literal || !letters.chars().all(|char| "0#?.,e+-/ ".contains(char)) || whole.contains('-') {
            Self::Disguised
        } else if zeros > 1 {
            if whole.contains(',') { Self::Disguised } else { Self::Zeros(zeros) }
        } else {
            Self::Plain
        }
    }
}

/// A cell as the text that a CSV export would have, dates in the form that means one day only; or what is wrong with
/// it.
fn cell(data: &DataRef<'_>, format: NumberFormat) -> Result<String, &'static str> {
    let number = |number: String| match format {
        NumberFormat::Zeros(digits) => Ok(format!("{number:0>digits$}")),
        NumberFormat::Disguised => Err("shows something else than the number that it holds: make it text"),
        NumberFormat::Plain | NumberFormat::Month => Ok(number),
    };
    match data {
        DataRef::DateTime(_) if format == NumberFormat::Disguised => {
            Err("shows less than the date that it holds: format it with day, month and year")
        }
        DataRef::DateTime(at) => {
            let form = if format == NumberFormat::Month { "%m/%Y" } else { "%Y-%m-%d %H:%M:%S" };
            match at.as_datetime() {
                Some(at) => Ok(at.format(form).to_string()),
                None => Err("holds no date that exists"),
            }
        }
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) | DataRef::String(text) => of_text(text),
        DataRef::SharedString(text) => of_text(text),
        DataRef::Empty => Ok(String::new()),
        DataRef::Error(_) => Err("holds an error in place of a value: correct its formula"),
        DataRef::Bool(truth) => Ok(truth.to_string()),
        DataRef::Int(value) => number(value.to_string()),
        DataRef::Float(value) => number(value.to_string()),
    }
}

/// A cell's text, which must not look like a fault.
fn of_text(text: &str) -> Result<String, &'static str> {
    if text.starts_with(FAULT) { Err("holds control characters") } else { Ok(text.to_owned()) }
}
