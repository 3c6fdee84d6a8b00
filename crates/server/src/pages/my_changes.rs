//! The changes of certifications that the person made with forms within the last day, and the contacts that they recorded, so
//! that they can undo them.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_store::caller::change_results::{self, FormSummary, Replaced};
use certvakt_store::caller::contacts::{self, Contact};
use certvakt_store::caller::{self, Certification};
use certvakt_store::{CertificationStatus, Zone};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::error::PageError;
use super::row::{about, name_of};
use super::visitor::Visitor;
use crate::api::Api;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;

/// The number of changes and contacts that the page shows, the latest first.
const MOST: u32 = 100;

#[derive(Template)]
#[template(path = "my_changes.html")]
struct MyChangesPage {
    layout: Layout,
    changes: Vec<Change>,
    is_cut: bool,
}

/// What the person changed with one form, or a contact.
struct Change {
    at: DateTime<Utc>,
    /// The mentor, or what was done with how many certifications.
    title: String,
    /// The certification; empty if there were several.
    about: String,
    path: String,
    /// When it was made, what it replaced, and whether it was undone.
    what: Vec<String>,
    undo: Option<Undo>,
}

/// The form that undoes it.
struct Undo {
    path: String,
    /// The certification, if the path does not name it.
    certification: Option<Uuid>,
    /// What its button is about.
    description: String,
}

/// Shows the person's own changes and contacts of the last day.
pub(super) async fn show(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let forms = change_results::recent_forms(&mut tx, MOST + 1).await?;
    let contacts = contacts::recent(&mut tx, MOST + 1).await?;
    let of_forms = forms.iter().map(|form| (form.made_at, form.certification_id));
    let mut latest: Vec<_> =
        of_forms.chain(contacts.iter().map(|one| (one.made_at, one.certification_id))).collect();
    latest.sort_unstable();
    let ids: Vec<Uuid> = latest.iter().rev().take(MOST as usize + 1).map(|(_, id)| *id).collect();
    let found = caller::certifications_by_id(&mut tx, &ids).await?;
    tx.commit().await?;
    let found: HashMap<Uuid, &Certification> = found.iter().map(|one| (one.id, one)).collect();
    let text = layout.text;
    let changes =
        forms.iter().filter_map(|form| Some(change(form, found.get(&form.certification_id)?, text)));
    let contacts =
        contacts.iter().filter_map(|one| Some(contact(one, found.get(&one.certification_id)?, text)));
    let mut changes: Vec<Change> = changes.chain(contacts).collect();
    changes.sort_by_key(|change| std::cmp::Reverse(change.at));
    let is_cut = latest.len() > MOST as usize;
    changes.truncate(MOST as usize);
    let heading = text.count("my-changes-title", changes.len());
    Ok(page(StatusCode::OK, &MyChangesPage { changes, is_cut, layout: Layout { heading, ..layout } }))
}

/// Describes what a form changed; `one` is the first of its certifications.
fn change(form: &FormSummary, one: &Certification, text: Text) -> Change {
    let Zone(zone) = one.zone;
    let at = |key: &str, time: DateTime<Utc>| text.named(key, &text.time(time.with_timezone(&zone)));
    let mut what = vec![at("my-changes-made", form.made_at)];
    what.extend(form.undone_at.map(|time| at("my-changes-undone", time)));
    let corrections =
        [("my-changes-corrected", form.corrected), ("my-changes-uncorrected", form.uncorrected)];
    let corrections = corrections.into_iter().filter(|(_, number)| *number > 0);
    what.extend(corrections.map(|(key, number)| text.count(key, number)));
    if form.number > 1 {
        return several(form, what, text);
    }
    let name = name_of(one, text);
    let undo = match &form.replaced {
        _ if form.undone_at.is_some() => None,
        Some(replaced) if replaced.version == one.updated_at => {
            what.push(before(replaced, zone, text));
            Some(Undo {
                path: format!("/changes/{}/undos", form.form),
                certification: Some(one.id),
                description: text.named("my-changes-undo-of", &name),
            })
        }
        Some(_) => {
            what.push(text.say("my-changes-since"));
            None
        }
        None => {
            what.push(text.say("my-changes-refused"));
            None
        }
    };
    let path = format!("/certifications/{}", one.id);
    Change { at: form.made_at, title: name, about: about(one), path, what, undo }
}

/// Describes what a form changed together; `what` is what is known of any form.
fn several(form: &FormSummary, what: Vec<String>, text: Text) -> Change {
    let title = match &form.kind {
        Some(kind) => text.named(&format!("done-{kind}"), &text.count("my-changes-several", form.changed)),
        None => text.say("my-changes-refused"),
    };
    let path = format!("/changes/{}", form.form);
    // The result page of the undo names the certifications that somebody has changed since; they stay as they are.
    let undo = (form.kind.is_some() && form.undone_at.is_none()).then(|| Undo {
        path: format!("{path}/undos"),
        certification: None,
        description: text.count("my-changes-undo-several", form.changed),
    });
    Change { at: form.made_at, title, about: String::new(), path, what, undo }
}

/// Describes a contact.
fn contact(contact: &Contact, one: &Certification, text: Text) -> Change {
    let (name, path) = (name_of(one, text), format!("/certifications/{}", one.id));
    let made = [
        ("time", text.time(contact.made_at.with_timezone(&one.zone.0)).into()),
        ("outcome", text.say(&format!("contact-{}", contact.outcome)).into()),
    ];
    let next = contact.next_on.map(|day| text.named("my-changes-contact-next", &text.date(day)));
    let undo = Undo {
        path: format!("{path}/contacts/{}/undos", contact.id),
        certification: None,
        description: text.named("my-changes-undo-contact", &name),
    };
    Change {
        at: contact.made_at,
        title: name,
        about: about(one),
        path,
        what: std::iter::once(text.with("my-changes-contact", &made)).chain(next).collect(),
        undo: Some(undo),
    }
}

/// What a change replaced.
fn before(replaced: &Replaced, zone: Tz, text: Text) -> String {
    match (replaced.status, replaced.expires_at) {
        (CertificationStatus::Suspended, _) => text.say("my-changes-before-suspended"),
        (_, None) => text.say("my-changes-before-never"),
        (_, Some(end)) => text.named("my-changes-before", &text.date(end.with_timezone(&zone).date_naive())),
    }
}
