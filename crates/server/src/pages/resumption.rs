//! The form that resumes sending to a partner after it stopped. It says first what is sent then.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_partner::probe::Point;
use certvakt_rules::today;
use certvakt_store::caller::partners::{self, Partner};
use chrono::DateTime;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::Fault;
use super::partners::{managed, may_resume, path_of, stop_reason};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The fields of the form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The time of the stop that the person saw, in microseconds since 1970.
    stopped: String,
}

#[derive(Template)]
#[template(path = "resumption.html")]
struct ResumptionPage {
    layout: Layout,
    /// The path of the partner.
    path: String,
    stopped: String,
    since: String,
    reason: String,
    /// What is sent when sending resumes.
    effects: Vec<String>,
    faults: Vec<Fault>,
    /// How the portal differs from the contract, as the probe says it.
    differences: Vec<String>,
}

/// Shows what is sent when sending resumes.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, name)): Path<(Uuid, String)>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
    let one = managed(&mut tx, id, &name).await?;
    tx.commit().await?;
    check_role(&one)?;
    Ok(match form(layout, &one) {
        Some(form) => page(StatusCode::OK, &form),
        None => Redirect::to(&path_of(&one)).into_response(),
    })
}

/// Resumes sending, if the portal passes a probe.
pub(super) async fn make(
    State(api): State<Api>,
    Path((id, name)): Path<(Uuid, String)>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
    let one = managed(&mut tx, id, &name).await?;
    // No transaction is open while the portal answers.
    tx.commit().await?;
    check_role(&one)?;
    let path = format!("{}?done=resumed", path_of(&one));
    // A form that is sent twice finds that sending has resumed, and one of an earlier stop finds a new one.
    let seen = fields.stopped.parse().ok().and_then(DateTime::from_timestamp_micros);
    let (Some(mut form), true) = (form(layout, &one), seen.is_some() && seen == one.stopped_since) else {
        return Ok(Redirect::to(&path).into_response());
    };
    let points = api.probe(id, &name).await?;
    if points.is_empty() || !points.iter().all(|point| point.keeps) {
        let text = form.layout.text;
        let key = if points.is_empty() { "fault-resume-untested" } else { "fault-resume" };
        form.faults = vec![Fault { field: "resume".into(), what: text.say(key) }];
        let differences = points.into_iter().filter(|point| !point.keeps);
        form.differences =
            differences.map(|Point { point, found, .. }| format!("{point}: {found}")).collect();
        form.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &form));
    }
    let mut tx = visitor.again(&api).await?;
    if let Some(stopped) = seen {
        partners::resume(&mut tx, id, &name, stopped).await?;
    }
    tx.commit().await?;
    Ok(Redirect::to(&path).into_response())
}

/// Only administrators resume sending.
fn check_role(one: &Partner) -> Result<(), ApiError> {
    if one.is_administered { Ok(()) } else { Err(ApiError::NotYours) }
}

/// The form; `None` if there is nothing to resume.
fn form(layout: Layout, one: &Partner) -> Option<ResumptionPage> {
    let text = layout.text;
    let stopped = one.stopped_since.filter(|_| may_resume(one))?;
    let mut effects =
        vec![text.count("resume-delists", one.to_delist), text.count("resume-lists", one.to_list)];
    if one.to_delist > one.removal_limit {
        effects.push(text.count("resume-held", one.removal_limit));
    }
    Some(ResumptionPage {
        path: path_of(one),
        stopped: stopped.timestamp_micros().to_string(),
        since: text.named("partner-stopped-since", &text.date(today(stopped, one.zone.0))),
        reason: stop_reason(one, text)?,
        effects,
        faults: Vec::new(),
        differences: Vec::new(),
        layout: Layout { heading: text.named("resume-title", &one.partner), ..layout },
    })
}
