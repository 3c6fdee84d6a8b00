//! The certifications that are not on `Today`, because somebody put the next contact with their mentors off to a later day.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_store::caller::contacts::{self, Contact};
use certvakt_store::caller::{self, Certification, people};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::chapter_switch::{chosen, named, switch};
use super::error::PageError;
use super::row::{Row, tell_apart};
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;

/// The path of the page.
const PATH: &str = "/contacts";
/// The number of certifications that the page shows, those with the earliest next contact first.
const MOST: u32 = 100;

/// The chapter to show.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct PutOffQuery {
    chapter: String,
}

#[derive(Template)]
#[template(path = "put_off.html")]
struct PutOffPage {
    layout: Layout,
    /// The chapters to choose from, with their links, and whether each is shown.
    switch: Vec<(String, String, bool)>,
    rows: Vec<PutOff>,
    is_cut: bool,
}

/// A certification whose mentor somebody will contact later.
struct PutOff {
    row: Row,
    /// The day of the next contact, and the time until then.
    next: String,
    when: String,
    /// The outcome of the last contact, and who recorded it.
    said: Vec<String>,
    /// What the link is about, for those who hear it alone.
    contact_with: String,
}

/// Shows whom somebody will contact later.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<PutOffQuery>,
) -> Result<Response, PageError> {
    let (mut tx, mut layout) = visitor.begin(&api, Section::Today).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let today: Vec<_> = organisations.iter().map(|one| (one.id, api.clock().today(one.zone.0))).collect();
    let chapter = chosen(&query.chapter);
    let switch = switch(&mut layout, PATH, &named(&caller::chapters(&mut tx).await?), chapter);
    let mut contacts = contacts::put_off(&mut tx, &today, chapter, MOST + 1).await?;
    let is_cut = contacts.len() > MOST as usize;
    contacts.truncate(MOST as usize);
    let ids: Vec<Uuid> = contacts.iter().map(|one| one.certification_id).collect();
    let found = caller::certifications_by_id(&mut tx, &ids).await?;
    let actors: Vec<Uuid> = contacts.iter().filter_map(|one| one.made_by).collect();
    let names = people::names(&mut tx, &actors).await?;
    tx.commit().await?;
    let found: HashMap<Uuid, &Certification> = found.iter().map(|one| (one.id, one)).collect();
    let (now, text) = (api.clock().now(), layout.text);
    let rows = contacts.iter().filter_map(|contact| {
        let by = contact.made_by.and_then(|actor| names.get(&actor));
        put_off(contact, found.get(&contact.certification_id)?, by, now, text)
    });
    let mut rows: Vec<PutOff> = rows.collect();
    tell_apart(rows.iter_mut().map(|one| &mut one.row));
    let heading = text.count("put-off-title", rows.len());
    Ok(page(StatusCode::OK, &PutOffPage { switch, rows, is_cut, layout: Layout { heading, ..layout } }))
}

/// Describes a certification and the latest contact about it, which names the day of the next one.
fn put_off(
    contact: &Contact,
    one: &Certification,
    by: Option<&String>,
    now: DateTime<Utc>,
    text: Text,
) -> Option<PutOff> {
    let (row, zone) = (Row::of(one, now, text), one.zone.0);
    let day = text.date(contact.made_at.with_timezone(&zone).date_naive());
    let outcome = text.named(&format!("contact-{}-on", contact.outcome), &day);
    let by = by.map(|name| text.named("event-by", name));
    let next = contact.next_on?;
    Some(PutOff {
        next: text.named("contact-until", &text.date(next)),
        when: text.days((next - certvakt_rules::today(now, zone)).num_days()),
        said: std::iter::once(outcome).chain(by).collect(),
        contact_with: row.whose("action-contact-of", text),
        row,
    })
}
