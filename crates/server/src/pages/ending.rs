//! The form that records that a mentor died or left. It cannot be undone, so its consequences are shown first.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_engine::people::ending;
use certvakt_store::caller::mentor::{self, Mentor};
use certvakt_store::caller::{self, Certification};
use certvakt_store::{CallerTx, PersonChangeKind};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Fault, Nothing, changeable, of_field};
use super::row::{about, name_of};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The reasons of an end.
const REASONS: [PersonChangeKind; 2] = [PersonChangeKind::Left, PersonChangeKind::Deceased];

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    reason: String,
    /// `save` if the person has seen the consequences, `edit` to change what was entered.
    step: String,
}

impl Fields {
    fn reason(&self) -> Option<PersonChangeKind> {
        REASONS.into_iter().find(|reason| reason.as_str() == self.reason)
    }
}

#[derive(Template)]
#[template(path = "ending.html")]
struct EndingPage {
    layout: Layout,
    id: Uuid,
    about: String,
    /// The value, the label, and whether it is chosen.
    reasons: Vec<(&'static str, String, bool)>,
    /// The reason to be checked, with its label.
    chosen: Option<(&'static str, String)>,
    faults: Vec<Fault>,
}

impl EndingPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the form.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let (found, _) = endable(&mut tx, id).await?;
    tx.commit().await?;
    Ok(page(StatusCode::OK, &form(layout, &found, &Fields::default())))
}

/// Ends the mentor, or shows the consequences first.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let (found, mentor) = endable(&mut tx, id).await?;
    let text = layout.text;
    let mut shown = form(layout, &found, &fields);
    if fields.step == "edit" {
        return Ok(page(StatusCode::OK, &shown));
    }
    let Some(reason) = fields.reason() else {
        shown.faults = vec![Fault { field: "reason".into(), what: text.say("fault-ending-reason") }];
        shown.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
    };
    if fields.step != "save" {
        tx.commit().await?;
        shown.chosen = Some((reason.as_str(), text.say(&format!("ending-{reason}"))));
        shown.layout.heading = text.named("action-end-check", &name_of(&found, text));
        shown.layout.has_news = true;
        return Ok(page(StatusCode::OK, &shown));
    }
    ending::end(&mut tx, &mentor, reason, api.clock().now()).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("/certifications/{id}?done={reason}")).into_response())
}

/// Records that the mentor is back.
pub(super) async fn take_back(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Certifications).await?;
    let found = caller::certification(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    if !mentor::take_back(&mut tx, found.mentor_id, found.organisation_id).await? {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    Ok(Redirect::to(&format!("/certifications/{id}?done=returned")).into_response())
}

/// Leads back to the certification, after a sign-in in the middle of the form.
pub(super) async fn lead_back(Path(id): Path<Uuid>) -> Redirect {
    Redirect::to(&format!("/certifications/{id}"))
}

/// A certification whose mentor the caller may end. A mentor who has ended already stays so.
async fn endable(tx: &mut CallerTx, id: Uuid) -> Result<(Certification, Mentor), PageError> {
    let found = changeable(tx, id).await?;
    let mentor = mentor::mentor(tx, id).await?.ok_or(ApiError::NotFound)?;
    if mentor.may_end || mentor.has_ended() { Ok((found, mentor)) } else { Err(ApiError::NotYours.into()) }
}

fn form(layout: Layout, found: &Certification, fields: &Fields) -> EndingPage {
    let text = layout.text;
    let reasons = REASONS.map(|reason| {
        (reason.as_str(), text.say(&format!("ending-{reason}")), fields.reason() == Some(reason))
    });
    let heading = text.named("action-end-title", &name_of(found, text));
    EndingPage {
        id: found.id,
        about: about(found),
        reasons: reasons.into(),
        chosen: None,
        faults: Vec::new(),
        layout: Layout { heading, ..layout },
    }
}
