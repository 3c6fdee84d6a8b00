//! The query of the list of certifications, which every form of the list has.

use certvakt_engine::expiry::filter;
use certvakt_engine::expiry::standing::{Standing, State};
use certvakt_store::caller::{Certification, Filter, InState, Organisation};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::chapter_switch::chosen;
use super::dates;
use super::error::PageError;
use super::row::{Row, tone};
use crate::api::Api;
use crate::extract::check_text;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The state of those that expire soon or expired recently.
pub(super) const RENEWAL: &str = "renewal";
/// The states to choose from, the most urgent first.
pub(super) const STATES: [&str; 9] =
    [RENEWAL, "due", "expired", "lapsed", "unreachable", "declined", "valid", "suspended", "withdrawn"];
/// The states that a day changes.
pub(super) const STANDINGS: [State; 6] =
    [State::Due, State::Expired, State::Lapsed, State::Valid, State::Suspended, State::Withdrawn];
/// The order of names, and that of mentors with their most urgent states; the last valid day is the order otherwise.
pub(super) const BY_NAME: &str = "name";
pub(super) const BY_MENTOR: &str = "mentor";

/// The filters and the order. A form sends a field that was left empty as an empty text.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ListQuery {
    pub(super) q: String,
    pub(super) chapter: String,
    pub(super) r#type: String,
    pub(super) state: String,
    /// The day of the states, as it was entered; empty for today.
    pub(super) on: String,
    /// `name`, `mentor`, or empty.
    pub(super) order: String,
    /// Whether a file has the e-mail addresses and phone numbers: `yes`, or empty.
    pub(super) contacts: String,
    /// The cursors of the previous pages' last certifications, with dots between them: see [`super::paging`].
    pub(super) after: String,
    /// The number of certifications on the previous pages.
    pub(super) from: String,
}

impl ListQuery {
    /// The parameters, except the place in the list and one of the filters.
    pub(super) fn without<'a>(&'a self, filter: &str) -> Vec<(&'static str, &'a str)> {
        let all = [
            ("q", &self.q),
            ("chapter", &self.chapter),
            ("type", &self.r#type),
            ("state", &self.state),
            ("on", &self.on),
            ("order", &self.order),
        ];
        all.into_iter()
            .filter(|(name, _)| *name != filter)
            .map(|(name, value)| (name, value.as_str()))
            .collect()
    }

    /// Whether the list is a part of all certifications.
    pub(super) fn is_filtered(&self) -> bool {
        [&self.q, &self.chapter, &self.r#type, &self.state].into_iter().any(|value| !value.is_empty())
    }

    /// Whether the order needs the names of all mentors of the list.
    pub(super) fn is_sorted(&self) -> bool {
        self.order == BY_NAME || self.is_by_mentor()
    }

    pub(super) fn is_by_mentor(&self) -> bool {
        self.order == BY_MENTOR
    }

    /// The day of the states; `None` for today. An error is the key of what is wrong with it.
    pub(super) fn day(&self, now: DateTime<Utc>) -> Result<Option<NaiveDate>, &'static str> {
        if self.on.trim().is_empty() {
            return Ok(None);
        }
        let day = dates::parse(&self.on).map_err(dates::NoDate::key)?;
        // Nobody knows from the present dates what a past day was like. The day ends last west of Greenwich.
        let is_past = day < now.date_naive().pred_opt().unwrap_or(NaiveDate::MIN);
        if is_past { Err("fault-on-past") } else { Ok(Some(day)) }
    }
}

/// The filter that a query describes, for somebody in some organisations.
pub(super) fn filter_of(
    query: &ListQuery,
    organisations: &[Organisation],
    api: &Api,
) -> Result<Filter, PageError> {
    check_text(Some(&query.q))?;
    check_text(Some(&query.r#type))?;
    let on = query.day(api.clock().now());
    let on = on.map_err(|_| ApiError::Invalid("`on` must be today or a later date".to_owned()))?;
    let state = match &*query.state {
        "unreachable" => Some(InState::Unreachable),
        "declined" => Some(InState::Declined),
        RENEWAL => Some(filter::needing_renewal(organisations, api.clock(), on)),
        name => {
            let state = STANDINGS.into_iter().find(|state| state.as_str() == name);
            state.map(|state| filter::in_state(state, organisations, api.clock(), on))
        }
    };
    Ok(Filter {
        chapter_id: chosen(&query.chapter),
        type_code: Some(query.r#type.clone()).filter(|code| !code.is_empty()),
        text: Some(query.q.trim().to_owned()).filter(|text| !text.is_empty()),
        state,
        on,
    })
}

/// A state to choose, in words. Certifications are due from the longest lead time on, which depends on the organisation and
/// the type.
pub(super) fn state_label(state: &str, organisations: &[Organisation], text: Text) -> String {
    if state != "due" {
        return text.say(&format!("filter-{state}"));
    }
    match filter::due_within(organisations) {
        Some((shortest, longest)) if shortest == longest => text.count("filter-due", longest),
        Some((shortest, longest)) => {
            text.with("filter-due-between", &[("first", shortest.into()), ("number", longest.into())])
        }
        None => text.say("state-due"),
    }
}

/// The state of a certification on the day of the list.
pub(super) fn state(one: &Certification, on: Option<NaiveDate>, now: DateTime<Utc>) -> State {
    on.map_or_else(|| Standing::of(one, now), |day| Standing::later(one, day)).state
}

/// A certification as a row of the list, with its state on the day of the list.
pub(super) fn row(one: &Certification, on: Option<NaiveDate>, now: DateTime<Utc>, text: Text) -> Row {
    let state = state(one, on, now);
    Row {
        state: text.say(&format!("state-{}", state.as_str())),
        tone: tone(state),
        ..Row::of(one, now, text)
    }
}
