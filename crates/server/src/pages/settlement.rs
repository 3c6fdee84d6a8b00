//! The form that settles a partner's report of a completed course: it renews a certification, or dismisses the report. Both are
//! shown in words before they are saved.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::renewal::{ChangeOutcome, RenewalError, Until};
use certvakt_partner::PartnerError;
use certvakt_partner::receiver::{FormOfDecision, Resolution, settle};
use certvakt_rules::today;
use certvakt_store::CallerTx;
use certvakt_store::caller::partners::{self, Partner, Waiting};
use certvakt_store::caller::{self, Certification, Filter};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::action::Action;
use super::change::{fault, version};
use super::dates;
use super::error::PageError;
use super::form::{Fault, of_field};
use super::partners::{managed, path_of, report_reason};
use super::row::Row;
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query, check_text};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The number of certifications that the form names, and that the search reads to find as many.
const MOST: usize = 10;
const MOST_READ: u32 = 50;

/// The fields, as they were entered. The search has the first two of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// The portal's id of the event.
    event: String,
    /// What to search for, if the mentor is unknown.
    q: String,
    /// `accept` or `dismiss`.
    decision: String,
    /// The certification to renew.
    certification: String,
    /// The new last valid day; empty for the portal's date, or the date by the type's rule.
    date: String,
    /// The version of the certification that the person saw.
    version: String,
    /// The id under which the renewal can be undone.
    key: String,
    /// `save` if the person has seen the result in words, `edit` to change what was entered.
    step: String,
}

#[derive(Template)]
#[template(path = "settlement.html")]
struct SettlementPage {
    layout: Layout,
    /// The path of the partner.
    path: String,
    fields: Fields,
    /// The report in words.
    about: Vec<(String, String)>,
    /// Whether the mentor is unknown, so that the form searches for the certification.
    is_unknown: bool,
    is_cut: bool,
    /// The certifications that the person may renew, and whether each is chosen.
    certifications: Vec<(Row, bool)>,
    /// What an empty date means.
    date_hint: String,
    faults: Vec<Fault>,
    /// The result in words, to be checked.
    result: Vec<(String, String)>,
}

impl SettlementPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }

    fn may_accept(&self) -> bool {
        !self.certifications.is_empty()
    }

    fn is_decided(&self, decision: &str) -> bool {
        self.fields.decision == decision
    }
}

/// Shows the form.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, name)): Path<(Uuid, String)>,
    Query(mut fields): Query<Fields>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
    let one = managed(&mut tx, id, &name).await?;
    let report = waiting(&mut tx, &one, &fields.event).await?.ok_or(ApiError::NotFound)?;
    fields.key = Uuid::new_v4().to_string();
    let shown = Shown::read(&mut tx, one, report, &fields).await?;
    tx.commit().await?;
    Ok(page(StatusCode::OK, &shown.form(layout, fields, api.clock().now())))
}

/// Settles the report, or shows the result in words first.
pub(super) async fn make(
    State(api): State<Api>,
    Path((id, name)): Path<(Uuid, String)>,
    Sent { visitor, form: fields }: Sent<Fields>,
) -> Result<Response, PageError> {
    let now = api.clock().now();
    let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
    let one = managed(&mut tx, id, &name).await?;
    let settled = Redirect::to(&format!("{}?done=settled", path_of(&one)));
    // A form that is sent twice finds that the report waits no longer.
    let Some(report) = waiting(&mut tx, &one, &fields.event).await? else {
        return Ok(settled.into_response());
    };
    let shown = Shown::read(&mut tx, one, report, &fields).await?;
    if fields.step == "edit" {
        return Ok(page(StatusCode::OK, &shown.form(layout, fields, now)));
    }
    let text = layout.text;
    let (resolution, chosen) = match shown.resolution(&fields, text) {
        Ok(read) => read,
        Err(faults) => return Ok(refused(shown.form(layout, fields, now), faults)),
    };
    let form = FormOfDecision {
        seen: Some(version(&fields.version)).filter(|_| fields.step == "save"),
        id: fields.key.parse().ok(),
    };
    match settle(&mut tx, &name, &shown.report, resolution, form, now).await {
        Ok(_) if fields.step == "save" => {
            tx.commit().await?;
            let done = chosen.map(|one| Redirect::to(&format!("/certifications/{}?done=renewed", one.id)));
            Ok(done.unwrap_or(settled).into_response())
        }
        // The preview settled the report as well, so it follows the same rules, and takes it back.
        Ok(outcome) => {
            tx.rollback().await?;
            Ok(page(StatusCode::OK, &shown.check(layout, fields, outcome, now)))
        }
        Err(PartnerError::ReportNotWaiting) => Ok(settled.into_response()),
        Err(PartnerError::Renewal(RenewalError::Changed)) => {
            let fault = Fault { field: "certification".into(), what: text.say("fault-changed") };
            Ok(refused(shown.form(layout, fields, now), vec![fault]))
        }
        Err(PartnerError::Renewal(error)) => match fault(&error, Action::Renewal, text) {
            Some(fault) => Ok(refused(shown.form(layout, fields, now), vec![fault])),
            None => Err(error.into()),
        },
        Err(PartnerError::Store(error)) => Err(error.into()),
        Err(_) => Err(ApiError::Fault.into()),
    }
}

/// A report that waits, if the person may settle it.
async fn waiting(tx: &mut CallerTx, one: &Partner, event: &str) -> Result<Option<Waiting>, PageError> {
    check_text(Some(&event.to_owned()))?;
    let report = partners::waiting_report(tx, one.organisation_id, &one.partner, event).await?;
    match report {
        Some(report) if report.is_own => Err(ApiError::NotYours.into()),
        report => Ok(report),
    }
}

/// The form again, with everything entered, and what is wrong with it.
fn refused(form: SettlementPage, faults: Vec<Fault>) -> Response {
    let layout = Layout { is_refused: true, ..form.layout };
    page(StatusCode::UNPROCESSABLE_ENTITY, &SettlementPage { layout, faults, ..form })
}

/// What the form shows.
struct Shown {
    one: Partner,
    report: Waiting,
    /// The certifications that the person may renew by the report.
    certifications: Vec<Certification>,
    is_cut: bool,
}

impl Shown {
    async fn read(
        tx: &mut CallerTx,
        one: Partner,
        report: Waiting,
        fields: &Fields,
    ) -> Result<Self, PageError> {
        let mut found = match (report.certification_id, report.person_id, fields.q.trim()) {
            (Some(id), ..) => caller::certifications_by_id(tx, &[id]).await?,
            (None, Some(person), _) => caller::certifications_of(tx, person).await?,
            (None, None, "") => Vec::new(),
            (None, None, wanted) => {
                check_text(Some(&fields.q))?;
                let filter = Filter { text: Some(wanted.to_owned()), ..Filter::default() };
                caller::certifications(tx, &filter, None, MOST_READ).await?
            }
        };
        let is_full = found.len() == MOST_READ as usize;
        found.retain(|other| other.organisation_id == one.organisation_id && other.is_managed);
        let is_cut = is_full || found.len() > MOST;
        found.truncate(MOST);
        Ok(Self { one, report, certifications: found, is_cut })
    }

    /// The decision that the fields describe, with the certification to renew.
    fn resolution(
        &self,
        fields: &Fields,
        text: Text,
    ) -> Result<(Resolution, Option<&Certification>), Vec<Fault>> {
        let fault = |field: &'static str, key: &str| Fault { field: field.into(), what: text.say(key) };
        match fields.decision.as_str() {
            "dismiss" => return Ok((Resolution::Dismiss, None)),
            "accept" => {}
            _ => return Err(vec![fault("decision", "fault-settlement-decision")]),
        }
        let chosen = match &self.certifications[..] {
            [only] if self.report.person_id.is_some() => Ok(only),
            all => all.iter().find(|one| one.id.to_string() == fields.certification).ok_or_else(|| {
                let field = match (all, self.report.person_id) {
                    ([], None) => "q",
                    ([], Some(_)) => "decision",
                    _ => "certification",
                };
                fault(field, "fault-settlement-certification")
            }),
        };
        let until = match fields.date.trim() {
            "" => Ok(None),
            written => dates::parse(written)
                .map(|day| Some(Until::Day(day)))
                .map_err(|none| fault("date", none.key())),
        };
        match (chosen, until) {
            (Ok(chosen), Ok(until)) => {
                Ok((Resolution::Accept { certification: Some(chosen.id), until }, Some(chosen)))
            }
            (chosen, until) => Err(chosen.err().into_iter().chain(until.err()).collect()),
        }
    }

    fn form(&self, layout: Layout, fields: Fields, now: DateTime<Utc>) -> SettlementPage {
        let text = layout.text;
        let report = &self.report;
        let rows: Vec<(Row, bool)> = self
            .certifications
            .iter()
            .map(|one| (Row::of(one, now, text), one.id.to_string() == fields.certification))
            .collect();
        let name = rows.first().filter(|_| report.person_id.is_some()).map(|(row, _)| row.name.clone());
        let received = today(report.received_at, self.one.zone.0);
        let about = [
            ("settlement-key", report.partner_key.as_deref().map(line)),
            ("fact-type", report.certification_type.as_deref().filter(|_| name.is_none()).map(line)),
            ("fact-completed", Some(text.date(report.completed_on))),
            ("settlement-until", report.valid_until.map(|day| text.date(day))),
            ("settlement-received", Some(text.date(received))),
            ("settlement-reason", Some(report_reason(report, text))),
        ];
        let about = about.into_iter().filter_map(|(key, value)| Some((text.say(key), value?)));
        let date_hint = report.valid_until.map_or_else(
            || text.say("settlement-date-by-rule"),
            |day| text.named("settlement-date-of-partner", &text.date(day)),
        );
        let heading = match name {
            Some(name) => text.named("settlement-title", &name),
            None => text.say("settlement-unknown-title"),
        };
        SettlementPage {
            path: path_of(&self.one),
            fields,
            about: about.collect(),
            is_unknown: report.person_id.is_none(),
            is_cut: self.is_cut,
            certifications: rows,
            date_hint,
            faults: Vec::new(),
            result: Vec::new(),
            layout: Layout { heading, ..layout },
        }
    }

    /// The result in words.
    fn check(
        &self,
        layout: Layout,
        mut fields: Fields,
        outcome: Option<ChangeOutcome>,
        now: DateTime<Utc>,
    ) -> SettlementPage {
        let text = layout.text;
        let until =
            |day: Option<NaiveDate>| day.map_or_else(|| text.say("never-expires"), |day| text.long_date(day));
        let chosen = self.resolution(&fields, text).ok().and_then(|(_, chosen)| chosen);
        let row = chosen.map(|one| Row::of(one, now, text));
        if let Some(one) = chosen {
            fields.version = one.updated_at.timestamp_micros().to_string();
            fields.certification = one.id.to_string();
        }
        let rows = [
            ("settlement-decision", Some(text.say(&format!("settlement-{}", fields.decision)))),
            ("settlement-certification", row.map(|row| format!("{}, {}", row.name, row.about))),
            ("fact-valid-before", outcome.map(|outcome| until(outcome.before))),
            ("fact-valid-after", outcome.map(|outcome| until(outcome.after))),
        ];
        let result = rows.into_iter().filter_map(|(key, value)| Some((text.say(key), value?))).collect();
        let mut check = self.form(layout, fields, now);
        check.layout.heading = text.say("settlement-check");
        check.layout.has_news = true;
        SettlementPage { result, ..check }
    }
}
