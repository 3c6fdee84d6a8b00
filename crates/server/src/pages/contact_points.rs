//! The e-mail addresses and phone numbers of a mentor, and the form that corrects them.

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

/// The kinds of address that the form adds.
const KINDS: [&str; 2] = ["email", "phone"];

/// The fields of the form, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    email: String,
    phone: String,
    /// The addresses that they replace.
    email_replaces: String,
    phone_replaces: String,
    /// The address to remove; the other fields but `kind` are empty then.
    remove: String,
    /// Its kind.
    kind: String,
}

impl Fields {
    /// The address of a kind, and the one that it replaces.
    fn of(&self, kind: &str) -> (&str, &str) {
        match kind {
            "phone" => (&self.phone, &self.phone_replaces),
            _ => (&self.email, &self.email_replaces),
        }
    }
}

#[derive(Template)]
#[template(path = "contact_points.html")]
struct ContactPointsPage {
    layout: Layout,
    id: Uuid,
    reach: Reach,
    points: Vec<Point>,
    /// The fields of each kind.
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

/// The fields for an address.
struct Entry {
    kind: &'static str,
    label: String,
    hint: String,
    /// What asks for the address that it replaces.
    replaces: String,
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

/// Shows the addresses and the form.
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
    let last = mentor.changes.last().map(|change| change.kind.as_str());
    let is_done = last.is_some_and(|last| last == done || done == BOTH_ADDED && last == "phone_added")
        || [AddressOutcome::Retried, AddressOutcome::Known].iter().any(|one| one.as_str() == done);
    if is_done {
        let text = shown.layout.text;
        shown.layout.heading = text.named(&format!("done-{done}"), &titled(&found, text));
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// What the page says after it added an address of each kind, in which case the phone number is the last change.
const BOTH_ADDED: &str = "addresses_added";

/// Adds addresses, or removes one.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let (found, _) = correctable(&mut tx, id).await?;
    let done = if fields.remove.is_empty() {
        match add(&mut tx, id, &fields).await? {
            Ok(done) => done,
            Err(faults) => {
                // What was added beside a fault is not kept.
                drop(tx);
                let mut tx = visitor.again(&api).await?;
                let mut shown = form(&mut tx, &api, layout, &found, &fields).await?;
                let fault = |(field, key): (&'static str, String)| Fault {
                    field: field.into(),
                    what: shown.layout.text.say(&key),
                };
                shown.faults = faults.into_iter().map(fault).collect();
                shown.layout.is_refused = true;
                return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
            }
        }
    } else {
        let point = fields.remove.parse().unwrap_or(Uuid::nil());
        let kind = KINDS.into_iter().find(|kind| *kind == fields.kind).unwrap_or(KINDS[0]);
        said(kind, addresses::remove(&mut tx, id, point).await?)
    };
    tx.commit().await?;
    Ok(Redirect::to(&format!("/certifications/{id}/contact-points?done={done}")).into_response())
}

/// Adds the addresses that were entered, and returns what the page says then; or the fields that are wrong, each with the key
/// of the text that says why.
async fn add(
    tx: &mut CallerTx,
    id: Uuid,
    fields: &Fields,
) -> Result<Result<String, Vec<(&'static str, String)>>, PageError> {
    let (mut done, mut faults) = (Vec::new(), Vec::new());
    for kind in KINDS {
        let (entered, replaces) = fields.of(kind);
        if entered.trim().is_empty() {
            continue;
        }
        let Some(address) = read(kind, entered) else {
            faults.push((kind, format!("fault-address-{kind}")));
            continue;
        };
        match addresses::add(tx, id, kind, &address, replaces.parse().ok()).await? {
            AddressOutcome::Forbidden => return Err(ApiError::NotYours.into()),
            AddressOutcome::Many => faults.push((kind, format!("fault-addresses-{kind}"))),
            outcome => done.push((kind, outcome)),
        }
    }
    if done.is_empty() && faults.is_empty() {
        faults.push((KINDS[0], "fault-address-none".to_owned()));
    }
    if !faults.is_empty() {
        return Ok(Err(faults));
    }
    let is = |wanted: AddressOutcome| done.iter().filter(move |(_, outcome)| *outcome == wanted);
    Ok(Ok(match is(AddressOutcome::Added).count() {
        2 => BOTH_ADDED.to_owned(),
        _ => [AddressOutcome::Added, AddressOutcome::Retried, AddressOutcome::Known]
            .into_iter()
            .find_map(|wanted| is(wanted).next())
            .map(|(kind, outcome)| said(kind, *outcome))
            .unwrap_or_default(),
    }))
}

/// What the page says after an address was added or removed.
fn said(kind: &str, outcome: AddressOutcome) -> String {
    match outcome {
        AddressOutcome::Added | AddressOutcome::Removed => format!("{kind}_{outcome}"),
        _ => outcome.to_string(),
    }
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
    let (value, replaces) = fields.of(kind);
    let of_kind = || points.iter().filter(|one| one.kind == kind && !one.is_own);
    // What refused a notice is probably what is wrong.
    let wrong = of_kind().find(|one| one.has_refused).map(|one| one.id.to_string()).unwrap_or_default();
    let chosen = if value.is_empty() { &wrong } else { replaces };
    let choice = |one: &Address| {
        Choice::new(one.id.to_string(), line(one.address.as_deref().unwrap_or_default()), chosen)
    };
    let words = |part: &str| text.say(&format!("contact-points-{part}-{kind}"));
    Entry {
        kind,
        label: text.say(&format!("address-{kind}")),
        hint: words("hint"),
        replaces: words("replaces"),
        value: value.to_owned(),
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
