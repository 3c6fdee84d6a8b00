//! The changes of a person's roles and invitations, as resources of the person's page in the settings.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::people::ending;
use certvakt_store::caller::{self, staff};
use certvakt_store::{CallerTx, Role, RoleEnd};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::Nothing;
use super::settings_person::{Fields, Known, LastPage};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// Gives the person a role.
pub(super) async fn give(
    State(api): State<Api>,
    Path((id, person)): Path<(Uuid, Uuid)>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout, known) = changeable(&api, &visitor, id, person).await?;
    let Ok(role) = fields.role.parse::<Role>() else {
        return Ok(refused(&api, layout, &known, &fields, "role", "fault-roles-role"));
    };
    let chapter = fields.chapter.parse().ok().filter(|_| role != Role::OrgAdmin);
    if role != Role::OrgAdmin && !known.chapters.iter().any(|one| Some(one.id) == chapter) {
        return Ok(refused(&api, layout, &known, &fields, "chapter", "fault-roles-chapter"));
    }
    if !staff::give_role(&mut tx, id, person, role, chapter).await? {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    Ok(done(&known, "give"))
}

/// The role to end.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Ended {
    role: String,
    chapter: String,
    /// Set if the form says what the end of a last role leads to.
    last: Option<String>,
}

/// Ends a role of the person.
pub(super) async fn end(
    State(api): State<Api>,
    Path((id, person)): Path<(Uuid, Uuid)>,
    Sent { visitor, form: ended }: Sent<Ended>,
) -> Result<Response, PageError> {
    let (mut tx, layout, known) = changeable(&api, &visitor, id, person).await?;
    let refused = |layout, key| refused(&api, layout, &known, &Fields::default(), "held", key);
    let Ok(role) = ended.role.parse::<Role>() else { return Ok(refused(layout, "fault-roles-role")) };
    let chapter = ended.chapter.parse().ok();
    let now = api.clock().now();
    match ending::end_role(&mut tx, (person, id), (role, chapter), ended.last.is_some(), now).await? {
        RoleEnd::Ended => {
            tx.commit().await?;
            Ok(done(&known, "end"))
        }
        RoleEnd::Forbidden => Err(ApiError::NotFound.into()),
        RoleEnd::Own if role == Role::Mentor => Ok(refused(layout, "fault-roles-own-mentor")),
        RoleEnd::Own => Ok(refused(layout, "fault-roles-own")),
        RoleEnd::Certified => Ok(refused(layout, "fault-roles-certified")),
        RoleEnd::Last => Ok(page(StatusCode::OK, &last(layout, &known, role, chapter)?)),
    }
}

/// Sends an invitation to sign in.
pub(super) async fn invite(
    State(api): State<Api>,
    Path((id, person)): Path<(Uuid, Uuid)>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    let (mut tx, layout, known) = changeable(&api, &visitor, id, person).await?;
    match api.mails() {
        Some(mails) if caller::invite(&mut tx, person).await? => {
            tx.commit().await?;
            mails.wake();
            Ok(done(&known, "invite"))
        }
        _ => Ok(refused(&api, layout, &known, &Fields::default(), "invite", "fault-roles-invite")),
    }
}

/// Withdraws the open invitations.
pub(super) async fn withdraw(
    State(api): State<Api>,
    Path((id, person)): Path<(Uuid, Uuid)>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    let (mut tx, _, known) = changeable(&api, &visitor, id, person).await?;
    if !staff::withdraw_invitation(&mut tx, id, person).await? {
        return Err(ApiError::NotFound.into());
    }
    tx.commit().await?;
    Ok(done(&known, "withdraw"))
}

/// Leads back to the person, after a sign-in in the middle of a form.
pub(super) async fn lead_back(Path((id, person)): Path<(Uuid, Uuid)>) -> Redirect {
    Redirect::to(&Known::path(id, person))
}

/// Begins the transaction, with a person whose roles the caller may change: not if an app owns the hierarchy.
async fn changeable(
    api: &Api,
    visitor: &Visitor,
    id: Uuid,
    person: Uuid,
) -> Result<(CallerTx, Layout, Known), PageError> {
    let (mut tx, layout) = visitor.begin(api, Section::Settings).await?;
    let known = Known::of(&mut tx, id, person).await?;
    if known.is_changeable() { Ok((tx, layout, known)) } else { Err(ApiError::NotYours.into()) }
}

fn done(known: &Known, what: &str) -> Response {
    let path = Known::path(known.one.organisation_id, known.one.person_id);
    Redirect::to(&format!("{path}?done={what}")).into_response()
}

/// The person's page again, with what is wrong with a form.
fn refused(
    api: &Api,
    layout: Layout,
    known: &Known,
    fields: &Fields,
    field: &'static str,
    key: &str,
) -> Response {
    let what = layout.text.say(key);
    let shown = known.page(api, layout, fields).with_fault(field, what);
    page(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// Says what the end of a last role leads to, before it ends.
fn last(layout: Layout, known: &Known, role: Role, chapter: Option<Uuid>) -> Result<LastPage, PageError> {
    let chapter = known.chapters.iter().find(|one| Some(one.id) == chapter).ok_or(ApiError::NotFound)?;
    let text = layout.text;
    let names = [("name", line(&known.one.name).into()), ("chapter", line(&chapter.name).into())];
    let (title, of_title) = if role == Role::Mentor {
        ("roles-last-mentor-title", &known.one.name)
    } else {
        ("roles-last-title", &chapter.name)
    };
    Ok(LastPage {
        id: known.one.organisation_id,
        person: known.one.person_id,
        chapter: chapter.id,
        role,
        what: text
            .with(if role == Role::Mentor { "roles-last-mentor-what" } else { "roles-last-what" }, &names),
        layout: Layout { heading: text.named(title, of_title), has_news: true, ..layout },
    })
}
