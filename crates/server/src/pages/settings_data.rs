//! The data of a person: all of it as a file, and its erasure, for the administrators of the only organisation that knows the
//! person. An erasure cannot be undone, so the page says first what it deletes and what stays.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_rules::normal::fold;
use certvakt_store::caller::staff::{self, Which};
use certvakt_store::{CallerTx, caller, people};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Fault, of_field};
use super::my_export::{Format, Names, response};
use super::settings::{PATH, administered};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The field in which the administrator repeats the name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    name: String,
}

#[derive(Template)]
#[template(path = "settings_erasure.html")]
struct ErasurePage {
    layout: Layout,
    id: Uuid,
    person: Uuid,
    /// Whether the service keeps a ledger of erased people, without which it erases nobody.
    can_erase: bool,
    known_as: String,
    name: String,
    faults: Vec<Fault>,
}

impl ErasurePage {
    fn new(api: &Api, layout: Layout, (id, person): (Uuid, Uuid), known_as: String, name: String) -> Self {
        let heading = layout.text.named("erasure-title", &known_as);
        Self {
            id,
            person,
            can_erase: api.can_erase(),
            known_as,
            name,
            faults: Vec::new(),
            layout: Layout { heading, ..layout },
        }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// The name of somebody whose data the caller may export and erase, also after they died or left.
async fn erasable(tx: &mut CallerTx, id: Uuid, person: Uuid) -> Result<String, PageError> {
    administered(tx, id).await?;
    if !people::may_erase(&mut *tx, person, id).await? {
        let which = Which { person: Some(person), ..Which::default() };
        let known = staff::people(tx, id, &which, 1).await?.pop();
        return Err(known.map_or(ApiError::NotFound, |_| ApiError::NotYours).into());
    }
    let name = caller::people::names(tx, &[person]).await?.remove(&person);
    Ok(name.unwrap_or_else(|| "–".to_owned()))
}

/// The file with all data of a person.
pub(super) async fn file(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, person)): Path<(Uuid, Uuid)>,
    Query(format): Query<Format>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    erasable(&mut tx, id, person).await?;
    tx.commit().await?;
    let found = visitor.export(&api, person).await?;
    response(&found, &format, layout.text, Names::Kept)
}

/// Says what an erasure deletes, and what stays.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, person)): Path<(Uuid, Uuid)>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let known_as = erasable(&mut tx, id, person).await?;
    tx.commit().await?;
    Ok(page(StatusCode::OK, &ErasurePage::new(&api, layout, (id, person), known_as, String::new())))
}

/// Erases the person, whose name the administrator has repeated.
pub(super) async fn make(
    State(api): State<Api>,
    Path((id, person)): Path<(Uuid, Uuid)>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let known_as = erasable(&mut tx, id, person).await?;
    tx.commit().await?;
    let fault = if !api.can_erase() {
        Some("erasure-no-ledger")
    } else if fold(fields.name.trim()) != fold(known_as.trim()) {
        Some("fault-erasure-name")
    } else {
        None
    };
    if let Some(key) = fault {
        let what = layout.text.say(key);
        let mut refused = ErasurePage::new(&api, layout, (id, person), known_as, fields.name);
        refused.faults = vec![Fault { field: "name".into(), what }];
        refused.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused));
    }
    if !visitor.erase(&api, layout.person(), person, id).await? {
        return Err(ApiError::NotYours.into());
    }
    Ok(Redirect::to(&format!("{PATH}/{id}/people?done=erased")).into_response())
}
