//! `certvakt renew`

use std::path::{Path, PathBuf};

use certvakt_rules::key::hex_digest;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::App;
use super::change::{self, Words};
use crate::error::{Error, Exit};
use crate::output::{count, print, progress, table};
use crate::renewal::{Change, RenewalError, Source, Until, Wish, apply};
use crate::store::Database;

/// Renew a certification, or several from a file: a new cycle of notices begins
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  certvakt renew 497843 --completed 2026-11-20 --evidence \"course 2026-14\"\n  \
    certvakt renew 497843 --until 2028-12-31\n  certvakt renew --file renewals.csv\n\n\
    A file is CSV with the columns certification, and if they are known completed_on, until, evidence, note, key.\n\
    The same key, or without one the same row, is the same renewal: it is made once. Rows that cannot be\n\
    taken are listed, the others are taken. Exit status 1: some were not taken."
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
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "file")]
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

/// A row of a file.
#[derive(Debug, Deserialize)]
struct Row {
    certification: String,
    #[serde(default)]
    completed_on: Option<NaiveDate>,
    #[serde(default)]
    until: Option<String>,
    #[serde(default)]
    evidence: Option<String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    key: Option<String>,
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
    let unreadable =
        |error: csv::Error| Error::File(format!("{} cannot be read as CSV: {error}", file.display()));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(file).map_err(unreadable)?;
    let headers = reader.headers().map_err(unreadable)?.clone();
    if !headers.iter().any(|name| name == "certification") {
        return Err(Error::File(format!("{} has no column certification", file.display())));
    }
    let length = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
    let bar = progress(length, "renewing");
    let mut done = Outcome::default();
    // Each row is a transaction of its own: what is wrong with one keeps no other from being renewed.
    for record in reader.into_records() {
        let record = record.map_err(unreadable)?;
        let position = record.position().map_or((0, 0), |at| (at.line(), at.byte()));
        bar.set_position(position.1);
        let Ok(row) = record.deserialize::<Row>(Some(&headers)) else {
            done.refused.push(Refused {
                line: position.0,
                certification: record.get(0).unwrap_or_default().to_owned(),
                code: "renewal-date",
                reason: "a date is written like 2026-11-20".to_owned(),
            });
            continue;
        };
        match renew(&row, &record, database, app).await {
            Ok(true) => done.renewed += 1,
            Ok(false) => done.known += 1,
            // Without the database nothing more can be done; a fault of the row is its own.
            Err(Error::Store(error)) if !matches!(error.exit(), Exit::Usage) => return Err(error.into()),
            Err(error) => done.refused.push(Refused {
                line: position.0,
                certification: row.certification,
                code: error.code(),
                reason: error.to_string(),
            }),
        }
    }
    bar.finish_and_clear();
    print(app.format, &done, text)?;
    Ok(if done.refused.is_empty() { Exit::Success } else { Exit::Found })
}

async fn renew(row: &Row, record: &csv::StringRecord, database: &Database, app: &App) -> Result<bool, Error> {
    let id = change::find(&row.certification, database).await?;
    let until = match row.until.as_deref() {
        None | Some("") => None,
        Some(text) => Some(change::until(text).map_err(RenewalError::Date)?),
    };
    let of_row = format!("row {}", hex_digest(record.as_slice()));
    let wish = Wish {
        change: Change::Renew { completed_on: row.completed_on, until },
        evidence: row.evidence.as_deref().filter(|text| !text.is_empty()),
        note: row.note.as_deref().filter(|text| !text.is_empty()),
        key: Some(row.key.as_deref().filter(|key| !key.is_empty()).unwrap_or(&of_row)),
        source: Source::Command,
        seen: None,
    };
    let mut tx = database.registrar().await?;
    let done = apply(&mut tx, id, &wish, app.clock.now()).await?;
    tx.commit().await?;
    Ok(done.is_changed)
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
