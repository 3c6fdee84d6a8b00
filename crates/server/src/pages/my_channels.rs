//! How notices reach the person: the channels that they chose, their devices, and their addresses.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_rules::normal;
use certvakt_store::CallerTx;
use certvakt_store::caller::contact_points::{self, ContactPoint};
use certvakt_store::caller::{self, opt_outs};
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Done, Fault, of_field};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

const PATH: &str = "/me/channels";
/// The kinds of contact point that notices use, as people opt out of them.
const KINDS: [&str; 2] = ["email", "push"];

#[derive(Template)]
#[template(path = "my_channels.html")]
struct ChannelsPage {
    layout: Layout,
    /// The kinds that notices use: the name, the label, whether it is on, and what it reaches.
    channels: Vec<(&'static str, String, bool, String)>,
    /// Whether no notice reaches the person.
    reaches_nobody: bool,
    devices: Vec<Point>,
    addresses: Vec<Point>,
    /// The phone number, as it was entered.
    phone: String,
    faults: Vec<Fault>,
}

/// A contact point.
pub(super) struct Point {
    pub(super) what: String,
    /// Where it comes from, and since when.
    pub(super) origin: String,
    /// Its id and the label of the button that removes it; `None` if it is from a register.
    removal: Option<(Uuid, String)>,
}

impl ChannelsPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the choices.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let mut shown = found(&mut tx, layout).await?;
    tx.commit().await?;
    if ["chosen", "added", "removed"].contains(&done.as_str()) {
        shown.layout.heading = shown.layout.text.say(&format!("channels-{done}"));
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// The page as things are.
async fn found(tx: &mut CallerTx, layout: Layout) -> Result<ChannelsPage, PageError> {
    let text = layout.text;
    let points = contact_points::contact_points(tx).await?;
    let off = opt_outs::opt_outs(tx).await?;
    let organisations = caller::organisations(tx).await?;
    let zone = organisations.first().map_or(Tz::UTC, |one| one.zone.0);
    let is_on = |kind: &str| off.iter().all(|one| one.kind != kind);
    let number = |kind: &str| points.iter().filter(|point| point.kind == kind).count();
    let channels = KINDS.map(|kind| {
        let reach = text.count(&format!("channels-{kind}-reach"), number(kind));
        (kind, text.say(&format!("channels-{kind}")), is_on(kind), reach)
    });
    let of = |is_wanted: fn(&str) -> bool| {
        points.iter().filter(|point| is_wanted(&point.kind)).map(|point| shown(point, zone, text)).collect()
    };
    Ok(ChannelsPage {
        reaches_nobody: KINDS.iter().all(|kind| !is_on(kind) || number(kind) == 0),
        channels: channels.into(),
        devices: of(|kind| kind == "push"),
        addresses: of(|kind| kind != "push"),
        phone: String::new(),
        faults: Vec::new(),
        layout: Layout { heading: text.say("channels-title"), ..layout },
    })
}

/// A contact point in words.
pub(super) fn shown(point: &ContactPoint, zone: Tz, text: Text) -> Point {
    let since = text.date(point.created_at.with_timezone(&zone).date_naive());
    let what = match &point.address {
        Some(address) => text.named(&format!("channels-of-{}", point.kind), address),
        None => text.named("channels-of-push", &since),
    };
    let origin = match &point.organisation {
        Some(organisation) => text.named("channels-of-register", organisation),
        None => text.named("channels-own", &since),
    };
    let removal = point
        .organisation
        .is_none()
        .then(|| (point.id, text.with("channels-remove", &[("name", line(&what).into())])));
    Point { what, origin, removal }
}

/// The channels that the person wants.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Choices {
    email: Option<String>,
    push: Option<String>,
}

/// Turns channels on and off.
pub(super) async fn choose(
    State(api): State<Api>,
    Sent { visitor, form: Choices { email, push } }: Sent<Choices>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Mine).await?;
    for (kind, is_wanted) in KINDS.into_iter().zip([email.is_some(), push.is_some()]) {
        if is_wanted {
            opt_outs::opt_in(&mut tx, kind).await?;
        } else {
            opt_outs::opt_out(&mut tx, kind).await?;
        }
    }
    tx.commit().await?;
    Ok(Redirect::to(&format!("{PATH}?done=chosen")).into_response())
}

/// A phone number.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Phone {
    phone: String,
}

/// Adds a phone number for the coordinators.
pub(super) async fn add_phone(
    State(api): State<Api>,
    Sent { visitor, form: Phone { phone } }: Sent<Phone>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let fault = match normal::phone(&phone) {
        None => "fault-phone",
        Some(number) if contact_points::add_phone(&mut tx, &number).await? => {
            tx.commit().await?;
            return Ok(Redirect::to(&format!("{PATH}?done=added")).into_response());
        }
        Some(_) => "fault-phones",
    };
    let mut refused = found(&mut tx, layout).await?;
    tx.commit().await?;
    refused.faults = vec![Fault { field: "phone".into(), what: refused.layout.text.say(fault) }];
    refused.layout.is_refused = true;
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &ChannelsPage { phone, ..refused }))
}

/// The contact point to remove.
#[derive(Deserialize)]
pub(super) struct Removal {
    point: Uuid,
}

/// Removes a device or an address of the person's own. A repeated form has no effect.
pub(super) async fn remove(
    State(api): State<Api>,
    Sent { visitor, form: Removal { point } }: Sent<Removal>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Mine).await?;
    let own = contact_points::contact_points(&mut tx).await?;
    if own.iter().any(|one| one.id == point && one.organisation.is_some()) {
        return Err(ApiError::NotYours.into());
    }
    contact_points::remove(&mut tx, point).await?;
    tx.commit().await?;
    Ok(Redirect::to(&format!("{PATH}?done=removed")).into_response())
}
