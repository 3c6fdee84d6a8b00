//! The types of certification of an organisation: adding one, and selecting the lead times of one.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_rules::normal::{entered_name, fold, short_name};
use certvakt_rules::renewal::Rule;
use certvakt_store::caller::overview::{self, CertificationType};
use certvakt_store::organisation::{NewType, RenewalTerms};
use certvakt_store::settings::Present;
use certvakt_store::{CallerTx, StoreError, certification_type};
use uuid::Uuid;

use super::error::PageError;
use super::form::{Fault, of_field};
use super::settings::{Done, Entered, PATH, administered, effects_of_lead_times, lead_times};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The longest validity, in months, as in the schema.
const LONGEST_VALIDITY: i16 = 1200;

#[derive(Template)]
#[template(path = "settings_types.html")]
struct TypesPage {
    layout: Layout,
    id: Uuid,
    section: &'static str,
    types: Vec<Shown>,
    name: String,
    months: String,
    faults: Vec<Fault>,
}

/// A type of the list.
struct Shown {
    code: String,
    name: String,
    validity: String,
    lead_times: String,
}

impl TypesPage {
    fn new(layout: Layout, present: &Present, types: &[CertificationType]) -> Self {
        let text = layout.text;
        let shown = types.iter().map(|one| Shown {
            code: one.code.clone(),
            name: line(&one.name),
            validity: match one.validity_months {
                Some(months) => text.count("settings-valid-for", months),
                None => text.say("settings-valid-until-date"),
            },
            lead_times: match &one.lead_times {
                Some(days) => text.named("settings-own-lead-times", &listed(days)),
                None => text.named("settings-common-lead-times", &listed(&present.lead_times)),
            },
        });
        Self {
            id: present.id,
            section: "settings-section-types",
            types: shown.collect(),
            name: String::new(),
            months: String::new(),
            faults: Vec::new(),
            layout: Layout { heading: text.named("settings-types-title", &present.name), ..layout },
        }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// Days as `90, 30, 7`.
fn listed(days: &[i32]) -> String {
    let mut days = days.to_vec();
    days.sort_unstable_by(|one, other| other.cmp(one));
    days.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
}

/// An organisation that the caller administers, with its types.
async fn with_types(tx: &mut CallerTx, id: Uuid) -> Result<(Present, Vec<CertificationType>), PageError> {
    let present = administered(tx, id).await?;
    let mut types = overview::certification_types(tx).await?;
    types.retain(|one| one.organisation_id == id);
    Ok((present, types))
}

/// Shows the types.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, types) = with_types(&mut tx, id).await?;
    tx.commit().await?;
    let mut shown = TypesPage::new(layout, &present, &types);
    if let Some(saved) = types.iter().find(|one| one.code == done) {
        shown.layout.heading = shown.layout.text.named("settings-saved", &saved.name);
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// Adds a type.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: entered }: Sent<Entered>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, types) = with_types(&mut tx, id).await?;
    let of = |field: &str| entered.get(field).cloned().unwrap_or_default();
    let mut shown =
        TypesPage { name: of("name"), months: of("months"), ..TypesPage::new(layout, &present, &types) };
    let text = shown.layout.text;
    let new = entered_name(&shown.name);
    let is_known = |name: &String| types.iter().any(|one| fold(&one.name) == fold(name));
    let months = match shown.months.trim() {
        "" => Ok(None),
        written => {
            written.parse().ok().filter(|months| (1..=LONGEST_VALIDITY).contains(months)).map(Some).ok_or(())
        }
    };
    let mut fault = |field: &'static str, key: &str| {
        shown.faults.push(Fault { field: field.into(), what: text.say(key) });
    };
    match &new {
        None => fault("name", "fault-setup-type_name"),
        Some(name) if is_known(name) => fault("name", "fault-settings-known"),
        Some(_) => {}
    }
    if months.is_err() {
        fault("months", "fault-setup-months");
    }
    if let (Some(name), Ok(months), true) = (new, months, shown.faults.is_empty()) {
        let codes: Vec<String> = types.iter().map(|one| one.code.clone()).collect();
        let code = short_name(&name, "type", &codes);
        let new = NewType {
            code: &code,
            name: &name,
            validity_months: months,
            renewal: RenewalTerms { rule: Rule::FromCompletion, window_days: None },
            lead_times: None,
            external_id: None,
        };
        match certification_type::add_administered(&mut tx, id, &new).await {
            // The same form, sent twice at once.
            Err(StoreError::Exists { .. }) => {
                let what = text.say("fault-settings-known");
                shown.faults.push(Fault { field: "name".into(), what });
            }
            added => {
                added?;
                tx.commit().await?;
                return Ok(Redirect::to(&format!("{PATH}/{id}/types?done={code}")).into_response());
            }
        }
    }
    shown.layout.is_refused = true;
    Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown))
}

#[derive(Template)]
#[template(path = "settings_type.html")]
struct TypePage {
    layout: Layout,
    /// The path of the form.
    path: String,
    /// The path of the list.
    list: String,
    common: String,
    entered: Entered,
    is_own: bool,
    /// The days, and whether they are selected.
    lead_times: Vec<(i32, bool)>,
    /// What a change would lead to, before it is saved.
    effects: Vec<String>,
    faults: Vec<Fault>,
}

impl TypePage {
    fn new(layout: Layout, present: &Present, of: &CertificationType, entered: Entered) -> Self {
        let text: Text = layout.text;
        Self {
            path: format!("{PATH}/{}/types/{}", present.id, of.code),
            list: format!("{PATH}/{}/types", present.id),
            common: text.named("settings-as-organisation", &listed(&present.lead_times)),
            is_own: entered.get("own").is_some_and(|own| own == "yes"),
            lead_times: present
                .declared
                .iter()
                .map(|days| (*days, entered.contains_key(&format!("lead-{days}"))))
                .collect(),
            entered,
            effects: Vec::new(),
            faults: Vec::new(),
            layout: Layout { heading: text.named("settings-type-title", &of.name), ..layout },
        }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }
}

/// A type of an organisation that the caller administers.
async fn one(tx: &mut CallerTx, id: Uuid, code: &str) -> Result<(Present, CertificationType), PageError> {
    let (present, types) = with_types(tx, id).await?;
    let found = types.into_iter().find(|one| one.code == code).ok_or(ApiError::NotFound)?;
    Ok((present, found))
}

/// Shows the lead times of a type.
pub(super) async fn show_one(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, code)): Path<(Uuid, String)>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, found) = one(&mut tx, id, &code).await?;
    tx.commit().await?;
    let own = if found.lead_times.is_some() { "yes" } else { "no" };
    let days = found.lead_times.as_ref().unwrap_or(&present.lead_times).iter();
    let mut entered: Entered = days.map(|days| (format!("lead-{days}"), "yes".to_owned())).collect();
    entered.insert("own".to_owned(), own.to_owned());
    Ok(page(StatusCode::OK, &TypePage::new(layout, &present, &found, entered)))
}

/// Selects the lead times of a type, or shows first what that leads to.
pub(super) async fn make_one(
    State(api): State<Api>,
    Path((id, code)): Path<(Uuid, String)>,
    Sent { visitor, form: entered }: Sent<Entered>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, found) = one(&mut tx, id, &code).await?;
    let (text, step) = (layout.text, entered.get("step").cloned().unwrap_or_default());
    let ticked = lead_times(&present, &entered);
    let mut shown = TypePage::new(layout, &present, &found, entered);
    if step == "edit" {
        return Ok(page(StatusCode::OK, &shown));
    }
    if shown.is_own && ticked.is_none() {
        let what = text.say("fault-settings-lead_times");
        shown.faults = vec![Fault { field: "lead_times".into(), what }];
        shown.layout.is_refused = true;
        return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
    }
    let wanted = ticked.filter(|_| shown.is_own);
    let before = found.lead_times.as_ref().unwrap_or(&present.lead_times);
    let after = wanted.as_ref().unwrap_or(&present.lead_times);
    shown.effects = effects_of_lead_times(before, after, text);
    if step != "save" && !shown.effects.is_empty() {
        tx.commit().await?;
        shown.layout.heading = text.named("settings-check", &found.name);
        shown.layout.has_news = true;
        return Ok(page(StatusCode::OK, &shown));
    }
    let is_saved =
        certification_type::select_administered_lead_times(&mut tx, id, &code, wanted.as_deref()).await?;
    if !is_saved {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    Ok(Redirect::to(&format!("{}?done={code}", shown.list)).into_response())
}
