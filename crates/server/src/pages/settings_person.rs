//! A person of an organisation, in its settings: their roles, whether they can sign in, and their data. Where an app owns the
//! hierarchy, it manages roles and invitations, and the page only shows them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_store::caller::staff::{self, Held, Holder, Which};
use certvakt_store::settings::{self, ChapterOfTree};
use certvakt_store::{CallerTx, Role, people};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Done, Fault, of_field};
use super::settings::{PATH, administered};
use super::settings_people::{ROLES, said, sign_in};
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::problem::ApiError;

/// The fields of the form that gives a role, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    pub(super) role: String,
    pub(super) chapter: String,
}

#[derive(Template)]
#[template(path = "settings_person.html")]
pub(super) struct PersonPage {
    layout: Layout,
    id: Uuid,
    person: Uuid,
    section: &'static str,
    is_changeable: bool,
    app_url: String,
    held: Vec<Shown>,
    /// The person, if they can get a certification.
    certifiable: Option<Uuid>,
    sign_in: String,
    is_invited: bool,
    /// Whether nobody can invite the person, for want of an address.
    lacks_address: bool,
    /// The label of the button that invites; empty if there is none.
    invite: String,
    roles: Vec<Choice>,
    chapters: Vec<Choice>,
    /// Who exports and erases the person's data, as the key of a text; empty if this page does.
    others: &'static str,
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

    /// The page of a refused form.
    pub(super) fn with_fault(mut self, field: &'static str, what: String) -> Self {
        self.faults = vec![Fault { field: field.into(), what }];
        self.layout.is_refused = true;
        self
    }
}

#[derive(Template)]
#[template(path = "settings_person_last.html")]
pub(super) struct LastPage {
    pub(super) layout: Layout,
    pub(super) id: Uuid,
    pub(super) person: Uuid,
    pub(super) chapter: Uuid,
    pub(super) role: Role,
    pub(super) what: String,
}

/// Somebody of an organisation that the caller administers, and its chapters.
pub(super) struct Known {
    pub(super) one: Holder,
    pub(super) chapters: Vec<ChapterOfTree>,
    may_erase: bool,
}

impl Known {
    pub(super) async fn of(tx: &mut CallerTx, id: Uuid, person: Uuid) -> Result<Self, PageError> {
        administered(tx, id).await?;
        let which = Which { person: Some(person), ..Which::default() };
        let one = staff::people(tx, id, &which, 1).await?.pop().ok_or(ApiError::NotFound)?;
        let may_erase = people::may_erase(&mut *tx, person, id).await?;
        Ok(Self { one, chapters: settings::chapters(tx, id).await?, may_erase })
    }

    /// The path of a person's page.
    pub(super) fn path(id: Uuid, person: Uuid) -> String {
        format!("{PATH}/{id}/people/{person}")
    }

    pub(super) fn is_changeable(&self) -> bool {
        self.chapters.iter().any(|one| one.is_changeable)
    }

    pub(super) fn page(&self, api: &Api, layout: Layout, entered: &Fields) -> PersonPage {
        let (text, one) = (layout.text, &self.one);
        let is_own = layout.person() == one.person_id;
        let shown = |held: &Held| Shown {
            what: said(text, held),
            role: held.role,
            chapter: held.chapter_id,
            may_end: self.is_changeable(),
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
            app_url: api.pages().app_url.clone(),
            held: one.roles.iter().map(shown).collect(),
            certifiable: Some(one.person_id)
                .filter(|_| !is_own && one.roles.iter().any(|held| held.role == Role::Mentor)),
            sign_in: sign_in(text, one),
            is_invited: one.is_invited,
            lacks_address: !one.has_login && !one.has_address,
            invite: if may_invite { text.say(invite) } else { String::new() },
            roles: ROLES.map(role).into(),
            chapters: self.chapters.iter().map(chapter).collect(),
            others: match (is_own, self.may_erase) {
                (true, _) => "person-data-own",
                (false, true) => "",
                (false, false) => "person-data-operator",
            },
            faults: Vec::new(),
            layout: Layout { heading: line(&one.name), ..layout },
        }
    }
}

/// Shows a person.
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
    if ["give", "end", "invite", "withdraw", "added", "uninvited"].contains(&done.as_str()) {
        shown.layout.heading = shown.layout.text.named(&format!("roles-done-{done}"), &known.one.name);
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}
