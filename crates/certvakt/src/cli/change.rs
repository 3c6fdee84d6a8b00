//! `certvakt correct`, `suspend`, `reinstate` and `withdraw`, and what they share with `renew`.

use serde::Serialize;
use uuid::Uuid;

use super::App;
use super::run::date;
use crate::error::{Error, Exit};
use crate::output::print;
use crate::renewal::{Change, ChangeOutcome, ChangeRequest, RenewalError, Source, Until, apply};
use crate::store::{Database, StoreError, certification};

/// What can be said beside any change.
#[derive(Debug, clap::Args)]
pub(super) struct RemarksArgs {
    /// A note for its history
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// A key of your own making: the same key is the same change, and is made once
    #[arg(long, value_name = "TEXT")]
    pub(super) key: Option<String>,
}

/// Correct a mistaken last valid day: the cycle of notices goes on
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt correct 497843 --until 2027-06-30 --note \"typed 2026\"")]
pub(super) struct Correct {
    /// The certification's id, or its id in the register that it was imported from
    #[arg(value_name = "CERTIFICATION|EXTERNAL-ID")]
    certification: String,
    /// Its true last valid day, or never
    #[arg(long, value_name = "YYYY-MM-DD|never", value_parser = until)]
    until: Until,
    #[command(flatten)]
    remarks: RemarksArgs,
}

/// A certification, and what is said of the change.
#[derive(Debug, clap::Args)]
pub(super) struct CertificationArgs {
    /// The certification's id, or its id in the register that it was imported from
    #[arg(value_name = "CERTIFICATION|EXTERNAL-ID")]
    certification: String,
    #[command(flatten)]
    remarks: RemarksArgs,
}

/// A last valid day, or `never`.
pub(super) fn until(text: &str) -> Result<Until, String> {
    match text {
        "never" => Ok(Until::Never),
        day => date(day).map(Until::Day).map_err(|hint| hint + ", or never"),
    }
}

pub(super) async fn correct(args: Correct, app: &App) -> Result<Exit, Error> {
    one(&args.certification, &args.remarks.request(Change::Correct(args.until)), app).await
}

pub(super) async fn status(args: CertificationArgs, change: Change, app: &App) -> Result<Exit, Error> {
    one(&args.certification, &args.remarks.request(change), app).await
}

impl RemarksArgs {
    fn request(&self, change: Change) -> ChangeRequest<'_> {
        ChangeRequest {
            change,
            evidence: None,
            note: self.note.as_deref(),
            key: self.key.as_deref(),
            source: Source::Command,
            seen: None,
        }
    }
}

/// The one certification that a name means.
pub(super) async fn find(name: &str, database: &Database) -> Result<Uuid, Error> {
    let mut tx = database.worker().await?;
    let found = certification::find(&mut tx, name).await?;
    tx.rollback().await?;
    match found.as_slice() {
        [one] => Ok(one.id),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|one| format!("{} ({}, {})", one.id, one.organisation, one.type_name))
                .collect();
            Err(StoreError::Invalid(format!(
                "'{name}' is several certifications, give the id of one: {}",
                ids.join("; ")
            ))
            .into())
        }
    }
}

#[derive(Debug, Serialize)]
struct Changed {
    certification_id: Uuid,
    kind: &'static str,
    #[serde(flatten)]
    done: ChangeOutcome,
}

/// Changes one certification, and says what became of it.
pub(super) async fn one(name: &str, request: &ChangeRequest<'_>, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    let id = find(name, database).await?;
    let mut tx = database.registrar().await?;
    let done = apply(&mut tx, id, request, app.clock.now()).await.map_err(|error| match error {
        // Of the command line nothing was shown before.
        RenewalError::NotTheirs => RenewalError::Changed,
        other => other,
    })?;
    tx.commit().await?;
    let kind = request.change.kind().as_str();
    print(app.format, &Changed { certification_id: id, kind, done }, |_| {
        let day = |day: Option<chrono::NaiveDate>| {
            day.map_or_else(|| "without end".to_owned(), |day| day.to_string())
        };
        match (done.is_changed, done.before == done.after) {
            (false, _) => format!("It was so already: last valid day {}.", day(done.after)),
            (true, true) => format!("The certification is {kind}: last valid day {}.", day(done.after)),
            (true, false) => {
                format!(
                    "The certification is {kind}: last valid day {}, it was {}.",
                    day(done.after),
                    day(done.before)
                )
            }
        }
    })?;
    Ok(Exit::Success)
}
