//! The person's listings at partners, and their own consent to each.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_store::CallerTx;
use certvakt_store::caller;
use certvakt_store::caller::listings::{self, Consent, ConsentText, Decision, Recorded};
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

/// The version of `listings-consent-text`: the month in which the text changed. Change both together, in every language.
const TEXT_VERSION: &str = "2026-11";
/// All versions that mentors have consented to, the latest first: a signed paper may show an earlier one.
pub(super) const TEXT_VERSIONS: [&str; 1] = [TEXT_VERSION];

#[derive(Template)]
#[template(path = "my_listings.html")]
struct ListingsPage {
    layout: Layout,
    listings: Vec<Listing>,
    faults: Vec<Fault>,
}

/// A partner at which the person is enrolled.
struct Listing {
    organisation: Uuid,
    partner: String,
    /// The id of its form.
    field: String,
    title: String,
    /// Whether they consent, and whether they are listed, in words.
    state: String,
    /// To what they consent; empty if they already do.
    consent: String,
    button: String,
    /// What they decided, the latest first.
    record: Vec<String>,
}

impl ListingsPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Shows the listings.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let mut shown = found(&mut tx, layout).await?;
    tx.commit().await?;
    if ["consent", "withdraw"].contains(&done.as_str()) {
        shown.layout.heading = shown.layout.text.say(&format!("listings-done-{done}"));
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

async fn found(tx: &mut CallerTx, layout: Layout) -> Result<ListingsPage, PageError> {
    let text = layout.text;
    let organisations = caller::organisations(tx).await?;
    let zone = |id| organisations.iter().find(|one| one.id == id).map_or(Tz::UTC, |one| one.zone.0);
    let (own, record) = (listings::mine(tx).await?, listings::consents(tx).await?);
    let shown = own.iter().enumerate().map(|(number, one)| {
        let zone = zone(one.organisation_id);
        let decided = record.iter().filter(|decided| {
            decided.organisation_id == one.organisation_id && decided.partner == one.partner
        });
        Listing {
            organisation: one.organisation_id,
            partner: one.partner.clone(),
            field: format!("listing-{number}"),
            title: of(one, "listings-of", text),
            state: state(one, zone, text),
            consent: if one.consents_since.is_some() {
                String::new()
            } else {
                of(one, "listings-consent-text", text)
            },
            button: of(
                one,
                if one.consents_since.is_some() { "listings-withdraw" } else { "listings-consent" },
                text,
            ),
            record: decided.map(|decided| in_words(decided, "listings", zone, text)).collect(),
        }
    });
    Ok(ListingsPage {
        listings: shown.collect(),
        faults: Vec::new(),
        layout: Layout { heading: text.say("listings-title"), ..layout },
    })
}

fn of(one: &listings::Listing, key: &str, text: Text) -> String {
    at_partner(key, &one.partner, &one.organisation, text)
}

/// A text about a partner and the organisation that certified.
pub(super) fn at_partner(key: &str, partner: &str, organisation: &str, text: Text) -> String {
    text.with(key, &[("partner", line(partner).into()), ("organisation", line(organisation).into())])
}

fn state(one: &listings::Listing, zone: Tz, text: Text) -> String {
    match one.consents_since {
        None => text.say("listings-no-consent"),
        Some(since) => {
            let key = if one.is_listed { "listings-listed" } else { "listings-not-listed" };
            text.named(key, &text.date(since.with_timezone(&zone).date_naive()))
        }
    }
}

/// A decision in sentences that address somebody: the mentor (`listings`) or those who manage them
/// (`consents`). They say what, when, by whom, how, and to which text.
pub(super) fn in_words(decided: &Recorded, address: &str, zone: Tz, text: Text) -> String {
    let date = text.date(decided.at.with_timezone(&zone).date_naive());
    let what = if decided.is_given { "given" } else { "withdrawn" };
    let (who, by) = match &decided.recorded_by {
        _ if decided.is_own => ("own", String::new()),
        Some(by) => ("by", line(by)),
        None => ("other", String::new()),
    };
    let arguments = [("name", date.into()), ("by", by.into())];
    let said = text.with(&format!("{address}-{what}-{who}"), &arguments);
    let way = decided.given_as.zip(decided.given_on);
    let way = way.map(|(way, day)| text.named(&format!("consent-way-{way}"), &text.date(day)));
    let seen = decided.text_version.as_ref().zip(decided.locale.as_ref());
    let seen = seen.map(|(version, locale)| text_seen(version, locale, text));
    [Some(said), way, seen].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A version of the text and its language.
pub(super) fn text_seen(version: &str, locale: &str, text: Text) -> String {
    let language = text.say(&format!("language-{locale}"));
    text.with("listings-text", &[("version", line(version).into()), ("language", language.into())])
}

/// A decision.
#[derive(Deserialize)]
pub(super) struct DecisionForm {
    organisation: Uuid,
    partner: String,
    decision: String,
    /// The version of the text that the person saw.
    #[serde(default)]
    version: String,
}

/// Gives or withdraws consent.
pub(super) async fn make(
    State(api): State<Api>,
    Sent { visitor, form: DecisionForm { organisation, partner, decision, version } }: Sent<DecisionForm>,
) -> Result<Response, PageError> {
    let (decision, done) = match decision.as_str() {
        "consent" => (Decision::Consent, "consent"),
        "withdraw" => (Decision::Withdraw, "withdraw"),
        _ => return Err(ApiError::Invalid("the form is incomplete".to_owned()).into()),
    };
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let is_outdated = decision == Decision::Consent && version != TEXT_VERSION;
    let seen = ConsentText { version: TEXT_VERSION, locale: layout.text.tag() };
    let fault = if is_outdated {
        "fault-consent-text"
    } else {
        match listings::decide(&mut tx, organisation, &partner, decision, Some(seen)).await? {
            Consent::Recorded => {
                tx.commit().await?;
                return Ok(Redirect::to(&format!("/me/listings?done={done}")).into_response());
            }
            Consent::Unknown => return Err(ApiError::NotFound.into()),
            Consent::Unproven => "fault-unproven",
        }
    };
    // The refusal has ended the transaction.
    tx.rollback().await?;
    let mut tx = visitor.again(&api).await?;
    let mut refused = found(&mut tx, layout).await?;
    tx.commit().await?;
    let field =
        refused.listings.iter().find(|one| one.organisation == organisation && one.partner == partner);
    let field = field.map(|one| one.field.clone()).ok_or(ApiError::NotFound)?;
    refused.faults = vec![Fault { field: field.into(), what: refused.layout.text.say(fault) }];
    refused.layout.is_refused = true;
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &refused))
}

#[cfg(test)]
mod tests {
    use certvakt_rules::key::hex_digest;

    use super::*;

    #[test]
    fn a_changed_text_has_a_new_version() {
        // The digest of the texts of a version. With a new text, add a line, and keep the others as a record.
        let known = [("2026-11", "f0fb54e5d509bbe39b059977e5b230e55c46de649f040b924c2938c22afff46b")];
        let texts = [include_str!("../../locales/nb/mine.ftl"), include_str!("../../locales/en/mine.ftl")];
        let of = |file: &str| {
            let line = file.lines().find(|line| line.starts_with("listings-consent-text = "));
            line.unwrap_or_default().to_owned()
        };
        let digest = hex_digest(texts.map(of).join("\n"));
        assert!(known.contains(&(TEXT_VERSION, digest.as_str())), "{TEXT_VERSION} {digest}");
        assert_eq!(TEXT_VERSIONS, known.map(|(version, _)| version));
    }
}
