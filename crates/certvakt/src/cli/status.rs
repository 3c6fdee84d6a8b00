//! `certvakt status`

use std::collections::BTreeMap;
use std::fmt::Write;

use certvakt_base::Exit;
use certvakt_engine::expiry::schedule::{self, RunProblem};
use certvakt_store::audit::access_log::{self as accesses, Recorded};
use certvakt_store::digest::DigestState;
use certvakt_store::kill_switch::{self, Closure};
use certvakt_store::partner::{self, PartnerStatus};
use certvakt_store::report::{
    self, ChannelStop, Queue, TableSize, Unreachable, UnreachableInChapter, WithoutCoordinator,
};
use certvakt_store::{digest, organisation, renewal};
use chrono::NaiveDate;
use serde::Serialize;

use super::App;
use super::partner::show;
use crate::error::Error;
use crate::output::{count, print, table};

/// The maximum number of listed unreachable people.
const MOST_LISTED: i64 = 1000;
/// The maximum number of named chapters without a coordinator.
const MOST_NAMED: usize = 10;

/// Show the state of runs, the queue, channels, partners and tables
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  certvakt status\n\nExit status 1: a run is late, held or failed, a channel has stopped,\na delivery has waited for 12 hours, or a partner needs attention."
)]
pub(super) struct Args {}

#[derive(Debug, Serialize)]
struct Status {
    runs: Vec<Run>,
    queue: Queue,
    channel_stops: Vec<ChannelStop>,
    access_closures: Vec<Closure>,
    access_events_in_7_days: Recorded,
    long_histories: BTreeMap<String, i64>,
    partners: Vec<PartnerStatus>,
    chapters_without_coordinator: Vec<WithoutCoordinator>,
    digests_in_7_days: Vec<DigestState>,
    unreachable_by_chapter: Vec<UnreachableInChapter>,
    unreachable: Vec<Unreachable>,
    tables: Vec<TableSize>,
}

#[derive(Debug, Serialize)]
struct Run {
    organisation: String,
    last_complete: Option<NaiveDate>,
    state: &'static str,
    date: Option<NaiveDate>,
    held_notices: Option<i64>,
    reason: Option<String>,
    missed_in_30_days: i64,
}

pub(super) async fn run(_args: Args, app: &App) -> Result<Exit, Error> {
    let mut tx = app.database().await?.worker().await?;
    let now = app.clock.now();
    let statuses = report::runs(&mut tx).await?;
    let organisations = organisation::list(&mut tx).await?;
    let queue = report::queue(&mut tx, &organisations).await?;
    let (mut runs, mut runs_are_well) = (Vec::new(), true);
    for organisation in organisations {
        let Some(status) = statuses.iter().find(|status| status.organisation_id == organisation.id) else {
            continue;
        };
        let late_after = app.config.serve.late_after_minutes;
        let problems = schedule::problems(&organisation, Some(status), now, late_after);
        let overdue = schedule::overdue(&organisation, Some(status), now);
        let (state, date) = match problems.first() {
            Some(RunProblem::Held) => ("held", status.held),
            Some(RunProblem::Failed) => ("failed", overdue),
            Some(RunProblem::Late) => ("late", overdue),
            None if overdue.is_some() => ("due", overdue),
            None => ("complete", None),
        };
        runs_are_well &= problems.is_empty();
        runs.push(Run {
            organisation: organisation.slug,
            last_complete: status.last_complete,
            state,
            date,
            held_notices: status.held_notices,
            reason: status.failed.clone(),
            missed_in_30_days: status.missed,
        });
    }
    let status = Status {
        runs,
        queue,
        channel_stops: report::channel_stops(&mut tx).await?,
        access_closures: kill_switch::closures(&mut tx).await?,
        access_events_in_7_days: accesses::recorded(&mut tx, 7).await?,
        long_histories: renewal::long_histories(&mut tx).await?.into_iter().collect(),
        partners: partner::with_status(&mut tx).await?,
        chapters_without_coordinator: report::without_coordinator(&mut tx).await?,
        digests_in_7_days: digest::states(&mut tx).await?,
        unreachable_by_chapter: report::unreachable_by_chapter(&mut tx).await?,
        unreachable: report::unreachable(&mut tx, MOST_LISTED).await?,
        tables: report::sizes(&mut tx).await?,
    };
    tx.rollback().await?;
    print(app.format, &status, text)?;
    let healthy = status.channel_stops.is_empty()
        && status.partners.iter().all(PartnerStatus::is_well)
        && !status.queue.is_old()
        && runs_are_well;
    Ok(if healthy { Exit::Success } else { Exit::ProblemFound })
}

fn text(status: &Status) -> String {
    let runs = table(
        ["Organisation", "Last complete run", "Now", "Missed in 30 days"],
        status.runs.iter().map(|run| {
            let now = match (run.state, run.date, run.held_notices) {
                ("complete", ..) => "up to date".to_owned(),
                ("held", Some(date), Some(notices)) => {
                    format!(
                        "HELD: {date}, {} notices; `certvakt run --organisation {} --approve`",
                        count(notices),
                        run.organisation
                    )
                }
                ("failed", ..) => format!("FAILED: {}", run.reason.as_deref().unwrap_or_default()),
                ("late", Some(date), _) => format!("LATE: the run of {date}"),
                (_, Some(date), _) => format!("due: the run of {date}"),
                (state, ..) => state.to_owned(),
            };
            let last = run.last_complete.map_or_else(|| "none yet".to_owned(), |date| date.to_string());
            [run.organisation.clone(), last, now, count(run.missed_in_30_days)]
        }),
    );
    let queue = &status.queue;
    let mut text = format!(
        "{runs}\n\nQueue: {} waiting, {} in progress, oldest {} min{}\n",
        count(queue.pending),
        count(queue.claimed),
        count(queue.oldest_seconds / 60),
        if queue.is_old() { ": OLD" } else { "" },
    );
    for stop in &status.channel_stops {
        text += &format!(
            "STOPPED: channel {}{} since {}: {}\n",
            stop.channel,
            stop.organisation.as_ref().map(|slug| format!(" for {slug}")).unwrap_or_default(),
            stop.stopped_at.format("%Y-%m-%d %H:%M UTC"),
            stop.reason
        );
    }
    for closure in &status.access_closures {
        text += &format!(
            "CLOSED to people: {} of {} since {} by {}: {}{}\n",
            closure.resource,
            closure.organisation.as_deref().unwrap_or("every organisation"),
            closure.closed_at.format("%Y-%m-%d %H:%M UTC"),
            closure.closed_by,
            closure.reason,
            closure.operator.as_ref().map(|name| format!(" (run by {name})")).unwrap_or_default()
        );
    }
    let Recorded { events, lost } = status.access_events_in_7_days;
    text += &format!("Requests recorded, 7 days: {}", count(events));
    text += &if lost > 0 { format!("; LOST: {}\n", count(lost)) } else { "\n".to_owned() };
    for (organisation, number) in &status.long_histories {
        text += &format!("Long histories: {} of {organisation}\n", count(*number));
    }
    text += &without_coordinator(&status.chapters_without_coordinator);
    text += &digests(&status.digests_in_7_days);
    if !status.partners.is_empty() {
        let _ = writeln!(text, "\n{}\n", show::standings(&status.partners));
    }
    text += &format!("Unreachable people: {}\n", count(queue.unreachable));
    if !status.unreachable_by_chapter.is_empty() {
        let rows = status
            .unreachable_by_chapter
            .iter()
            .map(|one| [one.organisation.clone(), one.chapter.clone(), count(one.people)]);
        let _ = writeln!(
            text,
            "{}\n`--output json` lists them.",
            table(["Organisation", "Chapter", "Unreachable"], rows)
        );
    }
    let sizes = status.tables.iter().map(|size| {
        let known = |number: Option<i64>| number.map_or_else(|| "–".to_owned(), count);
        [size.name.clone(), known(size.rows), count(size.bytes / 1024), known(size.grown)]
    });
    format!("{text}\n{}", table(["Table", "Rows (estimate)", "KiB", "Added in 30 days"], sizes))
}

fn without_coordinator(chapters: &[WithoutCoordinator]) -> String {
    let mut text = String::new();
    for WithoutCoordinator { organisation, chapter } in chapters.iter().take(MOST_NAMED) {
        let _ = writeln!(text, "NO COORDINATOR: {chapter} of {organisation} has mentors");
    }
    if let Some(more @ 1..) = chapters.len().checked_sub(MOST_NAMED) {
        let _ = writeln!(text, "NO COORDINATOR: {more} more chapters; `--output json` lists them");
    }
    text
}

/// The lines of the organisations that have begun to send digests.
fn digests(states: &[DigestState]) -> String {
    let mut text = String::new();
    for one in states.iter().filter(|one| one.last_on.is_some()) {
        let _ = writeln!(
            text,
            "Digests of {}, 7 days: {} mailed, {} waiting, {} not sent",
            one.organisation,
            count(one.mailed),
            count(one.waiting),
            count(one.not_sent)
        );
    }
    text
}
