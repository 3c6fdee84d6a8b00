//! The person's own page: what they hold, and where they are signed in. The pages below it show the rest.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_store::caller::contact_points::contact_points;
use certvakt_store::caller::digest::{self, Schedule};
use certvakt_store::caller::{self, sessions};
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::Done;
use super::my_calendar;
use super::my_channels::{Point, shown as point};
use super::row::Row;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The schedules of the digest.
const SCHEDULES: [&str; 3] = ["daily", "weekly", "off"];

#[derive(Template)]
#[template(path = "mine.html")]
struct MyPage {
    layout: Layout,
    rows: Vec<Row>,
    /// Those of them that a calendar file can contain.
    dated: Vec<Uuid>,
    /// The e-mail addresses of the person.
    emails: Vec<Point>,
    sessions: Vec<MySession>,
    /// The form of the digest; `None` if the person manages nobody.
    digest: Option<DigestChoices>,
}

/// The form of the digest: each value with its label, and whether it is chosen.
struct DigestChoices {
    schedules: Vec<(&'static str, String, bool)>,
    weekdays: Vec<(i16, String, bool)>,
}

impl DigestChoices {
    fn new(chosen: &Schedule, text: Text) -> Self {
        let schedule = |one| (one, text.say(&format!("digest-{one}")), chosen.schedule == one);
        let weekday = |day| (day, text.say(&format!("weekday-{day}")), chosen.weekday == day);
        Self { schedules: SCHEDULES.map(schedule).into(), weekdays: (1..=7).map(weekday).collect() }
    }
}

/// A session of the person.
struct MySession {
    what: String,
    /// The session's id and the label of the button that ends it; `None` for the current one.
    end: Option<(Uuid, String)>,
}

/// Shows the person's own page.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let found = caller::certifications_of(&mut tx, layout.person()).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let sessions = sessions::sessions(&mut tx).await?;
    let points = contact_points(&mut tx).await?;
    let manages = layout.manages();
    let digest = if manages { Some(digest::schedule(&mut tx).await?.unwrap_or_default()) } else { None };
    tx.commit().await?;
    let zone = organisations.first().map_or(Tz::UTC, |one| one.zone.0);
    let (text, now) = (layout.text, api.clock().now());
    let has_news = done == "digest";
    let heading = if has_news { "digest-saved" } else { "mine-title" };
    let shown = MyPage {
        rows: found.iter().map(|one| Row::of(one, now, text)).collect(),
        dated: found.iter().filter(|one| my_calendar::day(one, now).is_some()).map(|one| one.id).collect(),
        emails: points.iter().filter(|one| one.kind == "email").map(|one| point(one, zone, text)).collect(),
        sessions: sessions.iter().map(|one| session(one, zone, text)).collect(),
        digest: digest.map(|chosen| DigestChoices::new(&chosen, text)),
        layout: Layout { heading: text.say(heading), has_news, ..layout },
    };
    Ok(page(StatusCode::OK, &shown))
}

fn session(one: &sessions::Session, zone: Tz, text: Text) -> MySession {
    let unnamed = text.say("browser-unnamed");
    let browser = if one.browser.is_empty() { unnamed } else { line(&one.browser) };
    let since = text.date(one.created_at.with_timezone(&zone).date_naive());
    let key = if one.is_current { "session-current" } else { "session" };
    let what = text.with(key, &[("browser", browser.as_str().into()), ("since", since.into())]);
    let end = (!one.is_current).then(|| (one.id, text.with("end-session", &[("browser", browser.into())])));
    MySession { what, end }
}

/// The schedule of the digest.
#[derive(Deserialize)]
pub(super) struct DigestForm {
    schedule: String,
    weekday: String,
}

/// Sets when the person gets their digest.
pub(super) async fn set_digest(
    State(api): State<Api>,
    Sent { visitor, form: DigestForm { schedule, weekday } }: Sent<DigestForm>,
) -> Result<Response, PageError> {
    let weekday = weekday.parse().ok().filter(|day| (1..=7).contains(day));
    let (true, Some(weekday)) = (SCHEDULES.contains(&schedule.as_str()), weekday) else {
        return Err(ApiError::Invalid("the form is incomplete".to_owned()).into());
    };
    let (mut tx, _) = visitor.begin(&api, Section::Mine).await?;
    digest::set_schedule(&mut tx, &Schedule { schedule, weekday }).await?;
    tx.commit().await?;
    Ok(Redirect::to("/me?done=digest").into_response())
}

/// The session to end.
#[derive(Deserialize)]
pub(super) struct EndSession {
    session: Uuid,
}

/// Ends another session of the person.
pub(super) async fn end_session(
    State(api): State<Api>,
    Sent { visitor, form: EndSession { session } }: Sent<EndSession>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Mine).await?;
    sessions::end(&mut tx, Some(session)).await?;
    tx.commit().await?;
    Ok(Redirect::to("/me").into_response())
}

/// Sends each person to the page that they need first.
pub(super) async fn start(State(api): State<Api>, visitor: Visitor) -> Result<Redirect, PageError> {
    let (tx, layout) = visitor.begin(&api, Section::Mine).await?;
    tx.commit().await?;
    let manages = layout.signed_in.is_some_and(|person| person.manages());
    Ok(Redirect::to(if manages { "/today" } else { "/me" }))
}
