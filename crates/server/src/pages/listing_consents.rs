//! The consent of a mentor to listings at partners, which a coordinator or an administrator records for the mentor, and the
//! letter on which the mentor can sign it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_store::caller::listings::{self, ConsentText, GivenConsent, MentorListing, Recorded};
use certvakt_store::caller::{Certification, letters};
use certvakt_store::{CallerTx, ConsentOutcome, GivenAs};
use chrono::NaiveDate;
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::dates;
use super::error::PageError;
use super::form::{Choice, Done, Fault, changeable, of_field};
use super::letter::language;
use super::my_listings::{TEXT_VERSIONS, at_partner, in_words, text_seen};
use super::row::titled;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// How a mentor gives consent to somebody else.
const WAYS: [GivenAs; 3] = [GivenAs::Paper, GivenAs::InPerson, GivenAs::Phone];
/// The languages of the text.
const LANGUAGES: [&str; 2] = ["nb", "en"];

/// The fields of a form, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    partner: String,
    /// `consent` or `withdraw`.
    decision: String,
    way: String,
    day: String,
    version: String,
    language: String,
}

#[derive(Template)]
#[template(path = "listing_consents.html")]
struct ConsentsPage {
    layout: Layout,
    id: Uuid,
    listings: Vec<Listing>,
    /// Whether the mentor could not be told about what was just recorded.
    is_unnotified: bool,
    faults: Vec<Fault>,
}

/// A partner at which the mentor is enrolled.
struct Listing {
    partner: String,
    /// The beginning of the ids of its form.
    field: String,
    title: String,
    state: String,
    /// Whether the form records a consent; otherwise it records a withdrawal.
    is_to_give: bool,
    ways: Vec<Choice>,
    day: String,
    versions: Vec<Choice>,
    languages: Vec<Choice>,
    button: String,
    /// What is recorded, the latest first.
    record: Vec<String>,
}

impl ConsentsPage {
    fn fault(&self, listing: &Listing, field: &str) -> Option<&Fault> {
        of_field(&self.faults, &format!("{}-{field}", listing.field))
    }

    /// Whether there is anything to sign.
    fn has_letter(&self) -> bool {
        self.listings.iter().any(|one| one.is_to_give)
    }
}

/// Shows the listings and their forms.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let found = changeable(&mut tx, id).await?;
    let (own, record) =
        (listings::of_certification(&mut tx, id).await?, listings::consents_of(&mut tx, id).await?);
    let text = layout.text;
    let of_mentor = language_of(&mut tx, id, text).await?;
    tx.commit().await?;
    let (what, is_unnotified) =
        done.strip_suffix("-unnotified").map_or((done.as_str(), false), |what| (what, true));
    let is_done = record.first().is_some_and(|one| !one.is_own && what == named(one.is_given));
    let mut shown = form(layout, &found, &own, &record, of_mentor, &Fields::default());
    if is_done {
        shown.layout.heading = text.named(&format!("consents-done-{what}"), &titled(&found, text));
        shown.layout.has_news = true;
        shown.is_unnotified = is_unnotified;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// Records a consent or a withdrawal.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let found = changeable(&mut tx, id).await?;
    let own = listings::of_certification(&mut tx, id).await?;
    let number = own.iter().position(|one| one.partner == fields.partner).ok_or(ApiError::NotFound)?;
    let given = match read(&fields, api.clock().today(found.zone.0)) {
        Ok(given) => given,
        Err(wrong) => {
            let record = listings::consents_of(&mut tx, id).await?;
            let text = layout.text;
            let of_mentor = language_of(&mut tx, id, text).await?;
            tx.commit().await?;
            let layout = Layout { is_refused: true, ..layout };
            let mut shown = form(layout, &found, &own, &record, of_mentor, &fields);
            let fault = |(field, key): Wrong| Fault {
                field: format!("{}-{field}", shown.listings[number].field).into(),
                what: text.say(key),
            };
            shown.faults = wrong.into_iter().map(fault).collect();
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    let what = named(given.is_some());
    let done = match listings::record(&mut tx, id, &fields.partner, given.as_ref()).await? {
        ConsentOutcome::Unknown => return Err(ApiError::NotFound.into()),
        ConsentOutcome::Recorded => format!("?done={what}"),
        ConsentOutcome::Unnotified => format!("?done={what}-unnotified"),
        ConsentOutcome::Known => String::new(),
    };
    tx.commit().await?;
    Ok(Redirect::to(&format!("/certifications/{id}/listing-consents{done}")).into_response())
}

/// The name of a decision in forms and messages.
const fn named(is_given: bool) -> &'static str {
    if is_given { "consent" } else { "withdraw" }
}

/// A field that is wrong, with the key of what is wrong.
type Wrong = (&'static str, &'static str);

/// How the consent was given, or `None` for a withdrawal; otherwise the fields that are wrong.
fn read(fields: &Fields, today: NaiveDate) -> Result<Option<GivenConsent<'_>>, Vec<Wrong>> {
    if fields.decision == named(false) {
        return Ok(None);
    }
    let way = WAYS.into_iter().find(|way| way.as_str() == fields.way).ok_or(("way", "fault-consents-way"));
    let day = match dates::parse(&fields.day) {
        _ if fields.day.trim().is_empty() => Err(("day", "fault-date-missing")),
        Err(none) => Err(("day", none.key())),
        Ok(day) if day > today => Err(("day", "fault-consents-day")),
        Ok(day) => Ok(day),
    };
    let version = TEXT_VERSIONS.into_iter().find(|version| *version == fields.version);
    let version = version.ok_or(("version", "fault-consents-version"));
    let locale = LANGUAGES.into_iter().find(|language| *language == fields.language);
    let locale = locale.ok_or(("language", "fault-consents-language"));
    match (way, day, version, locale) {
        (Ok(given_as), Ok(given_on), Ok(version), Ok(locale)) => {
            Ok(Some(GivenConsent { given_as, given_on, text: ConsentText { version, locale } }))
        }
        (way, day, version, locale) => {
            Err([way.err(), day.err(), version.err(), locale.err()].into_iter().flatten().collect())
        }
    }
}

fn form(
    layout: Layout,
    found: &Certification,
    own: &[MentorListing],
    record: &[Recorded],
    of_mentor: Text,
    fields: &Fields,
) -> ConsentsPage {
    let text = layout.text;
    let untouched = Fields {
        version: TEXT_VERSIONS[0].to_owned(),
        language: of_mentor.tag().to_owned(),
        ..Fields::default()
    };
    let listings = own.iter().enumerate().map(|(number, one)| {
        let record = record.iter().filter(|decided| decided.partner == one.partner);
        let record = record.map(|decided| in_words(decided, "consents", found.zone.0, text)).collect();
        let entered = if fields.partner == one.partner { fields } else { &untouched };
        Listing { record, ..listing(one, number, entered, found.zone.0, text) }
    });
    ConsentsPage {
        id: found.id,
        listings: listings.collect(),
        is_unnotified: false,
        faults: Vec::new(),
        layout: Layout { heading: text.named("consents-title", &titled(found, text)), ..layout },
    }
}

fn listing(one: &MentorListing, number: usize, entered: &Fields, zone: Tz, text: Text) -> Listing {
    let is_to_give = is_to_give(one);
    let way =
        |way: GivenAs| Choice::new(way.to_string(), text.say(&format!("consents-way-{way}")), &entered.way);
    let version = |version: &str| Choice::new(version.to_owned(), version.to_owned(), &entered.version);
    let language = |language: &str| {
        Choice::new(language.to_owned(), text.say(&format!("language-{language}")), &entered.language)
    };
    Listing {
        partner: one.partner.clone(),
        field: format!("listing-{number}"),
        title: of(one, "listings-of", text),
        state: state(one, zone, text),
        is_to_give,
        ways: WAYS.map(way).into(),
        day: entered.day.clone(),
        versions: TEXT_VERSIONS.map(version).into(),
        languages: LANGUAGES.map(language).into(),
        button: of(one, if is_to_give { "consents-give" } else { "consents-withdraw" }, text),
        record: Vec::new(),
    }
}

/// Whether the mentor does not consent, or was taken off the listing until they consent again.
fn is_to_give(one: &MentorListing) -> bool {
    one.consents_since.is_none() || one.is_excluded
}

fn of(one: &MentorListing, key: &str, text: Text) -> String {
    at_partner(key, &one.partner, &one.organisation, text)
}

/// Whether the mentor is to be listed, or why not.
pub(super) fn state(one: &MentorListing, zone: Tz, text: Text) -> String {
    let key = match (one.consents_since, one.is_excluded, one.is_listed) {
        (None, ..) => "consents-none",
        (_, true, _) => "consents-excluded",
        (_, _, true) => "consents-listed",
        _ => "consents-not-listed",
    };
    let since = one.consents_since.map(|at| text.date(at.with_timezone(&zone).date_naive()));
    text.named(key, &since.unwrap_or_default())
}

/// The texts in the language of the mentor, as in the letter.
async fn language_of(tx: &mut CallerTx, certification: Uuid, text: Text) -> Result<Text, PageError> {
    let letter = letters::letter(tx, certification, None).await?.ok_or(ApiError::NotFound)?;
    Ok(language(&letter, text))
}

#[derive(Template)]
#[template(path = "listing_letter.html")]
struct LetterPage {
    layout: Layout,
    id: Uuid,
    /// The mentor's language, in which the letter is.
    language: Text,
    /// The mentor, with what tells the certification apart.
    name: String,
    /// The title and the text of each consent that the mentor can sign.
    consents: Vec<(String, String)>,
    /// The version and the language of the texts.
    seen: String,
}

/// Shows the letter on which the mentor can consent.
pub(super) async fn letter(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let found = changeable(&mut tx, id).await?;
    let own = listings::of_certification(&mut tx, id).await?;
    let text = language_of(&mut tx, id, layout.text).await?;
    tx.commit().await?;
    let consents = own.iter().filter(|one| is_to_give(one));
    let consents = consents.map(|one| (of(one, "listings-of", text), of(one, "listings-consent-text", text)));
    let heading = layout.text.named("letter-title", &titled(&found, layout.text));
    let shown = LetterPage {
        id,
        language: text,
        name: titled(&found, text),
        consents: consents.collect(),
        seen: text_seen(TEXT_VERSIONS[0], text.tag(), text),
        layout: Layout { heading, ..layout },
    };
    Ok(page(StatusCode::OK, &shown))
}
