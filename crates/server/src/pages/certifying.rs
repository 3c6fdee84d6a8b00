//! The form that records a mentor's first certification of a type, which is repeated in words before it is saved, and the search
//! for the mentor.

use std::collections::HashSet;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::renewal::{DateError, RenewalError, first_until};
use certvakt_rules::calendar::{end_of_day, start_of_day};
use certvakt_store::caller::overview::{self, CertificationType};
use certvakt_store::caller::people::{self, PersonFilter};
use certvakt_store::caller::{self, Certified, Chapter, NewCertification};
use certvakt_store::{CallerTx, Role, settings};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use uuid::Uuid;

use super::action::Action;
use super::change::fault;
use super::dates;
use super::error::PageError;
use super::form::{Choice, Fault, of_field};
use super::row::shared;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query, check_text};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The maximum number of people that a search shows.
const MOST: u32 = 20;

/// The search for the mentor.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    q: String,
}

#[derive(Template)]
#[template(path = "certifying_search.html")]
struct SearchPage {
    layout: Layout,
    q: String,
    is_searched: bool,
    /// Whether the search found more people than the page shows.
    is_cut: bool,
    /// The mentors: the id, the name, and what tells them apart.
    people: Vec<(Uuid, String, String)>,
    /// The names that occur more than once.
    shared: HashSet<String>,
    /// The forms that add a person, one for each organisation that the caller administers.
    new: Vec<(Uuid, String)>,
}

/// Shows the search for a mentor, and what it found.
pub(super) async fn search(
    State(api): State<Api>,
    visitor: Visitor,
    Query(Search { q }): Query<Search>,
) -> Result<Response, PageError> {
    check_text(Some(&q))?;
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    if !layout.manages() {
        return Err(ApiError::NotYours.into());
    }
    let wanted = q.trim();
    let mut found = Vec::new();
    if !wanted.is_empty() {
        let filter = PersonFilter { text: Some(wanted.to_owned()), ..PersonFilter::default() };
        found = people::people(&mut tx, &filter, None, MOST + 1).await?;
    }
    let is_cut = found.len() > MOST as usize;
    found.truncate(MOST as usize);
    let ids: Vec<Uuid> = found.iter().map(|one| one.id).filter(|id| *id != layout.person()).collect();
    let roles = people::memberships_of(&mut tx, &ids).await?;
    let chapters = caller::chapters(&mut tx).await?;
    let mut new = if layout.is_administrator() { settings::present(&mut tx).await? } else { Vec::new() };
    tx.commit().await?;
    new.retain(|one| one.is_administered);
    let people = found.iter().filter_map(|one| {
        let of = |role: &&people::MemberOf| role.person_id == one.id && role.role == Role::Mentor;
        let names: Vec<String> = roles
            .iter()
            .filter(of)
            .filter_map(|role| chapters.iter().find(|chapter| chapter.id == role.chapter_id))
            .map(|chapter| line(&chapter.name))
            .collect();
        let name = one.name.as_deref().map_or_else(|| "–".to_owned(), line);
        (!names.is_empty()).then(|| (one.id, name, names.join(", ")))
    });
    let people: Vec<_> = people.collect();
    let shown = SearchPage {
        is_searched: !wanted.is_empty(),
        is_cut,
        shared: shared(people.iter().map(|(_, name, _)| name.as_str())),
        people,
        new: new.iter().map(|one| (one.id, line(&one.name))).collect(),
        layout: Layout { heading: layout.text.say("certify-search-title"), ..layout },
        q,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The id of the chapter that certifies.
    chapter: String,
    /// The organisation and the code of the type, with a slash between them.
    certification_type: String,
    /// The day on which the course was completed.
    date: String,
    /// The last valid day; empty if the type decides it.
    until: String,
    /// `save` if the person has seen the result in words, `edit` to change what was entered.
    step: String,
}

#[derive(Template)]
#[template(path = "certifying.html")]
struct CertifyingPage {
    layout: Layout,
    person: Uuid,
    fields: Fields,
    chapters: Vec<Choice>,
    types: Vec<Choice>,
    /// The result in words, to be checked.
    result: Vec<(String, String)>,
    faults: Vec<Fault>,
}

impl CertifyingPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// A mentor whom the caller may certify.
struct Mentor {
    id: Uuid,
    name: String,
    /// The chapters of which they are a mentor and that the caller manages.
    chapters: Vec<Chapter>,
    /// The types of the organisations of these chapters.
    types: Vec<CertificationType>,
}

impl Mentor {
    async fn of(tx: &mut CallerTx, layout: &Layout, id: Uuid) -> Result<Self, PageError> {
        let person = people::person(tx, id).await?.ok_or(ApiError::NotFound)?;
        // Nobody certifies themselves.
        if !layout.manages() || id == layout.person() {
            return Err(ApiError::NotYours.into());
        }
        let roles = people::memberships_of(tx, &[id]).await?;
        let mut chapters = caller::chapters(tx).await?;
        chapters
            .retain(|one| roles.iter().any(|role| role.role == Role::Mentor && role.chapter_id == one.id));
        if chapters.is_empty() {
            return Err(ApiError::NotFound.into());
        }
        let mut types = overview::certification_types(tx).await?;
        types.retain(|one| chapters.iter().any(|chapter| chapter.organisation_id == one.organisation_id));
        let name = person.name.as_deref().map_or_else(|| "–".to_owned(), line);
        Ok(Self { id, name, chapters, types })
    }

    fn form(&self, layout: Layout, fields: Fields) -> CertifyingPage {
        let choice = |id: String, name: &str, chosen: &str| Choice::new(id, line(name), chosen);
        let chapters = self.chapters.iter().map(|one| choice(one.id.to_string(), &one.name, &fields.chapter));
        let types = self.types.iter().map(|one| choice(key(one), &one.name, &fields.certification_type));
        CertifyingPage {
            person: self.id,
            chapters: chapters.collect(),
            types: types.collect(),
            result: Vec::new(),
            faults: Vec::new(),
            layout: Layout { heading: layout.text.named("certify-title", &self.name), ..layout },
            fields,
        }
    }
}

/// The value of a type in the form.
fn key(one: &CertificationType) -> String {
    format!("{}/{}", one.organisation_id, one.code)
}

/// Shows the form.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(person): Path<Uuid>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let mentor = Mentor::of(&mut tx, &layout, person).await?;
    tx.commit().await?;
    let chapter = mentor.chapters.first().map(|one| one.id.to_string()).unwrap_or_default();
    let certification_type = if let [only] = &mentor.types[..] { key(only) } else { String::new() };
    Ok(page(
        StatusCode::OK,
        &mentor.form(layout, Fields { chapter, certification_type, ..Fields::default() }),
    ))
}

/// Records the certification, or shows it in words first.
pub(super) async fn make(
    State(api): State<Api>,
    Path(person): Path<Uuid>,
    Sent { visitor, form: mut fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    caller::hold_mentor(&mut tx, person).await?;
    let mentor = Mentor::of(&mut tx, &layout, person).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let text = layout.text;
    let step = std::mem::take(&mut fields.step);
    let wanted = check(&mentor, &fields, text, |organisation| {
        let known = organisations.iter().find(|one| one.id == organisation);
        known.map(|one| (one.zone.0, api.clock().today(one.zone.0)))
    });
    let mut shown = mentor.form(layout, fields);
    if step == "edit" {
        return Ok(page(StatusCode::OK, &shown));
    }
    let held = caller::certifications_of(&mut tx, person).await?;
    let wanted = wanted.and_then(|wanted| {
        let same = held.iter().find(|one| {
            one.organisation_id == wanted.of.organisation_id
                && one.type_code == wanted.of.code
                && !one.is_withdrawn
        });
        match same {
            // The form was sent twice.
            Some(one) if step == "save" && one.expires_at == Some(wanted.expires_at()) => {
                Ok((wanted, Some(one.id)))
            }
            Some(_) => {
                let what = text.named("fault-certify-held", &mentor.name);
                Err(Fault { field: "certification_type".into(), what })
            }
            None => Ok((wanted, None)),
        }
    });
    let (wanted, known) = match wanted {
        Ok(wanted) => wanted,
        Err(fault) => {
            shown.faults = vec![fault];
            shown.layout.is_refused = true;
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    if step != "save" {
        tx.commit().await?;
        shown.layout.heading = text.named("certify-check", &mentor.name);
        shown.layout.has_news = true;
        shown.result = result(&wanted, text);
        return Ok(page(StatusCode::OK, &shown));
    }
    let id = if let Some(known) = known {
        known
    } else {
        let record = NewCertification {
            chapter_id: wanted.chapter.id,
            mentor_id: person,
            type_code: &wanted.of.code,
            issued_at: wanted.completed_on.map(|day| start_of_day(day, wanted.zone)),
            expires_at: Some(wanted.expires_at()),
        };
        let Certified::As(id) = caller::certify(&mut tx, &record).await? else {
            return Err(ApiError::NotYours.into());
        };
        id
    };
    tx.commit().await?;
    Ok(Redirect::to(&format!("/certifications/{id}?done=certified")).into_response())
}

/// A certification whose fields are right.
struct Wanted<'a> {
    chapter: &'a Chapter,
    of: &'a CertificationType,
    completed_on: Option<NaiveDate>,
    until: NaiveDate,
    zone: Tz,
}

impl Wanted<'_> {
    fn expires_at(&self) -> DateTime<Utc> {
        end_of_day(self.until, self.zone)
    }
}

/// Checks the form. `today` returns the time zone of an organisation, and its present day.
fn check<'a>(
    mentor: &'a Mentor,
    fields: &Fields,
    text: Text,
    today: impl Fn(Uuid) -> Option<(Tz, NaiveDate)>,
) -> Result<Wanted<'a>, Fault> {
    let wrong = |field: &'static str, key: &str| Fault { field: field.into(), what: text.say(key) };
    let chapter = mentor.chapters.iter().find(|one| one.id.to_string() == fields.chapter);
    let chapter = chapter.ok_or_else(|| wrong("chapter", "fault-roles-chapter"))?;
    let of = mentor.types.iter().find(|one| key(one) == fields.certification_type);
    let of = of.filter(|one| one.organisation_id == chapter.organisation_id);
    let of = of.ok_or_else(|| wrong("certification_type", "fault-certify-type"))?;
    let date = |field: &'static str, written: &str| match written.trim() {
        "" => Ok(None),
        written => dates::parse(written).map(Some).map_err(|no| wrong(field, no.key())),
    };
    let (completed_on, until) = (date("date", &fields.date)?, date("until", &fields.until)?);
    if completed_on.is_none() && until.is_none() {
        return Err(wrong("date", "fault-date-missing"));
    }
    let (zone, today) =
        today(chapter.organisation_id).ok_or_else(|| wrong("chapter", "fault-roles-chapter"))?;
    let until = first_until(completed_on, until, of.validity_months, &of.renewal_rule, today);
    let until = until.map_err(|error| {
        let of_course =
            matches!(error, RenewalError::Date(DateError::CompletedLater | DateError::CompletedTooEarly(_)));
        let is_computed = fields.until.trim().is_empty() && !matches!(error, RenewalError::NoRule);
        let field = if of_course || is_computed { "date" } else { "until" };
        let what = fault(&error, Action::Renewal, text).map(|fault| fault.what).unwrap_or_default();
        Fault { field: field.into(), what }
    })?;
    Ok(Wanted { chapter, of, completed_on, until, zone })
}

/// The certification in words.
fn result(wanted: &Wanted<'_>, text: Text) -> Vec<(String, String)> {
    let rows = [
        ("fact-chapter", Some(line(&wanted.chapter.name))),
        ("fact-type", Some(line(&wanted.of.name))),
        ("fact-completed", wanted.completed_on.map(|day| text.long_date(day))),
        ("fact-valid-until", Some(text.long_date(wanted.until))),
    ];
    rows.into_iter().filter_map(|(key, value)| Some((text.say(key), value?))).collect()
}
