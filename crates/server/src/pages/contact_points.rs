//! The e-mail addresses and phone numbers of a mentor, and the forms that correct them.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::Standing;
use certvakt_engine::mail::address;
use certvakt_rules::normal;
use certvakt_store::caller::addresses::{self, Address};
use certvakt_store::caller::mentor::{self, Mentor};
use certvakt_store::caller::{self, Certification};
use certvakt_store::{AddressOutcome, CallerTx};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Done, Fault, changeable, of_field};
use super::reach::Reach;
use super::row::titled;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The kinds of address that the forms add.
const KINDS: [&str; 2] = ["email", "phone"];

/// The fields of the forms, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// `email` or `phone`.
    kind: String,
    address: String,
    /// The address that it replaces.
    replaces: String,
    /// The address to remove; the other fields are empty then.
    remove: String,
}

#[derive(Template)]
#[template(path = "contact_points.html")]
struct ContactPointsPage {
    layout: Layout,
    id: Uuid,
    reach: Reach,
    points: Vec<Point>,
    /// The forms that add an address, one of each kind.
    entries: Vec<Entry>,
    faults: Vec<Fault>,
}

/// A contact point.
struct Point {
    kind: String,
    what: String,
    /// That it is the mentor's own, was declined, or refused a notice.
    more: Vec<String>,
    /// Its id and the label of the button that removes it; `None` if it is the mentor's own.
    removal: Option<(Uuid, String)>,
}

/// A form that adds an address.
struct Entry {
    kind: &'static str,
    title: String,
    label: String,
    hint: String,
    /// What asks for the address that it replaces.
    replaces: String,
    button: String,
    /// What was entered.
    value: String,
    /// The addresses that it can replace.
    replaceable: Vec<Choice>,
}

impl ContactPointsPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the addresses and the forms.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let (found, mentor) = correctable(&mut tx, id).await?;
    let mut shown = form(&mut tx, &api, layout, &found, &Fields::default()).await?;
    tx.commit().await?;
    let is_done = mentor.changes.last().is_some_and(|change| change.kind.as_str() == done)
        || [AddressOutcome::Retried, AddressOutcome::Known].iter().any(|one| one.as_str() == done);
    if is_done {
        let text = shown.layout.text;
        shown.layout.heading = text.named(&format!("done-{done}"), &titled(&found, text));
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// Adds or removes an address.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let (found, _) = correctable(&mut tx, id).await?;
    let kind = KINDS.into_iter().find(|kind| *kind == fields.kind).unwrap_or(KINDS[0]);
    let outcome = if fields.remove.is_empty() {
        match read(kind, &fields.address) {
            Some(address) => {
                addresses::add(&mut tx, id, kind, &address, fields.replaces.parse().ok()).await?
            }
            None => {
                return Ok(refused(
                    form(&mut tx, &api, layout, &found, &fields).await?,
                    kind,
                    "fault-address",
                ));
            }
        }
    } else {
        let point = fields.remove.parse().unwrap_or(Uuid::nil());
        addresses::remove(&mut tx, id, point).await?
    };
    let done = match outcome {
        AddressOutcome::Forbidden => return Err(ApiError::NotYours.into()),
        AddressOutcome::Many => {
            return Ok(refused(form(&mut tx, &api, layout, &found, &fields).await?, kind, "fault-addresses"));
        }
        AddressOutcome::Added | AddressOutcome::Removed => format!("{kind}_{outcome}"),
        AddressOutcome::Retried | AddressOutcome::Known => outcome.to_string(),
    };
    tx.commit().await?;
    Ok(Redirect::to(&format!("/certifications/{id}/contact-points?done={done}")).into_response())
}

/// The form again, with everything entered, and what is wrong with it.
fn refused(mut shown: ContactPointsPage, kind: &'static str, key: &str) -> Response {
    let what = shown.layout.text.say(&format!("{key}-{kind}"));
    shown.faults = vec![Fault { field: kind.into(), what }];
    shown.layout.is_refused = true;
    page(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

/// The address that somebody entered, in its canonical form; `None` if it is none.
fn read(kind: &str, entered: &str) -> Option<String> {
    match kind {
        "phone" => normal::phone(entered),
        _ => address::canonical(entered).ok(),
    }
}

/// A certification the addresses of whose mentor the caller may correct.
async fn correctable(tx: &mut CallerTx, id: Uuid) -> Result<(Certification, Mentor), PageError> {
    let found = changeable(tx, id).await?;
    let mentor = mentor::mentor(tx, id).await?.ok_or(ApiError::NotFound)?;
    if mentor.may_correct_addresses { Ok((found, mentor)) } else { Err(ApiError::NotYours.into()) }
}

async fn form(
    tx: &mut CallerTx,
    api: &Api,
    layout: Layout,
    found: &Certification,
    fields: &Fields,
) -> Result<ContactPointsPage, PageError> {
    let text = layout.text;
    let notices = caller::notices(tx, found.id).await?;
    let points = addresses::addresses(tx, found.id).await?;
    let standing = Standing::of(found, api.clock().now());
    let entries = KINDS.map(|kind| entry(kind, &points, fields, text));
    Ok(ContactPointsPage {
        id: found.id,
        reach: Reach::of(&standing, &notices, &points, api.contact_kinds(), text),
        points: points.iter().map(|one| point(one, text)).collect(),
        entries: entries.into(),
        faults: Vec::new(),
        layout: Layout { heading: text.named("contact-points-title", &titled(found, text)), ..layout },
    })
}

fn entry(kind: &'static str, points: &[Address], fields: &Fields, text: Text) -> Entry {
    let is_entered = fields.kind == kind;
    let of_kind = || points.iter().filter(|one| one.kind == kind && !one.is_own);
    // What refused a notice is probably what is wrong.
    let wrong = of_kind().find(|one| one.has_refused).map(|one| one.id.to_string()).unwrap_or_default();
    let chosen = if is_entered { fields.replaces.clone() } else { wrong };
    let choice = |one: &Address| {
        Choice::new(one.id.to_string(), line(one.address.as_deref().unwrap_or_default()), &chosen)
    };
    let value = if is_entered { fields.address.clone() } else { String::new() };
    let words = |part: &str| text.say(&format!("contact-points-{part}-{kind}"));
    Entry {
        kind,
        title: words("new"),
        label: text.say(&format!("address-{kind}")),
        hint: words("hint"),
        replaces: words("replaces"),
        button: words("save"),
        value,
        replaceable: of_kind().map(choice).collect(),
    }
}

fn point(one: &Address, text: Text) -> Point {
    let what = match &one.address {
        Some(address) => text.named(&format!("channels-of-{}", one.kind), address),
        None => text.say(&format!("contact-points-own-{}", one.kind)),
    };
    let more = [
        one.is_own.then(|| text.say("contact-points-own")),
        one.is_declined.then(|| text.say("contact-points-declined")),
        one.has_refused.then(|| text.say("contact-points-refused")),
    ];
    let removal = (!one.is_own && one.kind != "push")
        .then(|| (one.id, text.with("channels-remove", &[("name", line(&what).into())])));
    Point { kind: one.kind.clone(), what, more: more.into_iter().flatten().collect(), removal }
}
