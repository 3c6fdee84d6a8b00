//! The roles of a person: giving and ending one, and the invitation to sign in. Where an app owns the hierarchy, it does both,
//! and the page only shows them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_store::caller::staff::{self, Held, Holder, Which};
use certvakt_store::settings::{self, ChapterOfTree};
use certvakt_store::{CallerTx, Role, RoleEnd, caller};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Done, Fault, of_field};
use super::settings::{PATH, administered};
use super::settings_people::{said, sign_in};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The fields of the forms, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// `give`, `end`, `invite` or `withdraw`.
    action: String,
    role: String,
    chapter: String,
    /// Set if the form says that the chapter will have no coordinator.
    last: Option<String>,
}

#[derive(Template)]
#[template(path = "settings_person.html")]
struct PersonPage {
    layout: Layout,
    id: Uuid,
    person: Uuid,
    section: &'static str,
    is_changeable: bool,
    held: Vec<Shown>,
    sign_in: String,
    is_invited: bool,
    /// Whether nobody can invite the person, for want of an address.
    lacks_address: bool,
    /// The label of the button that invites; empty if there is none.
    invite: String,
    roles: Vec<Choice>,
    chapters: Vec<Choice>,
    faults: Vec<Fault>,
}

/// A role of the person.
struct Shown {
    what: String,
    role: Role,
    chapter: Uuid,
    /// Whether the page can end it.
    may_end: bool,
}

impl PersonPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

#[derive(Template)]
#[template(path = "settings_person_last.html")]
struct LastPage {
    layout: Layout,
    id: Uuid,
    person: Uuid,
    chapter: Uuid,
    what: String,
}

/// Somebody of an organisation that the caller administers, and its chapters.
struct Known {
    one: Holder,
    chapters: Vec<ChapterOfTree>,
}

impl Known {
    async fn of(tx: &mut CallerTx, id: Uuid, person: Uuid) -> Result<Self, PageError> {
        administered(tx, id).await?;
        let which = Which { person: Some(person), ..Which::default() };
        let one = staff::people(tx, id, &which, 1).await?.pop().ok_or(ApiError::NotFound)?;
        Ok(Self { one, chapters: settings::chapters(tx, id).await? })
    }

    fn is_changeable(&self) -> bool {
        self.chapters.iter().any(|one| one.is_changeable)
    }

    fn page(&self, api: &Api, layout: Layout, entered: &Fields) -> PersonPage {
        let (text, one) = (layout.text, &self.one);
        let shown = |held: &Held| Shown {
            what: said(text, held),
            role: held.role,
            chapter: held.chapter_id,
            may_end: self.is_changeable() && held.role != Role::Mentor,
        };
        let role = |role: Role| {
            Choice::new(role.to_string(), text.say(&format!("roles-give-{role}")), &entered.role)
        };
        let chapter =
            |one: &ChapterOfTree| Choice::new(one.id.to_string(), line(&one.name), &entered.chapter);
        let may_invite = api.mails().is_some() && one.has_address && !one.has_login && !one.roles.is_empty();
        let invite = if one.is_invited { "roles-invite-again" } else { "roles-invite" };
        PersonPage {
            id: one.organisation_id,
            person: one.person_id,
            section: "settings-section-people",
            is_changeable: self.is_changeable(),
            held: one.roles.iter().map(shown).collect(),
            sign_in: sign_in(text, one),
            is_invited: one.is_invited,
            lacks_address: !one.has_login && !one.has_address,
            invite: if may_invite { text.say(invite) } else { String::new() },
            roles: [Role::Coordinator, Role::OrgAdmin].map(role).into(),
            chapters: self.chapters.iter().map(chapter).collect(),
            faults: Vec::new(),
            layout: Layout { heading: line(&one.name), ..layout },
        }
    }
}

/// Shows the roles of a person.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, person)): Path<(Uuid, Uuid)>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let known = Known::of(&mut tx, id, person).await?;
    tx.commit().await?;
    let mut shown = known.page(&api, layout, &Fields::default());
    if ["give", "end", "invite", "withdraw"].contains(&done.as_str()) {
        shown.layout.heading = shown.layout.text.named(&format!("roles-done-{done}"), &known.one.name);
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// Gives or ends a role, or sends or withdraws an invitation.
pub(super) async fn make(
    State(api): State<Api>,
    Path((id, person)): Path<(Uuid, Uuid)>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let known = Known::of(&mut tx, id, person).await?;
    if !known.is_changeable() {
        return Err(ApiError::NotYours.into());
    }
    let refusal = match fields.action.as_str() {
        "end" => match end(&mut tx, &known, &fields).await? {
            RoleEnd::Ended => None,
            RoleEnd::Forbidden => return Err(ApiError::NotFound.into()),
            RoleEnd::Own => Some(("held", "fault-roles-own")),
            RoleEnd::Last => return Ok(page(StatusCode::OK, &last(layout, &known, &fields)?)),
        },
        "invite" if api.mails().is_none() || !caller::invite(&mut tx, person).await? => {
            Some(("invite", "fault-roles-invite"))
        }
        "invite" => None,
        "withdraw" if staff::withdraw_invitation(&mut tx, id, person).await? => None,
        "withdraw" => return Err(ApiError::NotFound.into()),
        _ => give(&mut tx, &known, &fields).await?,
    };
    if let Some((field, key)) = refusal {
        let what = layout.text.say(key);
        let mut refused = known.page(&api, layout, &fields);
        refused.faults = vec![Fault { field: field.into(), what }];
        refused.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused));
    }
    tx.commit().await?;
    if let Some(mails) = api.mails().filter(|_| fields.action == "invite") {
        mails.wake();
    }
    Ok(Redirect::to(&format!("{PATH}/{id}/people/{person}?done={}", fields.action)).into_response())
}

/// Gives a role. Returns what is wrong with the form, as its field and the key of a text.
async fn give(
    tx: &mut CallerTx,
    known: &Known,
    fields: &Fields,
) -> Result<Option<(&'static str, &'static str)>, PageError> {
    let role = match fields.role.parse() {
        Ok(role @ (Role::Coordinator | Role::OrgAdmin)) if fields.action == "give" => role,
        _ => return Ok(Some(("role", "fault-roles-role"))),
    };
    let chapter = fields.chapter.parse().ok().filter(|_| role == Role::Coordinator);
    if role == Role::Coordinator && !known.chapters.iter().any(|one| Some(one.id) == chapter) {
        return Ok(Some(("chapter", "fault-roles-chapter")));
    }
    let is_given =
        staff::give_role(tx, known.one.organisation_id, known.one.person_id, role, chapter).await?;
    if is_given { Ok(None) } else { Err(ApiError::NotYours.into()) }
}

async fn end(tx: &mut CallerTx, known: &Known, fields: &Fields) -> Result<RoleEnd, PageError> {
    let role = fields.role.parse().map_err(|_| ApiError::NotFound)?;
    let chapter = fields.chapter.parse().ok();
    let may_be_last = fields.last.is_some();
    let (id, person) = (known.one.organisation_id, known.one.person_id);
    Ok(staff::end_role(tx, id, person, role, chapter, may_be_last).await?)
}

/// Says that the chapter will have no coordinator, before the role ends.
fn last(layout: Layout, known: &Known, fields: &Fields) -> Result<LastPage, PageError> {
    let chapter = known.chapters.iter().find(|one| one.id.to_string() == fields.chapter);
    let chapter = chapter.ok_or(ApiError::NotFound)?;
    let text = layout.text;
    let names = [("name", line(&known.one.name).into()), ("chapter", line(&chapter.name).into())];
    Ok(LastPage {
        id: known.one.organisation_id,
        person: known.one.person_id,
        chapter: chapter.id,
        what: text.with("roles-last-what", &names),
        layout: Layout { heading: text.named("roles-last-title", &chapter.name), has_news: true, ..layout },
    })
}
