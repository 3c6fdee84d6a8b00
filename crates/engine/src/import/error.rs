//! Why an import fails.

use certvakt_base::Exit;
use certvakt_store::StoreError;
use serde::{Deserialize, Serialize};

use super::brake::Hold;
use super::names::Unknown;

/// The reason why a register cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read; contains the system's error.
    #[error("it cannot be read ({0}): check its path and permissions")]
    Unreadable(String),
    /// The file is neither text nor a workbook.
    #[error("it is neither text nor a workbook (XLSX, XLSB, ODS): export the register as CSV")]
    Binary,
    /// A line has a different encoding from the rest; contains the first such line.
    #[error("line {0} has a different encoding from the rest: save the register as UTF-8")]
    MixedEncodings(u64),
    /// The file has no header.
    #[error("it is empty: its first row must name the columns")]
    Empty,
    /// Every sheet of a workbook is hidden.
    #[error("every sheet of the workbook is hidden: unhide the sheet with the register")]
    Hidden,
    /// Several visible sheets have the named columns; contains their names.
    #[error("several sheets have these columns ({}): choose one with --sheet", .0.join(", "))]
    SeveralSheets(Vec<String>),
    /// The file has no such sheet; contains the names of its sheets, none if it is no workbook.
    #[error("{}", no_sheet(.0))]
    NoSheet(Vec<String>),
    /// The given row of the header does not exist or is empty; contains its line.
    #[error("line {0} is empty or does not exist: give the line of the column names with --header-row")]
    NoHeader(u64),
    /// A row is longer than the limit.
    #[error(
        "the row that starts in line {line} is longer than {limit} bytes: a quotation mark may be missing there (import.max_row_bytes)"
    )]
    RowTooLong {
        /// The first line of the row.
        line: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A quotation mark is never closed.
    #[error("the quotation mark in line {0} is not closed at the end of its field: close or remove it")]
    UnclosedQuote(u64),
    /// A workbook is larger than the limit.
    #[error(
        "it has {bytes} bytes, more than the limit of {limit} for a workbook: export it as CSV (import.max_xlsx_bytes)"
    )]
    TooLarge {
        /// The size in bytes.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Reading the file took more memory than the limit.
    #[error("reading it needs more memory than the limit: export it as CSV (import.max_memory_bytes)")]
    TooMuchMemory,
    /// Reading the file took more processor time than the limit.
    #[error("reading it takes longer than the limit for a file of its size: export it as CSV")]
    TooSlow,
    /// The process that reads the file ended early.
    #[error("the process that reads it failed: export the register as CSV, and report the file")]
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
            Self::SeveralSheets(_) => "import-several-sheets",
            Self::NoSheet(_) => "import-unknown-sheet",
            Self::NoHeader(_) => "import-no-header",
            Self::RowTooLong { .. } => "import-row-too-long",
            Self::UnclosedQuote(_) => "import-unclosed-quote",
            Self::TooLarge { .. } => "import-too-large",
            Self::TooMuchMemory => "import-too-much-memory",
            Self::TooSlow => "import-too-slow",
            Self::Broken => "import-broken",
        }
    }
}

/// The option that replaces a column.
fn or_option(field: &str) -> &'static str {
    match field {
        "chapter" => ", or --chapter",
        "type" => ", or --type",
        _ => "",
    }
}

/// Names the unknown values with the most rows.
fn unknown_values(unknown: &[Unknown]) -> String {
    if unknown.is_empty() {
        return String::new();
    }
    let values =
        unknown.iter().take(3).map(|one| format!("{} '{}' in {} rows", one.field, one.value, one.rows));
    format!(", with unknown values: {}", values.collect::<Vec<_>>().join(", "))
}

fn no_sheet(names: &[String]) -> String {
    if names.is_empty() {
        "it is not a workbook, so it has no sheets: leave out --sheet".to_owned()
    } else {
        format!("it has no such sheet, but {}: correct --sheet", names.join(", "))
    }
}

/// An error that stops an import.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("'{file}' was not imported: {error}")]
    Read {
        /// The file.
        file: String,
        /// The reason.
        error: ReadError,
    },
    /// A column is not in the header.
    #[error("the file has no column '{column}': {hint}")]
    UnknownColumn {
        /// The column, as given.
        column: String,
        /// The nearest column, or all of them.
        hint: String,
    },
    /// A required field has no column.
    #[error("no column is given for {field}: add --column {field}=\"…\"{or}", field = .0, or = or_option(.0))]
    MissingField(&'static str),
    /// A field has two columns.
    #[error("two columns are given for {0}: use --column {0}=\"…\" once")]
    FieldTwice(&'static str),
    /// The options contradict each other, or a saved mapping cannot be used; contains one sentence.
    #[error("{0}")]
    Options(String),
    /// The rejects file cannot be written.
    #[error("cannot write the rejects to '{file}' ({cause}): choose another file")]
    Rejects {
        /// The file.
        file: String,
        /// The system's error.
        cause: std::io::Error,
    },
    /// The whole file looks wrong.
    #[error(
        "'{file}' was not imported, because {hold}{}: {}, or use --approve if the file is right",
        unknown_values(unknown),
        hold.advice()
    )]
    Held {
        /// The file.
        file: String,
        /// The rule that holds it.
        hold: Hold,
        /// The values of the most rows that name no chapter or type.
        unknown: Vec<Unknown>,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ImportError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read { error, .. } => error.code(),
            Self::FieldTwice(_) => "import-field-twice",
            Self::Options(_) => "import-options",
            Self::UnknownColumn { .. } => "import-unknown-column",
            Self::MissingField(_) => "import-missing-field",
            Self::Rejects { .. } => "import-rejects",
            Self::Held { .. } => "import-held",
            Self::Store(error) => error.code(),
        }
    }

    /// Whether the file can be read, and only the place of its table is unknown: its sheet, or the line of its header.
    pub const fn is_about_place(&self) -> bool {
        matches!(
            self,
            Self::Read {
                error: ReadError::SeveralSheets(_) | ReadError::NoSheet(_) | ReadError::NoHeader(_),
                ..
            }
        )
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::UnknownColumn { .. }
            | Self::MissingField(_)
            | Self::FieldTwice(_)
            | Self::Options(_)
            | Self::Rejects { .. } => Exit::Usage,
            Self::Store(error) => error.exit(),
            Self::Held { .. } => Exit::Held,
            Self::Read { .. } => Exit::Input,
        }
    }

    /// Adds to an unknown column which columns are new since the mapping was saved.
    pub(super) fn with_new(self, added: &[String]) -> Self {
        match self {
            Self::UnknownColumn { column, hint } if !added.is_empty() => {
                let hint = format!("{hint}; new since the mapping was saved: {}", added.join(", "));
                Self::UnknownColumn { column, hint }
            }
            other => other,
        }
    }

    pub(super) fn read(file: &str, error: ReadError) -> Self {
        Self::Read { file: file.to_owned(), error }
    }
}
