//! Runs: finds and records due notices, and tracks the progress of the runs.

mod reading;
mod request;

use std::collections::BTreeMap;

use certvakt_rules::calendar::start_of_day;
use certvakt_rules::{Selection, Stage};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::organisation::{LeadTimesOfTypes, selection};
use super::{StoreError, WorkerTx};
use crate::organisation::Organisation;
use reading::RunInput;
pub use reading::{Half, Part};
pub(crate) use reading::{Windows, days_before};
pub use request::{Calendar, Request};
use sqlx::types::Json;

/// Locks an organisation's row in `run_calendars` until the transaction ends, so that runs of one
/// organisation wait for each other. Returns the progress of the runs, and the snapshot from which the next
/// run starts if this one completes.
pub async fn lock_calendar(
    tx: &mut WorkerTx,
    organisation: Uuid,
) -> Result<(Calendar, Snapshot), StoreError> {
    let row = sqlx::query_file!("src/run/lock_calendar.sql", organisation).fetch_one(tx).await?;
    let calendar = Calendar {
        last_complete: row.last_complete_date,
        read_through: row.read_through.filter(|_| row.is_ours),
        selection: row
            .lead_times
            .zip(row.grace_days)
            .map(|(days, grace)| selection(&days, row.lead_times_of_types, grace)),
    };
    Ok((calendar, Snapshot(row.snapshot)))
}

/// The transactions that had ended at a point in time (PostgreSQL's `pg_snapshot`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot(String);

/// Sends an empty query, so that a transaction that waits with a lock does not hit the idle time-out.
pub async fn keep_lock(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query!("select 1 as one").fetch_one(tx).await?;
    Ok(())
}

/// The progress of an organisation's runs, without a lock.
pub async fn calendar(tx: &mut WorkerTx, organisation: Uuid) -> Result<Calendar, StoreError> {
    let row = sqlx::query_file!("src/run/calendar.sql", organisation).fetch_optional(tx).await?;
    Ok(row.map_or(Calendar::NONE, |row| Calendar {
        last_complete: row.last_complete_date,
        read_through: row.read_through.filter(|_| row.is_ours),
        selection: row
            .lead_times
            .zip(row.grace_days)
            .map(|(days, grace)| selection(&days, row.lead_times_of_types, grace)),
    }))
}

/// Reinstates the certifications whose suspension ended before a date.
pub async fn end_leaves(
    tx: &mut WorkerTx,
    organisation: Uuid,
    run_date: NaiveDate,
) -> Result<u64, StoreError> {
    let ended = sqlx::query!(
        "update public.peer_mentor_certifications set status = 'active'
         where organisation_id = $1 and suspended_until < $2",
        organisation,
        run_date,
    );
    Ok(ended.execute(tx).await?.rows_affected())
}

/// The numbers of notices by stage, in the order of the due dates.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByStage(BTreeMap<Stage, i64>);

impl ByStage {
    /// No notices of the stages of a selection.
    pub fn none_of(selection: &Selection) -> Self {
        Self(selection.stages().into_iter().map(|stage| (stage, 0)).collect())
    }

    /// The stages and their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Stage, i64)> + '_ {
        self.0.iter().map(|(stage, notices)| (*stage, *notices))
    }

    /// The number for a stage.
    pub fn of(&self, stage: Stage) -> i64 {
        self.0.get(&stage).copied().unwrap_or(0)
    }

    /// Adds to the number for a stage.
    pub fn add(&mut self, stage: Stage, notices: i64) {
        *self.0.entry(stage).or_default() += notices;
    }

    /// Adds other numbers.
    pub fn join(&mut self, other: &Self) {
        for (stage, notices) in other.iter() {
            self.add(stage, notices);
        }
    }

    /// The total.
    pub fn total(&self) -> i64 {
        self.0.values().sum()
    }
}

/// The result of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCounts {
    /// The notices that are due and not recorded yet.
    pub due: ByStage,
    /// The certifications in a stage that was already recorded.
    pub already_recorded: i64,
    /// The stages that get no notice, because a later one has started.
    pub superseded: i64,
    /// The due notices whose mentor has no contact point that a channel could use.
    pub unreachable: i64,
    /// Whether the notices were recorded.
    pub recorded: bool,
    /// If they were not: the first certifications with a notice, at most three.
    pub examples: Vec<Uuid>,
}

impl RunCounts {
    /// Adds the result of another part.
    pub fn join(&mut self, other: &Self) {
        self.due.join(&other.due);
        self.already_recorded += other.already_recorded;
        self.superseded += other.superseded;
        self.unreachable += other.unreachable;
    }
}

/// The bounds of a run, before it records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outlook {
    /// An upper bound of the number of notices.
    pub candidates: i64,
    /// The maximum number of notices that the run may record without approval, or a lower bound of it that is
    /// sufficient.
    pub record_limit: i64,
}

/// Disables sequential scans for the rest of a transaction. A run looks up notices one by one: if the log was empty when
/// its statistics were taken, the planner would scan it for each of them, while the other half of the run fills it.
pub async fn disable_sequential_scans(tx: &mut WorkerTx) -> Result<(), StoreError> {
    sqlx::query!("select set_config('enable_seqscan', 'off', true)").fetch_one(tx).await?;
    Ok(())
}

/// Computes the bounds of a run.
pub async fn outlook(tx: &mut WorkerTx, request: Request<'_>) -> Result<Outlook, StoreError> {
    let Request { organisation, run_date, calendar, .. } = request;
    let windows = Windows::new(
        run_date,
        calendar.last_complete,
        &organisation.selection,
        organisation.zone,
        Part::Whole,
    );
    let (read_from, read_before) = windows.ranges_to_read();
    Ok(sqlx::query_file_as!(
        Outlook,
        "src/run/outlook.sql",
        organisation.id,
        calendar.read_through.as_deref(),
        &read_from,
        &read_before,
        organisation.limit_floor,
        i32::from(organisation.limit_percent),
        start_of_day(run_date, organisation.zone),
    )
    .fetch_one(tx)
    .await?)
}

/// Whether the latest run of an organisation is held, and an administrator lets it run again.
pub async fn is_decided(tx: &mut WorkerTx, organisation: Uuid) -> Result<bool, StoreError> {
    let found = sqlx::query_scalar!(
        r#"select coalesce((
             select r.state = 'held' and r.decided_at is not null from certvakt.runs r
             where r.organisation_id = $1 and r.state <> 'missed' order by r.id desc limit 1), false) as "is_decided!""#,
        organisation,
    );
    Ok(found.fetch_one(tx).await?)
}

/// Finds the due notices in a part, and records them if requested and within the limit or approved.
pub async fn record(
    tx: &mut WorkerTx,
    request: Request<'_>,
    limit: i64,
    part: Part,
) -> Result<RunCounts, StoreError> {
    let input = RunInput::new(request, limit, part);
    let row = sqlx::query_file!("src/run/record.sql", input as RunInput).fetch_one(tx).await?;
    let mut due = ByStage::none_of(&request.organisation.selection);
    due.join(&row.due);
    Ok(RunCounts {
        due,
        already_recorded: row.already_recorded,
        superseded: row.superseded,
        unreachable: row.unreachable,
        recorded: row.open,
        examples: row.examples,
    })
}

/// Records that a run is complete, with the missed nights that it covers. The next run starts from the
/// snapshot.
pub async fn complete(
    tx: &mut WorkerTx,
    request: Request<'_>,
    missed: &[NaiveDate],
    found: &RunCounts,
    limit: i64,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    let Request { organisation, run_date, approved, .. } = request;
    let Organisation { selection, zone, .. } = organisation;
    let windows = Windows::new(run_date, None, selection, *zone, Part::Whole);
    sqlx::query_file!(
        "src/run/close_unreachable.sql",
        organisation.id,
        &windows.stages,
        &windows.current_from,
        &windows.current_before,
        &windows.types,
        &windows.selections,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query_file!(
        "src/run/close.sql",
        organisation.id,
        run_date,
        columns(found, limit, approved),
        missed,
        snapshot.0,
        i16::try_from(selection.own().grace_days()).unwrap_or(i16::MAX),
        &selection.own().lead_times().iter().map(|days| i32::from(*days)).collect::<Vec<_>>(),
        Json(
            selection
                .of_types()
                .map(|(code, stages)| (code, stages.lead_times()))
                .collect::<BTreeMap<_, _>>()
        ) as _,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records that a run is held.
pub async fn hold(
    tx: &mut WorkerTx,
    organisation: Uuid,
    run_date: NaiveDate,
    found: &RunCounts,
    limit: i64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.runs
           (organisation_id, run_date, state, notices, already_recorded, superseded, unreachable, record_limit, examples)
         select $1, $2, 'held', r.notices, r.already_recorded, r.superseded, r.unreachable, r.record_limit, r.examples
         from jsonb_populate_record(null::certvakt.runs, $3) r",
        organisation,
        run_date,
        columns(found, limit, false),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records that a run failed, with the code of the error, unless another run has completed it.
pub async fn fail(
    tx: &mut WorkerTx,
    organisation: Uuid,
    run_date: NaiveDate,
    code: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "insert into certvakt.runs (organisation_id, run_date, state, reason)
         select $1, $2, 'failed', $3
         where not exists (
           select from certvakt.run_calendars where organisation_id = $1 and last_complete_date >= $2)",
        organisation,
        run_date,
        code,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// The counts of a run, by the names of their columns in `certvakt.runs`.
fn columns(found: &RunCounts, limit: i64, approved: bool) -> Value {
    json!({
        "notices": found.due,
        "already_recorded": found.already_recorded,
        "superseded": found.superseded,
        "unreachable": found.unreachable,
        "record_limit": limit,
        "approved": approved,
        "examples": found.examples,
    })
}
