//! `certvakt certified`

use std::collections::HashMap;

use certvakt_base::Exit;
use certvakt_engine::renewal::certified::{Certified, NoticesByCertification, on};
use certvakt_rules::text::csv_cell;
use certvakt_store::renewal::{self, CertificationHistory, HistoryFilter};
use certvakt_store::{WorkerTx, organisation};
use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::App;
use super::run::date;
use crate::error::Error;
use crate::output::{count, line, print, table};

/// The number of certifications in a batch.
const BATCH: i64 = 1_000;

/// Show who was certified on a day, by which history entry, and the notices sent until then
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  certvakt certified --on 2026-03-01 --chapter oslo\n  \
    certvakt certified --on 2026-03-01 --csv > certified.csv\n\n\
    The result is the state at the end of that day; `corrected later` marks a date that was corrected since.\n\
    Notices come from the log of notices or, for days older than the log, from the history. If neither\n\
    has them, they are unknown.")]
pub(super) struct Args {
    /// The day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    on: NaiveDate,
    /// Only this organisation
    #[arg(long, value_name = "SLUG")]
    organisation: Option<String>,
    /// Only chapters of this short name
    #[arg(long, value_name = "SLUG")]
    chapter: Option<String>,
    /// Only this person
    #[arg(long, value_name = "ID")]
    person: Option<Uuid>,
    /// Include people who were not certified
    #[arg(long)]
    all: bool,
    /// Print CSV, row by row
    #[arg(long)]
    csv: bool,
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.worker().await?;
    let organisation_id = match &args.organisation {
        Some(slug) => organisation::named(&mut tx, Some(slug)).await?.first().map(|one| one.id),
        None => None,
    };
    let which = HistoryFilter {
        organisation_id,
        chapter: args.chapter.clone(),
        person_id: args.person,
        with_none: true,
    };
    let since = renewal::log_deleted_before(&mut tx).await?;
    let mut found: Vec<Certified> = Vec::new();
    if args.csv {
        line(&row(&HEADINGS))?;
    }
    let mut after = Uuid::nil();
    loop {
        let batch = renewal::histories(&mut tx, &which, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = last.id;
        let told = told(&mut tx, &batch).await?;
        let stood = batch.iter().map(|one| on(args.on, one, &told, since));
        for one in stood.filter(|one| args.all || one.was_certified || one.because == "unknown") {
            if args.csv { line(&row(&fields(&one)))? } else { found.push(one) }
        }
    }
    tx.rollback().await?;
    if args.csv {
        return Ok(Exit::Success);
    }
    print(app.format, &CertifiedOn { on: args.on, certifications: &found }, |_| text(args.on, &found))?;
    Ok(Exit::Success)
}

async fn told(tx: &mut WorkerTx, batch: &[CertificationHistory]) -> Result<NoticesByCertification, Error> {
    let ids: Vec<Uuid> = batch.iter().map(|one| one.id).collect();
    let mut told: NoticesByCertification = HashMap::new();
    for (id, stage, at) in renewal::told(tx, &ids).await? {
        told.entry(id).or_default().push((stage, at));
    }
    Ok(told)
}

#[derive(Debug, Serialize)]
struct CertifiedOn<'a> {
    on: NaiveDate,
    certifications: &'a [Certified],
}

const HEADINGS: [&str; 11] = [
    "certification",
    "external_id",
    "mentor",
    "organisation",
    "chapter",
    "type",
    "state",
    "last_valid_day",
    "entry",
    "corrected_later",
    "told",
];

fn fields(one: &Certified) -> [String; 11] {
    [
        one.certification_id.to_string(),
        one.external_id.clone().unwrap_or_default(),
        one.mentor_id.to_string(),
        one.organisation.clone(),
        one.chapter.clone(),
        one.type_name.clone(),
        one.because.to_owned(),
        one.last_valid_day.map(|day| day.to_string()).unwrap_or_default(),
        one.entry_id.map(|id| id.to_string()).unwrap_or_default(),
        one.corrected_later.to_string(),
        one.told.as_ref().map_or_else(|| "unknown".to_owned(), |stages| stages.join(" ")),
    ]
}

/// Formats a line of CSV (RFC 4180).
fn row(fields: &[impl AsRef<str>]) -> String {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    let _ = writer.write_record(fields.iter().map(|field| csv_cell(field.as_ref()).into_owned()));
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned()
}

fn text(day: NaiveDate, found: &[Certified]) -> String {
    if found.is_empty() {
        return format!("Nobody was certified on {day}.");
    }
    let rows = found.iter().map(|one| {
        let last = one.last_valid_day.map_or_else(|| "without end".to_owned(), |day| day.to_string());
        let state = if one.corrected_later {
            format!("{}, corrected later", one.because)
        } else {
            one.because.to_owned()
        };
        let told = match &one.told {
            None => "unknown".to_owned(),
            Some(stages) if stages.is_empty() => "none yet".to_owned(),
            Some(stages) => stages.join(", "),
        };
        let name = one.external_id.clone().unwrap_or_else(|| one.certification_id.to_string());
        let entry = one.entry_id.map_or_else(|| "first record".to_owned(), |id| id.to_string());
        [name, one.type_name.clone(), one.chapter.clone(), state, last, entry, told]
    });
    let certified = i64::try_from(found.iter().filter(|one| one.was_certified).count()).unwrap_or(i64::MAX);
    let table = table(
        ["Certification", "Type", "Chapter", "On that day", "Last valid day", "From entry", "Notices"],
        rows,
    );
    format!("{} certified on {day}\n{table}", count(certified))
}
