//! The nights: what each run recorded, and those that wait for an administrator.

use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::expiry::filter;
use certvakt_rules::Stage;
use certvakt_store::caller::overview::{self, Run};
use certvakt_store::caller::{self, Filter, Organisation};
use certvakt_store::{CallerTx, Role, StoreError};
use serde::Deserialize;
use tokio::time::Instant;

use super::certification::stage_name;
use super::error::PageError;
use super::row::name_of;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The number of nights on the page.
const NIGHTS: u32 = 60;
/// The number of mentors that the page names for a held run.
const EXAMPLES: u32 = 3;
/// How long the page waits for an approved run before it answers, and how often it looks.
const WAIT_FOR_RUN: Duration = Duration::from_secs(8);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The query after an approval.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AfterApproval {
    done: String,
}

#[derive(Template)]
#[template(path = "runs.html")]
struct RunsPage {
    layout: Layout,
    held: Vec<Held>,
    nights: Vec<Night>,
    may_approve: bool,
    /// Whether an approved run has not finished yet.
    is_running: bool,
}

/// A held run.
struct Held {
    id: i64,
    heading: String,
    /// The number of notices of each stage.
    stages: Vec<String>,
    /// Some of the mentors who would be notified.
    examples: Vec<String>,
    is_approved: bool,
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
    Query(AfterApproval { done }): Query<AfterApproval>,
) -> Result<Response, PageError> {
    let until = Instant::now() + WAIT_FOR_RUN;
    let (mut tx, layout, organisations, runs) = loop {
        let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
        let organisations = caller::organisations(&mut tx).await?;
        let runs = overview::runs(&mut tx, None, NIGHTS).await?;
        if done != "approved"
            || !waiting(&runs).any(|run| run.approved_at.is_some())
            || Instant::now() > until
        {
            break (tx, layout, organisations, runs);
        }
        tx.commit().await?;
        tokio::time::sleep(LOOK_EVERY).await;
    };
    let text = layout.text;
    let mut held = Vec::new();
    for run in waiting(&runs) {
        held.push(described(&mut tx, run, &organisations, &api, text).await?);
    }
    tx.commit().await?;
    let is_running = held.iter().any(|one| one.is_approved);
    let waits = held.iter().filter(|one| !one.is_approved).count();
    let heading = match (done.as_str(), is_running, waits) {
        ("approved", true, _) => text.say("runs-running-title"),
        ("approved", false, 0) => text.say("runs-approved-title"),
        (_, _, 0) => text.say("runs-title"),
        _ => text.count("runs-held-title", waits),
    };
    let may_approve = layout.signed_in.as_ref().is_some_and(|person| person.role == Role::OrgAdmin);
    let nights = runs.iter().map(|run| night(run, &organisations, text)).collect();
    let layout = Layout { heading, has_news: done == "approved", ..layout };
    Ok(page(StatusCode::OK, &RunsPage { layout, held, nights, may_approve, is_running }))
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
    // An approval that was sent twice finds the run approved, or complete.
    if run.state == "held" && run.approved_at.is_none() && !overview::approve_run(&mut tx, id).await? {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    api.wake_scheduler();
    Ok(Redirect::to("/runs?done=approved").into_response())
}

/// A form without fields.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// The latest run of each organisation, if it is held.
fn waiting(runs: &[Run]) -> impl Iterator<Item = &Run> {
    runs.iter()
        .enumerate()
        .filter(|(number, run)| {
            let later = runs[..*number].iter().filter(|later| later.organisation_id == run.organisation_id);
            run.state == "held" && later.filter(|later| later.state != "missed").count() == 0
        })
        .map(|(_, run)| run)
}

async fn described(
    tx: &mut CallerTx,
    run: &Run,
    organisations: &[Organisation],
    api: &Api,
    text: Text,
) -> Result<Held, StoreError> {
    let mut stages: Vec<(Stage, i64)> = run.notices.iter().filter(|(_, number)| *number > 0).collect();
    stages.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    let mut examples = Vec::new();
    if let Some((stage, _)) = stages.first() {
        let types = overview::certification_types(tx).await?;
        let own: Vec<Organisation> =
            organisations.iter().filter(|one| one.id == run.organisation_id).cloned().collect();
        let state = Some(filter::in_stage(*stage, &own, &types, api.clock()));
        let found =
            caller::certifications(tx, &Filter { state, ..Filter::default() }, None, EXAMPLES).await?;
        examples = found.iter().map(|one| name_of(one, text)).collect();
    }
    let stages = stages.iter().map(|(stage, number)| {
        text.with(
            "runs-of-stage",
            &[("stage", stage_name(*stage, text).into()), ("number", (*number).into())],
        )
    });
    Ok(Held {
        id: run.id,
        heading: text.with(
            "runs-held",
            &[("date", text.date(run.run_date).into()), ("number", run.notices.total().into())],
        ),
        stages: stages.collect(),
        examples,
        is_approved: run.approved_at.is_some(),
    })
}

fn night(run: &Run, organisations: &[Organisation], text: Text) -> Night {
    let name = organisations.iter().find(|one| one.id == run.organisation_id).map(|one| line(&one.name));
    let tone = match run.state.as_str() {
        "complete" => "good",
        "missed" => "soft",
        _ => "bad",
    };
    Night {
        date: text.date(run.run_date),
        organisation: name.filter(|_| organisations.len() > 1).unwrap_or_default(),
        state: text.say(&format!("run-{}", run.state)),
        tone,
        notices: text.count("runs-notices", run.notices.total()),
    }
}
