//! The import of a register: reads the file as a stream, checks each row, and merges the rows with set-based
//! statements, in one transaction for the whole file.

mod brake;
mod cells;
pub mod dates;
mod error;
#[cfg(test)]
mod fuzz;
pub mod guess;
pub mod location;
mod months;
mod never;
mod number_format;
mod ods;
mod parts;
pub mod process;
mod row;
pub mod sheet;
mod sheets;
mod sniff;
mod source;
mod times;
pub mod uploads;
mod workbook;
mod xlsb;

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use certvakt_rules::calendar::today;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::mpsc;
use uuid::Uuid;

pub use brake::Hold;
pub use dates::DateFormat;
pub use error::{ImportError, ReadError};
pub use location::Location;
pub use row::{Field, InstantDay, Mapping};

use certvakt_base::private;
use certvakt_base::suggest::nearest;
use certvakt_rules::text::csv_cell;
use certvakt_store::import::{self as staging, Counts, DatesAre, Target};
use certvakt_store::{Database, organisation};

use crate::config::ImportConfig;

use cells::DATE;
use never::Never;
use process::Rows;

/// The size in bytes of the chunks of rows sent to the database.
const CHUNK_BYTES: usize = 128 * 1024;
/// The maximum number of chunks that wait for the database, which bounds the memory.
const CHUNKS_WAITING: usize = 4;
/// The number of rejected rows in the result.
const REJECTS_SHOWN: usize = 10;
/// The maximum number of header names in an error about an unknown column, and of characters of each.
const NAMES_SHOWN: usize = 30;
const NAME_SHOWN: usize = 60;

/// The options for reading a register's file.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The column of each field.
    pub columns: Vec<(Field, String)>,
    /// Where the table is in the file. Its columns are those of the fields.
    pub location: Location,
    /// The formats of ambiguous dates.
    pub date_formats: Vec<DateFormat>,
    /// The values of the status column that mean active.
    pub active_status: Vec<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset; `None` to reject it.
    pub instant_day: Option<InstantDay>,
    /// Whether a changed date is a renewal or a correction; `None` if a later date is a renewal, and an
    /// earlier one a correction.
    pub dates_are: Option<DatesAre>,
    /// Whether a blank expiry means that the certification does not expire.
    pub blank_never_expires: bool,
    /// The values of the expiry that mean that the certification does not expire.
    pub never: Vec<String>,
}

/// The options of an import.
#[derive(Debug, Clone)]
pub struct Options {
    /// The register.
    pub file: Arc<File>,
    /// The file's name in errors.
    pub name: String,
    /// The organisation's slug.
    pub organisation: String,
    /// The chapter's slug.
    pub chapter: String,
    /// The type's code.
    pub certification_type: String,
    /// The options for reading the file.
    pub layout: Layout,
    /// The file for rejected rows.
    pub rejects: Option<PathBuf>,
    /// Import even if the whole file looks wrong.
    pub approve: bool,
    /// Roll everything back at the end.
    pub dry_run: bool,
    /// The current time.
    pub now: DateTime<Utc>,
    /// Whether it was uploaded through the API, not started by an operator.
    pub came_by_api: bool,
    /// The person who uploaded it.
    pub actor: Option<Uuid>,
}

/// The result of an import. `read = added + updated + unchanged + rejected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// The numbers of rows by outcome.
    #[serde(flatten)]
    pub counts: Counts,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// In a dry run: why the import would be held without approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The first rejected rows.
    pub rejects: Vec<Reject>,
}

/// A rejected row or contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Its line in the file, from 1.
    pub line: i64,
    /// The field at fault.
    pub column: String,
    /// The reason, which never contains a value.
    pub reason: String,
    /// Whether the rest of the row was imported: an invalid contact does not reject the row.
    pub is_row_imported: bool,
}

/// Imports a register.
pub async fn import(
    database: &Database,
    config: &ImportConfig,
    options: &Options,
    progress: &indicatif::ProgressBar,
) -> Result<Imported, ImportError> {
    for field in [Field::ExternalId, Field::ExpiresAt] {
        if !options.layout.columns.iter().any(|(mapped, _)| *mapped == field) {
            return Err(ImportError::MissingField(field.as_str()));
        }
    }
    for (at, (field, _)) in options.layout.columns.iter().enumerate() {
        if options.layout.columns[..at].iter().any(|(before, _)| before == field) {
            return Err(ImportError::FieldTwice(field.as_str()));
        }
    }
    let rejects_file =
        options.rejects.as_deref().map(|file| open_rejects(file, &options.file)).transpose()?;
    let mut tx = database.registrar().await?;
    let organisation_id = organisation::id_of(&mut tx, &options.organisation).await?;
    let target = Target {
        organisation_id,
        chapter_id: organisation::chapter_id(&mut tx, organisation_id, &options.chapter).await?,
        certification_type: options.certification_type.clone(),
        dates_are: options.layout.dates_are,
        came_by_api: options.came_by_api,
        actor: options.actor,
    };
    organisation::check_type(&mut tx, organisation_id, &options.certification_type).await?;
    let zone = organisation::zone_of(&mut tx, organisation_id).await?;

    staging::prepare(&mut tx).await?;
    let (sender, receiver) = mpsc::channel::<Vec<u8>>(CHUNKS_WAITING);
    let (read_options, read_config, bar) = (options.clone(), config.clone(), progress.clone());
    let reading = tokio::task::spawn_blocking(move || read(&read_options, &read_config, zone, &bar, &sender));
    // Each task ends if the other fails: a closed channel stops the reader, and the end of the channel stops
    // the copy.
    let copied = staging::copy(&mut tx, receiver).await;
    let read = reading.await.map_err(|_| ImportError::read(&options.name, ReadError::Broken))?;
    match (read, copied) {
        (Err(error), _) => return Err(error),
        (Ok(()), copied) => copied?,
    }
    progress.set_message("merging");
    staging::match_rows(&mut tx, &target).await?;
    let rejects = write_rejects(&mut tx, options, rejects_file).await?;
    let hold = if options.approve { None } else { Hold::of(&mut tx, zone, config).await? };
    if let Some(hold) = hold.as_ref().filter(|_| !options.dry_run) {
        return Err(ImportError::Held { file: options.name.clone(), hold: hold.clone() });
    }
    let counts = staging::merge(&mut tx, &target).await?;
    let imported = Imported { counts, dry_run: options.dry_run, hold, rejects };
    if options.dry_run {
        tx.rollback().await?;
    } else {
        staging::record(&mut tx, &target, &imported.counts).await?;
        tx.commit().await?;
    }
    Ok(imported)
}

/// Reads and checks every row, and sends it on in COPY's text format.
fn read(
    options: &Options,
    config: &ImportConfig,
    zone: chrono_tz::Tz,
    progress: &indicatif::ProgressBar,
    sender: &mpsc::Sender<Vec<u8>>,
) -> Result<(), ImportError> {
    let file = options.file.try_clone();
    let file =
        file.map_err(|cause| ImportError::read(&options.name, ReadError::Unreadable(cause.to_string())))?;
    let location = Location {
        columns: options.layout.columns.iter().map(|(_, column)| column.clone()).collect(),
        ..options.layout.location.clone()
    };
    let mut rows = Rows::of(file, &options.name, config, &location, progress)?;
    let mut record = csv::StringRecord::new();
    if !rows.next(&mut record)? {
        return Err(ImportError::read(&options.name, ReadError::Empty));
    }
    let mapping = Mapping {
        columns: places(&options.layout.columns, &record)?,
        date_formats: options.layout.date_formats.clone(),
        active_status: options
            .layout
            .active_status
            .iter()
            .map(|status| certvakt_rules::normal::fold(status))
            .collect(),
        instant_day: options.layout.instant_day,
        blank_never_expires: options.layout.blank_never_expires,
        never: Never::new(&options.layout.never, &options.layout.date_formats),
        width: record.len(),
        zone,
        today: today(options.now, zone),
    };
    let mut chunk = Vec::with_capacity(CHUNK_BYTES + 4096);
    while rows.next(&mut record)? {
        row::append(&mut chunk, &rows, &mapping, &record);
        if chunk.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES + 4096));
            if sender.blocking_send(full).is_err() {
                return Ok(());
            }
        }
    }
    let _ = sender.blocking_send(chunk);
    Ok(())
}

/// The position of each mapped column in the header.
fn places(
    columns: &[(Field, String)],
    header: &csv::StringRecord,
) -> Result<Vec<(Field, usize)>, ImportError> {
    columns
        .iter()
        .map(|(field, column)| {
            let mut at = header
                .iter()
                .enumerate()
                .filter(|(_, name)| name.trim_start_matches(DATE).trim() == column.trim());
            match (at.next(), at.next()) {
                (Some((place, _)), None) => Ok((*field, place)),
                (Some(_), Some(_)) => Err(ImportError::UnknownColumn {
                    column: column.clone(),
                    hint: "the header contains it twice; rename one of them".to_owned(),
                }),
                (None, _) => Err(ImportError::UnknownColumn {
                    column: column.clone(),
                    hint: match nearest(column, header.iter()) {
                        Some(near) => format!("did you mean '{near}'?"),
                        None => format!("it has {}", shown(header)),
                    },
                }),
            }
        })
        .collect()
}

/// The header's names, for an error.
fn shown(header: &csv::StringRecord) -> String {
    let mut names: Vec<String> =
        header.iter().take(NAMES_SHOWN).map(|name| name.chars().take(NAME_SHOWN).collect()).collect();
    if header.len() > NAMES_SHOWN {
        names.push(format!("and {} more", header.len() - NAMES_SHOWN));
    }
    names.join(", ")
}

/// Opens the file for rejects before the import, so that the import does not fail at its end. The file keeps
/// its content until it is replaced.
fn open_rejects(file: &Path, register: &File) -> Result<File, ImportError> {
    let failed = |cause| ImportError::Rejects { file: file.display().to_string(), cause };
    let opened = private::open(File::options().truncate(false).write(true), file).map_err(failed)?;
    let place = |found: std::fs::Metadata| (found.dev(), found.ino());
    let is_register = register
        .metadata()
        .is_ok_and(|found| opened.metadata().is_ok_and(|rejects| place(rejects) == place(found)));
    if is_register {
        return Err(failed(std::io::Error::other("it is the register itself")));
    }
    Ok(opened)
}

/// Writes all rejected rows to the file, and returns the first ones.
async fn write_rejects(
    tx: &mut certvakt_store::RegistrarTx,
    options: &Options,
    file: Option<File>,
) -> Result<Vec<Reject>, ImportError> {
    let failed = |cause: std::io::Error| ImportError::Rejects {
        file: options.rejects.as_ref().map(|file| file.display().to_string()).unwrap_or_default(),
        cause,
    };
    if let Some(file) = &file {
        file.set_len(0).map_err(failed)?;
    }
    let mut writer = file.map(csv::Writer::from_writer);
    if let Some(writer) = &mut writer {
        writer
            .write_record(["line", "column", "reason", "external_id", "row_imported"])
            .map_err(|error| failed(error.into()))?;
    }
    let mut first = Vec::new();
    let mut after = (0, String::new());
    loop {
        let page = staging::rejects(tx, after.0, &after.1).await?;
        let Some(last) = page.last() else { break };
        after = (last.line, last.column.clone());
        for reject in page {
            if let Some(writer) = &mut writer {
                let line = reject.line.to_string();
                let id = reject.external_id.as_deref().unwrap_or_default();
                let is_imported = if reject.is_row_imported { "yes" } else { "no" };
                writer
                    .write_record([
                        line.as_str(),
                        &reject.column,
                        &csv_cell(&reject.reason),
                        &csv_cell(id),
                        is_imported,
                    ])
                    .map_err(|error| failed(error.into()))?;
            }
            if first.len() < REJECTS_SHOWN {
                first.push(Reject {
                    line: reject.line,
                    column: reject.column,
                    reason: reject.reason,
                    is_row_imported: reject.is_row_imported,
                });
            }
        }
        if writer.is_none() && first.len() >= REJECTS_SHOWN {
            break;
        }
    }
    if let Some(writer) = writer {
        let mut file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
        file.flush().map_err(failed)?;
    }
    Ok(first)
}
