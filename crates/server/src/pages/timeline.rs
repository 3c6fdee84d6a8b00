//! The events of a certification's timeline: changes, notices, contacts, and what happened to the mentor.

use std::collections::HashMap;

use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::Standing;
use certvakt_rules::renewal::{Entry, Kind, Reading, read};
use certvakt_rules::{Stage, last_valid_day};
use certvakt_store::DeliveryState;
use certvakt_store::caller::Notice;
use certvakt_store::caller::contacts::Contact;
use certvakt_store::caller::mentor::PersonChange;
use certvakt_store::renewal::Written;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::reach::Reach;
use crate::html::text::Text;

/// An event of a certification.
pub(super) struct Event {
    pub(super) at: DateTime<Utc>,
    pub(super) date: String,
    pub(super) what: String,
    /// The actor, the evidence and the note.
    pub(super) more: Vec<String>,
    /// The contact that the person can undo.
    pub(super) undo: Option<Uuid>,
}

/// What the result of a change is called: its kind, or that it was an undo.
pub(super) fn said(entry: &Entry) -> &'static str {
    let is_undo = entry.source.as_deref() == Some("undo");
    if is_undo { Kind::Undone.as_str() } else { entry.kind.as_str() }
}

/// An entry of a version that we know, with its remarks.
pub(super) fn known(written: &Written) -> Option<(Box<Entry>, &Written)> {
    match read(&written.entry) {
        Ok(Reading::Known(entry)) => Some((entry, written)),
        Ok(Reading::Later(_)) | Err(_) => None,
    }
}

/// A change of the certification.
pub(super) fn of_entry(
    entry: &Entry,
    written: &Written,
    names: &HashMap<Uuid, String>,
    zone: Tz,
    text: Text,
) -> Event {
    let day = |at: Option<DateTime<Utc>>| text.date_or_never(at.map(|at| last_valid_day(at, zone)));
    let arguments =
        [("before", day(entry.expires_before).into()), ("after", day(entry.expires_after).into())];
    let has_new_date = matches!(entry.kind, Kind::Renewed | Kind::Corrected | Kind::Undone);
    let is_undo = said(entry) == "undone" && !has_new_date;
    let kind = entry.kind.as_str();
    let what = text
        .with(&if is_undo { format!("event-undone-{kind}") } else { format!("event-{kind}") }, &arguments);
    let actor = entry.actor.and_then(|actor| names.get(&actor));
    let source = entry.source.as_deref().filter(|_| actor.is_none() && has_new_date);
    let more = [
        actor.map(|name| text.named("event-by", name)),
        source.map(|source| text.say(&format!("event-source-{source}"))).filter(|text| !text.is_empty()),
        entry.completed_on.map(|day| text.named("event-completed", &text.date(day))),
        written.evidence.as_deref().map(|evidence| text.with("event-evidence", &[("name", evidence.into())])),
        written.note.as_deref().map(|note| text.with("event-note", &[("name", note.into())])),
        written.is_erased.then(|| text.say("event-erased")),
    ];
    event(entry.at, what, more.into_iter().flatten().collect(), zone, text)
}

/// A notice, with its attempts in words.
pub(super) fn of_notice(
    notice: &Notice,
    attempts: Vec<String>,
    standing: &Standing,
    reach: &Reach,
    zone: Tz,
    text: Text,
) -> Event {
    let (what, mut state) = notice_in_words(notice, standing, text);
    if reach.again.is_some() && notice.state == DeliveryState::Unreachable && !is_obsolete(notice, standing) {
        state = text.say("delivery-again");
    }
    let more = [vec![state], attempts].concat();
    event(notice.recorded_at, what, more, zone, text)
}

/// What a notice says, and what became of it.
pub(super) fn notice_in_words(notice: &Notice, standing: &Standing, text: Text) -> (String, String) {
    let stage = Stage::from_name(&notice.stage).map(|stage| stage_name(stage, text));
    let what = text.named("event-notice", stage.as_deref().unwrap_or(&notice.stage));
    let state = match &notice.channel {
        Some(channel) if notice.state == DeliveryState::Delivered => {
            text.say(&format!("delivered-{channel}"))
        }
        _ if is_obsolete(notice, standing) => text.say("delivery-obsolete"),
        _ => text.say(&format!("delivery-{}", notice.state)),
    };
    (what, state)
}

/// Whether a notice that has not been delivered is not needed any more, although no worker or run has cancelled it yet.
fn is_obsolete(notice: &Notice, standing: &Standing) -> bool {
    let Some(stage) = Stage::from_name(&notice.stage) else { return false };
    match notice.state {
        DeliveryState::Pending => !standing.calls_for(stage, notice.due_date),
        // Nobody was reached, as long as the date is the same.
        DeliveryState::Unreachable => !standing.has_date_of(stage, notice.due_date),
        _ => false,
    }
}

/// A contact with the mentor.
pub(super) fn of_contact(contact: &Contact, names: &HashMap<Uuid, String>, zone: Tz, text: Text) -> Event {
    let what = text.say(&format!("contact-{}", contact.outcome));
    let actor = contact.made_by.and_then(|actor| names.get(&actor));
    let more = [
        actor.map(|name| text.named("event-by", name)),
        contact.note.as_deref().map(|note| text.with("contact-said", &[("name", note.into())])),
        contact.next_on.map(|day| text.named("contact-until", &text.date(day))),
    ];
    let undo = contact.may_undo.then_some(contact.id);
    Event { undo, ..event(contact.made_at, what, more.into_iter().flatten().collect(), zone, text) }
}

/// What happened to the mentor.
pub(super) fn of_person(change: &PersonChange, names: &HashMap<Uuid, String>, zone: Tz, text: Text) -> Event {
    let chapter = |name: &Option<String>| name.as_deref().map_or_else(|| text.say("chapter-hidden"), line);
    let arguments = [("before", chapter(&change.before).into()), ("after", chapter(&change.after).into())];
    let what = text.with(&format!("event-{}", change.kind), &arguments);
    let actor = change.made_by.and_then(|actor| names.get(&actor));
    event(
        change.made_at,
        what,
        actor.map(|name| text.named("event-by", name)).into_iter().collect(),
        zone,
        text,
    )
}

/// An event at a time.
pub(super) fn event(at: DateTime<Utc>, what: String, more: Vec<String>, zone: Tz, text: Text) -> Event {
    Event { at, date: text.date(last_valid_day(at, zone)), what, more, undo: None }
}

/// The name of a stage for people.
pub(super) fn stage_name(stage: Stage, text: Text) -> String {
    match stage {
        Stage::Warning(days) => text.count("stage-warning", i64::from(days)),
        Stage::Expired => text.say("stage-expired"),
    }
}
