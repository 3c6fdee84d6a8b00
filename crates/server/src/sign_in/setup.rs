//! The first run: the holder of the token that `certvakt serve` printed adds the first organisation, with themselves as its
//! administrator. The address of the administrator is proven as for everybody else, by the sign-in that follows.

use std::borrow::Cow;
use std::net::SocketAddr;

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use certvakt_base::secret;
use certvakt_engine::mail::address;
use certvakt_rules::normal::{is_clean, normal, short_name};
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
use super::page::Page;
use super::state::{Shared, SignIn};
use crate::extract::Query;
use crate::html::layout::Layout;
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;
use crate::return_to::{START, redirect};
use crate::session;

/// The languages of an organisation.
const LOCALES: [&str; 2] = ["nb", "en"];
/// The longest name, in characters, as in the schema.
const LONGEST_NAME: usize = 200;

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

/// What is wrong with a form: the id of the field, and a sentence.
struct Fault {
    field: Cow<'static, str>,
    what: String,
}

impl SetupPage {
    fn new(text: Text, fields: Fields) -> Self {
        Self { layout: Layout::new(text, text.say("setup-title")), fields, faults: Vec::new() }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        self.faults.iter().find(|fault| fault.field == field)
    }

    /// The languages with their labels, and whether each is chosen.
    fn locales(&self) -> [(&'static str, String, bool); 2] {
        LOCALES.map(|one| {
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
    let page = Page::new(text, "setup-done").link(HOME, text.say("sign-in-title"));
    let sent = link::request(links, &headers, new.address, START.to_owned(), page, text);
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

/// Checks the form. Returns all that is wrong with it.
fn check(fields: &Fields, text: Text) -> Result<New, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut name = |field: &'static str, written: &str| {
        let name = normal(written).into_owned();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || !is_clean(&name) {
            faults.push(Fault { field: field.into(), what: text.say(&format!("fault-setup-{field}")) });
        }
        name
    };
    let organisation = name("organisation", &fields.organisation);
    let chapter = name("chapter", &fields.chapter);
    let type_name = name("type_name", &fields.type_name);
    let person = name("name", &fields.name);
    let mut fault = |field: &'static str| {
        faults.push(Fault { field: field.into(), what: text.say(&format!("fault-setup-{field}")) });
    };
    let locale = LOCALES.into_iter().find(|one| *one == fields.locale);
    if locale.is_none() {
        fault("locale");
    }
    let zone = fields.timezone.trim().parse::<Tz>().ok();
    if zone.is_none() {
        fault("timezone");
    }
    let months = match fields.months.trim() {
        "" => Some(None),
        written => written.parse::<i16>().ok().filter(|months| (1..=1200).contains(months)).map(Some),
    };
    if months.is_none() {
        fault("months");
    }
    let address = address::canonical(&fields.address).ok();
    if address.is_none() {
        fault("address");
    }
    match (locale, zone, months, address) {
        (Some(locale), Some(zone), Some(months), Some(address)) if faults.is_empty() => {
            Ok(New { organisation, locale, zone, chapter, type_name, months, name: person, address })
        }
        _ => {
            let order =
                ["organisation", "locale", "timezone", "chapter", "type_name", "months", "name", "address"];
            faults.sort_by_key(|fault| order.iter().position(|one| *one == fault.field));
            Err(faults)
        }
    }
}
