//! The forms that change a certification. A change of a date is shown in words before it is saved.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::{Standing, State as InState};
use certvakt_engine::renewal::{
    Change, ChangeOutcome, ChangeRequest, DateError, RenewalError, Source, Until, apply, renewed_until,
};
use certvakt_rules::calendar::YEARS_AHEAD;
use certvakt_rules::last_valid_day;
use certvakt_store::caller::Certification;
use certvakt_store::renewal::ChangeTx;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::action::Action;
use super::dates;
use super::error::PageError;
use super::form::{Fault, changeable, of_field};
use super::row::{name_of, titled_with_chapter};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The days of validity above which a renewal is unusual.
pub(super) const LONG: i64 = 180;

/// The fields, as they were entered.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The day on which the course was completed, the new last valid day, or the last day of a suspension.
    pub(super) date: String,
    /// Whether the date of a renewal is the new last valid day, because its type has no validity.
    pub(super) is_until: String,
    pub(super) evidence: String,
    pub(super) note: String,
    /// Whether to renew earlier than the type allows.
    pub(super) early: String,
    /// The time of the last change that the person saw, in microseconds since 1970.
    pub(super) version: String,
    /// A change with the same key is made only once.
    pub(super) key: String,
    /// `save` if the person has seen the result in words, `edit` to change what was entered.
    pub(super) step: String,
}

#[derive(Template)]
#[template(path = "change.html")]
struct ChangePage {
    layout: Layout,
    id: Uuid,
    action: Action,
    fields: Fields,
    /// The label and the hint of the date; `None` if the change has no date.
    date: Option<(String, String)>,
    /// Whether the form asks for evidence.
    has_evidence: bool,
    /// What the person changes, and its present date.
    about: Vec<(String, String)>,
    faults: Vec<Fault>,
    /// What to check in particular before it is saved.
    caution: Option<String>,
    /// The result in words, to be checked.
    result: Vec<(String, String)>,
    button: String,
}

impl ChangePage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }

    fn is_check(&self) -> bool {
        !self.result.is_empty()
    }
}

/// Shows the empty form.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, action)): Path<(Uuid, Action)>,
) -> Result<Response, PageError> {
    let now = api.clock().now();
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let found = changeable(&mut tx, id).await?;
    let mut fields = Fields { key: Uuid::new_v4().to_string(), ..Fields::default() };
    if action == Action::Renewal {
        let today = api.clock().today(found.zone.0);
        let state = tx.standing(id, Uuid::nil()).await?.ok_or(ApiError::NotFound)?;
        let before = found.expires_at.map(|at| last_valid_day(at, found.zone.0));
        let by_rule = renewed_until(None, None, &state, before, today);
        let is_until = matches!(by_rule, Err(RenewalError::NoRule));
        fields.is_until = String::from(if is_until { "yes" } else { "" });
        fields.date = if is_until { String::new() } else { dates::write(today) };
    }
    tx.commit().await?;
    Ok(page(StatusCode::OK, &form(layout, &found, action, fields, now)))
}

/// Makes the change, or shows it in words first.
pub(super) async fn make(
    State(api): State<Api>,
    Path((id, action)): Path<(Uuid, Action)>,
    Sent { visitor, form: mut fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let now = api.clock().now();
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    let found = changeable(&mut tx, id).await?;
    if fields.step == "edit" {
        return Ok(page(StatusCode::OK, &form(layout, &found, action, fields, now)));
    }
    let text = layout.text;
    let change = match change(action, &fields, text) {
        Ok(change) => change,
        Err(fault) => return Ok(refused(form(layout, &found, action, fields, now), fault)),
    };
    // The same form with other values is another change, for example after the browser's Back button.
    let Fields { key, date, evidence, note, early, .. } = &fields;
    let key = format!("{key} {date} {early} {evidence} {note}");
    let request = ChangeRequest {
        change,
        evidence: Some(fields.evidence.trim()).filter(|text| !text.is_empty()),
        note: Some(fields.note.trim()).filter(|text| !text.is_empty()),
        key: Some(key.as_str()).filter(|_| !fields.key.is_empty()),
        source: Source::Api,
        seen: Some(version(&fields.version)),
        form: fields.key.parse().ok().filter(|_| action != Action::Withdrawal),
    };
    let is_final = !action.is_checked_first() || fields.step == "save";
    match apply(&mut tx, id, &request, now).await {
        Ok(_) if is_final => {
            tx.commit().await?;
            let kind = request.change.kind().as_str();
            Ok(Redirect::to(&format!("/certifications/{id}?done={kind}")).into_response())
        }
        // The preview made the change as well, so it follows the same rules, and takes it back.
        Ok(outcome) => {
            tx.rollback().await?;
            let (result, name) = (result(action, &fields, outcome, text), titled_with_chapter(&found, text));
            let mut check = form(layout, &found, action, fields, now);
            check.layout.heading = text.named(&format!("{}-check", action.key()), &name);
            check.layout.has_news = true;
            check.button = text.say(&format!("{}-save", action.key()));
            Ok(page(StatusCode::OK, &ChangePage { result, ..check }))
        }
        Err(RenewalError::Changed) => {
            // The form shows what holds now beside what was entered.
            let fault = Fault { field: action.first_field().into(), what: text.say("fault-changed") };
            fields.version.clear();
            Ok(refused(form(layout, &found, action, fields, now), fault))
        }
        Err(RenewalError::Words(_)) => {
            let is_note = ChangeRequest { note: None, ..request }.check().is_ok();
            let field = if is_note { "note" } else { "evidence" };
            let fault = Fault { field: field.into(), what: text.say("fault-words") };
            Ok(refused(form(layout, &found, action, fields, now), fault))
        }
        Err(error) => match fault(&error, action, text) {
            Some(fault) => Ok(refused(form(layout, &found, action, fields, now), fault)),
            None => Err(error.into()),
        },
    }
}

/// The form with its fields, and the version that the person sees in it.
fn form(
    layout: Layout,
    found: &Certification,
    action: Action,
    mut fields: Fields,
    now: DateTime<Utc>,
) -> ChangePage {
    let text = layout.text;
    if fields.version.is_empty() {
        fields.version = found.updated_at.timestamp_micros().to_string();
    }
    let date = date_field(action, &fields, text);
    let present = text.date_or_never(Standing::of(found, now).last_valid_day);
    let about = [
        ("fact-name", Some(name_of(found, text))),
        ("fact-chapter", found.chapter.as_deref().map(line)),
        ("fact-type", found.type_name.as_deref().map(line)),
        ("fact-number", found.external_id.as_deref().map(line)),
        ("fact-valid-until", Some(present)),
    ];
    let about = about.into_iter().filter_map(|(key, value)| Some((text.say(key), value?)));
    let button = if action.is_checked_first() { text.say("next") } else { text.say(action.key()) };
    let heading = text.named(&format!("{}-title", action.key()), &titled_with_chapter(found, text));
    ChangePage {
        id: found.id,
        action,
        fields,
        date,
        has_evidence: action == Action::Renewal,
        about: about.collect(),
        faults: Vec::new(),
        caution: days_of_long_validity(found, now)
            .filter(|_| action == Action::Renewal)
            .map(|days| text.count("check-long-valid", days)),
        result: Vec::new(),
        button,
        layout: Layout { heading, ..layout },
    }
}

/// The days for which a certification is still valid, if they are so many that its renewal may be of the wrong mentor.
pub(super) fn days_of_long_validity(found: &Certification, now: DateTime<Utc>) -> Option<i64> {
    let standing = Standing::of(found, now);
    standing.days_left.filter(|days| *days > LONG && matches!(standing.state, InState::Valid | InState::Due))
}

/// The label and the hint of the date; `None` if the change has no date.
pub(super) fn date_field(action: Action, fields: &Fields, text: Text) -> Option<(String, String)> {
    let key = if fields.is_until.is_empty() { action.key() } else { Action::Correction.key() };
    let texts = || (text.say(&format!("{key}-date")), text.say(&format!("{key}-date-hint")));
    action.has_date().then(texts)
}

/// The form again, with everything entered, and what is wrong with it.
fn refused(form: ChangePage, fault: Fault) -> Response {
    let layout = Layout { is_refused: true, ..form.layout };
    page(StatusCode::UNPROCESSABLE_ENTITY, &ChangePage { layout, faults: vec![fault], ..form })
}

/// The change that the fields describe.
pub(super) fn change(action: Action, fields: &Fields, text: Text) -> Result<Change, Fault> {
    let missing = || Fault { field: "date".into(), what: text.say("fault-date-missing") };
    let date = || match fields.date.trim() {
        "" => Ok(None),
        written => dates::parse(written)
            .map(Some)
            .map_err(|none| Fault { field: "date".into(), what: none.what(text) }),
    };
    Ok(match action {
        Action::Renewal => {
            // An empty field would mean today, which nobody has said.
            let (date, early) = (date()?.ok_or_else(missing)?, fields.early == "yes");
            if fields.is_until.is_empty() {
                Change::Renew { completed_on: Some(date), until: None, early }
            } else {
                Change::Renew { completed_on: None, until: Some(Until::Day(date)), early }
            }
        }
        Action::Correction => Change::Correct(Until::Day(date()?.ok_or_else(missing)?)),
        Action::Suspension => Change::Suspend { until: date()? },
        Action::Reinstatement => Change::Reinstate,
        Action::Withdrawal => Change::Withdraw,
    })
}

/// The version that the person saw. An unreadable one matches none, so the form shows the present one.
pub(super) fn version(written: &str) -> DateTime<Utc> {
    written.parse().ok().and_then(DateTime::from_timestamp_micros).unwrap_or(DateTime::UNIX_EPOCH)
}

/// The result in words.
fn result(action: Action, fields: &Fields, outcome: ChangeOutcome, text: Text) -> Vec<(String, String)> {
    let until =
        |day: Option<NaiveDate>| day.map_or_else(|| text.say("never-expires"), |day| text.long_date(day));
    let completed =
        dates::parse(&fields.date).ok().filter(|_| action == Action::Renewal && fields.is_until.is_empty());
    let entered = |written: &str| Some(line(written.trim())).filter(|text| !text.is_empty());
    let rows = [
        ("fact-completed", completed.map(|day| text.long_date(day))),
        ("fact-valid-before", Some(until(outcome.before))),
        ("fact-valid-after", (action != Action::Withdrawal).then(|| until(outcome.after))),
        ("fact-state-after", (action == Action::Withdrawal).then(|| text.say("state-withdrawn"))),
        ("fact-evidence", entered(&fields.evidence)),
        ("fact-note", entered(&fields.note)),
    ];
    rows.into_iter().filter_map(|(key, value)| Some((text.say(key), value?))).collect()
}

/// A refusal that the person can mend in the form; `None` for any other.
pub(super) fn fault(error: &RenewalError, action: Action, text: Text) -> Option<Fault> {
    let day = |key: &str, day: NaiveDate| text.named(key, &text.date(day));
    let what = match error {
        RenewalError::Date(date) => match date {
            DateError::CompletedLater => text.say("fault-completed-later"),
            DateError::CompletedTooEarly(on) => day("fault-completed-early", *on),
            DateError::AlreadyLapsed(on) => day("fault-already-lapsed", *on),
            DateError::Unchanged => text.say("fault-unchanged"),
            DateError::SuspensionEnd => text.count("fault-suspension-end", YEARS_AHEAD),
            DateError::BeforeIssue { issued, .. } => day("fault-before-issue", *issued),
            DateError::OutOfRange(_) | DateError::Unreadable(_) => {
                text.count("fault-out-of-range", YEARS_AHEAD)
            }
        },
        RenewalError::Early(first) => {
            return Some(Fault { field: "early".into(), what: day("fault-early", *first) });
        }
        RenewalError::NoRule => text.say("fault-no-rule"),
        RenewalError::Lapsed => text.say("fault-lapsed"),
        RenewalError::Withdrawn => text.say("fault-withdrawn"),
        RenewalError::Erased => text.say("fault-erased"),
        RenewalError::Ended => text.say("fault-ended"),
        _ => return None,
    };
    Some(Fault { field: action.first_field().into(), what })
}
