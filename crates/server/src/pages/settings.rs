//! The settings of an organisation, for its administrators. Changes with consequences are shown in words before they are saved.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_base::i18n::{Locale, line};
use certvakt_rules::normal::entered_name;
use certvakt_store::CallerTx;
use certvakt_store::settings::{self, Present, Settings};
use chrono::NaiveTime;
use uuid::Uuid;

use super::error::PageError;
use super::form::{Choice, Done, Fault, of_field};
use super::three_way::{self, Entered, with_base};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::{Path, Query};
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The path of the first page.
pub(super) const PATH: &str = "/settings";
/// The largest number of notices below which a run is never held.
const LARGEST_FLOOR: i64 = 1_000_000;
/// The longest time for which `expired` stays current, in days, as in the schema.
const LONGEST_GRACE: i16 = 90;

#[derive(Template)]
#[template(path = "settings_list.html")]
struct ListPage {
    layout: Layout,
    organisations: Vec<(Uuid, String)>,
}

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    layout: Layout,
    id: Uuid,
    section: &'static str,
    time_zone: String,
    entered: Entered,
    /// The days, and whether they are selected.
    lead_times: Vec<(i32, bool)>,
    locales: Vec<Choice>,
    /// What a change would lead to, before it is saved.
    effects: Vec<String>,
    faults: Vec<Fault>,
}

impl SettingsPage {
    fn new(layout: Layout, present: &Present, entered: Entered) -> Self {
        let text = layout.text;
        let chosen = entered.get("locale").map(String::as_str).unwrap_or_default();
        let locale =
            |one: &str| Choice::new(one.to_owned(), text.say(&format!("settings-locale-{one}")), chosen);
        Self {
            id: present.id,
            section: "settings-section-organisation",
            time_zone: present.time_zone.clone(),
            locales: Locale::ALL.map(|one| locale(one.tag())).into(),
            lead_times: selected(present, &entered),
            entered,
            effects: Vec::new(),
            faults: Vec::new(),
            layout: Layout { heading: text.named("settings-title", &present.name), ..layout },
        }
    }

    fn fault(&self, field: &str) -> Option<&Fault> {
        of_field(&self.faults, field)
    }

    fn value(&self, field: &str) -> &str {
        self.entered.get(field).map(String::as_str).unwrap_or_default()
    }

    fn is_ticked(&self, field: &str) -> bool {
        self.entered.contains_key(field)
    }
}

/// The declared lead times, and whether each is ticked.
fn selected(present: &Present, entered: &Entered) -> Vec<(i32, bool)> {
    present.declared.iter().map(|days| (*days, entered.contains_key(&format!("lead-{days}")))).collect()
}

/// Shows the organisations that the caller administers; of a single one, its settings.
pub(super) async fn list(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let mut found = settings::present(&mut tx).await?;
    tx.commit().await?;
    found.retain(|one| one.is_administered);
    match &found[..] {
        [] => Err(ApiError::NotYours.into()),
        [only] => Ok(Redirect::to(&format!("{PATH}/{}", only.id)).into_response()),
        several => {
            let organisations = several.iter().map(|one| (one.id, line(&one.name))).collect();
            let layout = Layout { heading: layout.text.say("menu-settings"), ..layout };
            Ok(page(StatusCode::OK, &ListPage { layout, organisations }))
        }
    }
}

/// Shows the settings of an organisation.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(id): Path<Uuid>,
    Query(Done { done }): Query<Done>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    let present = administered(&mut tx, id).await?;
    tx.commit().await?;
    let mut shown = SettingsPage::new(layout, &present, with_base(entered_of(&present)));
    if done == "saved" {
        shown.layout.heading = shown.layout.text.named("settings-saved", &present.name);
        shown.layout.has_news = true;
    }
    Ok(page(StatusCode::OK, &shown))
}

/// Saves the settings, or shows first what they lead to.
pub(super) async fn make(
    State(api): State<Api>,
    Path(id): Path<Uuid>,
    Sent { visitor, form: mut entered }: Sent<Entered>,
) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Settings).await?;
    settings::lock(&mut tx, id).await?;
    let present = administered(&mut tx, id).await?;
    let (text, step) = (layout.text, entered.remove("step").unwrap_or_default());
    let saved = entered_of(&present);
    let conflicts = three_way::merge(&mut entered, &saved);
    let checked = if conflicts.is_empty() {
        check(&entered, &present, text)
    } else {
        Err(three_way::faults(conflicts, &saved, |field| label(field, text), text))
    };
    let mut shown = SettingsPage::new(layout, &present, entered);
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
    shown.effects = effects(&present, &wanted, text);
    if step != "save" && !shown.effects.is_empty() {
        tx.commit().await?;
        shown.layout.heading = text.named("settings-check", &present.name);
        shown.layout.has_news = true;
        return Ok(page(StatusCode::OK, &shown));
    }
    if !settings::set_administered(&mut tx, id, &wanted).await? {
        return Err(ApiError::NotYours.into());
    }
    tx.commit().await?;
    // Its hour may have changed.
    api.wake_scheduler();
    Ok(Redirect::to(&format!("{PATH}/{id}?done=saved")).into_response())
}

/// An organisation that the caller administers.
pub(super) async fn administered(tx: &mut CallerTx, id: Uuid) -> Result<Present, PageError> {
    let found = settings::present(tx).await?;
    let found = found.into_iter().find(|one| one.id == id).ok_or(ApiError::NotFound)?;
    if found.is_administered { Ok(found) } else { Err(ApiError::NotYours.into()) }
}

/// The label of a field.
pub(super) fn label(field: &str, text: Text) -> String {
    match field.strip_prefix("lead-").and_then(|days| days.parse::<i32>().ok()) {
        Some(days) => text.count("settings-days-before", days),
        None => text.say(&format!("settings-{}", field.replace('_', "-"))),
    }
}

/// The present settings as a form.
fn entered_of(present: &Present) -> Entered {
    let mut entered: Entered = [
        ("name", present.name.clone()),
        ("locale", present.locale.clone()),
        ("run_at", written(present.run_at)),
        ("deliver_from", written(present.deliver_from)),
        ("deliver_until", written(present.deliver_until)),
        ("grace_days", present.expired_grace_days.to_string()),
        ("limit_floor", present.run_limit_floor.to_string()),
        ("limit_percent", present.run_limit_percent.to_string()),
    ]
    .map(|(field, value)| (field.to_owned(), value))
    .into();
    let ticked =
        [("names_certification", present.names_certification), ("digest_names", present.digest_names)];
    entered.extend(ticked.iter().filter(|one| one.1).map(|one| (one.0.to_owned(), "yes".to_owned())));
    entered.extend(present.lead_times.iter().map(|days| (format!("lead-{days}"), "yes".to_owned())));
    entered
}

fn written(time: NaiveTime) -> String {
    time.format("%H:%M").to_string()
}

/// A time of day as people write it: `09:00`, `9.00`, `9`.
fn time(text: &str) -> Option<NaiveTime> {
    let text = text.trim().replace('.', ":");
    let text = if text.contains(':') { text } else { text + ":00" };
    NaiveTime::parse_from_str(&text, "%H:%M").ok()
}

/// The lead times that are ticked, if any.
pub(super) fn lead_times(present: &Present, entered: &Entered) -> Option<Vec<i32>> {
    let ticked: Vec<i32> =
        selected(present, entered).into_iter().filter(|one| one.1).map(|(days, _)| days).collect();
    (!ticked.is_empty()).then_some(ticked)
}

/// The settings that a form asks for. Returns all that is wrong with it.
fn check(entered: &Entered, present: &Present, text: Text) -> Result<Settings, Vec<Fault>> {
    let of = |field: &str| entered.get(field).map(String::as_str).unwrap_or_default();
    let number = |field: &str, largest: i64| {
        of(field).trim().parse::<i64>().ok().filter(|number| (0..=largest).contains(number))
    };
    let small = |field: &str, largest: i16| {
        number(field, largest.into()).and_then(|number| i16::try_from(number).ok())
    };
    let wanted = Settings {
        name: entered_name(of("name")),
        locale: Locale::ALL.iter().map(|one| one.tag()).find(|tag| *tag == of("locale")).map(str::to_owned),
        run_at: time(of("run_at")),
        deliver_from: time(of("deliver_from")),
        deliver_until: time(of("deliver_until")),
        grace_days: small("grace_days", LONGEST_GRACE).filter(|days| *days > 0),
        lead_times: lead_times(present, entered),
        limit_floor: number("limit_floor", LARGEST_FLOOR),
        limit_percent: small("limit_percent", 100),
        names_certification: Some(entered.contains_key("names_certification")),
        digest_names: Some(entered.contains_key("digest_names")),
    };
    // In the order of the page.
    let faults: Vec<Fault> = [
        ("name", wanted.name.is_some()),
        ("locale", wanted.locale.is_some()),
        ("lead_times", wanted.lead_times.is_some()),
        ("grace_days", wanted.grace_days.is_some()),
        ("deliver_from", wanted.deliver_from.is_some()),
        ("deliver_until", wanted.deliver_until.is_some()),
        ("run_at", wanted.run_at.is_some()),
        ("limit_floor", wanted.limit_floor.is_some()),
        ("limit_percent", wanted.limit_percent.is_some()),
    ]
    .into_iter()
    .filter(|(_, is_right)| !is_right)
    .map(|(field, _)| Fault { field: field.into(), what: text.say(&format!("fault-settings-{field}")) })
    .collect();
    if faults.is_empty() { Ok(wanted) } else { Err(faults) }
}

/// What a change of lead times leads to.
pub(super) fn effects_of_lead_times(before: &[i32], after: &[i32], text: Text) -> Vec<String> {
    let removed = before.iter().filter(|days| !after.contains(days));
    let added = after.iter().filter(|days| !before.contains(days));
    let removed = removed.map(|days| text.count("settings-effect-removed", *days));
    removed.chain(added.map(|days| text.count("settings-effect-added", *days))).collect()
}

/// What the settings lead to, as sentences; empty if nothing but the name changes.
fn effects(present: &Present, wanted: &Settings, text: Text) -> Vec<String> {
    let lead_times = wanted.lead_times.as_deref().unwrap_or(&present.lead_times);
    let mut effects = effects_of_lead_times(&present.lead_times, lead_times, text);
    let (from, until) = (
        wanted.deliver_from.unwrap_or(present.deliver_from),
        wanted.deliver_until.unwrap_or(present.deliver_until),
    );
    if let Some(locale) = wanted.locale.as_ref().filter(|locale| **locale != present.locale) {
        effects.push(text.say(&format!("settings-effect-locale-{locale}")));
    }
    if let Some(days) = wanted.grace_days.filter(|days| *days != present.expired_grace_days) {
        effects.push(text.count("settings-effect-grace", days));
    }
    if (from, until) != (present.deliver_from, present.deliver_until) {
        let hours = [("from", written(from).into()), ("until", written(until).into())];
        let key = if from == until { "settings-effect-any-hour" } else { "settings-effect-hours" };
        effects.push(text.with(key, &hours));
    }
    if let Some(at) = wanted.run_at.filter(|at| *at != present.run_at) {
        effects.push(text.named("settings-effect-run", &written(at)));
    }
    let (floor, percent) = (
        wanted.limit_floor.unwrap_or(present.run_limit_floor),
        wanted.limit_percent.unwrap_or(present.run_limit_percent),
    );
    if (floor, percent) != (present.run_limit_floor, present.run_limit_percent) {
        effects.push(
            text.with("settings-effect-limit", &[("number", floor.into()), ("percent", percent.into())]),
        );
    }
    for (key, wanted, before) in [
        ("settings-effect-names", wanted.names_certification, present.names_certification),
        ("settings-effect-digest", wanted.digest_names, present.digest_names),
    ] {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != before) {
            effects.push(text.say(&format!("{key}-{}", if wanted { "on" } else { "off" })));
        }
    }
    effects
}
