//! Checks the parts of a workbook: whether they are complete, and which cells of a sheet have no readable
//! value. The library that reads values treats such a cell as blank or as another text.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

/// A workbook's archive.
pub(super) type Archive<'a> = ZipArchive<BufReader<&'a File>>;

/// The maximum depth of a part's elements: spreadsheets write about twenty.
const DEEPEST: u64 = 256;

/// A part that is missing, incomplete or not well-formed.
#[derive(Debug, thiserror::Error)]
#[error("a part of the workbook is damaged")]
pub(super) struct BadPart;

impl From<zip::result::ZipError> for BadPart {
    fn from(_: zip::result::ZipError) -> Self {
        Self
    }
}

impl From<io::Error> for BadPart {
    fn from(_: io::Error) -> Self {
        Self
    }
}

impl From<quick_xml::Error> for BadPart {
    fn from(_: quick_xml::Error) -> Self {
        Self
    }
}

/// Opens the archive of a file.
pub(super) fn open(file: &File) -> Result<Archive<'_>, BadPart> {
    Ok(ZipArchive::new(BufReader::new(file))?)
}

/// Whether the archive has a part of this name.
pub(super) fn has(archive: &Archive<'_>, path: &str) -> bool {
    archive.index_for_name(path).is_some()
}

/// The declared size of a workbook's contents in bytes. Reading a part stops at its declared size.
pub(super) fn expanded(archive: &mut Archive<'_>) -> Result<u64, BadPart> {
    let mut expanded: u64 = 0;
    for number in 0..archive.len() {
        expanded = expanded.saturating_add(archive.by_index_raw(number)?.size());
    }
    Ok(expanded)
}

/// Reads each part to its end, which verifies its checksum.
pub(super) fn check_whole(archive: &mut Archive<'_>) -> Result<(), BadPart> {
    for number in 0..archive.len() {
        io::copy(&mut archive.by_index(number)?, &mut io::sink())?;
    }
    Ok(())
}

/// The cells of a sheet without a readable value.
#[derive(Debug, Default)]
pub(super) struct Unusable {
    /// The reason for each such cell, by the cell's index in the sheet, from 0.
    pub(super) reasons: HashMap<u64, &'static str>,
    /// The number of cells in the sheet.
    pub(super) cells: u64,
}

/// Checks every cell of a sheet, and that the sheet's part is well-formed.
pub(super) fn unusable_cells(archive: &mut Archive<'_>, sheet: &str) -> Result<Unusable, BadPart> {
    let path = sheet_path(archive, sheet)?;
    let mut found = Unusable::default();
    let (mut is_in_data, mut is_behind_data, mut cell) = (false, false, None::<Cell>);
    read_part(archive, &path, |event| {
        match event {
            Event::Start(start) => match (start.local_name().as_ref(), &mut cell) {
                ("sheetData", _) => is_in_data = !is_behind_data,
                ("c", None) if is_in_data => cell = Some(Cell::of(start)?),
                ("v", Some(cell)) => (cell.has_value, cell.is_in_value) = (true, true),
                ("f", Some(cell)) => cell.has_formula = true,
                ("is", Some(cell)) => cell.has_text = true,
                _ => {}
            },
            Event::End(end) => match end.local_name().as_ref() {
                "sheetData" => (is_in_data, is_behind_data) = (false, true),
                "v" => {
                    if let Some(cell) = &mut cell {
                        cell.is_in_value = false;
                    }
                }
                "c" => {
                    if let Some(cell) = cell.take() {
                        if let Some(reason) = cell.complaint() {
                            found.reasons.insert(found.cells, reason);
                        }
                        found.cells += 1;
                    }
                }
                _ => {}
            },
            Event::Text(text) => {
                if let Some(cell) = cell.as_mut().filter(|cell| cell.is_in_value) {
                    cell.add(text);
                }
            }
            Event::CData(_) | Event::GeneralRef(_) => {
                if let Some(cell) = cell.as_mut().filter(|cell| cell.is_in_value) {
                    cell.add("&");
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

/// The state of a cell (ECMA-376, part 1, section 18.3.1.4).
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each flag is an independent property of the cell")]
struct Cell {
    kind: String,
    has_formula: bool,
    has_value: bool,
    has_text: bool,
    is_in_value: bool,
    /// Whether its value is not empty.
    is_filled: bool,
    /// Whether its value has digits only.
    is_number: bool,
}

impl Cell {
    fn of(start: &BytesStart<'_>) -> Result<Self, BadPart> {
        let kind = attribute(start, "t")?.unwrap_or_default();
        Ok(Self { kind, is_number: true, ..Self::default() })
    }

    fn add(&mut self, text: &str) {
        self.is_filled |= !text.trim().is_empty();
        self.is_number &= text.bytes().all(|byte| byte.is_ascii_digit());
    }

    /// The reason why its value is unusable, if it is.
    fn complaint(&self) -> Option<&'static str> {
        const NOTHING: &str = "has no readable value: enter its value again";
        match self.kind.as_str() {
            "e" => Some("has an error instead of a value: correct its formula"),
            // The result of a formula can be an empty text.
            "str" if self.has_formula && self.has_value => None,
            _ if self.has_formula && !self.is_filled => {
                Some("has a formula without a result: open the workbook and save it")
            }
            // The index of a shared string.
            "s" if !(self.is_filled && self.is_number) => Some(NOTHING),
            "inlineStr" if !self.has_text => Some(NOTHING),
            "b" | "d" | "str" if !self.is_filled => Some(NOTHING),
            "" | "n" if self.has_value && !self.is_filled => Some(NOTHING),
            _ => None,
        }
    }
}

/// The path of a sheet's part, by the workbook's relationships.
fn sheet_path(archive: &mut Archive<'_>, sheet: &str) -> Result<String, BadPart> {
    let office = relationships(archive, "_rels/.rels")?
        .into_iter()
        .find(|one| one.kind.rsplit('/').next() == Some("officeDocument"))
        .ok_or(BadPart)?;
    let workbook = office.target.trim_start_matches('/').to_owned();
    let (folder, name) =
        workbook.rsplit_once('/').map_or(("", workbook.as_str()), |(folder, name)| (folder, name));
    let folder = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let mut relationship = None;
    read_part(archive, &workbook, |event| {
        if let Event::Start(start) = event
            && start.local_name().as_ref() == "sheet"
            && attribute(start, "name")?.as_deref() == Some(sheet)
            && relationship.is_none()
        {
            relationship = attribute(start, "id")?;
        }
        Ok(())
    })?;
    let part = relationships(archive, &format!("{folder}_rels/{name}.rels"))?
        .into_iter()
        .find(|one| Some(&one.id) == relationship.as_ref())
        .ok_or(BadPart)?;
    Ok(match part.target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}{}", part.target),
    })
}

/// A relationship of a part (ECMA-376, part 2, section 8.3).
pub(super) struct Relationship {
    pub(super) id: String,
    kind: String,
    pub(super) target: String,
}

pub(super) fn relationships(archive: &mut Archive<'_>, path: &str) -> Result<Vec<Relationship>, BadPart> {
    let mut found = Vec::new();
    read_part(archive, path, |event| {
        if let Event::Start(start) = event
            && start.local_name().as_ref() == "Relationship"
        {
            let text = |name| Ok::<_, BadPart>(attribute(start, name)?.unwrap_or_default());
            found.push(Relationship { id: text("Id")?, kind: text("Type")?, target: text("Target")? });
        }
        Ok(())
    })?;
    Ok(found)
}

/// An attribute by its local name.
pub(super) fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, BadPart> {
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| BadPart)?;
        if attribute.key.local_name().as_ref() == name {
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0)?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// Reads a part to its end, and passes on each event. Requires one root, closed tags, and no document type.
pub(super) fn read_part(
    archive: &mut Archive<'_>,
    path: &str,
    mut pass: impl FnMut(&Event<'_>) -> Result<(), BadPart>,
) -> Result<(), BadPart> {
    // Names of parts are case-insensitive (ECMA-376, part 2, section 6.2.2.3).
    let is_it = |name: &str| name.replace('\\', "/").eq_ignore_ascii_case(path);
    let name = archive.file_names().flatten().find(|name| is_it(name)).ok_or(BadPart)?.into_owned();
    let mut xml = Reader::from_reader(BufReader::new(archive.by_name(&name)?));
    xml.config_mut().expand_empty_elements = true;
    read_events(&mut xml, &mut pass)
}

fn read_events(
    xml: &mut Reader<impl BufRead>,
    pass: &mut impl FnMut(&Event<'_>) -> Result<(), BadPart>,
) -> Result<(), BadPart> {
    let (mut buffer, mut depth, mut roots) = (Vec::new(), 0_u64, 0_u64);
    loop {
        buffer.clear();
        let event = xml.read_event_into(&mut buffer)?;
        match &event {
            Event::Start(_) => {
                roots += u64::from(depth == 0);
                depth += 1;
                if depth > DEEPEST {
                    return Err(BadPart);
                }
            }
            Event::End(_) => depth -= 1,
            Event::Text(text) if depth == 0 && !text.trim().is_empty() => return Err(BadPart),
            Event::CData(_) | Event::GeneralRef(_) if depth == 0 => return Err(BadPart),
            Event::DocType(_) => return Err(BadPart),
            Event::Eof => return if depth == 0 && roots == 1 { Ok(()) } else { Err(BadPart) },
            _ => {}
        }
        pass(&event)?;
    }
}
