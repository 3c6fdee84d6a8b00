//! The partners of the organisations that a person manages, and the page of one partner: its problems, the mentors who may be
//! listed wrongly, and the reports that wait.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_base::i18n::line;
use certvakt_rules::today;
use certvakt_store::caller::partners::{self, AfterEntry, Partner, Removal, Waiting};
use certvakt_store::caller::{self, Certification};
use certvakt_store::partner::ProblemKind;
use certvakt_store::{CallerTx, Environment, StopReason};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use super::link::link;
use super::row::Row;
use super::visitor::Visitor;
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The path of the list.
const PATH: &str = "/partners";
/// The number of mentors, and of reports, on a page.
const PAGE: u32 = 25;

#[derive(Template)]
#[template(path = "partners.html")]
struct ListPage {
    layout: Layout,
    partners: Vec<Shown>,
}

/// A partner of the list.
struct Shown {
    path: String,
    name: String,
    organisation: String,
    state: String,
    tone: &'static str,
}

/// Shows the partners.
pub(super) async fn list(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
    let found = partners::managed(&mut tx).await?;
    tx.commit().await?;
    if !layout.manages() {
        return Err(ApiError::NotYours.into());
    }
    let text = layout.text;
    let partners = found.iter().map(|one| {
        let (state, tone) = state(one, text);
        Shown {
            path: path_of(one),
            name: line(&one.partner),
            organisation: line(&one.organisation),
            state,
            tone,
        }
    });
    let partners = partners.collect();
    let layout = Layout { heading: text.say("partners-title"), ..layout };
    Ok(page(StatusCode::OK, &ListPage { layout, partners }))
}

/// The path of a partner's page.
pub(super) fn path_of(one: &Partner) -> String {
    path(one.organisation_id, &one.partner)
}

/// The path of the page of an organisation's partner.
pub(super) fn path(organisation_id: Uuid, partner: &str) -> String {
    format!("{PATH}/{organisation_id}/{partner}")
}

/// A partner that the person manages.
pub(super) async fn managed(tx: &mut CallerTx, id: Uuid, name: &str) -> Result<Partner, PageError> {
    let found = partners::managed(tx).await?;
    let is_it = |one: &Partner| one.organisation_id == id && one.partner == name;
    Ok(found.into_iter().find(is_it).ok_or(ApiError::NotFound)?)
}

/// The state in one sentence, with the class that colours it.
fn state(one: &Partner, text: Text) -> (String, &'static str) {
    let dated = |key: &str, at: DateTime<Utc>| text.named(key, &text.date(today(at, one.zone.0)));
    match (one.environment, one.switched_at, one.stopped_since) {
        (None, None, _) => (text.say("partner-never-on"), "soft"),
        (None, Some(at), _) => (dated("partner-off", at), "soft"),
        (Some(_), _, Some(at)) => (dated("partner-stopped-since", at), "bad"),
        (Some(_), ..) if !one.problems.is_empty() => {
            (text.count("partner-needs", one.problems.len()), "warn")
        }
        (Some(Environment::Staging), ..) => (text.say("partner-staging"), "soft"),
        (Some(Environment::Live), ..) => (text.say("partner-works"), "good"),
    }
}

/// The cursors of the two lists, and what was just done.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct PartnerQuery {
    removals: String,
    reports: String,
    /// `settled` or `resumed`.
    done: String,
}

#[derive(Template)]
#[template(path = "partner.html")]
struct PartnerPage {
    layout: Layout,
    path: String,
    state: String,
    tone: &'static str,
    /// How many enrolled mentors the listing showed when it was last compared.
    shown: Option<String>,
    /// Why sending stopped, in words.
    reason: Option<String>,
    /// Whether the person may resume sending.
    may_resume: bool,
    problems: Vec<String>,
    removals: Vec<Listed>,
    removals_next: Option<String>,
    reports: Vec<Report>,
    reports_next: Option<String>,
}

/// A mentor who should not be listed.
struct Listed {
    /// The certification, unless the mentor was erased, or has none any more.
    row: Option<Row>,
    key: String,
    /// Why they should not be listed.
    reason: String,
    /// Since when, and for how long.
    since: String,
    age: String,
    /// What is known about the listing.
    told: String,
}

/// A report that waits.
struct Report {
    row: Option<Row>,
    key: String,
    completed: String,
    reason: String,
    /// The link to the form; `None` if the report is about the person.
    settle: Option<String>,
}

impl Report {
    /// What the link is about, for those who hear it alone.
    fn whose(&self) -> &str {
        self.row.as_ref().map_or(&self.key, |row| &row.name)
    }
}

/// Shows a partner.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, name)): Path<(Uuid, String)>,
    Query(query): Query<PartnerQuery>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Runs).await?;
    let one = managed(&mut tx, id, &name).await?;
    let (after_removal, after_report) = (cursor(&query.removals)?, cursor(&query.reports)?);
    let removals = partners::removals(&mut tx, id, &name, after_removal.as_ref(), PAGE + 1).await?;
    let reports = partners::waiting(&mut tx, id, &name, after_report.as_ref(), PAGE + 1).await?;
    let ids = removals.iter().filter_map(|removal| removal.certification_id);
    let ids: Vec<Uuid> = ids.chain(reports.iter().filter_map(|report| report.shown_id)).collect();
    let certifications = caller::certifications_by_id(&mut tx, &ids).await?;
    tx.commit().await?;
    let certifications = certifications.iter().map(|one| (one.id, one)).collect();
    let about = About { one: &one, certifications, now: api.clock().now(), text: layout.text };
    Ok(page(StatusCode::OK, &about.page(layout, &query.done, &removals, &reports)))
}

/// What the lists of a partner are made of.
struct About<'a> {
    one: &'a Partner,
    certifications: HashMap<Uuid, &'a Certification>,
    now: DateTime<Utc>,
    text: Text,
}

impl About<'_> {
    fn page(&self, layout: Layout, done: &str, removals: &[Removal], reports: &[Waiting]) -> PartnerPage {
        let (one, text) = (self.one, self.text);
        let path = path_of(one);
        let (state, tone) = state(one, text);
        let named = |key: &str| text.named(key, &one.partner);
        let heading = match (done, one.problems.len()) {
            ("settled", _) => named("partner-settled-title"),
            ("resumed", _) if one.stopped_since.is_none() => named("partner-resumed-title"),
            _ if one.environment.is_none() => named("partner-off-title"),
            (_, 0) => named("partner-works-title"),
            (_, problems) => text.with(
                "partner-needs-title",
                &[("name", line(&one.partner).into()), ("number", problems.into())],
            ),
        };
        let next = |is_full: bool, name: &'static str, at: DateTime<Utc>, key: &str| {
            is_full.then(|| link(&path, &[(name, &format!("{}_{key}", at.timestamp_micros()))]))
        };
        let most = PAGE as usize;
        let last_removal = removals.iter().take(most).next_back();
        let last_report = reports.iter().take(most).next_back();
        PartnerPage {
            removals_next: last_removal
                .and_then(|last| next(removals.len() > most, "removals", last.since, &last.partner_key)),
            reports_next: last_report
                .and_then(|last| next(reports.len() > most, "reports", last.received_at, &last.event_id)),
            removals: removals.iter().take(most).map(|removal| self.listed(removal)).collect(),
            reports: reports.iter().take(most).map(|report| self.report(report, &path)).collect(),
            problems: one.problems.iter().map(|problem| self.problem(problem)).collect(),
            shown: shown(one, text),
            reason: stop_reason(one, text),
            may_resume: may_resume(one),
            state,
            tone,
            path,
            layout: Layout { heading, has_news: matches!(done, "settled" | "resumed"), ..layout },
        }
    }

    /// A problem, with the day since which it exists.
    fn problem(&self, problem: &certvakt_store::partner::Problem) -> String {
        let said = self.text.partner_problem(self.one, problem);
        match problem.since {
            // The state above says since when sending is stopped.
            Some(at) if problem.kind != ProblemKind::Stopped => {
                let since = self.text.named("partner-since", &self.text.date(today(at, self.one.zone.0)));
                format!("{said} {since}")
            }
            _ => said,
        }
    }

    fn row(&self, certification: Option<Uuid>) -> Option<Row> {
        let found = self.certifications.get(&certification?)?;
        Some(Row::of(found, self.now, self.text))
    }

    fn listed(&self, removal: &Removal) -> Listed {
        let (text, zone) = (self.text, self.one.zone.0);
        let since = today(removal.since, zone);
        let days = (today(self.now, zone) - since).num_days();
        let row = self.row(removal.certification_id);
        let reason = match &row {
            _ if !removal.has_consent => text.say("removal-without-consent"),
            Some(row) => row.state.clone(),
            None => text.say("removal-gone"),
        };
        let told = match (removal.is_still_shown, removal.is_accepted) {
            (true, _) => "removal-still-shown",
            (false, true) => "removal-accepted",
            (false, false) => "removal-waits",
        };
        Listed {
            row,
            key: line(&removal.partner_key),
            reason,
            since: text.named("removal-since", &text.date(since)),
            age: text.count("removal-age", days.max(0)),
            told: text.say(told),
        }
    }

    fn report(&self, report: &Waiting, path: &str) -> Report {
        let settle = link(&format!("{path}/settlements"), &[("event", &report.event_id)]);
        Report {
            row: self.row(report.shown_id),
            key: report.partner_key.as_deref().map(line).unwrap_or_default(),
            completed: self.text.named("report-completed", &self.text.date(report.completed_on)),
            reason: report_reason(report, self.text),
            settle: (!report.is_own).then_some(settle),
        }
    }
}

/// How many enrolled mentors the listing showed when it was last compared, in words; `None` if it never was.
fn shown(one: &Partner, text: Text) -> Option<String> {
    let at = text.time(one.reconciled_at?.with_timezone(&one.zone.0));
    Some(text.with("partner-shown", &[("number", one.enrolled_shown?.into()), ("name", at.into())]))
}

/// Why a report waits, in words.
pub(super) fn report_reason(report: &Waiting, text: Text) -> String {
    let reason = report.reason.as_deref().unwrap_or_default();
    let known = text.say(&format!("report-{reason}"));
    if known.is_empty() { text.say("report-other") } else { known }
}

/// Why sending stopped, in words; `None` if it did not.
pub(super) fn stop_reason(one: &Partner, text: Text) -> Option<String> {
    let reason = match one.stopped_by.filter(|_| one.environment.is_some())? {
        StopReason::Contract => "partner-stopped-contract",
        StopReason::SignIn => "partner-stopped-sign-in",
        StopReason::Outage => "partner-stopped-outage",
    };
    Some(text.say(reason))
}

/// Whether the person may resume sending. After an outage, it resumes by itself.
pub(super) fn may_resume(one: &Partner) -> bool {
    one.is_administered
        && one.environment.is_some()
        && one.stopped_by.is_some_and(|reason| reason != StopReason::Outage)
}

/// Reads the cursor of a list; `None` if the list starts at its beginning.
fn cursor(written: &str) -> Result<Option<AfterEntry>, ApiError> {
    if written.is_empty() {
        return Ok(None);
    }
    let read = || {
        let (at, key) = written.split_once('_')?;
        let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
        (at.timestamp() > 0 && at <= crate::cursor::LAST_INSTANT)
            .then(|| AfterEntry { at, key: key.to_owned() })
    };
    Ok(Some(read().ok_or(ApiError::NotFound)?))
}
