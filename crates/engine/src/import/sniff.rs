//! Detects the encoding and the separator of a text file.

use std::fs::File;
use std::io::{Read, Seek};

use csv::StringRecord;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;

use super::error::ReadError;
use super::location::{HEADER_WITHIN, Location};

/// The length of the start of a file that is searched for the header, in bytes.
const START: u64 = 256 * 1024;
/// The usual separators, the most usual one first.
const USUAL: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The properties of a text file.
pub(super) struct Sniffed {
    pub(super) encoding: &'static Encoding,
    pub(super) delimiter: u8,
    /// Whether its first line names the separator (`sep=;`), as spreadsheets write it.
    pub(super) names_separator: bool,
}

/// Examines a text file.
pub(super) fn text(file: &mut File, location: &Location) -> Result<Sniffed, ReadError> {
    let unreadable = |cause: std::io::Error| ReadError::Unreadable(cause.to_string());
    let encoding = encoding(file, location)?;
    file.rewind().map_err(unreadable)?;
    let mut start = Vec::new();
    DecodeReaderBytesBuilder::new()
        .encoding(Some(encoding))
        .bom_override(true)
        .strip_bom(true)
        .build(file.take(START))
        .read_to_end(&mut start)
        .map_err(unreadable)?;
    let mut lines = start.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
    let named = lines.clone().next().and_then(named_separator);
    let delimiter = match location.separator.or(named) {
        Some(given) => given,
        None => delimiter(&mut lines, location),
    };
    Ok(Sniffed { encoding, delimiter, names_separator: named.is_some() })
}

/// The separator that a line names: `sep=;`, also in quotes or with the separators of an empty row.
fn named_separator(line: &[u8]) -> Option<u8> {
    let line = std::str::from_utf8(line).ok()?.trim_start_matches('"');
    let (name, rest) = line.split_at_checked(4)?;
    let separator = *rest.as_bytes().first()?;
    let is_alone = rest.bytes().skip(1).all(|byte| byte == separator || byte == b'"');
    (name.eq_ignore_ascii_case("sep=") && is_alone && separator.is_ascii() && separator != b'"')
        .then_some(separator)
}

/// The separator with which a line has the most of the named columns, or else the most frequent usual one in
/// the first line.
fn delimiter<'a>(lines: &mut (impl Iterator<Item = &'a [u8]> + Clone), location: &Location) -> u8 {
    let mut best = (0, b',');
    for line in lines.clone().take(HEADER_WITHIN) {
        let is_other = |byte: &u8| {
            byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != b'"' && !USUAL.contains(byte)
        };
        // A space is the last that is tried, because names of columns contain spaces.
        let others = (1..=0x7f_u8).filter(is_other).filter(|byte| *byte != b' ').chain([b' ']);
        for separator in USUAL.into_iter().chain(others).filter(|one| line.contains(one)) {
            let found = location.columns_in(&fields(line, separator));
            if found > best.0 {
                best = (found, separator);
            }
            if found == location.columns.len() && found > 0 {
                return separator;
            }
        }
    }
    if best.0 > 0 {
        return best.1;
    }
    let first = lines.next().unwrap_or_default();
    let count = |separator: u8| memchr::memchr_iter(separator, first).count();
    USUAL.into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// The fields of a line.
fn fields(line: &[u8], separator: u8) -> StringRecord {
    let mut record = StringRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(separator).from_reader(line);
    // A line that is not complete has no columns.
    let _ = reader.read_record(&mut record);
    record
}

/// The encoding of a file, which may start with a byte order mark.
fn encoding(file: &mut File, location: &Location) -> Result<&'static Encoding, ReadError> {
    let mut buffer = vec![0; 64 * 1024];
    let mut carried = 0;
    let mut encodings = Encodings::default();
    let mut is_first = true;
    // The whole file, in pieces, because the only non-ASCII character may be in the last row.
    loop {
        let read =
            file.read(&mut buffer[carried..]).map_err(|cause| ReadError::Unreadable(cause.to_string()))?;
        let piece = &buffer[..carried + read];
        if is_first
            && let Some(encoding) = location.encoding.filter(|one| is_wide(one)).or_else(|| wide(piece))
        {
            return Ok(encoding);
        }
        is_first = false;
        // All control characters except tab, line feed, form feed and carriage return do not occur in text.
        if piece[carried..].iter().any(|byte| {
            *byte < 0x20
                && !matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | 0x1a)
                && location.separator != Some(*byte)
        }) {
            return Err(ReadError::Binary);
        }
        let left = if location.encoding.is_some() { 0 } else { encodings.look_at(piece, read == 0) };
        if read == 0 {
            return location.encoding.map_or_else(|| encodings.the_one(), Ok);
        }
        let end = piece.len();
        buffer.copy_within(end - left..end, 0);
        carried = left;
    }
}

fn is_wide(encoding: &Encoding) -> bool {
    encoding == UTF_16LE || encoding == UTF_16BE
}

/// The byte order of UTF-16, from the start of a file: by its mark, or by the zero bytes of ASCII characters,
/// which a register's separators and digits are.
fn wide(start: &[u8]) -> Option<&'static Encoding> {
    if start.starts_with(&[0xff, 0xfe]) {
        return Some(UTF_16LE);
    }
    if start.starts_with(&[0xfe, 0xff]) {
        return Some(UTF_16BE);
    }
    let pairs = start[..start.len().min(4096)].chunks_exact(2);
    let (all, mut first, mut second) = (pairs.len(), 0, 0);
    for pair in pairs {
        first += usize::from(pair[0] == 0);
        second += usize::from(pair[1] == 0);
    }
    match (first, second) {
        (0, second) if second > 1 && second * 3 > all => Some(UTF_16LE),
        (first, 0) if first > 1 && first * 3 > all => Some(UTF_16BE),
        _ => None,
    }
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
