//! The people of an organisation who have a role, and a search among all of its people.

use std::collections::HashSet;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_store::Role;
use certvakt_store::caller::staff::{self, Held, Holder, Which};
use certvakt_store::settings;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::Fault;
use super::link::link;
use super::row::shared;
use super::settings::{PATH, administered};
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::{Path, Query, check_text};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The maximum number of people on a page.
const MOST: u32 = 50;

/// The roles that an administrator gives.
pub(super) const ROLES: [Role; 3] = [Role::Mentor, Role::Coordinator, Role::OrgAdmin];

/// The search, and the last person of the previous page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    q: String,
    after: String,
    /// `erased` after somebody was erased.
    done: String,
}

#[derive(Template)]
#[template(path = "settings_people.html")]
struct PeoplePage {
    layout: Layout,
    id: Uuid,
    section: &'static str,
    q: String,
    people: Vec<Shown>,
    /// The names that occur more than once.
    shared: HashSet<String>,
    next: Option<String>,
    /// Whether the caller can add somebody: not if an app owns the hierarchy.
    is_changeable: bool,
    app_url: String,
    faults: Vec<Fault>,
}

/// Somebody of the list.
struct Shown {
    id: Uuid,
    name: String,
    roles: String,
    sign_in: String,
}

/// A role in words.
pub(super) fn said(text: Text, held: &Held) -> String {
    match held.role {
        Role::OrgAdmin => text.say("roles-is-org_admin"),
        role => text.named(&format!("roles-is-{role}"), &held.chapter),
    }
}

/// Whether somebody can sign in, in words.
pub(super) fn sign_in(text: Text, one: &Holder) -> String {
    text.say(match (one.has_login, one.is_invited) {
        (true, _) => "roles-sign-in-yes",
        (false, true) => "roles-sign-in-invited",
        (false, false) => "roles-sign-in-no",
    })
}

/// Shows the coordinators and administrators, or the people that a search finds.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Search { q, after, done }): Query<Search>,
) -> Result<Response, PageError> {
    check_text(Some(&q))?;
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let present = administered(&mut tx, id).await?;
    let is_changeable = settings::chapters(&mut tx, id).await?.iter().any(|one| one.is_changeable);
    let after =
        (!after.is_empty()).then(|| after.parse::<Uuid>().map_err(|_| ApiError::NotFound)).transpose()?;
    let wanted = Some(q.trim()).filter(|text| !text.is_empty());
    let which = Which { text: wanted, after, ..Which::default() };
    let mut found = staff::people(&mut tx, id, &which, MOST + 1).await?;
    tx.commit().await?;
    let is_cut = found.len() > MOST as usize;
    found.truncate(MOST as usize);
    let (text, is_erased) = (layout.text, done == "erased");
    let last = found.last().filter(|_| is_cut).map(|one| one.person_id.to_string());
    let people = found.iter().map(|one| Shown {
        id: one.person_id,
        name: line(&one.name),
        roles: one.roles.iter().map(|held| said(text, held)).collect::<Vec<_>>().join(", "),
        sign_in: sign_in(text, one),
    });
    let people: Vec<Shown> = people.collect();
    let shown = PeoplePage {
        id,
        section: "settings-section-people",
        next: last.map(|last| link(&format!("{PATH}/{id}/people"), &[("q", &q), ("after", &last)])),
        shared: shared(people.iter().map(|one| one.name.as_str())),
        people,
        q,
        is_changeable,
        app_url: api.pages().app_url.clone(),
        faults: Vec::new(),
        layout: Layout {
            heading: text.named(if is_erased { "erasure-done" } else { "roles-title" }, &present.name),
            has_news: is_erased,
            ..layout
        },
    };
    Ok(page(StatusCode::OK, &shown))
}
