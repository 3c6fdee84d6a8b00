//! The rejected rows of a register as they are in the file, for the person who corrects them.

use std::collections::BTreeSet;
use std::fs::File;

use indicatif::ProgressBar;

use super::cells::DATE;
use super::error::{ImportError, ReadError};
use super::location::Location;
use super::process::Rows;
use super::{Layout, columns};
use crate::config::ImportConfig;

/// The rows of a register with some lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRows {
    /// The names of the columns.
    pub header: Vec<String>,
    /// The rows with their lines, as many cells as the header has.
    pub rows: Vec<(i64, Vec<String>)>,
}

/// Reads the rows with the given lines.
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
    let mut found = Vec::new();
    while found.len() < lines.len() && rows.next(&mut record)? {
        let Some(line) = i64::try_from(rows.line()).ok().filter(|line| lines.contains(line)) else {
            continue;
        };
        let mut cells: Vec<String> =
            record.iter().map(|cell| cell.trim_start_matches(DATE).to_owned()).collect();
        cells.resize(header.len(), String::new());
        found.push((line, cells));
    }
    Ok(RejectedRows { header, rows: found })
}
