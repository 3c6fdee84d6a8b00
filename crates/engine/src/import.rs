//! The import of a register: reads the file as a stream, checks each row, and merges the rows with set-based
//! statements, in one transaction for the whole file.

mod brake;
mod cells;
mod changes;
mod columns;
pub mod dates;
pub mod draft;
mod error;
mod fault;
mod field;
#[cfg(test)]
mod fuzz;
pub mod guess;
mod header_names;
mod layout;
pub mod location;
mod mapping;
pub mod missing;
mod months;
pub mod names;
mod never;
mod number_format;
mod ods;
mod parts;
pub mod process;
pub mod reading;
pub mod rejected_rows;
mod rejects;
mod row;
pub mod sheet;
mod sheets;
mod sniff;
mod source;
mod times;
pub mod undo;
pub mod uploads;
mod values;
mod workbook;
mod xlsb;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use certvakt_rules::calendar::today;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::mpsc;

pub use brake::Hold;
pub use changes::Changes;
pub use columns::ChangedColumns;
pub use dates::DateFormat;
pub use error::{ImportError, ReadError};
pub use field::Field;
pub use layout::Layout;
pub use location::Location;
pub use mapping::InstantDay;
pub use missing::{Missing, MissingCertifications, MissingChange};
pub use names::Unknown;
pub use never::SharedValue;
pub use reading::ReadingOptions;
pub use rejects::{Reject, SHOWN as REJECTS_SHOWN};

use certvakt_store::import::{self as staging, Counts, Done, PersonBy, SamePerson, Source, Target};
use certvakt_store::{Database, RegistrarTx, mapping as store_mapping, organisation};

use crate::config::ImportConfig;

use mapping::Mapping;
use names::Names;
use never::{Never, Unread};
use process::Rows;

/// The size in bytes of the chunks of rows sent to the database.
const CHUNK_BYTES: usize = 128 * 1024;
/// The maximum number of chunks that wait for the database, which bounds the memory.
const CHUNKS_WAITING: usize = 4;

/// The options of an import.
#[derive(Debug, Clone)]
pub struct Options {
    /// The register.
    pub file: Arc<File>,
    /// The file's name in errors.
    pub name: String,
    /// The organisation's slug.
    pub organisation: String,
    /// The slug of the chapter of rows that name none.
    pub chapter: Option<String>,
    /// Which chapters to create.
    pub new_chapters: NewChapters,
    /// The options for reading the file, as they were given.
    pub reading: ReadingOptions,
    /// The same, parsed.
    pub layout: Layout,
    /// What happens to certifications that are missing from the file.
    pub missing: Missing,
    /// The header of the file when the mapping was saved; empty if it is not known.
    pub header: Vec<String>,
    /// The name of the mapping to save.
    pub save_as: Option<String>,
    /// The file for rejected rows.
    pub rejects: Option<PathBuf>,
    /// Import even if the whole file looks wrong.
    pub approve: bool,
    /// Roll everything back at the end.
    pub dry_run: bool,
    /// Report what would change in each row; only in a dry run.
    pub inspect: bool,
    /// The maximum number of rejected rows in the result.
    pub rejects_shown: usize,
    /// The people of rows who are known people, although the register does not show it.
    pub same_people: Vec<SamePerson>,
    /// The current time.
    pub now: DateTime<Utc>,
    /// Who imports it.
    pub source: Source,
}

/// Which chapters an import creates, of those that its rows name and the organisation does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NewChapters {
    /// None: their rows are rejected.
    #[default]
    Reject,
    /// All of them, at the top level.
    Add,
    /// All of them, below the chapter with this slug.
    AddUnder(String),
}

/// The result of an import. `read = added + updated + unchanged + duplicate + rejected`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// The number under which it can be undone; `None` for a dry run.
    #[serde(rename = "import", skip_serializing_if = "Option::is_none")]
    pub id: Option<i64>,
    /// The numbers of rows by outcome.
    #[serde(flatten)]
    pub counts: Counts,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// In a dry run: why the import would be held without approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// The values of the most rows that name no chapter or type of the organisation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<Unknown>,
    /// The values of the expiry that could not be read and that many rows share. They may mean that the certification
    /// does not expire.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared_expiries: Vec<SharedValue>,
    /// The chapters that were created.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new_chapters: Vec<staging::NewChapter>,
    /// The certifications of its chapters and types that are missing from the file.
    pub missing: MissingCertifications,
    /// The columns that are not those of the saved mapping.
    #[serde(skip_serializing_if = "ChangedColumns::is_empty")]
    pub changed_columns: ChangedColumns,
    /// The first rejected rows.
    pub rejects: Vec<Reject>,
    /// What would change, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
}

impl Options {
    /// Checks that each required field has a column, and that a chapter and a type are known for every row.
    fn check(&self) -> Result<(), ImportError> {
        let mut required = vec![Field::ExternalId, Field::ExpiresAt];
        if self.reading.one_per_type {
            required.push(Field::PersonId);
        }
        if self.chapter.is_none() {
            required.push(Field::Chapter);
        }
        if self.reading.certification_type.is_none() {
            required.push(Field::Type);
        }
        if let Some(missing) = required.into_iter().find(|field| !self.layout.has(*field)) {
            return Err(ImportError::MissingField(missing.as_str()));
        }
        Ok(())
    }

    /// The target in the database.
    async fn target(&self, tx: &mut RegistrarTx) -> Result<Target, ImportError> {
        let organisation_id = organisation::id_of(tx, &self.organisation).await?;
        let chapter_id = match &self.chapter {
            Some(chapter) => Some(organisation::chapter_id(tx, organisation_id, chapter).await?),
            None => None,
        };
        if let Some(code) = &self.reading.certification_type {
            organisation::check_type(tx, organisation_id, code).await?;
        }
        let person_by = if self.layout.has(Field::PersonId) {
            PersonBy::PersonId
        } else if self.layout.has(Field::Type) {
            PersonBy::SharedId
        } else {
            PersonBy::CertificationId
        };
        Ok(Target {
            organisation_id,
            chapter_id,
            certification_type: self.reading.certification_type.clone(),
            person_by,
            has_more: self.layout.has_more(),
            names_rows: self.layout.has(Field::Chapter) || self.layout.has(Field::Type),
            names_replaced: self.layout.has(Field::Replaces),
            one_per_type: self.reading.one_per_type,
            dates_are: self.layout.dates_are,
            same_people: self.same_people.clone(),
            source: self.source.clone(),
        })
    }

    /// What the reader knows of the organisation.
    async fn known(&self, tx: &mut RegistrarTx, target: &Target) -> Result<Known, ImportError> {
        let id = target.organisation_id;
        if self.new_chapters != NewChapters::Reject {
            // Another import could create the same chapters.
            staging::lock(tx, id).await?;
        }
        let chapters = if self.layout.has(Field::Chapter) {
            let names = Names::chapters(
                organisation::chapters(tx, id).await?,
                self.new_chapters != NewChapters::Reject,
            );
            Some(names.with_default(target.chapter_id.is_some()))
        } else {
            None
        };
        let types = if self.layout.has(Field::Type) {
            let names = Names::types(organisation::types(tx, id).await?);
            Some(names.with_default(target.certification_type.is_some()))
        } else {
            None
        };
        Ok(Known { zone: organisation::zone_of(tx, id).await?, chapters, types })
    }
}

/// Imports a register.
pub async fn import(
    database: &Database,
    config: &ImportConfig,
    options: &Options,
    progress: &indicatif::ProgressBar,
) -> Result<Imported, ImportError> {
    options.check()?;
    let rejects_file =
        options.rejects.as_deref().map(|file| rejects::open(file, &options.file)).transpose()?;
    let mut tx = database.registrar().await?;
    let target = options.target(&mut tx).await?;
    let known = options.known(&mut tx, &target).await?;
    let zone = known.zone;
    let parent_id = match &options.new_chapters {
        NewChapters::AddUnder(slug) => {
            Some(organisation::chapter_id(&mut tx, target.organisation_id, slug).await?)
        }
        NewChapters::Reject | NewChapters::Add => None,
    };

    staging::prepare(&mut tx).await?;
    let (sender, receiver) = mpsc::channel::<Vec<u8>>(CHUNKS_WAITING);
    let (read_options, read_config, bar) = (options.clone(), config.clone(), progress.clone());
    let has_more = target.has_more;
    let reading =
        tokio::task::spawn_blocking(move || read(&read_options, &read_config, known, &bar, &sender));
    // Each task ends if the other fails: a closed channel stops the reader, and the end of the channel stops
    // the copy.
    let copied = staging::copy(&mut tx, receiver, has_more).await;
    let read = reading.await.map_err(|_| ImportError::read(&options.name, ReadError::Broken))?;
    let found = match (read, copied) {
        (Err(error), _) => return Err(error),
        (Ok(found), copied) => copied.map(|()| found)?,
    };
    progress.set_message("merging");
    staging::add_chapters(&mut tx, target.organisation_id, &found.new_chapters, parent_id).await?;
    let has_known = staging::match_rows(&mut tx, &target).await?;
    let shown = options.rejects_shown;
    let rejects = rejects::write(&mut tx, options.rejects.as_deref(), rejects_file, shown).await?;
    let held =
        |hold| Err(ImportError::Held { file: options.name.clone(), hold, unknown: found.unknown.clone() });
    let mut hold = if options.approve { None } else { Hold::of(&mut tx, &target, zone, config).await? };
    if let Some(hold) = hold.as_ref().filter(|_| !options.dry_run) {
        return held(hold.clone());
    }
    let coverage = staging::coverage(&mut tx, &target).await?;
    staging::find_missing(&mut tx, &target, &coverage, options.missing.with_suspended()).await?;
    let changes = if options.inspect { Some(Changes::of(&mut tx, &target, zone).await?) } else { None };
    let counts = staging::merge(&mut tx, &target).await?;
    let missing = options.missing.apply(&mut tx, &target, &coverage, counts.unread).await?;
    if let Some(too_many) = missing.hold.clone().filter(|_| !options.approve) {
        if !options.dry_run {
            return held(too_many);
        }
        hold = hold.or(Some(too_many));
    }
    let mut id = None;
    if options.dry_run {
        tx.rollback().await?;
    } else {
        let (new_chapters, missing) = (&found.new_chapters[..], missing.changed());
        let done = Done { coverage: &coverage, has_known, new_chapters, missing };
        id = Some(staging::record(&mut tx, &target, &counts, &done).await?);
        if let Some(name) = &options.save_as {
            let saved = options.reading.to_saved();
            let owner = target.source.owner();
            store_mapping::save(&mut tx, target.organisation_id, owner, name, &saved, Some(&found.header))
                .await?;
        }
        tx.commit().await?;
    }
    Ok(Imported {
        id,
        counts,
        dry_run: options.dry_run,
        hold,
        unknown: found.unknown,
        shared_expiries: found.shared_expiries,
        new_chapters: found.new_chapters,
        missing,
        changed_columns: ChangedColumns::of(&found.header, &options.header),
        rejects,
        changes,
    })
}

/// What the reader knows of the organisation.
struct Known {
    zone: chrono_tz::Tz,
    chapters: Option<Names>,
    types: Option<Names>,
}

/// What the rows name beside what is known.
#[derive(Default)]
struct Found {
    header: Vec<String>,
    new_chapters: Vec<staging::NewChapter>,
    unknown: Vec<Unknown>,
    shared_expiries: Vec<SharedValue>,
}

/// Reads and checks every row, and sends it on in COPY's text format.
fn read(
    options: &Options,
    config: &ImportConfig,
    known: Known,
    progress: &indicatif::ProgressBar,
    sender: &mpsc::Sender<Vec<u8>>,
) -> Result<Found, ImportError> {
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
    let layout = &options.layout;
    let header = columns::names_in(&record);
    let places = columns::places(&layout.columns, &record)
        .map_err(|error| error.with_new(&ChangedColumns::of(&header, &options.header).added))?;
    let mut mapping = Mapping {
        family_name: columns::family_name(&places),
        columns: places,
        date_formats: layout.date_formats.clone(),
        active_status: layout
            .active_status
            .iter()
            .map(|status| certvakt_rules::normal::fold(status))
            .collect(),
        instant_day: layout.instant_day,
        blank_never_expires: layout.blank_never_expires,
        never: Never::new(&layout.never, &layout.date_formats),
        width: record.len(),
        has_more: layout.has_more(),
        zone: known.zone,
        today: today(options.now, known.zone),
        unread: Unread::default(),
        chapters: known.chapters,
        types: known.types,
    };
    let mut chunk = Vec::with_capacity(CHUNK_BYTES + 4096);
    while rows.next(&mut record)? {
        row::append(&mut chunk, &rows, &mut mapping, &record);
        if chunk.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES + 4096));
            if sender.blocking_send(full).is_err() {
                return Ok(Found::default());
            }
        }
    }
    let _ = sender.blocking_send(chunk);
    let names = || mapping.chapters.iter().chain(&mapping.types);
    Ok(Found {
        header,
        new_chapters: mapping.chapters.iter().flat_map(Names::created).collect(),
        unknown: names().flat_map(Names::unknown).collect(),
        shared_expiries: mapping.unread.shared(),
    })
}
