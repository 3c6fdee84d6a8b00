//! `certvakt run`

use std::collections::BTreeSet;

use certvakt_base::Exit;
use certvakt_engine::expiry::{self, Heartbeat, Mode, Options, OrganisationRun, RunState};
use certvakt_rules::Stage;
use certvakt_store::organisation;
use certvakt_store::run::ByStage;
use chrono::{Datelike, NaiveDate};

use super::App;
use crate::error::Error;
use crate::output::{by_stage, count, print, stage_heading, table_of};

/// Find the certifications that are due, and record each notice once
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  certvakt run --dry-run\n  certvakt run --organisation hlf --approve\n\n\
    Exit status 3: a run exceeds its organisation's limit of notices and is held.")]
pub(super) struct Args {
    /// The date of the run [default: today in each organisation's time zone]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = date)]
    date: Option<NaiveDate>,
    /// Only this organisation
    #[arg(long, value_name = "SLUG")]
    organisation: Option<String>,
    /// Show what would be recorded, and record nothing
    #[arg(long)]
    dry_run: bool,
    /// Record the notices even if they exceed the limit
    #[arg(long, conflicts_with = "dry_run")]
    approve: bool,
    /// Read every certification, not only those that came due or changed since the last complete run
    #[arg(long)]
    full: bool,
}

/// Parses a date within the range of expiry dates.
pub(super) fn date(text: &str) -> Result<NaiveDate, String> {
    let date = text.parse::<NaiveDate>().ok();
    // chrono also accepts signs, spaces and single digits.
    let date = date.filter(|date| date.to_string() == text).ok_or("write it like 2026-12-31")?;
    // The schema has the same range.
    if (1900..=9998).contains(&date.year()) {
        Ok(date)
    } else {
        Err("the year must be between 1900 and 9998".to_owned())
    }
}

pub(super) async fn run(args: Args, app: &App) -> Result<Exit, Error> {
    let database = app.database().await?;
    let mut tx = database.worker().await?;
    let organisations = organisation::named(&mut tx, args.organisation.as_deref()).await?;
    tx.rollback().await?;
    let mode = match (args.dry_run, args.approve) {
        (true, _) => Mode::DryRun,
        (_, true) => Mode::Approved,
        _ => Mode::Record,
    };
    let options = Options {
        date: args.date,
        mode,
        full: args.full,
        unless_complete: false,
        contact_kinds: app.config.contact_kinds(),
        approved_notices: None,
    };
    let heartbeat = Heartbeat::new(&app.config.heartbeat);
    if !args.dry_run {
        heartbeat.start().await;
    }
    let (runs, error) = expiry::all(database, &app.clock, &organisations, &options).await;
    let held = runs.iter().any(|run| run.state == RunState::Held);
    if !args.dry_run {
        heartbeat.end(database, error.is_none() && !held).await;
    }
    if !runs.is_empty() || error.is_none() {
        print(app.format, &serde_json::json!({ "runs": runs }), |_| text(&runs))?;
    }
    match error {
        Some(error) => Err(error.into()),
        None if held => Ok(Exit::Held),
        None => Ok(Exit::Success),
    }
}

/// The notices that a run recorded, or would record if it was not held.
fn due(run: &OrganisationRun) -> &ByStage {
    run.would_record.as_ref().unwrap_or(&run.recorded)
}

fn text(runs: &[OrganisationRun]) -> String {
    if runs.is_empty() {
        return "There is no organisation yet: add one with `certvakt organisation add`.".to_owned();
    }
    let stages: BTreeSet<Stage> =
        runs.iter().flat_map(|run| due(run).iter()).map(|(stage, _)| stage).collect();
    // More columns do not fit a terminal.
    let is_narrow = stages.len() <= 4;
    let rows = runs.iter().map(|run| {
        let due = due(run);
        let mut row = vec![run.organisation.clone(), run.run_date.to_string(), state(run.state).to_owned()];
        if is_narrow {
            row.extend(stages.iter().map(|stage| count(due.of(*stage))));
        } else {
            row.push(count(due.total()));
        }
        row.extend([run.already_recorded, run.superseded, run.unreachable].map(count));
        row
    });
    let headings = ["Organisation", "Date", "State"].map(str::to_owned).into_iter();
    let headings = headings.chain(if is_narrow {
        stages.iter().map(|stage| stage_heading(*stage)).collect()
    } else {
        vec!["Notices".to_owned()]
    });
    let headings =
        headings.chain(["Before", "Superseded", "Unreachable"].map(str::to_owned)).collect::<Vec<_>>();
    let mut text = table_of(&headings, rows).to_string();
    for run in runs {
        if !is_narrow && due(run).total() > 0 {
            text += &format!("\n{}: {}.", run.organisation, by_stage(due(run)).join(", "));
        }
        if !run.missed.is_empty() {
            text += &format!("\n{}: covers {} missed nights.", run.organisation, run.missed.len());
        }
        if run.approved && run.recorded.total() > run.limit {
            text += &format!(
                "\n{}: {} notices recorded with your approval, above the limit of {}.",
                run.organisation,
                count(run.recorded.total()),
                count(run.limit),
            );
        }
        if let Some(due) = run.would_record.as_ref().filter(|_| run.state == RunState::Held) {
            text += &format!(
                "\n{0} is held: {1} notices would be recorded, the limit is {2}. Nothing was recorded.\n  \
                 Review:  certvakt run --organisation {0} --dry-run\n  \
                 Approve: certvakt run --organisation {0} --approve",
                run.organisation,
                count(due.total()),
                count(run.limit),
            );
        }
    }
    text
}

const fn state(state: RunState) -> &'static str {
    match state {
        RunState::Complete => "complete",
        RunState::Held => "HELD",
        RunState::DryRun => "dry run",
        RunState::DoneBefore => "already done",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_in_one_way() {
        assert_eq!(date("2028-02-29"), Ok(NaiveDate::from_ymd_opt(2028, 2, 29).unwrap()));
        for text in [
            "+2028-01-01",
            "+2028-1-01",
            "2028-1-1",
            " 2028-01-01",
            "2028-01-01 ",
            "2028 -1-01",
            "2028-01- 1",
            "2027-02-29",
            "28-01-01",
        ] {
            assert_eq!(date(text).unwrap_err(), "write it like 2026-12-31", "{text:?}");
        }
        assert!(date("1899-12-31").unwrap_err().contains("year"));
    }
}
