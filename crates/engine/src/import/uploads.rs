//! Checks and imports uploaded registers one after the other, while `serve` runs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::sync::Arc;
use std::time::Duration;

use certvakt_base::Exit;
use certvakt_base::clock::Clock;
use certvakt_store::import::{SamePerson, Source, Uploader};
use certvakt_store::undo::Undone;
use certvakt_store::upload::{self, Received, UndoRequest};
use certvakt_store::{Database, StoreError, mapping, organisation};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::draft::LONGEST_MAPPING;
use super::reading::{ReadingOptions, bounded};
use super::rejected_rows::rejected_rows;
use super::rejects::{MOST_INSPECTED, SHOWN};
use super::undo::{UndoError, undo};
use super::{ImportError, Layout, NewChapters, Options, Reject, import};
use crate::config::ImportConfig;

/// The name of an uploaded register in messages, in place of its file's name.
pub const REGISTER: &str = "register";
/// The maximum number of attempts to import a register.
const MOST_ATTEMPTS: i32 = 3;
/// The maximum number of certifications in the lists of an undo's result.
const LISTED: usize = 100;
/// The interval between two polls.
const POLL: Duration = Duration::from_secs(1);

/// An announcement of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The chapter of rows that name none.
    #[serde(default)]
    pub chapter_id: Option<Uuid>,
    /// The saved mapping that has the other options.
    pub mapping: Option<String>,
    /// The options for reading the register, in place of those of the mapping.
    pub options: ReadingOptions,
    /// Whether to import even if the whole file looks wrong (`import-held`).
    pub approve: bool,
    /// Whether to report the result and change nothing.
    pub dry_run: bool,
    /// Whether to create the chapters that rows name and the organisation does not have.
    #[serde(default)]
    pub add_chapters: bool,
    /// The name under which the options are saved as a mapping.
    #[serde(default)]
    pub save_as: Option<String>,
    /// The people of rows who are known people, although the register does not show it.
    #[serde(default)]
    pub same_people: Vec<SamePerson>,
}

impl Register {
    /// Checks the announcement. An error is one sentence about the fault.
    pub fn check(&self) -> Result<(), String> {
        self.options.check_bounds()?;
        if let Some(name) = &self.save_as {
            bounded(name, LONGEST_MAPPING, "a mapping's name")?;
        }
        match &self.mapping {
            // The options of the mapping are read when the register is imported.
            Some(name) => {
                bounded(name, LONGEST_MAPPING, "a mapping's name")?;
                self.options.layout().map(|_| ())
            }
            None => self.options.check(),
        }
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
    if let Some(request) = if next.is_none() { upload::next_undo(&mut tx).await? } else { None } {
        tx.commit().await?;
        take_back(database, &request).await?;
        return Ok(true);
    }
    // Count the attempt before reading, so that a register that crashes this process is not tried forever.
    tx.commit().await?;
    let Some(received) = next else { return Ok(false) };
    let Outcome { state, result, rejected } = take(database, clock, config, &received).await?;
    let mut tx = database.registrar().await?;
    if received.is_check {
        tracing::info!(state, "checked an uploaded register");
        upload::finish_check(&mut tx, received.id, &result, rejected.as_ref()).await?;
    } else {
        tracing::info!(state, "imported an uploaded register");
        upload::finish(&mut tx, received.id, state, &result, rejected.as_ref()).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// The outcome of an import or a check.
struct Outcome {
    state: &'static str,
    result: Value,
    /// The rejected rows.
    rejected: Option<Value>,
}

/// Undoes an import.
async fn take_back(database: &Database, request: &UndoRequest) -> Result<(), StoreError> {
    let failed = || {
        let detail = format!("the undo failed {MOST_ATTEMPTS} times: use `certvakt import undo`");
        Ok((false, json!({ "code": "internal", "detail": detail })))
    };
    let undone = if request.attempt > MOST_ATTEMPTS {
        failed()
    } else {
        outcome_of(undo(database, request.import_id, request.person_id, false).await)
    };
    let (is_undone, outcome) = undone?;
    tracing::info!(is_undone, "undid an import");
    let mut tx = database.registrar().await?;
    upload::finish_undo(&mut tx, request.import_id, is_undone, &outcome).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether an import was undone, and what to show; an error if it should be tried again.
fn outcome_of(undone: Result<Undone, UndoError>) -> Result<(bool, Value), StoreError> {
    match undone {
        Ok(undone) => {
            let shown = serde_json::to_value(undone.shortened(LISTED));
            Ok((true, shown.map_err(|error| StoreError::Other(error.to_string()))?))
        }
        Err(UndoError::Store(error)) if error.exit() == Exit::Database => Err(error),
        Err(error) => Ok((false, json!({ "code": error.code(), "detail": error.to_string() }))),
    }
}

/// The options for reading a register, and the header with which its mapping was saved.
async fn options_of(
    database: &Database,
    received: &Received,
    register: &Register,
    source: &Source,
) -> Result<(ReadingOptions, Vec<String>), StoreError> {
    let Some(name) = &register.mapping else { return Ok((register.options.clone(), Vec::new())) };
    let mut tx = database.registrar().await?;
    let organisation = organisation::id_of(&mut tx, &received.organisation).await?;
    let saved = mapping::named(&mut tx, organisation, source.owner(), name).await?;
    let options = ReadingOptions::of(&saved.name, &saved.options).map_err(StoreError::Other)?;
    Ok((register.options.clone().over(options), saved.header))
}

/// Imports or checks a register. Returns the result, or an error if it should be tried again.
async fn take(
    database: &Database,
    clock: &Clock,
    config: &ImportConfig,
    received: &Received,
) -> Result<Outcome, StoreError> {
    let refused = |code: &str, detail: String| {
        Ok(Outcome { state: "refused", result: json!({ "code": code, "detail": detail }), rejected: None })
    };
    if !received.is_entitled {
        let detail = "its sender no longer manages all of its chapters: upload it again".to_owned();
        return refused("import-not-yours", detail);
    }
    if received.attempt > MOST_ATTEMPTS {
        let detail = format!("the import failed {MOST_ATTEMPTS} times: use `certvakt import`");
        return refused("internal", detail);
    }
    let register: Register = match serde_json::from_value(received.options.clone()) {
        Ok(register) => register,
        Err(_) => {
            return refused("import-missing-field", "this version does not know its options".to_owned());
        }
    };
    let uploader = Uploader { person_id: received.person_id, chapters: received.limited_to.clone() };
    let source = Source::Upload(uploader);
    let (reading, header) = match options_of(database, received, &register, &source).await {
        Ok(found) => found,
        Err(StoreError::Unknown { what, name, hint }) => {
            let unknown = StoreError::Unknown { what, name, hint };
            return refused(unknown.code(), unknown.to_string());
        }
        Err(error) => return Err(error),
    };
    let (layout, missing) = match reading.check().and_then(|()| Ok((reading.layout()?, reading.missing()?))) {
        Ok(found) => found,
        Err(detail) => return refused("import-missing-field", detail),
    };
    // An unnamed file, which disappears even if this process crashes.
    let file = tempfile::tempfile().and_then(|mut file| file.write_all(&received.content).map(|()| file));
    let file = Arc::new(file.map_err(|error| no_room(&error))?);
    let options = Options {
        file: Arc::clone(&file),
        name: REGISTER.to_owned(),
        organisation: received.organisation.clone(),
        chapter: received.chapter.clone(),
        // A new chapter is at the top level, where no coordinator manages it.
        new_chapters: if register.add_chapters && received.limited_to.is_none() {
            NewChapters::Add
        } else {
            NewChapters::Reject
        },
        layout,
        missing,
        reading,
        header,
        save_as: register.save_as.filter(|_| !received.is_check),
        same_people: register.same_people,
        rejects: None,
        approve: register.approve,
        dry_run: register.dry_run || received.is_check,
        inspect: received.is_check,
        now: clock.now(),
        rejects_shown: if received.is_on_page { MOST_INSPECTED } else { SHOWN },
        source,
    };
    match import(database, config, &options, &indicatif::ProgressBar::hidden()).await {
        Ok(imported) => {
            let rejected = if received.is_on_page && !imported.rejects.is_empty() {
                Some(rejected_of(file, config, &options.layout, &imported.rejects).await?)
            } else {
                None
            };
            let result =
                serde_json::to_value(imported).map_err(|error| StoreError::Other(error.to_string()))?;
            Ok(Outcome { state: "imported", result, rejected })
        }
        Err(ImportError::Store(error)) if error.exit() == Exit::Database => Err(error),
        Err(error) => refused(error.code(), error.to_string()),
    }
}

/// The rejected rows as they are in the register.
async fn rejected_of(
    file: Arc<File>,
    config: &ImportConfig,
    layout: &Layout,
    rejects: &[Reject],
) -> Result<Value, StoreError> {
    let lines: BTreeSet<i64> = rejects.iter().map(|one| one.line).collect();
    let (config, layout) = (config.clone(), layout.clone());
    let reading = tokio::task::spawn_blocking(move || {
        let mut file = file.try_clone()?;
        file.rewind()?;
        Ok(rejected_rows(file, REGISTER, &config, &layout, &lines))
    });
    let read = reading.await.map_err(|error| StoreError::Other(error.to_string()))?;
    let rows =
        read.map_err(|error| no_room(&error))?.map_err(|error| StoreError::Other(error.to_string()))?;
    serde_json::to_value(rows).map_err(|error| StoreError::Other(error.to_string()))
}
