//! A change of several certifications at once: the page where the person checks which, and the change.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_engine::expiry::standing::{Standing, State as InState};
use certvakt_engine::renewal::batch::{BATCH, Outcome, apply_different, preview};
use certvakt_engine::renewal::{Change, ChangeRequest, RenewalError, Source};
use certvakt_rules::calendar::{YEARS_AHEAD, is_plausible};
use certvakt_rules::renewal::entry_id;
use certvakt_store::caller::{self, Certification, change_results};
use certvakt_store::{CallerTx, StoreError};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::action::Action;
use super::candidate::{Candidate, code};
use super::change::{Fields, change, date_field, version};
use super::dates;
use super::error::PageError;
use super::form::{Fault, of_field};
use super::link::link;
use super::list_query::{ListQuery, filter_of};
use super::visitor::{Again, Sent, Visitor};
use crate::api::Api;
use crate::extract::Query;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The maximum number of certifications in one change.
pub(super) const MOST: u32 = 1000;
/// The maximum size of the form, in bytes: each certification has two fields of about 60 bytes.
pub(super) const LONGEST_FORM: usize = 256 * 1024;

/// The number of those left out that the check names without being asked.
const FEW: usize = 10;

/// The prefixes of the fields of a certification: its version, and whether it is chosen.
const SEEN: &str = "seen-";
const CHOSEN: &str = "chosen-";
/// The value of `chosen` with which the form begins with none of them.
const NONE: &str = "none";

/// The list to change, and how.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct SeveralQuery {
    action: String,
    /// `none` if none of them is chosen at first.
    chosen: String,
    #[serde(flatten)]
    list: ListQuery,
}

#[derive(Template)]
#[template(path = "several.html")]
struct SeveralPage {
    layout: Layout,
    action: Action,
    fields: Fields,
    /// The label and the hint of the date; `None` if the change has no date.
    date: Option<(String, String)>,
    /// Whether the form asks for evidence.
    has_evidence: bool,
    rows: Vec<Candidate>,
    /// Whether the page shows what was chosen, to be saved.
    is_check: bool,
    /// The labels and values of the fields, on that page.
    entered: Vec<(String, String)>,
    /// Whether there are more certifications than one change can have.
    is_cut: bool,
    /// The link to the list.
    back: String,
    /// The link to the form with none chosen, or with all of them, and its label; only before somebody fills the form in.
    other: Option<(String, String)>,
    faults: Vec<Fault>,
}

impl SeveralPage {
    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }

    /// The number of certifications that the change will not change, although they are chosen.
    fn refused(&self) -> usize {
        self.rows.iter().filter(|one| one.refusal.is_some()).count()
    }

    /// Those that are not chosen, each with its chapter.
    fn left_out(&self) -> Vec<&str> {
        self.rows.iter().filter(|one| !one.is_chosen).map(|one| &*one.who).collect()
    }

    /// The number of renewals that are perhaps of the wrong mentor.
    fn long_valid(&self) -> usize {
        let is_renewal = self.action == Action::Renewal;
        self.rows.iter().filter(|one| is_renewal && one.will_change() && one.is_long_valid).count()
    }

    fn will_change(&self) -> bool {
        self.rows.iter().any(Candidate::will_change)
    }
}

/// Shows the certifications of a list that the person may change: all of them chosen, or none.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Query(query): Query<SeveralQuery>,
) -> Result<Response, PageError> {
    let action = several(&query.action)?;
    let now = api.clock().now();
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    manages(&layout)?;
    let filter = filter_of(&query.list, &caller::organisations(&mut tx).await?, &api)?;
    let mut found = caller::certifications(&mut tx, &filter, None, MOST + 1).await?;
    tx.commit().await?;
    let is_cut = found.len() > MOST as usize;
    found.truncate(MOST as usize);
    found.retain(|one| one.is_managed && action.is_possible_among_several(Standing::of(one, now).state));
    let zone = found.first().map(|one| one.zone.0);
    let mut fields = Fields { key: Uuid::new_v4().to_string(), ..Fields::default() };
    if let Some(zone) = zone.filter(|_| action == Action::Renewal) {
        fields.date = dates::write(api.clock().today(zone));
    }
    let text = layout.text;
    let is_all = query.chosen != NONE;
    let rows = found
        .iter()
        .map(|one| Candidate::of(one, &one.updated_at.timestamp_micros().to_string(), is_all, now, text))
        .collect();
    let mut parameters = query.list.without("");
    let back = link("/certifications", &parameters);
    parameters.push(("action", action.path()));
    let other = if is_all {
        parameters.push(("chosen", NONE));
        "several-choose-none"
    } else {
        "several-choose-all"
    };
    let other = Some((link("/changes/new", &parameters), text.say(other)));
    let mut shown = SeveralPage { is_cut, back, other, ..form(layout, action, fields, rows) };
    if !is_all {
        shown.layout.heading = text.say(&format!("{}-several", action.key()));
    }
    Ok(page(StatusCode::OK, &shown))
}

/// The request for each of some certifications.
type Requests<'a> = Vec<(Uuid, ChangeRequest<'a>)>;

/// What a form says.
struct Entered {
    action: Action,
    fields: Fields,
    /// The certifications of the form, each with its version and whether it is chosen.
    rows: Vec<(Uuid, String, bool)>,
}

impl Entered {
    fn read(sent: &HashMap<String, String>) -> Result<Self, ApiError> {
        let field = |name: &str| sent.get(name).cloned().unwrap_or_default();
        let fields = Fields {
            date: field("date"),
            evidence: field("evidence"),
            note: field("note"),
            key: field("key"),
            step: field("step"),
            ..Fields::default()
        };
        let seen = sent.iter().filter_map(|(name, version)| {
            let id: Uuid = name.strip_prefix(SEEN)?.parse().ok()?;
            Some((id, version.clone(), sent.contains_key(&format!("{CHOSEN}{id}"))))
        });
        let mut rows: Vec<(Uuid, String, bool)> = seen.collect();
        rows.sort_unstable();
        if rows.len() > MOST as usize {
            return Err(ApiError::Invalid(format!("more than {MOST} certifications")));
        }
        Ok(Self { action: several(&field("action"))?, fields, rows })
    }

    /// The key of the change. The same form with other values is another change, for example after the browser's Back
    /// button.
    fn key(&self) -> String {
        let Fields { key, date, evidence, note, .. } = &self.fields;
        format!("{key} {date} {evidence} {note}")
    }

    fn is_chosen(&self, id: Uuid) -> bool {
        self.rows.iter().any(|(one, _, is_chosen)| *one == id && *is_chosen)
    }

    fn version(&self, id: Uuid) -> &str {
        self.rows.iter().find(|(one, ..)| *one == id).map_or("", |(_, version, _)| version)
    }

    /// The request for each certification.
    fn request<'a>(&'a self, change: Change, key: &'a str, form: Uuid) -> ChangeRequest<'a> {
        ChangeRequest {
            change,
            evidence: Some(self.fields.evidence.trim()).filter(|text| !text.is_empty()),
            note: Some(self.fields.note.trim()).filter(|text| !text.is_empty()),
            key: Some(key),
            source: Source::Api,
            seen: None,
            form: Some(form),
        }
    }

    /// The request for each certification that is chosen, and those that are refused in any case.
    fn requests<'a>(
        &self,
        request: &ChangeRequest<'a>,
        found: &[Certification],
        now: DateTime<Utc>,
    ) -> (Requests<'a>, Vec<(Uuid, RenewalError)>) {
        let (mut requests, mut refused) = (Vec::new(), Vec::new());
        for one in found.iter().filter(|one| self.is_chosen(one.id)) {
            if Standing::of(one, now).state == InState::Withdrawn {
                refused.push((one.id, RenewalError::Withdrawn));
            } else if one.is_managed {
                let seen = Some(version(self.version(one.id)));
                requests.push((one.id, ChangeRequest { seen, ..request.clone() }));
            } else {
                refused.push((one.id, RenewalError::NotTheirs));
            }
        }
        (requests, refused)
    }

    /// What the change will do to each certification that is chosen.
    async fn outcomes(
        &self,
        tx: &mut CallerTx,
        request: &ChangeRequest<'_>,
        found: &[Certification],
        now: DateTime<Utc>,
    ) -> Result<HashMap<Uuid, Outcome>, StoreError> {
        let (requests, refused) = self.requests(request, found, now);
        let asked: Vec<(Uuid, &ChangeRequest<'_>)> =
            requests.iter().map(|(id, request)| (*id, request)).collect();
        let outcomes = preview(tx, &asked, now).await?;
        let outcomes = requests.iter().map(|(id, _)| *id).zip(outcomes);
        Ok(outcomes.chain(refused.into_iter().map(|(id, error)| (id, Err(error)))).collect())
    }

    /// The change, or what is wrong with the form.
    fn check(&self, found: &[Certification], api: &Api, text: Text) -> Result<Change, Fault> {
        let fault = |field: &'static str, what: String| Err(Fault { field: field.into(), what });
        let change = change(self.action, &self.fields, text)?;
        if !self.rows.iter().any(|(_, _, is_chosen)| *is_chosen) {
            return fault("chosen", text.say("fault-none-chosen"));
        }
        let request = self.request(change, "", Uuid::nil());
        if request.check().is_err() {
            let is_note = ChangeRequest { note: None, ..request }.check().is_ok();
            return fault(if is_note { "note" } else { "evidence" }, text.say("fault-words"));
        }
        // Dates that are possible for none of them.
        let Some(today) = found.first().map(|one| api.clock().today(one.zone.0)) else { return Ok(change) };
        match change {
            Change::Renew { completed_on: Some(day), .. } if day > today => {
                fault("date", text.say("fault-completed-later"))
            }
            Change::Renew { completed_on: Some(day), .. } if !is_plausible(day, today) => {
                fault("date", text.named("fault-completed-early", &text.date(day)))
            }
            Change::Suspend { until: Some(day) } if day < today || !is_plausible(day, today) => {
                fault("date", text.count("fault-suspension-end", YEARS_AHEAD))
            }
            _ => Ok(change),
        }
    }
}

/// Makes the change of those that are chosen.
pub(super) async fn make(
    State(api): State<Api>,
    Sent { visitor, form: sent }: Sent<HashMap<String, String>>,
) -> Result<Response, PageError> {
    let now = api.clock().now();
    let entered = Entered::read(&sent)?;
    let key = entered.fields.key.parse().map_err(|_| ApiError::Invalid("the form has no key".to_owned()))?;
    let (key, form_id) = (entered.key(), entry_id(key, &entered.key()));
    let (mut tx, layout) = visitor.begin(&api, Section::Certifications).await?;
    manages(&layout)?;
    let text = layout.text;
    let ids: Vec<Uuid> = entered.rows.iter().map(|(id, ..)| *id).collect();
    let found = caller::certifications_by_id(&mut tx, &ids).await?;
    let rows = |entered: &Entered| -> Vec<Candidate> {
        let of = |one| Candidate::of(one, entered.version(one.id), entered.is_chosen(one.id), now, text);
        found.iter().map(of).collect()
    };
    let change = match (entered.fields.step.as_str(), entered.check(&found, &api, text)) {
        ("edit", _) => {
            tx.commit().await?;
            let rows = rows(&entered);
            return Ok(page(StatusCode::OK, &form(layout, entered.action, entered.fields, rows)));
        }
        (_, Err(fault)) => {
            tx.commit().await?;
            let (rows, layout) = (rows(&entered), Layout { is_refused: true, ..layout });
            let form = form(layout, entered.action, entered.fields, rows);
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &SeveralPage { faults: vec![fault], ..form }));
        }
        ("save", Ok(change)) => change,
        (_, Ok(change)) => {
            let request = entered.request(change, &key, form_id);
            let outcomes = entered.outcomes(&mut tx, &request, &found, now).await?;
            tx.commit().await?;
            let with = |one: Candidate| {
                let outcome = outcomes.get(&one.row.id);
                one.with(entered.action, outcome, text)
            };
            let rows = rows(&entered).into_iter().map(with).collect();
            return Ok(page(StatusCode::OK, &check(layout, entered.action, entered.fields, rows)));
        }
    };
    tx.commit().await?;
    let (requests, refused) = entered.requests(&entered.request(change, &key, form_id), &found, now);
    let refused = refused.into_iter().map(|(id, error)| (id, error.code())).collect();
    change_all(&visitor, &api, form_id, &requests, refused).await?;
    Ok(Redirect::to(&format!("/changes/{form_id}?done={}", entered.action.path())).into_response())
}

/// Makes the changes in batches, and records those that are refused. If an error stops a later batch, its certifications
/// count as refused, because the result must show what the first ones changed.
async fn change_all(
    visitor: &Visitor,
    api: &Api,
    form: Uuid,
    requests: &[(Uuid, ChangeRequest<'_>)],
    mut refused: Vec<(Uuid, &'static str)>,
) -> Result<(), ApiError> {
    let (again, now) = (Again(visitor, api), api.clock().now());
    for (number, some) in requests.chunks(BATCH).enumerate() {
        let asked: Vec<(Uuid, &ChangeRequest<'_>)> =
            some.iter().map(|(id, request)| (*id, request)).collect();
        match apply_different(&again, &asked, now).await {
            Ok(outcomes) => refused.extend(
                asked.iter().zip(&outcomes).filter_map(|((id, _), outcome)| Some((*id, code(outcome)?))),
            ),
            Err(error) if number == 0 => return Err(error),
            Err(_) => refused.extend(some.iter().map(|(id, _)| (*id, "internal"))),
        }
    }
    let mut tx = visitor.again(api).await?;
    change_results::refuse(&mut tx, form, &refused).await?;
    Ok(tx.commit().await?)
}

/// Refuses a person who manages nobody.
fn manages(layout: &Layout) -> Result<(), ApiError> {
    if layout.manages() { Ok(()) } else { Err(ApiError::NotYours) }
}

/// An action that can be made for several certifications.
fn several(path: &str) -> Result<Action, ApiError> {
    Action::from_path(path).filter(|action| action.is_for_several()).ok_or(ApiError::NotFound)
}

/// What was chosen, before it is saved.
fn check(layout: Layout, action: Action, fields: Fields, rows: Vec<Candidate>) -> SeveralPage {
    let number = rows.iter().filter(|one| one.will_change()).count();
    let heading = layout.text.count(&format!("{}-several-check", action.key()), number);
    let text = layout.text;
    let form = form(layout, action, fields, rows);
    let date = dates::parse(&form.fields.date).map(|day| text.long_date(day)).unwrap_or_default();
    let entered = [
        (form.date.as_ref().map(|(label, _)| label.clone()), &date),
        (form.has_evidence.then(|| text.say("evidence-label")), &form.fields.evidence),
        (Some(text.say("note-label")), &form.fields.note),
    ];
    let entered = entered.into_iter().filter(|(_, value)| !value.trim().is_empty());
    let entered = entered.filter_map(|(label, value)| Some((label?, line(value)))).collect();
    let layout = Layout { heading, has_news: true, ..form.layout };
    SeveralPage { layout, is_check: true, entered, ..form }
}

fn form(layout: Layout, action: Action, fields: Fields, rows: Vec<Candidate>) -> SeveralPage {
    let text = layout.text;
    let heading = text.count(&format!("{}-several-title", action.key()), rows.len());
    SeveralPage {
        action,
        date: date_field(action, &fields, text),
        has_evidence: action == Action::Renewal,
        fields,
        rows,
        is_check: false,
        entered: Vec::new(),
        is_cut: false,
        back: "/certifications".to_owned(),
        other: None,
        faults: Vec::new(),
        layout: Layout { heading, ..layout },
    }
}
