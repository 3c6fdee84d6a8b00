//! The rejected rows of a register as they are in the file, for the person who corrects them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use certvakt_rules::national_number::is_national_number;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use super::cells::DATE;
use super::draft::HIDDEN;
use super::error::{ImportError, ReadError};
use super::location::Location;
use super::process::Rows;
use super::{Layout, columns};
use crate::config::ImportConfig;

/// The maximum size of the rows that are kept for the person who corrects them, in bytes.
const MOST_KEPT: usize = 1024 * 1024;

/// The rows of a register with some lines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedRows {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows with their lines, as many cells as the header has.
    pub rows: Vec<(i64, Vec<String>)>,
}

impl RejectedRows {
    /// The cells of a line that contain a field, by the columns that were assigned to fields and in their order.
    pub fn cells<'a>(
        &'a self,
        line: i64,
        columns: &'a BTreeMap<String, String>,
        field: &str,
    ) -> Vec<(&'a str, &'a str)> {
        let (Some(assigned), Some((_, row))) =
            (columns.get(field), self.rows.iter().find(|(one, _)| *one == line))
        else {
            return Vec::new();
        };
        // A column can have the sign between several columns in its own name.
        let is_one = self.header.contains(assigned);
        let parts = assigned.split(|sign| sign == '+' && !is_one).map(str::trim);
        let cells = parts.flat_map(|part| self.header.iter().zip(row).filter(move |(name, _)| *name == part));
        cells.map(|(name, cell)| (name.as_str(), cell.as_str())).collect()
    }
}

/// Reads the rows with the given lines, as many as may be kept, without values that may be a national identity number.
pub fn rejected_rows(
    file: File,
    name: &str,
    config: &ImportConfig,
    layout: &Layout,
    lines: &BTreeSet<i64>,
) -> Result<RejectedRows, ImportError> {
    let location = Location {
        columns: layout.columns.iter().map(|(_, column)| column.clone()).collect(),
        ..layout.location.clone()
    };
    let mut rows = Rows::of(file, name, config, &location, &ProgressBar::hidden())?;
    let mut record = csv::StringRecord::new();
    if !rows.next(&mut record)? {
        return Err(ImportError::read(name, ReadError::Empty));
    }
    let header = columns::names_in(&record);
    let (mut found, mut bytes) = (Vec::new(), 0);
    while found.len() < lines.len() && rows.next(&mut record)? {
        let Some(line) = i64::try_from(rows.line()).ok().filter(|line| lines.contains(line)) else {
            continue;
        };
        let kept = |cell: &str| {
            // PostgreSQL's jsonb cannot store U+0000.
            let cell = cell.trim_start_matches(DATE).replace('\0', "");
            if is_national_number(&cell) { HIDDEN.to_owned() } else { cell }
        };
        let mut cells: Vec<String> = record.iter().map(kept).collect();
        cells.resize(header.len(), String::new());
        bytes += cells.iter().map(String::len).sum::<usize>();
        if bytes > MOST_KEPT {
            break;
        }
        found.push((line, cells));
    }
    Ok(RejectedRows { header, rows: found })
}
