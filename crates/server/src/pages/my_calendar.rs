//! The last valid days of the person's certifications as a calendar file.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_engine::calendar::{self, Entry};
use certvakt_engine::expiry::standing::{Standing, State as InState};
use certvakt_store::caller::{self, Certification};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use uuid::Uuid;

use super::error::PageError;
use super::row::Row;
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::Section;
use crate::problem::ApiError;

/// The calendar reminds at nine o'clock, thirty days before the last valid day.
const REMINDS_BEFORE: TimeDelta = TimeDelta::hours(30 * 24 - 9);

/// The file of all certifications.
pub(super) async fn all(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    file(&api, &visitor, None).await
}

/// The file of one certification.
pub(super) async fn one(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    file(&api, &visitor, Some(id)).await
}

async fn file(api: &Api, visitor: &Visitor, only: Option<Uuid>) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(api, Section::Mine).await?;
    let mut own = caller::certifications_of(&mut tx, layout.person()).await?;
    tx.commit().await?;
    own.retain(|one| only.is_none_or(|id| one.id == id));
    if only.is_some() && own.is_empty() {
        return Err(ApiError::NotFound.into());
    }
    let (text, now) = (layout.text, api.clock().now());
    let title = text.say("calendar-title");
    let dated: Vec<(&Certification, NaiveDate, String)> = own
        .iter()
        .filter_map(|one| {
            Some((one, day(one, now)?, text.named("calendar-details", &Row::of(one, now, text).about)))
        })
        .collect();
    if dated.is_empty() {
        // A file without an entry is not valid.
        return Ok(Redirect::to("/me").into_response());
    }
    let entries: Vec<Entry<'_>> = dated
        .iter()
        .map(|(one, day, details)| Entry {
            certification: one.id,
            day: *day,
            title: &title,
            details: Some(details),
            // A later change is newer, and all are newer than the entries in e-mails, which count stages.
            sequence: u32::try_from(one.updated_at.timestamp() / 60).unwrap_or(0),
            changed_at: Some(one.updated_at),
            reminds_before: Some(REMINDS_BEFORE),
        })
        .collect();
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/calendar; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"paminnelser.ics\"")),
    ];
    Ok((headers, calendar::file(&entries)).into_response())
}

/// The last valid day of a certification that the calendar should contain: it has not passed, and was not withdrawn.
pub(super) fn day(one: &Certification, now: DateTime<Utc>) -> Option<NaiveDate> {
    let standing = Standing::of(one, now);
    let is_ahead = standing.days_left.is_some_and(|left| left >= 0) && standing.state != InState::Withdrawn;
    standing.last_valid_day.filter(|_| is_ahead)
}
