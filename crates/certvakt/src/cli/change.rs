//! `certvakt correct`, `suspend`, `reinstate` and `withdraw`, and the code that they share with `renew`.

use certvakt_base::Exit;
use certvakt_engine::renewal::{
    Change, ChangeOutcome, ChangeRequest, RenewalError, Source, Until, apply, batch,
};
use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use super::App;
use super::run::date;
use crate::error::Error;
use crate::output::print;

/// Options of every change.
#[derive(Debug, clap::Args)]
pub(super) struct RemarksArgs {
    /// A note for the certification's history
    #[arg(long, value_name = "TEXT")]
    pub(super) note: Option<String>,
    /// A key that you choose; certvakt makes a change with the same key only once
    #[arg(long, value_name = "TEXT")]
    pub(super) key: Option<String>,
}

/// Correct a wrong last valid day; the current cycle of notices continues
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt correct 497843 --until 2027-06-30 --note \"typed 2026\"")]
pub(super) struct Correct {
    /// The certification's id, or its id in the imported register
    #[arg(value_name = "CERTIFICATION|EXTERNAL-ID")]
    certification: String,
    /// The correct last valid day, or `never` if it does not expire
    #[arg(long, value_name = "YYYY-MM-DD|never", value_parser = until)]
    until: Until,
    #[command(flatten)]
    remarks: RemarksArgs,
}

/// A certification, with the options of a change.
#[derive(Debug, clap::Args)]
pub(super) struct CertificationArgs {
    /// The certification's id, or its id in the imported register
    #[arg(value_name = "CERTIFICATION|EXTERNAL-ID")]
    certification: String,
    #[command(flatten)]
    remarks: RemarksArgs,
}

/// Parses a last valid day, or `never`.
pub(super) fn until(text: &str) -> Result<Until, String> {
    match text {
        "never" => Ok(Until::Never),
        day => date(day).map(Until::Day).map_err(|hint| hint + ", or never"),
    }
}

/// Suspend a certification: its mentor gets no notices about it until it is reinstated
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt suspend 497843 --until 2027-01-31 --note \"on leave\"")]
pub(super) struct Suspend {
    /// The certification's id, or its id in the imported register
    #[arg(value_name = "CERTIFICATION|EXTERNAL-ID")]
    certification: String,
    /// The last day of the suspension: the next run after it reinstates the certification [default: only
    /// `reinstate` does]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    until: Option<NaiveDate>,
    #[command(flatten)]
    remarks: RemarksArgs,
}

pub(super) async fn suspend(args: Suspend, app: &App) -> Result<Exit, Error> {
    one(&args.certification, &args.remarks.request(Change::Suspend { until: args.until }), app).await
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
            form: None,
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

/// Changes one certification and prints the result.
pub(super) async fn one(name: &str, request: &ChangeRequest<'_>, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    let id = batch::find(database, name).await?;
    let mut tx = database.registrar().await?;
    let done = apply(&mut tx, id, request, app.clock.now()).await.map_err(|error| match error {
        // Operators may see every certification, so the error can only mean a concurrent change.
        RenewalError::NotTheirs => RenewalError::Changed,
        other => other,
    })?;
    tx.commit().await?;
    let kind = request.change.kind().as_str();
    print(app.format, &Changed { certification_id: id, kind, done }, |_| {
        let day =
            |day: Option<NaiveDate>| day.map_or_else(|| "without end".to_owned(), |day| day.to_string());
        match (done.is_changed, done.before == done.after) {
            (false, _) => format!("Nothing changed: last valid day {}.", day(done.after)),
            (true, true) => format!("The certification is {kind}: last valid day {}.", day(done.after)),
            (true, false) => {
                format!(
                    "The certification is {kind}: last valid day {}, previously {}.",
                    day(done.after),
                    day(done.before)
                )
            }
        }
    })?;
    Ok(Exit::Success)
}
