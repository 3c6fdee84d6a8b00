//! The notices that were sent to the person, as the pages of their certifications show them.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_engine::expiry::standing::Standing;
use certvakt_rules::last_valid_day;
use certvakt_store::caller;
use uuid::Uuid;

use super::error::PageError;
use super::row::Row;
use super::timeline::notice_in_words;
use super::visitor::Visitor;
use crate::api::Api;
use crate::html::layout::{Layout, Section};
use crate::html::page;

/// The maximum number of notices on the page.
const MOST: u32 = 50;

#[derive(Template)]
#[template(path = "my_notices.html")]
struct NoticesPage {
    layout: Layout,
    /// The latest first.
    notices: Vec<Sent>,
    /// That there are older ones; empty if there are none.
    cut: String,
}

/// A notice.
struct Sent {
    certification: Uuid,
    /// The chapter that certified, the type and the number in the register.
    about: String,
    /// The day on which it was recorded.
    date: String,
    what: String,
    /// What became of it, with the channel.
    state: String,
}

/// Shows the latest notices.
pub(super) async fn show(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let own = caller::certifications_of(&mut tx, layout.person()).await?;
    let ids: Vec<Uuid> = own.iter().map(|one| one.id).collect();
    let mut found = caller::latest_notices(&mut tx, &ids, MOST + 1).await?;
    tx.commit().await?;
    let (text, now) = (layout.text, api.clock().now());
    let cut = if found.len() > MOST as usize { text.count("mine-notices-cut", MOST) } else { String::new() };
    found.truncate(MOST as usize);
    let own: HashMap<Uuid, _> = own.iter().map(|one| (one.id, one)).collect();
    let notices = found.iter().filter_map(|notice| {
        let certification = own.get(&notice.certification_id)?;
        let standing = Standing::of(certification, now);
        let (what, state) = notice_in_words(notice, &standing, text);
        Some(Sent {
            certification: notice.certification_id,
            about: Row::of(certification, now, text).about,
            date: text.date(last_valid_day(notice.recorded_at, certification.zone.0)),
            what,
            state,
        })
    });
    let shown = NoticesPage {
        notices: notices.collect(),
        cut,
        layout: Layout { heading: text.say("mine-notices-title"), ..layout },
    };
    Ok(page(StatusCode::OK, &shown))
}
