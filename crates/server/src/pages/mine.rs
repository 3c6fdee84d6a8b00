//! The person's own page: what they hold, and where they are signed in.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_store::caller::{self, sessions};
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::row::Row;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;

#[derive(Template)]
#[template(path = "mine.html")]
struct MyPage {
    layout: Layout,
    rows: Vec<Row>,
    sessions: Vec<MySession>,
}

/// A session of the person.
struct MySession {
    what: String,
    /// The session's id and the label of the button that ends it; `None` for the current one.
    end: Option<(Uuid, String)>,
}

/// Shows the person's own page.
pub(super) async fn show(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let person = layout.signed_in.as_ref().map_or(Uuid::nil(), |person| person.id);
    let found = caller::certifications_of(&mut tx, person).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let sessions = sessions::sessions(&mut tx).await?;
    tx.commit().await?;
    let zone = organisations.first().map_or(Tz::UTC, |one| one.zone.0);
    let (text, now) = (layout.text, api.clock().now());
    let shown = MyPage {
        rows: found.iter().map(|one| Row::of(one, now, text)).collect(),
        sessions: sessions.iter().map(|one| session(one, zone, text)).collect(),
        layout: Layout { heading: text.say("mine-title"), ..layout },
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
