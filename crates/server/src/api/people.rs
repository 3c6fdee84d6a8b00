//! People: a list by name, and one person with their memberships and certifications.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use certvakt_store::Role;
use certvakt_store::caller;
use certvakt_store::caller::people::{self, PersonFilter};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::certifications::{Certification, seen};
use super::list::{Page, limit};
use super::params::Id;
use super::response::response_of;
use super::state::{Api, Caller};
use crate::extract::{Path, Query, check_text};
use crate::problem::{ApiError, Problems};

response_of! {
    caller::Membership =>
    /// A person's role in a chapter.
    Membership {
        /// The organisation.
        organisation_id: Uuid,
        /// The chapter.
        chapter_id: Uuid,
        /// `mentor`, `coordinator` or `org_admin`.
        #[schema(value_type = String)]
        role: Role,
    }
}

impl From<people::MemberOf> for Membership {
    fn from(row: people::MemberOf) -> Self {
        Self { organisation_id: row.organisation_id, chapter_id: row.chapter_id, role: row.role }
    }
}

/// A person.
#[derive(Serialize, ToSchema)]
pub(super) struct Person {
    id: Uuid,
    /// The person's name.
    name: Option<String>,
    /// The language that the person chose: `nb` or `en`.
    locale: Option<String>,
    /// The time at which the person's data was erased, if it was.
    erased_at: Option<DateTime<Utc>>,
    /// The person's roles in the chapters that the caller may see.
    memberships: Vec<Membership>,
}

/// A person, with the certifications that the caller may see.
#[derive(Serialize, ToSchema)]
pub(super) struct PersonDetail {
    #[serde(flatten)]
    person: Person,
    certifications: Vec<Certification>,
}

/// The filters of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PeopleQuery {
    /// Only members of this chapter.
    chapter: Option<Uuid>,
    /// Only people whose name contains this text.
    #[param(max_length = 200, pattern = "^[^\\x00]*$")]
    q: Option<String>,
    /// The number of items on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the previous page.
    after: Option<Uuid>,
}

/// List the members of the chapters that the caller may see, by name
#[utoipa::path(get, path = "/api/v1/people", tag = "people", params(PeopleQuery), responses(
    (status = OK, body = Page<Person>),
    Problems))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(asked): Query<PeopleQuery>,
) -> Result<Json<Page<Person>>, ApiError> {
    let limit = limit(asked.limit)?;
    check_text(asked.q.as_ref())?;
    let which = PersonFilter { chapter_id: asked.chapter, text: asked.q };
    let mut tx = api.person(&caller).await?;
    if let Some(after) = asked.after
        && people::person(&mut tx, after).await?.is_none()
    {
        // The last person of the previous page no longer exists. An empty page would look like the last one.
        return Err(ApiError::NotFound);
    }
    let found = people::people(&mut tx, &which, asked.after, limit + 1).await?;
    let page = Page::of(found, limit, |person| person.id.to_string());
    let ids: Vec<Uuid> = page.items().iter().map(|person| person.id).collect();
    let mut memberships: HashMap<Uuid, Vec<Membership>> = HashMap::new();
    for membership in people::memberships_of(&mut tx, &ids).await? {
        memberships.entry(membership.person_id).or_default().push(membership.into());
    }
    tx.commit().await?;
    Ok(Json(page.map(|person| {
        let memberships = memberships.remove(&person.id).unwrap_or_default();
        shown(person, memberships)
    })))
}

/// Get a person
#[utoipa::path(get, path = "/api/v1/people/{id}", tag = "people", params(Id), responses(
    (status = OK, body = PersonDetail),
    Problems))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
) -> Result<Json<PersonDetail>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let person = people::person(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    let memberships = people::memberships_of(&mut tx, &[id]).await?;
    let certifications = caller::certifications_of(&mut tx, id).await?;
    tx.commit().await?;
    let now = api.clock().now();
    Ok(Json(PersonDetail {
        person: shown(person, memberships.into_iter().map(Membership::from).collect()),
        certifications: certifications.into_iter().map(|one| seen(one, now)).collect(),
    }))
}

fn shown(
    people::Person { id, name, locale, erased_at }: people::Person,
    memberships: Vec<Membership>,
) -> Person {
    Person { id, name, locale, erased_at, memberships }
}
