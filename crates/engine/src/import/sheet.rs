//! A file of rows for a command, in any format of a register, with named columns in any order.

use std::path::Path;

use certvakt_base::Exit;
use certvakt_rules::normal::is_spreadsheet_error;
use csv::StringRecord;

use super::cells::{DATE, FAULT};
use super::process::Rows;
use super::source::Form;
use super::{ImportError, Location, ReadError};
use crate::config::ImportConfig;

/// A file of rows that a command cannot use.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ImportError),
    /// Its header has other columns than the command expects.
    #[error("{0}")]
    Columns(String),
}

impl SheetError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read(error) => error.code(),
            Self::Columns(_) => "file-unreadable",
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Read(error) => error.exit(),
            Self::Columns(_) => Exit::Input,
        }
    }
}

/// A file with these columns, of which the first is required.
pub struct Sheet<const N: usize> {
    rows: Rows,
    record: StringRecord,
    places: [Option<usize>; N],
    width: usize,
}

/// A row of the file.
pub struct Row<'a, const N: usize> {
    /// The first line of the row, from 1.
    pub line: u64,
    /// The fields by column; `None` for a blank.
    pub fields: [Option<&'a str>; N],
    /// The whole row.
    pub record: &'a StringRecord,
    /// The fault of the row, apart from the values of its fields.
    pub fault: Option<String>,
}

impl<const N: usize> Sheet<N> {
    /// Opens a file after reading it to its end, so that no row of an unreadable file has an effect.
    pub fn open(
        path: &Path,
        columns: [&str; N],
        config: &ImportConfig,
        progress: &indicatif::ProgressBar,
    ) -> Result<Self, SheetError> {
        let mut unread = Self::begin(path, columns, config, &indicatif::ProgressBar::hidden())?;
        while unread.next_row()?.is_some() {}
        Self::begin(path, columns, config, progress)
    }

    fn begin(
        path: &Path,
        columns: [&str; N],
        config: &ImportConfig,
        progress: &indicatif::ProgressBar,
    ) -> Result<Self, SheetError> {
        let location = Location { columns: vec![columns[0].to_owned()], ..Location::default() };
        let mut rows = Rows::open(path, config, &location, progress)?;
        let mut record = StringRecord::new();
        if !rows.next(&mut record)? {
            return Err(ImportError::read(&path.display().to_string(), ReadError::Empty).into());
        }
        let names: Vec<&str> = record.iter().map(str::trim).collect();
        if let Some(unknown) = names.iter().find(|name| !name.is_empty() && !columns.contains(name)) {
            return Err(SheetError::Columns(format!(
                "{} has an unknown column '{unknown}': rename it to one of {}, or remove it",
                path.display(),
                columns.join(", ")
            )));
        }
        let places = columns.map(|column| names.iter().position(|name| *name == column));
        if places.first().is_some_and(Option::is_none) {
            return Err(SheetError::Columns(format!(
                "{} has no column {}: add it",
                path.display(),
                columns[0]
            )));
        }
        let width = names.len();
        Ok(Self { rows, record, places, width })
    }

    /// Reads the next row, if there is one.
    pub fn next_row(&mut self) -> Result<Option<Row<'_, N>>, SheetError> {
        if !self.rows.next(&mut self.record)? {
            return Ok(None);
        }
        let record = &self.record;
        let form = self.rows.form();
        let fields = self.places.map(|place| {
            place.and_then(|place| record.get(place)).map(str::trim).filter(|text| !text.is_empty())
        });
        let fault = match form {
            // A workbook does not store blank cells at the end of a row.
            Form::Workbook => {
                fields.iter().flatten().find_map(|field| field.strip_prefix(FAULT)).map(str::to_owned)
            }
            Form::Text if record.len() == self.width => None,
            Form::Text => Some("it does not have as many fields as the header".to_owned()),
        };
        let is_error = fields.iter().flatten().any(|field| is_spreadsheet_error(field));
        let fault = fault.or_else(|| is_error.then(|| "it contains a spreadsheet error".to_owned()));
        let fields = fields.map(|field| match form {
            Form::Workbook => {
                field.filter(|text| !text.starts_with(FAULT)).map(|text| text.trim_start_matches(DATE))
            }
            Form::Text => field,
        });
        Ok(Some(Row { line: self.rows.line(), fields, record, fault }))
    }
}
