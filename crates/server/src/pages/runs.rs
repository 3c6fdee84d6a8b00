//! The nights: what each run recorded, and those that wait for the decision of an administrator.

use std::collections::HashSet;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_rules::{Stage, last_valid_day};
use certvakt_store::caller::overview::{self, Move, Run, SuspectedImport};
use certvakt_store::caller::{self, Certification, Organisation};
use certvakt_store::{CallerTx, Role, StoreError, Zone};
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::error::PageError;
use super::form::Nothing;
use super::link::link;
use super::row::Row;
use super::timeline::stage_name;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The path of the page.
const PATH: &str = "/runs";
/// The number of nights on the page.
const NIGHTS: u32 = 60;
/// How long the page waits for a run about which somebody decided before it answers, and how often it looks.
const WAIT_FOR_RUN: Duration = Duration::from_secs(8);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The query after a decision.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AfterDecision {
    /// The held run.
    decided: Option<i64>,
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    layout: Layout,
    held: Vec<Held>,
    nights: Vec<Night>,
    /// The link with which the page looks again for the run.
    again: Option<String>,
}

/// A held run.
struct Held {
    id: i64,
    heading: String,
    /// The number of notices.
    number: i64,
    /// The number of notices of each stage.
    stages: Vec<String>,
    /// Some of the certifications with a notice, each with the last change of its date; empty if it had none.
    examples: Vec<(Row, String)>,
    /// The limit of notices without an approval.
    limit: i64,
    /// The import that may be the reason: it changed enough certifications to exceed the limit.
    import: Option<Suspected>,
    /// That it happens again; `None` while it waits for a decision.
    decision: Option<String>,
    may_decide: bool,
}

impl Held {
    /// Whether the examples still say why the run is held.
    fn has_examples(&self) -> bool {
        !self.examples.is_empty() && !self.import.as_ref().is_some_and(|import| import.is_undone)
    }
}

/// An import that may be the reason why a run is held.
struct Suspected {
    sentence: String,
    number: i64,
    is_undone: bool,
}

/// A night in the list.
struct Night {
    date: String,
    organisation: String,
    state: String,
    tone: &'static str,
    notices: String,
}

/// Shows the nights. After a decision, it waits some seconds for the run.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(AfterDecision { decided }): Query<AfterDecision>,
) -> Result<Response, PageError> {
    let until = Instant::now() + WAIT_FOR_RUN;
    let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let administered = administered(&mut tx).await?;
    let mut held = overview::held_runs(&mut tx).await?;
    let is_waiting =
        |held: &[Run]| held.iter().any(|run| Some(run.id) == decided && run.decided_at.is_some());
    // Each look is a transaction of its own, and none is open in between.
    while is_waiting(&held) && Instant::now() < until {
        tx.commit().await?;
        tokio::time::sleep(LOOK_EVERY).await;
        tx = visitor.again(&api).await?;
        held = overview::held_runs(&mut tx).await?;
    }
    let runs = overview::runs(&mut tx, None, NIGHTS).await?;
    let ids: Vec<i64> = held.iter().map(|run| run.id).collect();
    let imports =
        if ids.is_empty() { Vec::new() } else { overview::suspected_imports(&mut tx, &ids).await? };
    let examples: Vec<Uuid> = held.iter().flat_map(|run| run.examples.clone()).collect();
    let moves =
        if examples.is_empty() { Vec::new() } else { overview::last_moves(&mut tx, &examples).await? };
    let examples = caller::certifications_by_id(&mut tx, &examples).await?;
    tx.commit().await?;
    let text = layout.text;
    let decision = decided.and_then(|id| Decision::of(id, &runs));
    let waits = held.iter().filter(|run| run.decided_at.is_none()).count();
    let heading = heading(decision, waits, text);
    let is_running = decision.is_some_and(|decision| decision.result == RunResult::Running);
    let running = held.iter().find(|run| run.decided_at.is_some()).map(|run| run.id);
    let again = decided.filter(|_| is_running).or(running).map(path_after);
    let now = api.clock().now();
    let describe = |run: &Run| {
        let organisation = organisations.iter().find(|one| one.id == run.organisation_id);
        let examples = examples.iter().filter(|one| run.examples.contains(&one.id));
        let examples = examples.map(|one| (Row::of(one, now, text), last_move(one, &moves, text))).collect();
        let beyond = run.notices.total() - run.limit.unwrap_or_default();
        let import =
            imports.iter().find(|import| import.run == run.id && import.changed >= beyond).zip(organisation);
        let import = import.map(|(import, of)| suspected(import, of.zone, text));
        described(run, examples, import, administered.contains(&run.organisation_id), text)
    };
    let held = held.iter().map(describe).collect();
    let nights = runs.iter().map(|run| night(run, &organisations, text)).collect();
    let layout = Layout { heading, has_news: decision.is_some(), ..layout };
    Ok(page(StatusCode::OK, &RunsPage { layout, held, nights, again }))
}

/// What followed a decision.
#[derive(Debug, Clone, Copy)]
struct Decision {
    /// Whether the administrator approved the notices; if not, they asked for another check.
    is_approval: bool,
    result: RunResult,
}

/// The result of the run after a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunResult {
    /// The run has not finished yet.
    Running,
    /// The run recorded its notices.
    Complete,
    /// An error stopped the run.
    Failed,
    /// There are still too many notices, or more have come due since an approval, so the run is held again.
    HeldAgain,
}

impl Decision {
    /// What followed the decision about a held run; `None` if nobody decided about it.
    fn of(id: i64, runs: &[Run]) -> Option<Self> {
        let run = runs.iter().find(|run| run.id == id)?;
        let is_approval = run.approved_notices? > 0;
        let of_organisation = runs.iter().filter(|one| one.organisation_id == run.organisation_id);
        let latest =
            of_organisation.filter(|one| one.state != "missed").map(|one| (one.id, &*one.state)).max();
        let result = match latest {
            Some((latest, "complete")) if latest > id => RunResult::Complete,
            Some((latest, "failed")) if latest > id => RunResult::Failed,
            Some((latest, _)) if latest > id => RunResult::HeldAgain,
            _ => RunResult::Running,
        };
        Some(Self { is_approval, result })
    }
}

fn heading(decision: Option<Decision>, waits: usize, text: Text) -> String {
    let Some(Decision { is_approval, result }) = decision else {
        return if waits == 0 { text.say("runs-title") } else { text.count("runs-held-title", waits) };
    };
    match (result, is_approval) {
        (RunResult::Failed, _) => text.say("runs-failed-title"),
        (RunResult::Running, true) => text.say("runs-running-title"),
        (RunResult::Running, false) => text.say("runs-checking-title"),
        (RunResult::Complete, true) if waits == 0 => text.say("runs-approved-title"),
        (RunResult::Complete, true) => text.count("runs-approved-more-title", waits),
        (RunResult::Complete, false) => text.say("runs-checked-title"),
        (RunResult::HeldAgain, true) => text.count("runs-held-title", waits),
        (RunResult::HeldAgain, false) => text.say("runs-still-held-title"),
    }
}

/// The page after a decision.
fn path_after(decided: i64) -> String {
    link(PATH, &[("decided", &decided.to_string())])
}

/// The organisations that the caller administers.
pub(super) async fn administered(tx: &mut CallerTx) -> Result<HashSet<Uuid>, StoreError> {
    let memberships = caller::memberships(tx).await?;
    let administered = memberships.iter().filter(|one| one.role == Role::OrgAdmin);
    Ok(administered.map(|one| one.organisation_id).collect())
}

/// Approves a held run, which the scheduler then runs again.
pub(super) async fn approve(
    State(api): State<Api>,
    Path(id): Path<i64>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    decide(&api, &visitor, id, true).await
}

/// Lets the scheduler run a held run again within its limit, after somebody removed the reason.
pub(super) async fn check(
    State(api): State<Api>,
    Path(id): Path<i64>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    decide(&api, &visitor, id, false).await
}

async fn decide(api: &Api, visitor: &Visitor, id: i64, is_approved: bool) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(api, Section::Runs).await?;
    let runs = overview::runs(&mut tx, Some(id.saturating_add(1)), 1).await?;
    let run = runs.first().filter(|run| run.id == id).ok_or(ApiError::NotFound)?;
    if !administered(&mut tx).await?.contains(&run.organisation_id) {
        return Err(ApiError::NotYours.into());
    }
    // A form that was sent twice, or after the run, decides nothing more.
    if run.decided_at.is_none() && !overview::repeat_run(&mut tx, id, is_approved).await? {
        return Ok(Redirect::to(PATH).into_response());
    }
    tx.commit().await?;
    api.wake_scheduler();
    Ok(Redirect::to(&path_after(id)).into_response())
}

fn described(
    run: &Run,
    examples: Vec<(Row, String)>,
    import: Option<Suspected>,
    may_decide: bool,
    text: Text,
) -> Held {
    let mut stages: Vec<(Stage, i64)> = run.notices.iter().filter(|(_, number)| *number > 0).collect();
    stages.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let stages = stages.iter().map(|(stage, number)| {
        text.with(
            "runs-of-stage",
            &[("stage", stage_name(*stage, text).into()), ("number", (*number).into())],
        )
    });
    let key = |waits: &'static str, approved, checking| match run.approved_notices {
        None => waits,
        Some(0) => checking,
        Some(_) => approved,
    };
    Held {
        id: run.id,
        heading: text.with(
            key("runs-held", "runs-held-approved", "runs-held-checking"),
            &[("date", text.date(run.run_date).into()), ("number", run.notices.total().into())],
        ),
        number: run.notices.total(),
        stages: stages.collect(),
        examples,
        limit: run.limit.unwrap_or_default(),
        import,
        decision: run.approved_notices.map(|_| text.say(key("", "runs-running", "runs-checking"))),
        may_decide,
    }
}

/// The last change of the date of a certification; empty if it had none before.
fn last_move(one: &Certification, moves: &[Move], text: Text) -> String {
    let Zone(zone) = one.zone;
    let found = moves.iter().find(|found| found.certification_id == one.id);
    found.map_or_else(String::new, |found| {
        let changed = text.date(found.at.with_timezone(&zone).date_naive());
        let before = text.date(last_valid_day(found.expires_before, zone));
        text.with("runs-moved", &[("date", changed.into()), ("before", before.into())])
    })
}

fn suspected(import: &SuspectedImport, Zone(zone): Zone, text: Text) -> Suspected {
    let time = text.time(import.finished_at.with_timezone(&zone));
    let key = if import.is_undone { "runs-import-undone" } else { "runs-import" };
    Suspected {
        sentence: text.with(key, &[("time", time.into()), ("number", import.changed.into())]),
        number: import.id,
        is_undone: import.is_undone,
    }
}

fn night(run: &Run, organisations: &[Organisation], text: Text) -> Night {
    let name = organisations.iter().find(|one| one.id == run.organisation_id).map(|one| line(&one.name));
    let decided =
        run.approved_notices.map(|approved| if approved > 0 { "run-approved" } else { "run-checked" });
    let state = format!("run-{}", run.state);
    let tone = match run.state.as_str() {
        "complete" => "good",
        "missed" => "soft",
        _ if decided.is_some() => "soft",
        _ => "bad",
    };
    Night {
        date: text.date(run.run_date),
        organisation: name.filter(|_| organisations.len() > 1).unwrap_or_default(),
        state: text.say(decided.unwrap_or(&state)),
        tone,
        notices: text.count("runs-notices", run.notices.total()),
    }
}
