//! Reads the rows of an ODS workbook (OASIS ODF 1.3, part 3): the displayed values of one of its sheets. It reads
//! the XML itself, because one cell or row of the file can stand for millions.

use std::collections::HashSet;

use chrono::{Datelike, NaiveDate};
use quick_xml::events::{BytesStart, Event};

use super::cells::{BadWorkbook, DATE, LARGEST_NUMBER, fault, of_text};
use super::parts::{Archive, BadPart, attribute, read_part};
use super::sheets::{Book, Collector, Sheet};

/// The part with the sheets.
pub(super) const CONTENT: &str = "content.xml";
/// The maximum number of spaces that one element stands for.
const SPACES: usize = 1000;

/// A workbook, with its sheets.
pub(super) struct OpenDocument<'a> {
    archive: Archive<'a>,
    sheets: Vec<Sheet>,
}

impl<'a> OpenDocument<'a> {
    pub(super) fn open(mut archive: Archive<'a>) -> Result<Self, BadWorkbook> {
        let (mut sheets, mut hidden, mut style, mut depth) = (Vec::new(), HashSet::new(), None, 0);
        read_part(&mut archive, CONTENT, |event| {
            match event {
                Event::Start(start) => {
                    match start.local_name().as_ref() {
                        "style" => style = attribute(start, "name")?,
                        "table-properties" if attribute(start, "display")?.as_deref() == Some("false") => {
                            hidden.extend(style.take());
                        }
                        "table" if depth == TABLE_DEPTH => {
                            let name = attribute(start, "name")?.ok_or(BadPart)?;
                            let is_visible =
                                attribute(start, "style-name")?.is_none_or(|style| !hidden.contains(&style));
                            sheets.push(Sheet { name, is_visible });
                        }
                        _ => {}
                    }
                    depth += 1;
                }
                Event::End(_) => depth -= 1,
                _ => {}
            }
            Ok(())
        })?;
        if sheets.is_empty() {
            return Err(BadWorkbook::Damaged);
        }
        Ok(Self { archive, sheets })
    }
}

/// The number of elements around a sheet: the document, its body, and its spreadsheet.
const TABLE_DEPTH: u64 = 3;

impl Book for OpenDocument<'_> {
    fn sheets(&self) -> Vec<Sheet> {
        self.sheets.clone()
    }

    fn read(&mut self, sheet: &str, rows: &mut Collector) -> Result<(), BadWorkbook> {
        let mut walk =
            Walk { sheet, rows, depth: 0, is_inside: false, is_done: false, line: 1, row: None, cell: None };
        let mut failed = None;
        let read = read_part(&mut self.archive, CONTENT, |event| match walk.pass(event) {
            Ok(()) => Ok(()),
            Err(error) => {
                failed = Some(error);
                Err(BadPart)
            }
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(read?),
        }
    }
}

/// The state while a sheet is read.
struct Walk<'a> {
    sheet: &'a str,
    rows: &'a mut Collector,
    depth: u64,
    is_inside: bool,
    is_done: bool,
    /// The line of the next row, from 1.
    line: u64,
    row: Option<Row>,
    cell: Option<Cell>,
}

/// A row, which stands for `repeated` rows.
struct Row {
    repeated: u64,
    /// The column of the next cell, from 0.
    column: u32,
    /// The cells with a value: the column, the number of columns, and the value.
    cells: Vec<(u32, u32, Result<String, &'static str>)>,
}

impl Walk<'_> {
    fn pass(&mut self, event: &Event<'_>) -> Result<(), BadWorkbook> {
        match event {
            Event::Start(start) => {
                self.start(start)?;
                self.depth += 1;
            }
            Event::End(_) => {
                self.depth -= 1;
                self.end()?;
            }
            Event::Text(text) => {
                if let Some(cell) = &mut self.cell {
                    cell.add(text, self.depth);
                }
            }
            Event::CData(text) => {
                if let Some(cell) = &mut self.cell {
                    cell.add(text, self.depth);
                }
            }
            Event::GeneralRef(name) => {
                if let Some(cell) = &mut self.cell {
                    let char = match name.resolve_char_ref().map_err(|_| BadPart)? {
                        Some(char) => char.to_string(),
                        None => quick_xml::escape::resolve_predefined_entity(name).ok_or(BadPart)?.to_owned(),
                    };
                    cell.add(&char, self.depth);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), BadWorkbook> {
        let name = start.local_name();
        let name = name.as_ref();
        if let Some(cell) = &mut self.cell {
            cell.start(name, start, self.depth)?;
        } else if let Some(row) = &self.row {
            if matches!(name, "table-cell" | "covered-table-cell") {
                self.cell = Some(Cell::of(start, row.column, self.depth)?);
            }
        } else if self.is_inside && name == "table-row" && !self.is_done {
            let repeated = repeated(start, "number-rows-repeated")?;
            self.row = Some(Row { repeated: repeated.into(), column: 0, cells: Vec::new() });
        } else if self.depth == TABLE_DEPTH && name == "table" && !self.is_done {
            self.is_inside = attribute(start, "name")?.as_deref() == Some(self.sheet);
        }
        Ok(())
    }

    /// Ends the element at the current depth.
    fn end(&mut self) -> Result<(), BadWorkbook> {
        if let Some(cell) = &mut self.cell {
            if cell.depth < self.depth {
                cell.end(self.depth);
                return Ok(());
            }
            let (Some(cell), Some(row)) = (self.cell.take(), &mut self.row) else { return Ok(()) };
            let (column, repeated) = (cell.column, cell.repeated);
            row.column = column.saturating_add(repeated);
            let value = cell.value();
            if value != Ok(String::new()) {
                row.cells.push((column, repeated, value));
            }
        } else if self.row.is_some() {
            let Some(row) = self.row.take() else { return Ok(()) };
            self.add(&row)?;
            self.line = self.line.saturating_add(row.repeated);
        } else if self.depth == TABLE_DEPTH && self.is_inside {
            (self.is_inside, self.is_done) = (false, true);
        }
        Ok(())
    }

    /// Adds a row as often as it is repeated. The limits on bytes end this early.
    fn add(&mut self, row: &Row) -> Result<(), BadWorkbook> {
        if row.cells.is_empty() {
            return Ok(());
        }
        for line in (self.line..).zip(0..row.repeated).map(|(line, _)| line) {
            for (first, repeated, value) in &row.cells {
                for column in (*first..).zip(0..*repeated).map(|(column, _)| column) {
                    let added = match value {
                        Ok(text) => self.rows.add(line, column, text)?,
                        Err(reason) => {
                            let at = u32::try_from(line - 1).map_err(|_| BadPart)?;
                            self.rows.add(line, column, &fault(at, column, reason))?
                        }
                    };
                    if !added {
                        self.is_done = true;
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

/// A number of repetitions.
fn repeated(start: &BytesStart<'_>, name: &str) -> Result<u32, BadPart> {
    attribute(start, name)?.map_or(Ok(1), |text| text.parse().map_err(|_| BadPart))
}

/// The state of a cell (ODF 1.3, part 3, section 9.1.4).
#[derive(Default)]
struct Cell {
    column: u32,
    repeated: u32,
    depth: u64,
    kind: String,
    value: String,
    has_formula: bool,
    has_error: bool,
    /// The displayed text.
    text: String,
    paragraphs: u32,
    is_in_paragraph: bool,
    /// The depth of a note or a picture, whose text is not the cell's.
    aside: Option<u64>,
}

impl Cell {
    fn of(start: &BytesStart<'_>, column: u32, depth: u64) -> Result<Self, BadPart> {
        let mut cell = Self {
            column,
            depth,
            repeated: repeated(start, "number-columns-repeated")?,
            has_formula: attribute(start, "formula")?.is_some(),
            ..Self::default()
        };
        for one in start.attributes().with_checks(false) {
            let one = one.map_err(|_| BadPart)?;
            let value = one.normalized_value(quick_xml::XmlVersion::Implicit1_0)?;
            match one.key.local_name().as_ref() {
                // LibreOffice marks errors with a second type, in its own namespace.
                "value-type" if value == "error" => cell.has_error = true,
                "value-type" => cell.kind = value.into_owned(),
                "value" | "date-value" | "boolean-value" | "string-value" => {
                    cell.value = value.into_owned();
                }
                _ => {}
            }
        }
        Ok(cell)
    }

    fn start(&mut self, name: &str, start: &BytesStart<'_>, depth: u64) -> Result<(), BadPart> {
        if depth == self.depth + 1 && name == "p" {
            if self.paragraphs > 0 {
                self.text.push('\n');
            }
            (self.paragraphs, self.is_in_paragraph) = (self.paragraphs + 1, true);
        } else if self.is_in_paragraph && self.aside.is_none() {
            match name {
                "s" => {
                    let spaces = repeated(start, "c")? as usize;
                    self.text.extend(std::iter::repeat_n(' ', spaces.min(SPACES)));
                }
                "tab" => self.text.push('\t'),
                "line-break" => self.text.push('\n'),
                "annotation" | "note" | "frame" => self.aside = Some(depth),
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&mut self, depth: u64) {
        if self.aside == Some(depth) {
            self.aside = None;
        }
        if depth == self.depth + 1 {
            self.is_in_paragraph = false;
        }
    }

    fn add(&mut self, text: &str, depth: u64) {
        if self.is_in_paragraph && self.aside.is_none() && depth > self.depth + 1 {
            self.text.push_str(text);
        }
    }

    /// The displayed value, or its fault.
    fn value(self) -> Result<String, &'static str> {
        let shows_error = self.text.starts_with('#') || self.text.starts_with("Err:");
        if self.has_error || (self.has_formula && shows_error) {
            return Err("has an error instead of a value: correct its formula");
        }
        match self.kind.as_str() {
            "float" => self.number(),
            "percentage" | "currency" => Err("shows something other than its number: format it as text"),
            "date" => self.date(),
            "boolean" => Ok(self.value.to_uppercase()),
            "" if self.has_formula && self.text.is_empty() => {
                Err("has a formula without a result: open the workbook and save it")
            }
            "string" if self.paragraphs == 0 => of_text(&self.value),
            _ => of_text(&self.text),
        }
    }

    /// A number as it is displayed: `007`, but not `1 000`, `7 %` or a rounded one.
    fn number(self) -> Result<String, &'static str> {
        let value: f64 = self.value.parse().map_err(|_| "has no readable value: enter its value again")?;
        if value.is_nan() || value.abs() >= LARGEST_NUMBER {
            return Err("has a number with more digits than a workbook stores: format it as text");
        }
        let shown = if self.paragraphs == 0 { &self.value } else { &self.text };
        // Any difference is a rounding, which the cell does not show.
        let is_whole = shown.replacen(',', ".", 1).parse() == Ok(value);
        if is_whole {
            of_text(shown)
        } else {
            Err("shows something other than its number: format it as text")
        }
    }

    fn date(self) -> Result<String, &'static str> {
        let day = self.value.get(..10).and_then(|day| day.parse::<NaiveDate>().ok());
        let day = day.ok_or("has a date that does not exist")?;
        if self.paragraphs > 0 && !shows(&self.text, day) {
            return Err("does not show its whole date: format it with day, month and year");
        }
        let time = self.value.get(11..).filter(|_| self.text.contains(':'));
        Ok(match time {
            Some(time) => format!("{DATE}{day} {time}"),
            None => format!("{DATE}{day}"),
        })
    }
}

/// Whether a displayed date has a day, a month and a year of the Gregorian calendar.
fn shows(text: &str, day: NaiveDate) -> bool {
    let parts: Vec<&str> =
        text.split(|char: char| !char.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    let has = |number: u32, longest: usize| {
        parts.iter().any(|part| part.len() <= longest && part.parse() == Ok(number))
    };
    let year = day.year_ce().1;
    parts.len() >= 3 && has(day.day(), 2) && (has(year, 4) || has(year % 100, 2))
}
