//! Reads the rows of an XLSB workbook ([MS-XLSB]). The library reads the values; the records of the sheet tell
//! how they are displayed, and which cells the library leaves out.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};

use calamine::{Reader, Xlsb};

use super::cells::{BadWorkbook, fault, shown};
use super::number_format::NumberFormat;
use super::parts::{Archive, BadPart, relationships};
use super::sheets::{Book, Collector, Sheet};

/// The part with the list of sheets.
pub(super) const WORKBOOK: &str = "xl/workbook.bin";

/// The types of records that matter here ([MS-XLSB], section 2.3.2).
mod record {
    pub(super) const ROW: u32 = 0;
    /// Cells with a value, except a formula's error.
    pub(super) const CELLS: std::ops::RangeInclusive<u32> = 2..=10;
    pub(super) const FORMULA_ERROR: u32 = 11;
    pub(super) const RICH_TEXT: u32 = 62;
    pub(super) const FORMAT: u32 = 44;
    pub(super) const STYLE: u32 = 47;
    pub(super) const BEGIN_DATA: u32 = 145;
    pub(super) const END_DATA: u32 = 146;
    pub(super) const SHEET: u32 = 156;
    pub(super) const BEGIN_STYLES: u32 = 617;
    pub(super) const END_STYLES: u32 = 618;
}

/// A workbook.
pub(super) struct Binary<'a> {
    workbook: Xlsb<BufReader<&'a File>>,
    archive: Archive<'a>,
}

impl<'a> Binary<'a> {
    pub(super) fn open(file: &'a File, archive: Archive<'a>) -> Result<Self, BadWorkbook> {
        let workbook = Xlsb::new(BufReader::new(file)).map_err(|_| BadWorkbook::Damaged)?;
        Ok(Self { workbook, archive })
    }
}

impl Book for Binary<'_> {
    fn sheets(&self) -> Vec<Sheet> {
        Sheet::of_library(self.workbook.sheets_metadata())
    }

    fn read(&mut self, sheet: &str, rows: &mut Collector) -> Result<(), BadWorkbook> {
        let formats = formats(&mut self.archive)?;
        let path = path_of(&mut self.archive, sheet)?;
        let display = Display::of(&mut self.archive, &path)?;
        let mut left_out = display.left_out.iter().peekable();
        let damaged = |_| BadWorkbook::Damaged;
        let mut cells = self.workbook.worksheet_cells_reader(sheet).map_err(damaged)?;
        for (number, style) in display.styles.iter().enumerate() {
            while let Some(cell) = left_out.next_if(|cell| cell.before == number) {
                if !cell.add(rows)? {
                    return Ok(());
                }
            }
            // If the two parsers see different numbers of cells, trust neither.
            let found = cells.next_cell().map_err(damaged)?.ok_or(BadWorkbook::Damaged)?;
            let (row, column) = found.get_position();
            let format = formats.get(*style as usize).copied().unwrap_or(NumberFormat::Number);
            let value = shown(found.get_value(), format);
            let text = value.unwrap_or_else(|reason| fault(row, column, reason));
            if !rows.add(u64::from(row) + 1, column, &text)? {
                return Ok(());
            }
        }
        for cell in left_out {
            if !cell.add(rows)? {
                return Ok(());
            }
        }
        if cells.next_cell().map_err(damaged)?.is_some() { Err(BadWorkbook::Damaged) } else { Ok(()) }
    }
}

/// What the library does not say about the cells of a sheet.
#[derive(Default)]
struct Display {
    /// The style of each cell.
    styles: Vec<u32>,
    /// The cells that the library leaves out.
    left_out: Vec<LeftOut>,
}

/// A cell that the library leaves out.
struct LeftOut {
    /// The number of cells before it that the library reads.
    before: usize,
    row: u32,
    column: u32,
    reason: &'static str,
}

impl LeftOut {
    fn add(&self, rows: &mut Collector) -> Result<bool, BadWorkbook> {
        rows.add(u64::from(self.row) + 1, self.column, &fault(self.row, self.column, self.reason))
    }
}

impl Display {
    fn of(archive: &mut Archive<'_>, path: &str) -> Result<Self, BadPart> {
        let mut display = Self::default();
        let (mut is_in_data, mut row) = (false, 0);
        records(archive, path, |kind, data| {
            match kind {
                record::BEGIN_DATA => is_in_data = true,
                record::END_DATA => return Ok(false),
                record::ROW if is_in_data => row = number(data, 0)?,
                kind if is_in_data && record::CELLS.contains(&kind) => {
                    display.styles.push(number(data, 4)? & 0x00ff_ffff);
                }
                record::FORMULA_ERROR | record::RICH_TEXT if is_in_data => {
                    display.left_out.push(LeftOut {
                        before: display.styles.len(),
                        row,
                        column: number(data, 0)?,
                        reason: if kind == record::RICH_TEXT {
                            "has no readable value: enter its value again"
                        } else {
                            "has an error instead of a value: correct its formula"
                        },
                    });
                }
                _ => {}
            }
            Ok(true)
        })?;
        Ok(display)
    }
}

/// The number format of each style.
fn formats(archive: &mut Archive<'_>) -> Result<Vec<NumberFormat>, BadPart> {
    const STYLES: &str = "xl/styles.bin";
    if archive.index_for_name(STYLES).is_none() {
        return Ok(Vec::new());
    }
    let (mut own, mut formats, mut is_in_styles) = (HashMap::new(), Vec::new(), false);
    records(archive, STYLES, |kind, data| {
        match kind {
            record::FORMAT => _ = own.insert(short(data, 0)?, NumberFormat::of(&text(data, 2)?.0)),
            record::BEGIN_STYLES => is_in_styles = true,
            record::END_STYLES => return Ok(false),
            record::STYLE if is_in_styles => {
                let id = short(data, 2)?;
                formats.push(own.get(&id).copied().unwrap_or_else(|| NumberFormat::of(built_in(id))));
            }
            _ => {}
        }
        Ok(true)
    })?;
    Ok(formats)
}

/// The code of a built-in number format (ECMA-376, part 1, section 18.8.30). The others depend on the language
/// of the program, and do not count as plain numbers.
const fn built_in(id: u16) -> &'static str {
    match id {
        0 => "General",
        1 => "0",
        3 => "#,##0",
        14 => "m/d/yyyy",
        15 => "d-mmm-yy",
        17 => "mmm-yy",
        22 => "m/d/yy h:mm",
        49 => "@",
        _ => "0.00",
    }
}

/// The path of a sheet's part.
fn path_of(archive: &mut Archive<'_>, sheet: &str) -> Result<String, BadPart> {
    let mut relationship = None;
    records(archive, WORKBOOK, |kind, data| {
        if kind == record::SHEET && relationship.is_none() {
            let (id, end) = text(data, 8)?;
            if text(data, end)?.0 == sheet {
                relationship = Some(id);
            }
        }
        Ok(true)
    })?;
    let part = relationships(archive, "xl/_rels/workbook.bin.rels")?
        .into_iter()
        .find(|one| Some(&one.id) == relationship.as_ref())
        .ok_or(BadPart)?;
    Ok(format!("xl/{}", part.target))
}

/// Passes on each record of a part, until `pass` returns false.
fn records(
    archive: &mut Archive<'_>,
    path: &str,
    mut pass: impl FnMut(u32, &[u8]) -> Result<bool, BadPart>,
) -> Result<(), BadPart> {
    let mut part = BufReader::new(archive.by_name(path)?);
    let mut data = Vec::new();
    while let Some(kind) = variable(&mut part, 2)? {
        let length = variable(&mut part, 4)?.ok_or(BadPart)?;
        data.clear();
        // Takes no more memory than the part has bytes.
        (&mut part).take(length.into()).read_to_end(&mut data)?;
        if data.len() as u64 != u64::from(length) {
            return Err(BadPart);
        }
        if !pass(kind, &data)? {
            break;
        }
    }
    Ok(())
}

/// A number of up to `bytes` bytes with seven bits each, the lowest first; `None` at the end of the part.
fn variable(part: &mut impl Read, bytes: u32) -> Result<Option<u32>, BadPart> {
    let mut value = 0;
    for at in 0..bytes {
        let mut byte = [0];
        if part.read(&mut byte)? == 0 {
            return if at == 0 { Ok(None) } else { Err(BadPart) };
        }
        value |= u32::from(byte[0] & 0x7f) << (7 * at);
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    Ok(Some(value))
}

fn number(data: &[u8], at: usize) -> Result<u32, BadPart> {
    let bytes = data.get(at..).and_then(<[u8]>::first_chunk).ok_or(BadPart)?;
    Ok(u32::from_le_bytes(*bytes))
}

fn short(data: &[u8], at: usize) -> Result<u16, BadPart> {
    let bytes = data.get(at..).and_then(<[u8]>::first_chunk).ok_or(BadPart)?;
    Ok(u16::from_le_bytes(*bytes))
}

/// A text in UTF-16 with its length in front, and where it ends.
fn text(data: &[u8], at: usize) -> Result<(String, usize), BadPart> {
    let length = number(data, at)? as usize;
    let end = length.checked_mul(2).and_then(|bytes| bytes.checked_add(at + 4)).ok_or(BadPart)?;
    let bytes = data.get(at + 4..end).ok_or(BadPart)?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Ok((String::from_utf16_lossy(&units), end))
}
