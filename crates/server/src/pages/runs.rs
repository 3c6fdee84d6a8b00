//! The nights: what each run recorded, and those that wait for an administrator.

use std::collections::HashSet;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_rules::Stage;
use certvakt_store::caller::overview::{self, Run, SuspectedImport};
use certvakt_store::caller::{self, Organisation};
use certvakt_store::{CallerTx, Role, StoreError, Zone};
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::certification::stage_name;
use super::error::PageError;
use super::form::Nothing;
use super::link::link;
use super::row::Row;
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
/// How long the page waits for an approved run before it answers, and how often it looks.
const WAIT_FOR_RUN: Duration = Duration::from_secs(8);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The query after an approval.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AfterApproval {
    /// The run that was approved.
    approved: Option<i64>,
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    layout: Layout,
    held: Vec<Held>,
    nights: Vec<Night>,
    /// The link with which the page looks again for an approved run.
    again: Option<String>,
}

/// A held run.
struct Held {
    id: i64,
    heading: String,
    /// The number of notices of each stage.
    stages: Vec<String>,
    /// Some of the certifications with a notice.
    examples: Vec<Row>,
    /// The limit of notices without an approval.
    limit: i64,
    /// The import that may be the reason, with its number.
    import: Option<(String, i64)>,
    is_approved: bool,
    may_approve: bool,
}

/// A night in the list.
struct Night {
    date: String,
    organisation: String,
    state: String,
    tone: &'static str,
    notices: String,
}

/// Shows the nights. After an approval, it waits some seconds for the run.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(AfterApproval { approved }): Query<AfterApproval>,
) -> Result<Response, PageError> {
    let until = Instant::now() + WAIT_FOR_RUN;
    let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let administered = administered(&mut tx).await?;
    let mut held = overview::held_runs(&mut tx).await?;
    let is_waiting =
        |held: &[Run]| held.iter().any(|run| Some(run.id) == approved && run.approved_at.is_some());
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
    let examples = caller::certifications_by_id(&mut tx, &examples).await?;
    tx.commit().await?;
    let text = layout.text;
    let approval = approved.and_then(|id| Approval::of(id, &runs));
    let waits = held.iter().filter(|run| run.approved_at.is_none()).count();
    let heading = match (approval, waits) {
        (Some(Approval::Running), _) => text.say("runs-running-title"),
        (Some(Approval::Failed), _) => text.say("runs-failed-title"),
        (Some(Approval::Complete), 0) => text.say("runs-approved-title"),
        (Some(Approval::Complete), _) => text.count("runs-approved-more-title", waits),
        (Some(Approval::HeldAgain) | None, 0) => text.say("runs-title"),
        (Some(Approval::HeldAgain) | None, _) => text.count("runs-held-title", waits),
    };
    let again = approved.filter(|_| approval == Some(Approval::Running)).map(path_after);
    let now = api.clock().now();
    let describe = |run: &Run| {
        let organisation = organisations.iter().find(|one| one.id == run.organisation_id);
        let examples = examples.iter().filter(|one| run.examples.contains(&one.id));
        let examples = examples.map(|one| Row::of(one, now, text)).collect();
        let import = imports.iter().find(|import| import.run == run.id).zip(organisation);
        let import = import.map(|(import, of)| (suspicion(import, of.zone, text), import.id));
        described(run, examples, import, administered.contains(&run.organisation_id), text)
    };
    let held = held.iter().map(describe).collect();
    let nights = runs.iter().map(|run| night(run, &organisations, text)).collect();
    let layout = Layout { heading, has_news: approval.is_some(), ..layout };
    Ok(page(StatusCode::OK, &RunsPage { layout, held, nights, again }))
}

/// The result of an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Approval {
    /// The run has not finished yet.
    Running,
    /// The run recorded its notices.
    Complete,
    /// An error stopped the run.
    Failed,
    /// More notices have come due since, so the run is held again.
    HeldAgain,
}

impl Approval {
    /// The result of the approval of a held run; `None` if the run was not approved.
    fn of(id: i64, runs: &[Run]) -> Option<Self> {
        let run = runs.iter().find(|run| run.id == id && run.approved_at.is_some())?;
        let of_organisation = runs.iter().filter(|one| one.organisation_id == run.organisation_id);
        let latest =
            of_organisation.filter(|one| one.state != "missed").map(|one| (one.id, &*one.state)).max();
        Some(match latest {
            Some((latest, "complete")) if latest > id => Self::Complete,
            Some((latest, "failed")) if latest > id => Self::Failed,
            Some((latest, _)) if latest > id => Self::HeldAgain,
            _ => Self::Running,
        })
    }
}

/// The page after an approval.
fn path_after(approved: i64) -> String {
    link(PATH, &[("approved", &approved.to_string())])
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
    let (mut tx, _) = visitor.begin(&api, Section::Runs).await?;
    let runs = overview::runs(&mut tx, Some(id.saturating_add(1)), 1).await?;
    let run = runs.first().filter(|run| run.id == id).ok_or(ApiError::NotFound)?;
    if !administered(&mut tx).await?.contains(&run.organisation_id) {
        return Err(ApiError::NotYours.into());
    }
    // A form that was sent twice, or after the run, approves nothing more.
    if run.approved_at.is_none() && !overview::approve_run(&mut tx, id).await? {
        return Ok(Redirect::to(PATH).into_response());
    }
    tx.commit().await?;
    api.wake_scheduler();
    Ok(Redirect::to(&path_after(id)).into_response())
}

fn described(
    run: &Run,
    examples: Vec<Row>,
    import: Option<(String, i64)>,
    may_approve: bool,
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
    Held {
        id: run.id,
        heading: text.with(
            "runs-held",
            &[("date", text.date(run.run_date).into()), ("number", run.notices.total().into())],
        ),
        stages: stages.collect(),
        examples,
        limit: run.limit.unwrap_or_default(),
        import,
        is_approved: run.approved_at.is_some(),
        may_approve,
    }
}

/// The import that may be the reason why a run is held.
fn suspicion(import: &SuspectedImport, Zone(zone): Zone, text: Text) -> String {
    let time = text.time(import.finished_at.with_timezone(&zone));
    text.with("runs-import", &[("time", time.into()), ("number", import.changed.into())])
}

fn night(run: &Run, organisations: &[Organisation], text: Text) -> Night {
    let name = organisations.iter().find(|one| one.id == run.organisation_id).map(|one| line(&one.name));
    let is_approved = run.approved_at.is_some();
    let state = format!("run-{}", run.state);
    let tone = match run.state.as_str() {
        "complete" => "good",
        "missed" => "soft",
        _ if is_approved => "soft",
        _ => "bad",
    };
    Night {
        date: text.date(run.run_date),
        organisation: name.filter(|_| organisations.len() > 1).unwrap_or_default(),
        state: text.say(if is_approved { "run-approved" } else { &state }),
        tone,
        notices: text.count("runs-notices", run.notices.total()),
    }
}
