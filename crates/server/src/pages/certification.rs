//! One certification: what holds today, what a coordinator can do, and its timeline.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::{Standing, State as InState};
use certvakt_rules::last_valid_day;
use certvakt_store::caller::mentor::{self, Mentor};
use certvakt_store::caller::{self, Certification, addresses, contacts, explanation, people};
use certvakt_store::renewal;
use serde::Deserialize;
use uuid::Uuid;

use super::action::Action;
use super::error::PageError;
use super::explained::Explained;
use super::letter::has_letter;
use super::reach::{Reach, readable};
use super::row::{titled, titled_with_chapter, tone};
use super::timeline::{Event, known, of_contact, of_entry, of_notice, of_person, said, stage_name};
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The query after a change.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct AfterChange {
    /// The kind of change that the form made.
    done: String,
}

#[derive(Template)]
#[template(path = "certification.html")]
struct CertificationPage {
    layout: Layout,
    id: Uuid,
    facts: Vec<(String, String)>,
    /// The mentor's addresses, each with the kind and the target of its link.
    addresses: Vec<(String, String, String)>,
    reach: Reach,
    /// What to do if no notice reaches the mentor: the target of a link, or none, and its label.
    remedy: Option<(Option<String>, String)>,
    /// The last valid day, and the time until then.
    date: String,
    when: String,
    state: String,
    tone: &'static str,
    /// What the person may do, as the end of the path and the label of the link.
    actions: Vec<(&'static str, String)>,
    /// Whether a letter serves the mentor, who has no e-mail.
    has_letter: bool,
    /// Why they may do nothing, if they might expect to.
    no_action: Option<String>,
    /// Whether the person has just undone a change, perhaps because it was of the wrong mentor.
    is_undone: bool,
    /// The form of their last change, if they can undo it, and the number of certifications that it changed.
    undoable: Option<(Uuid, i64)>,
    /// The chapter of the certification and the one to which they may move the mentor back, with its name.
    moved_back: Option<(Uuid, Uuid, String)>,
    /// What the person may do with the mentor, as the end of the path and the label of the link.
    mentor_actions: Vec<(&'static str, String)>,
    /// The mentor, if the person may record another certification of theirs.
    certifiable: Option<Uuid>,
    /// The organisation and the mentor, if the mentor has ended and the person may erase them.
    erasable: Option<(Uuid, Uuid)>,
    /// Whether the person may record that the mentor is back.
    may_take_back: bool,
    /// The next stage.
    next: Option<String>,
    /// The latest first.
    timeline: Vec<Event>,
}

/// Shows a certification.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(AfterChange { done }): Query<AfterChange>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let found = caller::certification(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    let history = renewal::history(&mut tx, id).await?;
    let notices = caller::notices(&mut tx, id).await?;
    let contacts = contacts::of_certification(&mut tx, id).await?;
    let points = addresses::addresses(&mut tx, id).await?;
    let mentor = mentor::mentor(&mut tx, id).await?.ok_or(ApiError::NotFound)?;
    let entries: Vec<_> = history.iter().filter_map(known).collect();
    let actors = entries.iter().filter_map(|(entry, _)| entry.actor);
    let actors = actors.chain(contacts.iter().filter_map(|one| one.made_by));
    let actors: Vec<Uuid> = actors.chain(mentor.changes.iter().filter_map(|one| one.made_by)).collect();
    let names = people::names(&mut tx, &actors).await?;
    let explanation = explanation::of_certification(&mut tx, id).await?;
    tx.commit().await?;
    let has_ended = mentor.has_ended();
    let text = layout.text;
    let now = api.clock().now();
    let standing = Standing::of(&found, now);
    let is_done = entries.last().is_some_and(|(entry, _)| said(entry) == done)
        || mentor.changes.last().is_some_and(|change| change.kind.as_str() == done)
        || done == "certified" && history.is_empty()
        || done == "contact-undone";
    let heading = if is_done {
        text.named(&format!("done-{done}"), &titled_with_chapter(&found, text))
    } else {
        titled(&found, text)
    };
    let zone = found.zone.0;
    let is_own = layout.signed_in.as_ref().is_some_and(|person| person.id == found.mentor_id);
    let reach = if (found.is_managed || is_own) && !has_ended && !found.is_mentor_erased {
        Reach::of(&standing, &notices, &points, api.contact_kinds(), text)
    } else {
        Reach::default()
    };
    let mut timeline: Vec<Event> =
        entries.iter().map(|(entry, written)| of_entry(entry, written, &names, zone, text)).collect();
    let explained = explanation.as_ref().map(|one| Explained::of(one, &found, now, text)).unwrap_or_default();
    timeline.extend(notices.iter().map(|notice| {
        let attempts = explained.attempts.get(&notice.id).cloned().unwrap_or_default();
        of_notice(notice, attempts, &standing, &reach, zone, text)
    }));
    timeline.extend(explained.events);
    timeline.extend(contacts.iter().map(|contact| of_contact(contact, &names, zone, text)));
    timeline.extend(mentor.changes.iter().map(|change| of_person(change, &names, zone, text)));
    timeline.sort_by_key(|event| std::cmp::Reverse(event.at));
    let is_coordinator = layout.manages();
    let shown = CertificationPage {
        id,
        facts: [facts(&found, &standing, text), explained.facts].concat(),
        addresses: readable(&points).map(|(kind, one)| address(kind, one, text)).collect(),
        date: validity(&standing, text),
        when: standing.days_left.map(|left| text.days(left)).unwrap_or_default(),
        state: text.say(&format!("state-{}", standing.state.as_str())),
        tone: tone(standing.state),
        actions: if found.is_managed && !has_ended { actions(standing.state, text) } else { Vec::new() },
        has_letter: has_letter(&standing) && points.iter().all(|one| one.kind != "email"),
        no_action: (is_own && is_coordinator).then(|| text.say("own-certification")),
        is_undone: is_done && done == "undone",
        undoable: mentor.undo_form.zip(mentor.undo_number),
        moved_back: moved_back(&found, &mentor),
        mentor_actions: mentor_actions(&found, &mentor, text),
        certifiable: Some(found.mentor_id).filter(|_| found.is_managed && mentor.is_member && !has_ended),
        // The settings have a page of those who have not ended.
        erasable: (has_ended && mentor.may_erase).then_some((found.organisation_id, found.mentor_id)),
        may_take_back: mentor.is_administrator && has_ended && !mentor.is_merged(),
        next: standing.next_stage.map(|(stage, due)| {
            let key = if reach.why_not.is_some() { "unreached-next" } else { "next-stage" };
            text.with(key, &[("stage", stage_name(stage, text).into()), ("date", text.date(due).into())])
        }),
        remedy: reach.why_not.is_some().then(|| remedy(&found, &mentor, reach.is_declined, text)),
        reach,
        timeline,
        layout: Layout { heading, has_news: is_done, ..layout },
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The last valid day in words that say what it is.
fn validity(standing: &Standing, text: Text) -> String {
    let Some(day) = standing.last_valid_day else { return text.say("never-expires") };
    let key = match (standing.state, standing.days_left) {
        (InState::Suspended | InState::Withdrawn, _) => "until-last",
        (_, Some(..=-1)) => "until-past",
        _ => "until-future",
    };
    text.named(key, &text.date(day))
}

/// The chapter of a certification and the one to which the person may move its mentor back, with its name.
fn moved_back(found: &Certification, mentor: &Mentor) -> Option<(Uuid, Uuid, String)> {
    let name = mentor.changes.last()?.before.as_deref().map(line);
    let may = found.is_managed && mentor.is_member;
    mentor.moved_from.zip(name).filter(|_| may).map(|(before, name)| (found.chapter_id, before, name))
}

/// What is known beside the date.
fn facts(found: &Certification, standing: &Standing, text: Text) -> Vec<(String, String)> {
    let zone = found.zone.0;
    let issued = found.issued_at.map(|at| text.date(last_valid_day(at, zone)));
    let leave = found.suspended_until.filter(|_| standing.state == InState::Suspended);
    let facts = [
        ("fact-chapter", found.chapter.as_deref().map(line)),
        ("fact-type", found.type_name.as_deref().map(line)),
        ("fact-number", found.external_id.as_deref().map(line)),
        ("fact-issued", issued),
        ("fact-suspended-until", leave.map(|day| text.date(day))),
    ];
    facts.into_iter().filter_map(|(key, value)| Some((text.say(key), value?))).collect()
}

/// An address with its kind and the target of its link.
fn address(kind: &str, address: &str, text: Text) -> (String, String, String) {
    let target = match kind {
        "phone" => format!("tel:{address}"),
        // Encoded, so that an address cannot add fields to the mail (RFC 6068).
        _ => format!("mailto:{}", form_urlencoded::byte_serialize(address.as_bytes()).collect::<String>()),
    };
    (text.say(&format!("address-{kind}")), target, line(address))
}

/// What the person does if no notice reaches the mentor: the target of a link, or none, and its label.
fn remedy(found: &Certification, mentor: &Mentor, is_declined: bool, text: Text) -> (Option<String>, String) {
    let form = |end: &str| Some(format!("/certifications/{}/{end}", found.id));
    if is_declined && found.is_managed {
        (form("contacts"), text.say("action-contact"))
    } else if mentor.may_correct_addresses {
        (form("contact-points"), text.say("action-contact-points"))
    } else if found.is_managed {
        (None, text.say("unreached-ask"))
    } else {
        (Some("/me/channels".to_owned()), text.say("channels-title"))
    }
}

/// What a coordinator may do with a certification in a state.
fn actions(state: InState, text: Text) -> Vec<(&'static str, String)> {
    let possible = Action::possible(state);
    possible.iter().map(|action| (action.path(), text.say(action.key()))).collect()
}

/// What the person may do with the mentor.
fn mentor_actions(found: &Certification, mentor: &Mentor, text: Text) -> Vec<(&'static str, String)> {
    let is_present = !mentor.has_ended() && !found.is_mentor_erased;
    let all = [
        (mentor.may_correct_addresses, "contact-points", "action-contact-points"),
        (mentor.has_listings, "listing-consents", "action-listing-consents"),
        (found.is_managed && mentor.is_member, "moves", "action-move"),
        (found.is_managed && mentor.is_administrator && is_present, "merges", "action-merge"),
        (mentor.may_end && is_present, "endings", "action-end"),
    ];
    all.into_iter().filter(|(may, ..)| *may).map(|(_, path, key)| (path, text.say(key))).collect()
}
