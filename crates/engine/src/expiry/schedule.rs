//! The scheduler of `serve`: runs each organisation at its local hour, and catches up on missed nights with
//! one run.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use certvakt_base::clock::Clock;
use certvakt_rules::calendar::{latest_scheduled, scheduled_at};
use certvakt_store::organisation::Organisation;
use certvakt_store::report::RunStatus;
use certvakt_store::{Database, StoreError, organisation, report};
use chrono::{DateTime, NaiveDate, Utc};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use uuid::Uuid;

use super::{Heartbeat, Options, RunState};
use crate::config::Config;

/// The interval at which the scheduler checks for overdue runs.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// The pause before a failed run is tried again.
const REST_AFTER_FAILURE: Duration = Duration::from_mins(5);

/// The date for which an organisation's run is overdue: its hour has come, and no complete run has followed.
pub fn overdue(
    organisation: &Organisation,
    status: Option<&RunStatus>,
    now: DateTime<Utc>,
) -> Option<NaiveDate> {
    let date = latest_scheduled(now, organisation.run_at, organisation.zone);
    let done = status.and_then(|status| status.last_complete).is_some_and(|last| last >= date);
    (!done).then_some(date)
}

/// Whether an overdue run counts as late.
fn is_late(
    organisation: &Organisation,
    date: NaiveDate,
    now: DateTime<Utc>,
    late_after_minutes: u32,
) -> bool {
    let since = now - scheduled_at(date, organisation.run_at, organisation.zone);
    since.num_minutes() >= i64::from(late_after_minutes)
}

/// A problem of an organisation's runs that needs a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunProblem {
    /// A run is held until a person approves it.
    Held,
    /// The last run failed.
    Failed,
    /// A run is late.
    Late,
}

/// The problems of an organisation's runs, the one to solve first at the beginning.
pub fn problems(
    organisation: &Organisation,
    status: Option<&RunStatus>,
    now: DateTime<Utc>,
    late_after_minutes: u32,
) -> Vec<RunProblem> {
    let is_late = overdue(organisation, status, now)
        .is_some_and(|date| is_late(organisation, date, now, late_after_minutes));
    let found = [
        (RunProblem::Held, status.is_some_and(|status| status.held.is_some())),
        (RunProblem::Failed, status.is_some_and(|status| status.failed.is_some())),
        (RunProblem::Late, is_late),
    ];
    found.into_iter().filter_map(|(problem, applies)| applies.then_some(problem)).collect()
}

/// Wakes the scheduler before its next check: somebody decided about a held run.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Makes the scheduler check now.
    pub fn now(&self) {
        self.0.notify_one();
    }
}

/// Runs overdue organisations, and held runs about which somebody decided, until shutdown.
pub async fn run(
    database: &Database,
    clock: &Clock,
    config: &Config,
    wake: &Wake,
    mut ending: watch::Receiver<bool>,
) {
    let heartbeat = Heartbeat::new(&config.heartbeat);
    let mut failed: HashMap<Uuid, Instant> = HashMap::new();
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = wake.0.notified() => {}
            _ = ending.wait_for(|ending| *ending) => return,
        }
        if let Err(error) = run_due(database, clock, config, &heartbeat, &mut failed).await {
            tracing::error!(code = error.code(), "the scheduler could not check for due runs: {error}");
        }
    }
}

/// The date of an organisation's next run, if one is due: an overdue one that is not held, or a held one that an
/// administrator lets run again, with the number of notices that they approved.
fn next_run(overdue: Option<NaiveDate>, status: Option<&RunStatus>) -> Option<(NaiveDate, Option<i64>)> {
    let held = status.and_then(|status| Some((status.held?, status)));
    match (overdue, held) {
        (Some(date), Some((held, _))) if held < date => Some((date, None)),
        (_, Some((held, status))) => Some((held, Some(status.approved_notices?))),
        (overdue, None) => Some((overdue?, None)),
    }
}

async fn run_due(
    database: &Database,
    clock: &Clock,
    config: &Config,
    heartbeat: &Heartbeat,
    failed: &mut HashMap<Uuid, Instant>,
) -> Result<(), StoreError> {
    let now = clock.now();
    let mut tx = database.worker().await?;
    let organisations = organisation::list(&mut tx).await?;
    let statuses = report::runs(&mut tx).await?;
    tx.rollback().await?;
    failed.retain(|_, since| since.elapsed() < REST_AFTER_FAILURE);
    let mut due = Vec::new();
    for organisation in &organisations {
        let status = statuses.iter().find(|status| status.organisation_id == organisation.id);
        let overdue = overdue(organisation, status, now);
        if let Some(date) = overdue
            && is_late(organisation, date, now, config.serve.late_after_minutes)
        {
            tracing::warn!(organisation = organisation.slug, %date, "the run is late");
        }
        if let Some((date, approved_notices)) = next_run(overdue, status)
            && !failed.contains_key(&organisation.id)
        {
            due.push((organisation, date, approved_notices));
        }
    }
    if due.is_empty() {
        return Ok(());
    }
    heartbeat.start().await;
    let mut healthy = true;
    for (organisation, date, approved_notices) in due {
        let options = Options {
            date: Some(date),
            // It can be a second run of its date.
            unless_complete: approved_notices.is_none(),
            approved_notices,
            contact_kinds: config.contact_kinds(),
            ..Options::default()
        };
        match super::one(database, clock, organisation, &options).await {
            Ok(run) => {
                metrics::counter!("certvakt_notices_recorded_total", "organisation" => organisation.slug.clone())
                    .increment(if run.state == RunState::Complete { run.recorded.total().unsigned_abs() } else { 0 });
                if run.state == RunState::Held {
                    healthy = false;
                    tracing::error!(
                        organisation = organisation.slug,
                        "the run is held: review it with `certvakt run --dry-run`, approve it with `certvakt run --approve` or on the page /runs"
                    );
                }
            }
            Err(error) => {
                healthy = false;
                failed.insert(organisation.id, Instant::now());
                tracing::error!(
                    organisation = organisation.slug,
                    code = error.code(),
                    "the run failed: {error}"
                );
            }
        }
    }
    heartbeat.end(database, healthy).await;
    Ok(())
}
