//! The types of certification of an organisation: adding one, and changing its name, its validity and its lead times.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::line;
use certvakt_rules::normal::{entered_name, fold, short_name};
use certvakt_rules::renewal::Rule;
use certvakt_store::caller::overview::{self, CertificationType};
use certvakt_store::certification_type::{self, ChangedType};
use certvakt_store::organisation::{NewType, RenewalTerms};
use certvakt_store::settings::{self, Present};
use certvakt_store::{CallerTx, StoreError};
use uuid::Uuid;

use super::error::PageError;
use super::form::{Done, Fault, of_field};
use super::settings::{PATH, administered, effects_of_lead_times, label, lead_times};
use super::three_way::{self, Entered, with_base};
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
    let months = validity(&shown.months);
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

    fn value(&self, field: &str) -> &str {
        self.entered.get(field).map(String::as_str).unwrap_or_default()
    }
}

/// The type with a code.
fn of_code<'t>(types: &'t [CertificationType], code: &str) -> Result<&'t CertificationType, ApiError> {
    types.iter().find(|one| one.code == code).ok_or(ApiError::NotFound)
}

/// Shows a type.
pub(super) async fn show_one(
    State(api): State<Api>,
    visitor: Visitor,
    Path((id, code)): Path<(Uuid, String)>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let (present, types) = with_types(&mut tx, id).await?;
    let found = of_code(&types, &code)?;
    tx.commit().await?;
    let entered = with_base(entered_of(found, &present));
    Ok(page(StatusCode::OK, &TypePage::new(layout, &present, found, entered)))
}

/// A type as a form.
fn entered_of(one: &CertificationType, present: &Present) -> Entered {
    let days = one.lead_times.as_ref().unwrap_or(&present.lead_times).iter();
    let fields = [
        ("name".to_owned(), one.name.clone()),
        ("months".to_owned(), one.validity_months.map(|months| months.to_string()).unwrap_or_default()),
        ("own".to_owned(), if one.lead_times.is_some() { "yes" } else { "no" }.to_owned()),
    ];
    fields.into_iter().chain(days.map(|days| (format!("lead-{days}"), "yes".to_owned()))).collect()
}

/// Changes a type, or shows first what that leads to.
pub(super) async fn make_one(
    State(api): State<Api>,
    Path((id, code)): Path<(Uuid, String)>,
    Sent { visitor, form: mut entered }: Sent<Entered>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    settings::lock(&mut tx, id).await?;
    let (present, types) = with_types(&mut tx, id).await?;
    let found = of_code(&types, &code)?;
    let (text, step) = (layout.text, entered.remove("step").unwrap_or_default());
    let saved = entered_of(found, &present);
    let conflicts = three_way::merge(&mut entered, &saved);
    let checked = if conflicts.is_empty() {
        check(&entered, &present, &types, found, text)
    } else {
        Err(three_way::faults(conflicts, &saved, |field| label_of(field, text), text))
    };
    let mut shown = TypePage::new(layout, &present, found, entered);
    if step == "edit" {
        return Ok(page(StatusCode::OK, &shown));
    }
    let wanted = match checked {
        Ok(wanted) => wanted,
        Err(faults) => {
            shown.faults = faults;
            shown.layout.is_refused = true;
            return Ok(page(StatusCode::UNPROCESSABLE_ENTITY, &shown));
        }
    };
    shown.effects = effects(found, &wanted, &present, text);
    if step != "save" && !shown.effects.is_empty() {
        tx.commit().await?;
        shown.layout.heading = text.named("settings-check", &found.name);
        shown.layout.has_news = true;
        return Ok(page(StatusCode::OK, &shown));
    }
    if !certification_type::change_administered(&mut tx, id, &code, &wanted).await? {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    Ok(Redirect::to(&format!("{}?done={code}", shown.list)).into_response())
}

/// The label of a field.
fn label_of(field: &str, text: Text) -> String {
    match field {
        "name" => text.say("setup-type-name"),
        "months" => text.say("setup-months"),
        "own" => text.say("settings-own"),
        lead_time => label(lead_time, text),
    }
}

/// The change that a form asks for. Returns all that is wrong with it, in the order of the page.
fn check(
    entered: &Entered,
    present: &Present,
    types: &[CertificationType],
    found: &CertificationType,
    text: Text,
) -> Result<ChangedType, Vec<Fault>> {
    let of = |field: &str| entered.get(field).map(String::as_str).unwrap_or_default();
    let (name, months) = (entered_name(of("name")), validity(of("months")));
    let is_known =
        |name: &String| types.iter().any(|one| one.code != found.code && fold(&one.name) == fold(name));
    let ticked = lead_times(present, entered);
    let is_own = of("own") == "yes";
    // Boxes that the person changed, although those of the organisation are to apply.
    let shown = found.lead_times.as_ref().unwrap_or(&present.lead_times);
    let differs = ticked.as_ref().is_some_and(|ticked| {
        let is_same =
            |other: &[i32]| ticked.len() == other.len() && ticked.iter().all(|days| other.contains(days));
        !is_same(shown) && !is_same(&present.lead_times)
    });
    let faults = [
        ("name", "fault-setup-type_name", name.is_none()),
        ("name", "fault-settings-known", name.as_ref().is_some_and(is_known)),
        ("months", "fault-setup-months", months.is_err()),
        ("lead_times", "fault-settings-lead_times", is_own && ticked.is_none()),
        ("lead_times", "fault-settings-not-own", !is_own && differs),
    ];
    let faults = faults.into_iter().filter(|(.., is_wrong)| *is_wrong);
    let faults: Vec<Fault> =
        faults.map(|(field, key, _)| Fault { field: field.into(), what: text.say(key) }).collect();
    match (name, months, faults.is_empty()) {
        (Some(name), Ok(validity_months), true) => {
            Ok(ChangedType { name, validity_months, lead_times: ticked.filter(|_| is_own) })
        }
        _ => Err(faults),
    }
}

/// The validity in months that was entered; `None` if each renewal must give a date.
fn validity(written: &str) -> Result<Option<i16>, ()> {
    match written.trim() {
        "" => Ok(None),
        written => {
            written.parse().ok().filter(|months| (1..=LONGEST_VALIDITY).contains(months)).map(Some).ok_or(())
        }
    }
}

/// What a change leads to, as sentences; empty if nothing but the name changes.
fn effects(before: &CertificationType, after: &ChangedType, present: &Present, text: Text) -> Vec<String> {
    let times = |of: &Option<Vec<i32>>| of.clone().unwrap_or_else(|| present.lead_times.clone());
    let mut effects = effects_of_lead_times(&times(&before.lead_times), &times(&after.lead_times), text);
    if before.validity_months != after.validity_months {
        effects.push(match after.validity_months {
            Some(months) => text.count("settings-effect-validity", months),
            None => text.say("settings-effect-validity-none"),
        });
    }
    effects
}
