//! `certvakt renew`

use std::path::{Path, PathBuf};

use certvakt_rules::key::hex_digest;
use chrono::NaiveDate;
use csv::StringRecord;
use serde::Serialize;

use super::App;
use super::change::{self, Words};
use super::run::date;
use crate::error::{Error, Exit};
use crate::import::ImportError;
use crate::import::dates::{self, When};
use crate::import::source::{self, Rows};
use crate::output::{count, print, progress, table};
use crate::renewal::{Change, RenewalError, Source, Until, Wish, apply};
use crate::store::Database;

/// Renew a certification, or several from a file: a new cycle of notices begins
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  certvakt renew 497843 --completed 2026-11-20 --evidence \"course 2026-14\"\n  \
    certvakt renew 497843 --until 2028-12-31\n  certvakt renew --file renewals.csv\n\n\
    A file (CSV, TSV or XLSX) has the column certification, and where they are known completed_on, until,\n\
    evidence, note, key. The same key, or without one the same row, is the same renewal: it is\n\
    made once. Rows that cannot be taken are listed, the others are taken. Exit status 1: some were not taken."
)]
pub(super) struct Args {
    /// The certification's id, or its id in the register that it was imported from
    #[arg(
        value_name = "CERTIFICATION|EXTERNAL-ID",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    certification: Option<String>,
    /// The day on which what renews it was completed [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date, conflicts_with = "file")]
    completed: Option<NaiveDate>,
    /// Its new last valid day, or never [default: by the rule of its type]
    #[arg(long, value_name = "YYYY-MM-DD|never", value_parser = change::until, conflicts_with = "file")]
    until: Option<Until>,
    /// What shows that it was earned: a reference, not a document
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    evidence: Option<String>,
    #[command(flatten)]
    words: Words,
    /// Renew those of a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["note", "key"])]
    file: Option<PathBuf>,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    if let Some(file) = &args.file {
        return all(file, database, app).await;
    }
    let wish = Wish {
        change: Change::Renew { completed_on: args.completed, until: args.until },
        evidence: args.evidence.as_deref(),
        note: args.words.note.as_deref(),
        key: args.words.key.as_deref(),
        source: Source::Command,
        seen: None,
    };
    change::one(&args.certification.unwrap_or_default(), &wish, app).await
}

/// What became of a file.
#[derive(Debug, Default, Serialize)]
struct Outcome {
    renewed: i64,
    /// Made before, by the same key or the same row.
    known: i64,
    refused: Vec<Refused>,
}

/// A row that was not taken.
#[derive(Debug, Serialize)]
struct Refused {
    line: u64,
    certification: String,
    code: &'static str,
    reason: String,
}

async fn all(file: &Path, database: &Database, app: &App) -> Result<Exit, Error> {
    // The whole file is read before anything is done: one that cannot be read renews nobody.
    let mut unread = File::open(file, app, &indicatif::ProgressBar::hidden())?;
    while unread.next()?.is_some() {}
    let bar = progress(0, "renewing");
    let mut rows = File::open(file, app, &bar)?;
    let mut done = Outcome::default();
    // Each row is a transaction of its own: what is wrong with one keeps no other from being renewed.
    while let Some(row) = rows.next()? {
        let (line, certification) = (row.line, row.certification.clone());
        match renew(row, database, app).await {
            Ok(true) => done.renewed += 1,
            Ok(false) => done.known += 1,
            // Without the database nothing more can be done; a fault of the row is its own.
            Err(Error::Store(error)) if !matches!(error.exit(), Exit::Usage) => return Err(error.into()),
            Err(Error::Renewal(RenewalError::Store(error))) => return Err(error.into()),
            Err(error) => {
                let (code, reason) = (error.code(), error.to_string());
                done.refused.push(Refused { line, certification, code, reason });
            }
        }
    }
    bar.finish_and_clear();
    print(app.format, &done, text)?;
    Ok(if done.refused.is_empty() { Exit::Success } else { Exit::Found })
}

async fn renew(row: Row, database: &Database, app: &App) -> Result<bool, Error> {
    let change = row.change?;
    let wish = Wish {
        change,
        evidence: row.evidence.as_deref(),
        note: row.note.as_deref(),
        key: Some(&row.key),
        source: Source::Command,
        seen: None,
    };
    let id = change::find(&row.certification, database).await?;
    let mut tx = database.registrar().await?;
    let done = apply(&mut tx, id, &wish, app.clock.now()).await?;
    tx.commit().await?;
    Ok(done.is_changed)
}

/// The columns of a file; the first must be there.
const COLUMNS: [&str; 6] = ["certification", "completed_on", "until", "evidence", "note", "key"];

/// A file of renewals, in any form that a register may have.
struct File {
    rows: Rows,
    record: StringRecord,
    /// Where each of [`COLUMNS`] stands.
    places: [Option<usize>; 6],
    width: usize,
}

/// A row of it.
struct Row {
    line: u64,
    certification: String,
    change: Result<Change, RenewalError>,
    evidence: Option<String>,
    note: Option<String>,
    key: String,
}

impl File {
    fn open(path: &Path, app: &App, progress: &indicatif::ProgressBar) -> Result<Self, Error> {
        let mut rows = source::open(path, &app.config.import, progress)?;
        let mut record = StringRecord::new();
        if !rows.next(&mut record)? {
            return Err(ImportError::Empty(path.display().to_string()).into());
        }
        let names: Vec<&str> = record.iter().map(str::trim).collect();
        if let Some(unknown) = names.iter().find(|name| !name.is_empty() && !COLUMNS.contains(name)) {
            return Err(Error::File(format!(
                "{} has the column '{unknown}': rename it to one of {}, or take it out",
                path.display(),
                COLUMNS.join(", ")
            )));
        }
        let places = COLUMNS.map(|column| names.iter().position(|name| *name == column));
        if places[0].is_none() {
            return Err(Error::File(format!("{} has no column certification: add it", path.display())));
        }
        let width = names.len();
        Ok(Self { rows, record, places, width })
    }

    fn next(&mut self) -> Result<Option<Row>, Error> {
        if !self.rows.next(&mut self.record)? {
            return Ok(None);
        }
        let [certification, completed_on, until, evidence, note, key] = self.places.map(|place| {
            place.and_then(|place| self.record.get(place)).map(str::trim).filter(|text| !text.is_empty())
        });
        let change = if self.record.len() == self.width {
            renewal(completed_on, until).map_err(RenewalError::Date)
        } else {
            Err(RenewalError::Date("it has another number of fields than the header".to_owned()))
        };
        let of_row = || format!("row {}", hex_digest(self.record.as_slice()));
        Ok(Some(Row {
            line: self.rows.line(),
            certification: certification.unwrap_or_default().to_owned(),
            change,
            evidence: evidence.map(str::to_owned),
            note: note.map(str::to_owned),
            key: key.map_or_else(of_row, str::to_owned),
        }))
    }
}

fn renewal(completed_on: Option<&str>, until: Option<&str>) -> Result<Change, String> {
    let until = match until {
        None => None,
        Some("never") => Some(Until::Never),
        Some(text) => Some(Until::Day(day(text)?)),
    };
    Ok(Change::Renew { completed_on: completed_on.map(day).transpose()?, until })
}

fn day(text: &str) -> Result<NaiveDate, String> {
    match dates::parse(text, &[]) {
        Ok(When::Day(day)) => Ok(day),
        // A workbook's day may be a time as well: midnight.
        Ok(When::Local(local)) => Ok(local.date()),
        _ => Err(format!("'{text}' is not one day: write it like 2026-11-20")),
    }
}

fn text(done: &Outcome) -> String {
    let mut text = format!(
        "{} renewed, {} were renewed before, {} were not taken.",
        count(done.renewed),
        count(done.known),
        done.refused.len(),
    );
    if !done.refused.is_empty() {
        let rows = done.refused.iter().map(|one| {
            [one.line.to_string(), one.certification.clone(), format!("{} [{}]", one.reason, one.code)]
        });
        text += &format!("\n\n{}", table(["Line", "Certification", "Why not"], rows));
    }
    text
}
