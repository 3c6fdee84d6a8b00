//! The query of the list of certifications, which every form of the list has.

use certvakt_engine::expiry::filter;
use certvakt_engine::expiry::standing::State as Standing;
use certvakt_store::CallerTx;
use certvakt_store::caller::{self, Filter};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use crate::api::Api;
use crate::extract::check_text;

/// The states to choose from, the most urgent first.
pub(super) const STATES: [Standing; 6] = [
    Standing::Due,
    Standing::Expired,
    Standing::Lapsed,
    Standing::Valid,
    Standing::Suspended,
    Standing::Withdrawn,
];

/// The filters. A form sends a field that was left empty as an empty text.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ListQuery {
    pub(super) q: String,
    pub(super) chapter: String,
    pub(super) r#type: String,
    pub(super) state: String,
    /// The cursor of the previous page's last certification.
    pub(super) after: String,
}

impl ListQuery {
    /// The parameters, except the cursor and one of the filters.
    pub(super) fn without<'a>(&'a self, filter: &str) -> Vec<(&'static str, &'a str)> {
        let all =
            [("q", &self.q), ("chapter", &self.chapter), ("type", &self.r#type), ("state", &self.state)];
        all.into_iter()
            .filter(|(name, _)| *name != filter)
            .map(|(name, value)| (name, value.as_str()))
            .collect()
    }
}

/// The filter that a query describes.
pub(super) async fn filter_of(tx: &mut CallerTx, query: &ListQuery, api: &Api) -> Result<Filter, PageError> {
    check_text(Some(&query.q))?;
    check_text(Some(&query.r#type))?;
    let state = match known_state(&query.state) {
        Some(state) => Some(filter::in_state(state, &caller::organisations(tx).await?, api.clock())),
        None => None,
    };
    Ok(Filter {
        // An id that cannot be one finds nothing, as an unknown one does.
        chapter_id: (!query.chapter.is_empty()).then(|| query.chapter.parse().unwrap_or(Uuid::nil())),
        type_code: Some(query.r#type.clone()).filter(|code| !code.is_empty()),
        text: Some(query.q.trim().to_owned()).filter(|text| !text.is_empty()),
        state,
    })
}

/// The state with a name, if the list can be filtered by it.
pub(super) fn known_state(name: &str) -> Option<Standing> {
    STATES.into_iter().find(|state| state.as_str() == name)
}
