//! `certvakt partner reports` and `resolve-report`

use certvakt_base::Exit;
use certvakt_engine::renewal::{Until, batch};
use certvakt_partner::poller::PollResult;
use certvakt_partner::receiver::{self, Resolution};
use certvakt_store::Database;
use certvakt_store::partner::Partner;
use certvakt_store::partner::reports::{self, StoredReport};
use serde_json::json;

use super::super::{App, change};
use crate::error::Error;
use crate::output::{print, table};

/// The maximum number of listed reports.
const MOST: i64 = 1_000;

/// Selects reports.
#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Only reports that wait for a decision
    #[arg(long)]
    waiting: bool,
}

/// A report and the decision about it.
#[derive(Debug, clap::Args)]
pub(super) struct ResolveArgs {
    /// The portal's id of the event
    event: String,
    /// Renew the certification: until --until, or else the portal's date, or else the date by the type's rule
    #[arg(long, conflicts_with = "dismiss", required_unless_present = "dismiss")]
    accept: bool,
    /// The new last valid day, or `never` if it does not expire
    #[arg(long, value_name = "YYYY-MM-DD|never", value_parser = change::until, requires = "accept")]
    until: Option<Until>,
    /// The certification to renew, if the report does not name one: its id, or its id in the imported
    /// register
    #[arg(long, value_name = "CERTIFICATION|EXTERNAL-ID", requires = "accept")]
    certification: Option<String>,
    /// Dismiss the report without a renewal
    #[arg(long)]
    dismiss: bool,
}

pub(super) async fn list(app: &App, database: &Database, one: &Partner, args: &List) -> Result<Exit, Error> {
    let mut tx = database.worker().await?;
    let kept = reports::list(&mut tx, one, args.waiting, MOST).await?;
    tx.rollback().await?;
    print(app.format, &json!({ "reports": kept }), |_| rows(&kept))?;
    Ok(Exit::Success)
}

fn rows(kept: &[StoredReport]) -> String {
    let rows = kept.iter().map(|one| {
        let date = |day: Option<chrono::NaiveDate>| day.map_or_else(String::new, |day| day.to_string());
        [
            one.received_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            one.event_id.clone(),
            one.partner_key.clone().unwrap_or_default(),
            date(Some(one.completed_on)),
            date(one.valid_until),
            one.outcome.clone(),
            one.reason.clone().unwrap_or_default(),
        ]
    });
    table(["Time", "Event", "Key", "Completed", "Valid until", "Outcome", "Reason"], rows).to_string()
}

pub(super) async fn resolve(
    app: &App,
    database: &Database,
    one: &Partner,
    args: &ResolveArgs,
) -> Result<Exit, Error> {
    let resolution = if args.accept {
        let certification = match &args.certification {
            Some(name) => Some(batch::find(database, name).await?),
            None => None,
        };
        Resolution::Accept { certification, until: args.until }
    } else {
        Resolution::Dismiss
    };
    let done = receiver::resolve(database, one, &args.event, resolution, app.clock.now()).await?;
    print(app.format, &json!({ "renewal": done }), |_| match done {
        Some(done) => done.after.map_or_else(
            || "Renewed: it does not expire.".to_owned(),
            |day| format!("Renewed: its last valid day is {day}."),
        ),
        None => "Dismissed.".to_owned(),
    })?;
    Ok(Exit::Success)
}

/// Formats the reports that a poll read.
pub(super) fn polled(all: &[PollResult]) -> String {
    let rows = all.iter().map(|one| {
        let PollResult { organisation, partner, renewed, echoes, waiting, dismissed, unread } = one;
        let now = unread.as_ref().map_or_else(String::new, |reason| format!("NOT READ: {reason}"));
        let [renewed, echoes, waiting, dismissed] =
            [renewed, echoes, waiting, dismissed].map(ToString::to_string);
        [organisation.clone(), partner.clone(), renewed, echoes, waiting, dismissed, now]
    });
    if all.is_empty() {
        return String::new();
    }
    let headings = ["Organisation", "Partner", "Renewed", "Echoes", "Waiting", "Dismissed", "State"];
    format!("\n{}", table(headings, rows))
}
