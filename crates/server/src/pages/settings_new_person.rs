//! The form that adds a person to an organisation. If somebody there has the same name, the page asks first whether it is the
//! same person.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::mail::address;
use certvakt_rules::normal::{entered_name, phone};
use certvakt_store::caller::staff::{self, Added, Namesake};
use certvakt_store::settings::{self, ChapterOfTree};
use certvakt_store::{CallerTx, Role, caller};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Fault, of_field};
use super::settings::administered;
use super::settings_people::ROLES;
use super::settings_person::Known;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    name: String,
    email: String,
    phone: String,
    role: String,
    chapter: String,
    /// Set to invite the person to sign in.
    invite: Option<String>,
    /// The id of the new person, so that a form that is sent twice adds one.
    key: String,
    /// `another` if it is not the same person, `edit` to change what was entered.
    step: String,
}

#[derive(Template)]
#[template(path = "settings_new_person.html")]
struct NewPage {
    layout: Layout,
    id: Uuid,
    section: &'static str,
    fields: Fields,
    roles: Vec<Choice>,
    chapters: Vec<Choice>,
    /// Whether the service sends e-mails.
    may_invite: bool,
    /// Those who have the name already, to be checked.
    namesakes: Vec<Shown>,
    faults: Vec<Fault>,
}

/// Somebody who has the name already.
struct Shown {
    name: String,
    about: String,
    /// The page that leads on with this person, if there is one.
    path: Option<String>,
}

impl NewPage {
    fn new(api: &Api, layout: Layout, id: Uuid, chapters: &[ChapterOfTree], fields: Fields) -> Self {
        let text = layout.text;
        let role =
            |role: Role| Choice::new(role.to_string(), text.say(&format!("roles-give-{role}")), &fields.role);
        let chapter = |one: &ChapterOfTree| Choice::new(one.id.to_string(), line(&one.name), &fields.chapter);
        Self {
            id,
            section: "settings-section-people",
            roles: ROLES.map(role).into(),
            chapters: chapters.iter().map(chapter).collect(),
            may_invite: api.mails().is_some(),
            namesakes: Vec::new(),
            faults: Vec::new(),
            layout: Layout { heading: text.say("person-new"), ..layout },
            fields,
        }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// What a link to the form knows already.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    chapter: String,
}

/// Shows the form.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Chosen { chapter }): Query<Chosen>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let chapters = changeable(&mut tx, id).await?;
    tx.commit().await?;
    let role = Role::Mentor.to_string();
    let fields = Fields { key: Uuid::new_v4().to_string(), role, chapter, ..Fields::default() };
    Ok(page(StatusCode::OK, &NewPage::new(&api, layout, id, &chapters, fields)))
}

/// Adds the person, or asks first who they are.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: mut fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let chapters = changeable(&mut tx, id).await?;
    let key: Uuid = fields.key.parse().unwrap_or_else(|_| Uuid::new_v4());
    fields.key = key.to_string();
    let (step, text) = (std::mem::take(&mut fields.step), layout.text);
    let checked = check(&fields, &chapters, text);
    let mut shown = NewPage::new(&api, layout, id, &chapters, fields);
    if step == "edit" {
        return Ok(page(StatusCode::OK, &shown));
    }
    let new = match checked {
        Ok(new) => new,
        Err(faults) => {
            shown.faults = faults;
            shown.layout.is_refused = true;
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    if step != "another" {
        let mut known = staff::namesakes(&mut tx, id, &new.name).await?;
        // The form was sent twice.
        known.retain(|one| one.person_id != key);
        if !known.is_empty() {
            tx.commit().await?;
            shown.namesakes = known.iter().map(|one| namesake(one, id, text)).collect();
            shown.layout.heading = text.named("person-same", &new.name);
            shown.layout.has_news = true;
            return Ok(page(StatusCode::OK, &shown));
        }
    }
    let added = Added {
        person_id: key,
        organisation_id: id,
        role: new.role,
        chapter_id: new.chapter,
        name: &new.name,
        email: new.email.as_deref(),
        phone: new.phone.as_deref(),
    };
    if !staff::add_person(&mut tx, &added).await? {
        return Err(ApiError::NotYours.into());
    }
    let mails = api.mails().filter(|_| shown.fields.invite.is_some());
    let is_uninvited = mails.is_some() && !caller::invite(&mut tx, key).await?;
    tx.commit().await?;
    if let Some(mails) = mails {
        mails.wake();
    }
    let done = if is_uninvited { "uninvited" } else { "added" };
    Ok(Redirect::to(&format!("{}?done={done}", Known::path(id, key))).into_response())
}

/// The chapters of an organisation to which the caller may add people: not if an app owns the hierarchy.
async fn changeable(tx: &mut CallerTx, id: Uuid) -> Result<Vec<ChapterOfTree>, PageError> {
    administered(tx, id).await?;
    let chapters = settings::chapters(tx, id).await?;
    let is_changeable = chapters.iter().any(|one| one.is_changeable);
    if is_changeable { Ok(chapters) } else { Err(ApiError::NotYours.into()) }
}

/// A new person whose fields are right.
struct New {
    name: String,
    email: Option<String>,
    phone: Option<String>,
    role: Role,
    chapter: Option<Uuid>,
}

/// Checks the form. Returns all that is wrong with it, in the order of the page.
fn check(fields: &Fields, chapters: &[ChapterOfTree], text: Text) -> Result<New, Vec<Fault>> {
    let given = |written: &str| Some(written.trim().to_owned()).filter(|written| !written.is_empty());
    let name = entered_name(&fields.name);
    let email = given(&fields.email).map(|written| address::canonical(&written)).transpose();
    let number = given(&fields.phone).map(|written| phone(&written).ok_or(())).transpose();
    let role = fields.role.parse::<Role>().ok();
    let chapter: Option<Uuid> = fields.chapter.parse().ok();
    let chapter =
        chapter.filter(|id| role != Some(Role::OrgAdmin) && chapters.iter().any(|one| one.id == *id));
    let lacks_chapter = role != Some(Role::OrgAdmin) && chapter.is_none();
    let lacks_address = fields.invite.is_some() && matches!(email, Ok(None));
    let faults = [
        ("name", "fault-person-name", name.is_none()),
        ("email", "fault-person-email", email.is_err()),
        ("email", "fault-person-uninvited", lacks_address),
        ("phone", "fault-phone", number.is_err()),
        ("role", "fault-roles-role", role.is_none()),
        ("chapter", "fault-roles-chapter", lacks_chapter),
    ];
    let faults = faults.into_iter().filter(|(.., is_wrong)| *is_wrong);
    let faults: Vec<Fault> =
        faults.map(|(field, key, _)| Fault { field: field.into(), what: text.say(key) }).collect();
    match (name, email, number, role, faults.is_empty()) {
        (Some(name), Ok(email), Ok(phone), Some(role), true) => Ok(New { name, email, phone, role, chapter }),
        _ => Err(faults),
    }
}

/// Somebody who has the name already. Those who died or left have no page in the settings.
fn namesake(one: &Namesake, id: Uuid, text: Text) -> Shown {
    let chapters = one.chapters.iter().map(|name| line(name)).collect::<Vec<_>>().join(", ");
    let path = if one.has_ended {
        one.certification_id.map(|certification| format!("/certifications/{certification}"))
    } else {
        Some(Known::path(id, one.person_id))
    };
    let about = if one.has_ended { text.named("person-same-ended", &chapters) } else { chapters };
    Shown { name: line(&one.name), about, path }
}
