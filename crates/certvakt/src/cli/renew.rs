//! `certvakt renew`

use std::path::{Path, PathBuf};

use certvakt_base::Exit;
use certvakt_engine::import::dates::{self, When};
use certvakt_engine::import::sheet::{self, Sheet};
use certvakt_engine::renewal::batch::{BATCH, Named, apply_all};
use certvakt_engine::renewal::{Change, ChangeRequest, DateError, RenewalError, Source, Until};
use certvakt_rules::key::hex_digest;
use certvakt_store::Database;
use chrono::NaiveDate;
use serde::Serialize;

use super::App;
use super::change::{self, RemarksArgs};
use super::run::date;
use crate::error::Error;
use crate::output::{count, print, progress, table};

/// Renew a certification, or several from a file; this starts a new cycle of notices
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  certvakt renew 497843 --completed 2026-11-20 --evidence \"course 2026-14\"\n  \
    certvakt renew 497843 --until 2028-12-31\n  certvakt renew --file renewals.csv\n\n\
    A file (CSV, or a workbook) has the column certification, and optionally completed_on, until, evidence,\n\
    note and key. A row with the same key as an earlier row, or an identical row without a key, renews\n\
    only once. Rejected rows are listed, the others are renewed. Exit status 1: some rows were rejected."
)]
pub(super) struct Args {
    /// The certification's id, or its id in the imported register
    #[arg(
        value_name = "CERTIFICATION|EXTERNAL-ID",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    certification: Option<String>,
    /// The day on which the mentor completed the renewal course [default: today]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date, conflicts_with = "file")]
    completed: Option<NaiveDate>,
    /// The new last valid day, or `never` if it does not expire [default: by the rule of its type]
    #[arg(long, value_name = "YYYY-MM-DD|never", value_parser = change::until, conflicts_with = "file")]
    until: Option<Until>,
    /// Renew earlier than the type allows
    #[arg(long)]
    early: bool,
    /// Evidence for the renewal: a reference, not a document
    #[arg(long, value_name = "TEXT", conflicts_with = "file")]
    evidence: Option<String>,
    #[command(flatten)]
    remarks: RemarksArgs,
    /// Renew the certifications in a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["note", "key"])]
    file: Option<PathBuf>,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    if let Some(file) = &args.file {
        return all(file, args.early, database, app).await;
    }
    let request = ChangeRequest {
        change: Change::Renew { completed_on: args.completed, until: args.until, early: args.early },
        evidence: args.evidence.as_deref(),
        note: args.remarks.note.as_deref(),
        key: args.remarks.key.as_deref(),
        source: Source::Command,
        seen: None,
        form: None,
    };
    change::one(&args.certification.unwrap_or_default(), &request, app).await
}

/// The result of a file.
#[derive(Debug, Default, Serialize)]
struct FileResult {
    renewed: i64,
    /// Already renewed, by the same key or the same row.
    known: i64,
    refused: Vec<Refused>,
}

/// A rejected row.
#[derive(Debug, Serialize)]
struct Refused {
    line: u64,
    certification: String,
    code: &'static str,
    reason: String,
}

async fn all(file: &Path, early: bool, database: &Database, app: &App) -> Result<Exit, Error> {
    let bar = progress(0, "renewing");
    let mut rows = Sheet::open(file, COLUMNS, &app.config.import, &bar)?;
    let mut done = FileResult::default();
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let row = rows.next_row()?.as_ref().map(|row| Row::of(row, early));
        let is_last = row.is_none();
        batch.extend(row);
        if is_last || batch.len() == BATCH {
            renew(&batch, database, app, &mut done).await?;
            batch.clear();
        }
        if is_last {
            break;
        }
    }
    bar.finish_and_clear();
    print(app.format, &done, text)?;
    Ok(if done.refused.is_empty() { Exit::Success } else { Exit::ProblemFound })
}

/// Renews the certifications of a batch of rows. An invalid row does not stop the others; a database failure does.
async fn renew(rows: &[Row], database: &Database, app: &App, done: &mut FileResult) -> Result<(), Error> {
    let named: Vec<Named<'_>> = rows.iter().filter_map(Row::named).collect();
    let mut outcomes = apply_all(database, &named, app.clock.now()).await?.into_iter();
    for row in rows {
        let outcome = match &row.change {
            Err(fault) => Err(DateError::Unreadable(fault.clone()).into()),
            Ok(_) => outcomes.next().unwrap_or(Err(RenewalError::Unknown)),
        };
        match outcome {
            Ok(outcome) if outcome.is_changed => done.renewed += 1,
            Ok(_) => done.known += 1,
            Err(RenewalError::Store(error)) if error.exit() != Exit::Usage => return Err(error.into()),
            Err(error) => done.refused.push(Refused {
                line: row.line,
                certification: row.certification.clone(),
                code: error.code(),
                reason: error.to_string(),
            }),
        }
    }
    Ok(())
}

/// The columns of a file; the first is required.
const COLUMNS: [&str; 6] = ["certification", "completed_on", "until", "evidence", "note", "key"];

/// A row of a file.
struct Row {
    line: u64,
    certification: String,
    change: Result<Change, String>,
    evidence: Option<String>,
    note: Option<String>,
    key: String,
}

impl Row {
    fn of(row: &sheet::Row<'_, 6>, early: bool) -> Self {
        let [certification, completed_on, until, evidence, note, key] = row.fields;
        let change = match &row.fault {
            None => renewal(completed_on, until, early),
            Some(fault) => Err(fault.clone()),
        };
        Self {
            line: row.line,
            certification: certification.unwrap_or_default().to_owned(),
            change,
            evidence: evidence.map(str::to_owned),
            note: note.map(str::to_owned),
            key: key.map_or_else(|| format!("row {}", hex_digest(row.record.as_slice())), str::to_owned),
        }
    }
}

impl Row {
    /// The request; `None` if the row cannot be read.
    fn named(&self) -> Option<Named<'_>> {
        let request = ChangeRequest {
            change: *self.change.as_ref().ok()?,
            evidence: self.evidence.as_deref(),
            note: self.note.as_deref(),
            key: Some(&self.key),
            source: Source::Command,
            seen: None,
            form: None,
        };
        Some(Named { certification: &self.certification, request })
    }
}

fn renewal(completed_on: Option<&str>, until: Option<&str>, early: bool) -> Result<Change, String> {
    let until = match until {
        None => None,
        Some("never") => Some(Until::Never),
        Some(text) => Some(Until::Day(day(text)?)),
    };
    Ok(Change::Renew { completed_on: completed_on.map(day).transpose()?, until, early })
}

fn day(text: &str) -> Result<NaiveDate, String> {
    match dates::parse(text, &[]) {
        Ok(When::Day(day)) => Ok(day),
        // A workbook can store a day as a time, midnight.
        Ok(When::Local(local)) => Ok(local.date()),
        _ => Err(format!("'{text}' is not a valid date: write it like 2026-11-20")),
    }
}

fn text(done: &FileResult) -> String {
    let mut text = format!(
        "{} renewed, {} already renewed, {} rejected.",
        count(done.renewed),
        count(done.known),
        done.refused.len(),
    );
    if !done.refused.is_empty() {
        let rows = done.refused.iter().map(|one| {
            [one.line.to_string(), one.certification.clone(), format!("{} [{}]", one.reason, one.code)]
        });
        text += &format!("\n\n{}", table(["Line", "Certification", "Reason"], rows));
    }
    text
}
