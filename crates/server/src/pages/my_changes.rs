//! The changes of certifications that the person made with forms within the last day, so that they can undo them.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_store::caller::change_results::{self, FormSummary, Replaced};
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

/// The number of forms that the page shows, the latest first.
const MOST: u32 = 100;

#[derive(Template)]
#[template(path = "my_changes.html")]
struct MyChangesPage {
    layout: Layout,
    changes: Vec<Change>,
    is_cut: bool,
}

/// What the person changed with one form.
struct Change {
    /// The mentor, or the number of certifications.
    title: String,
    /// The certification; empty if there were several.
    about: String,
    path: String,
    /// When it was made, what it replaced, and whether it was undone.
    what: Vec<String>,
    /// The form, the certification and the button's description, if the person can undo it here.
    undo: Option<(Uuid, Uuid, String)>,
}

/// Shows the person's own changes of the last day.
pub(super) async fn show(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Mine).await?;
    let mut forms = change_results::recent_forms(&mut tx, MOST + 1).await?;
    let is_cut = forms.len() > MOST as usize;
    forms.truncate(MOST as usize);
    let ids: Vec<Uuid> = forms.iter().map(|form| form.certification_id).collect();
    let found = caller::certifications_by_id(&mut tx, &ids).await?;
    tx.commit().await?;
    let found: HashMap<Uuid, &Certification> = found.iter().map(|one| (one.id, one)).collect();
    let text = layout.text;
    let changes =
        forms.iter().filter_map(|form| Some(change(form, found.get(&form.certification_id)?, text)));
    let changes: Vec<Change> = changes.collect();
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
        let title = text.count("my-changes-several", form.number);
        return Change {
            title,
            about: String::new(),
            path: format!("/changes/{}", form.form),
            what,
            undo: None,
        };
    }
    let name = name_of(one, text);
    let undo = match &form.replaced {
        _ if form.undone_at.is_some() => None,
        Some(replaced) if replaced.version == one.updated_at => {
            what.push(before(replaced, zone, text));
            Some((form.form, one.id, text.named("my-changes-undo-of", &name)))
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
    Change { title: name, about: about(one), path: format!("/certifications/{}", one.id), what, undo }
}

/// What a change replaced.
fn before(replaced: &Replaced, zone: Tz, text: Text) -> String {
    match (replaced.status, replaced.expires_at) {
        (CertificationStatus::Suspended, _) => text.say("my-changes-before-suspended"),
        (_, None) => text.say("my-changes-before-never"),
        (_, Some(end)) => text.named("my-changes-before", &text.date(end.with_timezone(&zone).date_naive())),
    }
}
