//! The run of one organisation, and of all organisations in turn.

use certvakt_base::Exit;
use certvakt_base::clock::Clock;
use certvakt_rules::calendar::missed_nights;
use certvakt_store::organisation::Organisation;
use certvakt_store::run::{self, ByStage, Calendar, Outlook, Part, Request, RunCounts};
use certvakt_store::{Database, StoreError, WorkerTx};
use chrono::NaiveDate;
use serde::Serialize;

use super::lanes;

/// The options of a run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The date; `None` means today in the organisation's time zone.
    pub date: Option<NaiveDate>,
    /// Whether to record the notices.
    pub mode: Mode,
    /// Read every certification, not only those that came due or changed since the last complete run.
    pub full: bool,
    /// Do nothing if the date's run is already complete: for schedulers, because there can be several.
    pub unless_complete: bool,
    /// For a held run that an administrator lets run again: the number of notices that they approved, 0 for none beyond the
    /// limit. The run happens only if no other has followed the held one; if more have come due since, it is held again.
    pub approved_notices: Option<i64>,
    /// The kinds of contact point that the configured channels use; `None` if a channel reaches everyone.
    pub contact_kinds: Option<Vec<String>>,
}

/// Whether a run records its notices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Record the notices, unless they exceed the limit.
    #[default]
    Record,
    /// Record the notices, even if they exceed the limit.
    Approved,
    /// Record nothing.
    DryRun,
}

/// The outcome of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// The notices are recorded.
    Complete,
    /// The notices exceed the limit, so nothing was recorded.
    Held,
    /// A dry run, which recorded nothing.
    DryRun,
    /// Another process has already completed the run.
    DoneBefore,
}

/// The result of a run of one organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrganisationRun {
    /// The organisation's slug.
    pub organisation: String,
    /// The date of the run.
    pub run_date: NaiveDate,
    /// The number of notices recorded; for a dry run, the number that it would record.
    pub recorded: ByStage,
    /// For a held run: the number of notices that it would record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_record: Option<ByStage>,
    /// The certifications that the run read in a stage that was already recorded.
    pub already_recorded: i64,
    /// The stages that get no notice, because a later one has started.
    pub superseded: i64,
    /// The recorded notices whose mentor has no contact point that a channel could use.
    pub unreachable: i64,
    /// The outcome.
    pub state: RunState,
    /// The maximum number of notices that the run may record without approval.
    pub limit: i64,
    /// Whether the run was approved.
    pub approved: bool,
    /// The missed nights since the last complete run, which this run covers.
    pub missed: Vec<NaiveDate>,
}

/// An error of a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The date is in the future.
    #[error(
        "{date} is in the future for {organisation}, where today is {today}: use --dry-run for a future date"
    )]
    Future {
        /// The organisation's slug.
        organisation: String,
        /// The requested date.
        date: NaiveDate,
        /// Today in the organisation's time zone.
        today: NaiveDate,
    },
    /// A later run is complete.
    #[error(
        "{organisation} already has a complete run of {last}: use --dry-run for an earlier date ({date})"
    )]
    Past {
        /// The organisation's slug.
        organisation: String,
        /// The requested date.
        date: NaiveDate,
        /// The date of the last complete run.
        last: NaiveDate,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RunError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Future { .. } => "run-in-the-future",
            Self::Past { .. } => "run-before-the-last",
            Self::Store(error) => error.code(),
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Future { .. } | Self::Past { .. } => Exit::Usage,
            Self::Store(error) => error.exit(),
        }
    }
}

/// Runs several organisations. A run that fails is recorded as failed, and does not stop the others. Returns
/// the results, and the first error.
pub async fn all(
    database: &Database,
    clock: &Clock,
    organisations: &[Organisation],
    options: &Options,
) -> (Vec<OrganisationRun>, Option<RunError>) {
    let mut runs = Vec::with_capacity(organisations.len());
    let mut first_error = None;
    for organisation in organisations {
        match one(database, clock, organisation, options).await {
            Ok(run) => runs.push(run),
            Err(error) if first_error.is_none() => first_error = Some(error),
            Err(error) => tracing::error!(organisation = organisation.slug, code = error.code(), "{error}"),
        }
    }
    (runs, first_error)
}

/// The maximum number of attempts at a run. It starts again if a certification or a mentor is deleted after
/// the run has read it and before it has written its notice.
const ATTEMPTS: u32 = 5;

/// Runs one organisation.
pub async fn one(
    database: &Database,
    clock: &Clock,
    organisation: &Organisation,
    options: &Options,
) -> Result<OrganisationRun, RunError> {
    let today = clock.today(organisation.zone);
    let run_date = options.date.unwrap_or(today);
    if run_date > today && options.mode != Mode::DryRun {
        return Err(RunError::Future { organisation: organisation.slug.clone(), date: run_date, today });
    }
    let mut done = attempt(database, organisation, run_date, options).await;
    for _ in 1..ATTEMPTS {
        let Err(RunError::Store(StoreError::Conflict(_))) = &done else { break };
        done = attempt(database, organisation, run_date, options).await;
    }
    if let Err(error @ RunError::Store(_)) = &done
        && options.mode != Mode::DryRun
    {
        // Best effort: without the database, the failure cannot be recorded.
        if let Ok(mut tx) = database.worker().await
            && run::fail(&mut tx, organisation.id, run_date, error.code()).await.is_ok()
        {
            let _ = tx.commit().await;
        }
    }
    done
}

/// Reinstates the certifications whose suspension has ended. It commits before the run takes its snapshot, so that
/// the run finds the changes.
async fn end_leaves(
    database: &Database,
    organisation: &Organisation,
    run_date: NaiveDate,
) -> Result<(), StoreError> {
    let mut tx = database.worker().await?;
    let ended = run::end_leaves(&mut tx, organisation.id, run_date).await?;
    tx.commit().await?;
    if ended > 0 {
        tracing::info!(organisation = organisation.slug, ended, "suspensions ended");
    }
    Ok(())
}

async fn attempt(
    database: &Database,
    organisation: &Organisation,
    run_date: NaiveDate,
    options: &Options,
) -> Result<OrganisationRun, RunError> {
    if options.mode != Mode::DryRun {
        end_leaves(database, organisation, run_date).await?;
    }
    let mut tx = database.worker().await?;
    let (calendar, snapshot) = run::lock_calendar(&mut tx, organisation.id).await?;
    let last = calendar.last_complete;
    if let Some(last) = last.filter(|last| run_date < *last && options.mode != Mode::DryRun) {
        return Err(RunError::Past { organisation: organisation.slug.clone(), date: run_date, last });
    }
    let mut outcome = OrganisationRun {
        organisation: organisation.slug.clone(),
        run_date,
        recorded: ByStage::none_of(&organisation.selection),
        would_record: None,
        already_recorded: 0,
        superseded: 0,
        unreachable: 0,
        state: RunState::DoneBefore,
        limit: 0,
        approved: options.mode == Mode::Approved || options.approved_notices.is_some_and(|number| number > 0),
        missed: last.map(|last| missed_nights(last, run_date).collect()).unwrap_or_default(),
    };
    if options.unless_complete && last == Some(run_date) {
        return Ok(outcome);
    }
    // Another process may have run it already.
    if options.approved_notices.is_some() && !run::is_decided(&mut tx, organisation.id).await? {
        return Ok(outcome);
    }
    let request = Request {
        organisation,
        run_date,
        calendar: if options.full { &Calendar::NONE } else { calendar.start(organisation, run_date) },
        contact_kinds: options.contact_kinds.as_deref(),
        record: options.mode != Mode::DryRun,
        approved: options.mode == Mode::Approved,
    };
    run::disable_sequential_scans(&mut tx).await?;
    let mut outlook = run::outlook(&mut tx, request).await?;
    outlook.record_limit = outlook.record_limit.max(options.approved_notices.unwrap_or(0));
    let found = find(database, &mut tx, request, outlook).await?;
    outcome.recorded = found.due.clone();
    outcome.already_recorded = found.already_recorded;
    outcome.superseded = found.superseded;
    outcome.unreachable = found.unreachable;
    outcome.limit = outlook.record_limit;
    if options.mode == Mode::DryRun {
        outcome.state = RunState::DryRun;
        tx.rollback().await?;
    } else if found.recorded {
        outcome.state = RunState::Complete;
        run::complete(&mut tx, request, &outcome.missed, &found, outlook.record_limit, &snapshot).await?;
        tx.commit().await?;
    } else {
        outcome.state = RunState::Held;
        let none = ByStage::none_of(&organisation.selection);
        outcome.would_record = Some(std::mem::replace(&mut outcome.recorded, none));
        outcome.missed.clear();
        run::hold(&mut tx, organisation.id, run_date, &found, outlook.record_limit).await?;
        tx.commit().await?;
    }
    tracing::info!(
        organisation = organisation.slug,
        %run_date,
        state = ?outcome.state,
        recorded = outcome.recorded.total(),
        superseded = outcome.superseded,
        unreachable = outcome.unreachable,
        missed = outcome.missed.len(),
        "run"
    );
    Ok(outcome)
}

/// Finds and records the due notices: in the run's own transaction, or in two transactions if there are so
/// many notices that this is faster and they are certain to be within the limit.
async fn find(
    database: &Database,
    tx: &mut WorkerTx,
    request: Request<'_>,
    Outlook { candidates, record_limit }: Outlook,
) -> Result<RunCounts, StoreError> {
    let is_allowed = request.approved || candidates <= record_limit;
    if request.record
        && is_allowed
        && candidates >= lanes::WORTH_IT_FROM
        && let Some(found) = lanes::record(database, tx, request, record_limit).await?
    {
        return Ok(found);
    }
    run::record(tx, request, record_limit, Part::Whole).await
}
