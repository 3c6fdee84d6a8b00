//! Imports uploaded registers one after the other, while `serve` runs.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use certvakt_base::Exit;
use certvakt_base::clock::Clock;
use certvakt_rules::text::is_plain;
use certvakt_store::import::{DatesAre, Source};
use certvakt_store::upload::{self, Received};
use certvakt_store::{Database, StoreError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    DateFormat, Field, ImportError, InstantDay, Layout, Location, Missing, MissingChange, NewChapters,
    Options, import, location,
};
use crate::config::ImportConfig;

/// The maximum length of a type's code, in characters.
const LONGEST_TYPE: usize = 63;
/// The maximum length of a column's name and of a value of the status column, in characters: that of a field.
const LONGEST_NAME: usize = 200;
/// The maximum length of a date format, in characters.
const LONGEST_FORMAT: usize = 40;
/// The maximum number of date formats.
const MOST_FORMATS: usize = 20;
const MOST_STATUSES: usize = 50;
/// The last line that can contain the column names: the last row of an XLSX sheet.
const LAST_HEADER_ROW: u64 = 1_048_576;
/// The maximum number of attempts to import a register.
const MOST_ATTEMPTS: i32 = 3;
/// The interval between two polls.
const POLL: Duration = Duration::from_secs(1);

/// An announcement of an import, with the options for reading the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the members of a JSON object")]
pub struct Register {
    /// The chapter of rows that name none.
    pub chapter_id: Uuid,
    /// The code of the type of rows that name none.
    #[serde(rename = "type")]
    pub certification_type: Option<String>,
    /// The column of each field.
    pub columns: BTreeMap<String, String>,
    /// The formats of ambiguous dates, such as `MM/DD/YYYY`.
    #[serde(default)]
    pub date_formats: Vec<String>,
    /// The values of the status column that mean active; defaults to `active`.
    #[serde(default)]
    pub active_status: Vec<String>,
    /// How to treat changed dates: as `renewals` or as `corrections`. By default, a later date is a renewal,
    /// and an earlier one is a correction.
    pub dates_are: Option<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset: `local` or `written`. By default, its row is rejected.
    pub instant_day: Option<String>,
    /// Whether a blank expiry date means that the certification does not expire. By default, its row is
    /// rejected.
    #[serde(default)]
    pub blank_never_expires: bool,
    /// The values of the expiry date that mean that the certification does not expire.
    #[serde(default)]
    pub never: Vec<String>,
    /// The sheet of a workbook: its name, or its number from 1. By default, the only visible sheet with the
    /// columns.
    pub sheet: Option<String>,
    /// The line of the column names, from 1. By default, the first of 20 rows that has all columns.
    pub header_row: Option<u64>,
    /// The separator of a text file's fields; by default, it is detected.
    pub separator: Option<String>,
    /// The encoding of a text file; by default, it is detected.
    pub encoding: Option<String>,
    /// Whether a person has one certification of each type, so that a new one replaces the old one.
    #[serde(default)]
    pub one_per_type: bool,
    /// What happens to certifications that are missing from the register: `report`, `suspend` or `withdraw`.
    pub missing: Option<String>,
    /// Whether to suspend or withdraw them even if rows are rejected.
    #[serde(default)]
    pub missing_despite_rejects: bool,
    /// Whether to import even if the whole file looks wrong (`import-held`).
    #[serde(default)]
    pub approve: bool,
    /// Whether to report the result and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

impl Register {
    /// Checks the announcement. An error is one sentence about the fault.
    pub fn check(&self) -> Result<(), String> {
        for field in [Field::ExternalId, Field::ExpiresAt] {
            if !self.columns.contains_key(field.as_str()) {
                return Err(format!("no column is given for {}", field.as_str()));
            }
        }
        match &self.certification_type {
            None if !self.columns.contains_key(Field::Type.as_str()) => {
                return Err("no type is given, and no column for it".to_owned());
            }
            Some(code) if !(1..=LONGEST_TYPE).contains(&code.chars().count()) => {
                return Err(format!("a type's code must have 1 to {LONGEST_TYPE} characters"));
            }
            _ => {}
        }
        if self.one_per_type && !self.columns.contains_key(Field::PersonId.as_str()) {
            return Err("one_per_type needs a column for person_id".to_owned());
        }
        self.missing()?;
        self.layout().map(|_| ())
    }

    fn missing(&self) -> Result<Missing, String> {
        let change = match self.missing.as_deref() {
            None | Some("report") => MissingChange::Report,
            Some("suspend") => MissingChange::Suspend,
            Some("withdraw") => MissingChange::Withdraw,
            Some(_) => return Err("missing must be report, suspend or withdraw".to_owned()),
        };
        Ok(Missing { change, despite_rejects: self.missing_despite_rejects })
    }

    /// The options for reading the file.
    fn layout(&self) -> Result<Layout, String> {
        let columns = self.columns.iter().map(|(field, column)| {
            let field: Field = field.parse()?;
            bounded(column, LONGEST_NAME, "a column's name")?;
            Ok((field, column.clone()))
        });
        let dates_are = match self.dates_are.as_deref() {
            None => None,
            Some("renewals") => Some(DatesAre::Renewals),
            Some("corrections") => Some(DatesAre::Corrections),
            Some(_) => return Err("dates_are must be renewals or corrections".to_owned()),
        };
        let instant_day = match self.instant_day.as_deref() {
            None => None,
            Some("local") => Some(InstantDay::Local),
            Some("written") => Some(InstantDay::Written),
            Some(_) => return Err("instant_day must be local or written".to_owned()),
        };
        if self.date_formats.len() > MOST_FORMATS {
            return Err(format!("there can be at most {MOST_FORMATS} date_formats"));
        }
        let date_formats = self.date_formats.iter().map(|form| {
            bounded(form, LONGEST_FORMAT, "a date format")?;
            form.parse::<DateFormat>()
        });
        if self.active_status.len() > MOST_STATUSES {
            return Err(format!("there can be at most {MOST_STATUSES} values of active_status"));
        }
        for status in &self.active_status {
            bounded(status, LONGEST_NAME, "a value of active_status")?;
        }
        if self.never.len() > MOST_STATUSES {
            return Err(format!("there can be at most {MOST_STATUSES} values of never"));
        }
        for value in &self.never {
            bounded(value, LONGEST_NAME, "a value of never")?;
        }
        let active_status = if self.active_status.is_empty() {
            vec!["active".to_owned()]
        } else {
            self.active_status.clone()
        };
        Ok(Layout {
            columns: columns.collect::<Result<_, String>>()?,
            date_formats: date_formats.collect::<Result<_, String>>()?,
            active_status,
            instant_day,
            dates_are,
            blank_never_expires: self.blank_never_expires,
            never: self.never.clone(),
            location: self.location()?,
        })
    }

    /// Where the table is in the file.
    fn location(&self) -> Result<Location, String> {
        if let Some(sheet) = &self.sheet {
            bounded(sheet, LONGEST_NAME, "a sheet's name")?;
        }
        if self.header_row.is_some_and(|line| !(1..=LAST_HEADER_ROW).contains(&line)) {
            return Err(format!("header_row must be a line from 1 to {LAST_HEADER_ROW}"));
        }
        Ok(Location {
            columns: Vec::new(),
            sheet: self.sheet.clone(),
            header_row: self.header_row,
            separator: self.separator.as_deref().map(location::separator).transpose()?,
            encoding: self.encoding.as_deref().map(location::encoding).transpose()?,
        })
    }
}

/// Rejects a text that is longer than `longest` characters or contains control characters.
fn bounded(text: &str, longest: usize, what: &str) -> Result<(), String> {
    if !is_plain(text) {
        Err(format!("{what} must not contain control characters"))
    } else if text.chars().count() <= longest {
        Ok(())
    } else {
        Err(format!("{what} must have at most {longest} characters"))
    }
}

/// Imports uploaded registers until shutdown.
pub async fn run(
    database: &Database,
    clock: &Clock,
    config: &ImportConfig,
    mut ending: watch::Receiver<bool>,
) {
    while !*ending.borrow() {
        match take_next(database, clock, config).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(code = error.code(), "could not import an uploaded register: {error}");
            }
        }
        let _ = tokio::time::timeout(POLL, ending.wait_for(|ending| *ending)).await;
    }
}

/// The error for a temporary file that could not be written or read.
pub fn no_room(error: &io::Error) -> StoreError {
    StoreError::Other(format!("no disk space for an uploaded register ({})", error.kind()))
}

async fn take_next(database: &Database, clock: &Clock, config: &ImportConfig) -> Result<bool, StoreError> {
    let mut tx = database.registrar().await?;
    let next = upload::next(&mut tx).await?;
    if next.is_none() {
        upload::delete_old(&mut tx).await?;
    }
    // Count the attempt before reading, so that a register that crashes this process is not tried forever.
    tx.commit().await?;
    let Some(received) = next else { return Ok(false) };
    let (state, result) = take(database, clock, config, &received).await?;
    tracing::info!(state, "imported an uploaded register");
    let mut tx = database.registrar().await?;
    upload::finish(&mut tx, received.id, state, &result).await?;
    tx.commit().await?;
    Ok(true)
}

/// Imports a register. Returns the result, or an error if it should be tried again.
async fn take(
    database: &Database,
    clock: &Clock,
    config: &ImportConfig,
    received: &Received,
) -> Result<(&'static str, Value), StoreError> {
    let refused = |code: &str, detail: String| Ok(("refused", json!({ "code": code, "detail": detail })));
    if received.attempt > MOST_ATTEMPTS {
        let detail = format!("the import failed {MOST_ATTEMPTS} times: use `certvakt import`");
        return refused("internal", detail);
    }
    let register = serde_json::from_value(received.options.clone())
        .map_err(|_| "this version does not know its options".to_owned())
        .and_then(|register: Register| Ok((register.layout()?, register.missing()?, register)));
    let (layout, missing, register) = match register {
        Ok(register) => register,
        Err(detail) => return refused("import-missing-field", detail),
    };
    // An unnamed file, which disappears even if this process crashes.
    let file = tempfile::tempfile().and_then(|mut file| file.write_all(&received.content).map(|()| file));
    let file = file.map_err(|error| no_room(&error))?;
    let options = Options {
        file: Arc::new(file),
        name: "register".to_owned(),
        organisation: received.organisation.clone(),
        chapter: Some(received.chapter.clone()),
        certification_type: register.certification_type,
        new_chapters: NewChapters::Reject,
        one_per_type: register.one_per_type,
        missing,
        layout,
        rejects: None,
        approve: register.approve,
        dry_run: register.dry_run,
        now: clock.now(),
        source: Source::Upload(received.person_id),
    };
    match import(database, config, &options, &indicatif::ProgressBar::hidden()).await {
        Ok(imported) => {
            let result =
                serde_json::to_value(imported).map_err(|error| StoreError::Other(error.to_string()))?;
            Ok(("imported", result))
        }
        Err(ImportError::Store(error)) if error.exit() == Exit::Database => Err(error),
        Err(error) => refused(error.code(), error.to_string()),
    }
}
