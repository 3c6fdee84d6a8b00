//! Who saw or changed whose data in an organisation, for its administrators.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_store::caller::access::{self, Access, Which};
use certvakt_store::caller::staff;
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::Fault;
use super::link::link;
use super::settings::{PATH, administered};
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The maximum number of requests on a page.
const MOST: u32 = 50;

/// Which requests, and the last one of the previous page.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    /// The person whom the requests are about.
    about: String,
    /// The person who made them.
    by: String,
    before: String,
}

#[derive(Template)]
#[template(path = "settings_access.html")]
struct AccessPage {
    layout: Layout,
    id: Uuid,
    section: &'static str,
    rows: Vec<Shown>,
    /// Whether the page shows some requests only.
    is_filtered: bool,
    next: Option<String>,
    faults: Vec<Fault>,
}

/// A request in words.
struct Shown {
    at: String,
    who: String,
    /// The path with everything that the person did.
    by: Option<String>,
    what: String,
    subject: Option<String>,
    /// The path with everything about the subject.
    about: Option<String>,
    details: String,
}

/// Shows the access log.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(filter): Query<Filter>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let present = administered(&mut tx, id).await?;
    let which = which(&filter)?;
    let mut found = access::accesses(&mut tx, id, which, MOST + 1).await?;
    let person = which.about.or(which.by);
    let name = match person {
        Some(person) => {
            let known = staff::Which { person: Some(person), ..staff::Which::default() };
            staff::people(&mut tx, id, &known, 1).await?.pop().map(|one| one.name)
        }
        None => None,
    };
    tx.commit().await?;
    let is_cut = found.len() > MOST as usize;
    found.truncate(MOST as usize);
    let text = layout.text;
    let path = format!("{PATH}/{id}/access");
    let zone: Tz = present.time_zone.parse().unwrap_or(Tz::UTC);
    let next = found.last().filter(|_| is_cut).map(|last| {
        let before = last.number.to_string();
        link(&path, &[("about", &filter.about), ("by", &filter.by), ("before", &before)])
    });
    // The name of somebody who is no longer in the organisation is in the rows.
    let name = name.or_else(|| {
        let row = found.first()?;
        if which.about.is_some() { row.subject.clone() } else { row.name.clone() }
    });
    let name = name.unwrap_or_else(|| text.say("access-somebody"));
    let heading = match (which.about, which.by) {
        (Some(_), _) => text.named("access-about", &name),
        (None, Some(_)) => text.named("access-by", &name),
        (None, None) => text.named("access-title", &present.name),
    };
    let shown = AccessPage {
        id,
        section: "settings-section-access",
        rows: found.iter().map(|one| row(one, &path, zone, text)).collect(),
        is_filtered: person.is_some(),
        next,
        faults: Vec::new(),
        layout: Layout { heading, ..layout },
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The requests that a query asks for.
fn which(filter: &Filter) -> Result<Which, ApiError> {
    let id = |written: &str| {
        (!written.is_empty()).then(|| written.parse::<Uuid>().map_err(|_| ApiError::NotFound)).transpose()
    };
    let before = (!filter.before.is_empty())
        .then(|| filter.before.parse::<i64>().map_err(|_| ApiError::NotFound))
        .transpose()?;
    Ok(Which { about: id(&filter.about)?, by: id(&filter.by)?, before })
}

fn row(one: &Access, path: &str, zone: Tz, text: Text) -> Shown {
    let name = |name: &Option<String>| name.as_deref().map_or_else(|| text.say("access-somebody"), line);
    let by = one.person_id.map(|person| link(path, &[("by", &person.to_string())]));
    let about = one.subject_id.map(|person| link(path, &[("about", &person.to_string())]));
    let details =
        [("request", format!("{} {}", one.method, one.resource).into()), ("number", one.rows_read.into())];
    let addresses = (one.addresses_read > 0).then(|| text.count("access-addresses", one.addresses_read));
    Shown {
        at: text.time(one.at.with_timezone(&zone)),
        who: name(&one.name),
        by,
        what: text.say(what(one)),
        subject: one.subject_id.map(|_| name(&one.subject)),
        about,
        details: [text.with("access-details", &details), addresses.unwrap_or_default()]
            .join(" ")
            .trim()
            .to_owned(),
    }
}

/// What a request did, as the key of a text.
fn what(one: &Access) -> &'static str {
    let is_refused = one.status.is_none_or(|status| status >= 400);
    match (one.method.as_str(), one.subject_id) {
        _ if is_refused => "access-refused",
        ("GET" | "HEAD", _) if one.resource.ends_with("/export") => "access-exported",
        ("GET" | "HEAD", _) if one.resource.contains('.') && one.addresses_read > 0 => {
            "access-contacts-exported"
        }
        ("GET" | "HEAD", _) if one.resource.contains('.') => "access-list-exported",
        ("GET" | "HEAD", _) if one.resource == "/today" => "access-saw-today",
        ("GET" | "HEAD", Some(_)) => "access-saw",
        ("GET" | "HEAD", None) => "access-saw-list",
        _ => "access-changed",
    }
}
