//! The first run: the holder of the token that `certvakt serve` printed adds the first organisation, with themselves as its
//! administrator. The address of the administrator is proven as for everybody else, by the sign-in that follows.

use std::net::SocketAddr;

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use certvakt_base::i18n::Locale;
use certvakt_base::secret;
use certvakt_engine::mail::address;
use certvakt_rules::normal::{entered_name, short_name};
use certvakt_rules::renewal::Rule;
use certvakt_store::organisation::{self, NewOrganisation, NewType, RenewalTerms};
use certvakt_store::people::{self, NewPerson};
use certvakt_store::{Operator, RegistrarTx, StoreError, setup};
use chrono_tz::Tz;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::error::SignInError;
use super::link;
use super::navigation::HOME;
use super::state::{Shared, SignIn};
use crate::extract::Query;
use crate::html::fault::{Fault, of_field};
use crate::html::layout::Layout;
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;
use crate::return_to::{START, redirect};
use crate::session;

/// The query of the printed URL.
#[derive(Deserialize)]
pub(super) struct SetupQuery {
    #[serde(default)]
    token: String,
}

/// The form, as it was entered.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Fields {
    token: String,
    organisation: String,
    locale: String,
    timezone: String,
    chapter: String,
    type_name: String,
    months: String,
    name: String,
    address: String,
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    layout: Layout,
    fields: Fields,
    faults: Vec<Fault>,
}

impl SetupPage {
    fn new(text: Text, fields: Fields) -> Self {
        Self { layout: Layout::new(text, text.say("setup-title")), fields, faults: Vec::new() }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }

    /// The languages with their labels, and whether each is chosen.
    fn locales(&self) -> [(&'static str, String, bool); 2] {
        Locale::ALL.map(Locale::tag).map(|one| {
            (one, self.layout.text.say(&format!("settings-locale-{one}")), self.fields.locale == one)
        })
    }
}

/// What the form says, once it is right.
struct New {
    organisation: String,
    locale: &'static str,
    zone: Tz,
    chapter: String,
    type_name: String,
    months: Option<i16>,
    name: String,
    address: String,
}

/// Shows the form to the holder of the token.
pub(super) async fn show(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Query(SetupQuery { token }): Query<SetupQuery>,
) -> Result<Response, SignInError> {
    shared.limits.check_client(&headers, peer.ip())?;
    open(&shared, &token).await?.1.rollback().await?;
    let fields = Fields {
        token,
        locale: text.tag().to_owned(),
        timezone: "Europe/Oslo".to_owned(),
        months: "24".to_owned(),
        ..Fields::default()
    };
    Ok(page(StatusCode::OK, &SetupPage::new(text, fields)))
}

/// Sets the installation up, and mails the administrator a link; without such mails, leads them to their invitation.
pub(super) async fn make(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    sent: Result<Form<Fields>, FormRejection>,
) -> Result<Response, SignInError> {
    session::refuse_other_sites(&headers)?;
    shared.limits.check_client(&headers, peer.ip())?;
    let Ok(Form(fields)) = sent else { return Err(ApiError::NotFound.into()) };
    let (_turn, mut tx) = open(&shared, &fields.token).await?;
    let new = match check(&fields, text) {
        Ok(new) => new,
        Err(faults) => {
            let mut shown = SetupPage { faults, ..SetupPage::new(text, fields) };
            shown.layout.is_refused = true;
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    if !setup::claim(&mut tx, secret::hash(&fields.token)).await? {
        return Err(ApiError::NotFound.into());
    }
    let person = add(&mut tx, &new).await?;
    let Some(links) = &shared.links else {
        let token = secret::fresh();
        people::invite(&mut tx, person, &token).await?.ok_or(ApiError::Fault)?;
        tx.commit().await?;
        return Ok(redirect(&format!("/sign-in/invitation?token={token}"), []));
    };
    tx.commit().await?;
    let form = format!("{}?done=setup", link::CODE);
    let sent = link::request(links, &headers, new.address, START.to_owned(), &form);
    Ok(sent.unwrap_or_else(|_| redirect(HOME, [])))
}

/// Begins a transaction for the holder of a token that is accepted. Others are told nothing.
async fn open(shared: &Shared, token: &str) -> Result<(OwnedSemaphorePermit, RegistrarTx), SignInError> {
    if !secret::is_one(token) {
        return Err(ApiError::NotFound.into());
    }
    let turn = shared.database.stranger().await?;
    let operator = Operator::new("setup URL".to_owned(), "setup".to_owned());
    let database = shared.database.pool().clone().by(Some(operator));
    let mut tx = database.registrar().await?;
    let is_open = setup::is_open(&mut tx, secret::hash(token)).await?;
    if is_open { Ok((turn, tx)) } else { Err(ApiError::NotFound.into()) }
}

/// Adds everything by the functions of the commands. Returns the administrator.
async fn add(tx: &mut RegistrarTx, new: &New) -> Result<Uuid, StoreError> {
    let slug = short_name(&new.organisation, "organisation", &[]);
    let organisation =
        NewOrganisation { slug: &slug, name: &new.organisation, zone: new.zone, locale: new.locale };
    let organisation_id = organisation::add(tx, &organisation).await?;
    let chapter = short_name(&new.chapter, "chapter", &[]);
    let chapter_id = organisation::add_chapter(tx, &slug, &chapter, &new.chapter, None, None).await?;
    let certified = NewType {
        code: &short_name(&new.type_name, "type", &[]),
        name: &new.type_name,
        validity_months: new.months,
        renewal: RenewalTerms { rule: Rule::FromCompletion, window_days: None },
        lead_times: None,
        external_id: None,
    };
    organisation::add_type(tx, &slug, &certified).await?;
    let administrator = NewPerson {
        organisation_id,
        chapter_id,
        role: "org_admin",
        name: &new.name,
        email: Some(&new.address),
    };
    people::add_person(tx, &administrator).await
}

/// Checks the form. Returns all that is wrong with it, in the order of the page.
fn check(fields: &Fields, text: Text) -> Result<New, Vec<Fault>> {
    let organisation = entered_name(&fields.organisation);
    let locale = Locale::ALL.map(Locale::tag).into_iter().find(|tag| *tag == fields.locale);
    let zone = fields.timezone.trim().parse::<Tz>().ok();
    let chapter = entered_name(&fields.chapter);
    let type_name = entered_name(&fields.type_name);
    let months = match fields.months.trim() {
        "" => Some(None),
        written => written.parse::<i16>().ok().filter(|months| (1..=1200).contains(months)).map(Some),
    };
    let name = entered_name(&fields.name);
    let address = address::canonical(&fields.address).ok();
    let faults = [
        ("organisation", organisation.is_some()),
        ("locale", locale.is_some()),
        ("timezone", zone.is_some()),
        ("chapter", chapter.is_some()),
        ("type_name", type_name.is_some()),
        ("months", months.is_some()),
        ("name", name.is_some()),
        ("address", address.is_some()),
    ]
    .into_iter()
    .filter(|(_, is_right)| !is_right)
    .map(|(field, _)| Fault { field: field.into(), what: text.say(&format!("fault-setup-{field}")) });
    let faults: Vec<Fault> = faults.collect();
    let new = || {
        Some(New {
            organisation: organisation?,
            locale: locale?,
            zone: zone?,
            chapter: chapter?,
            type_name: type_name?,
            months: months?,
            name: name?,
            address: address?,
        })
    };
    new().ok_or(faults)
}
