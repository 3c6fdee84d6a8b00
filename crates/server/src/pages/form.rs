//! What forms share: the certification that they are about, and the options of a select.

use certvakt_store::CallerTx;
use certvakt_store::caller::{self, Certification};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
pub(super) use crate::html::fault::{Fault, of_field};
use crate::problem::ApiError;

/// A form without fields.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// The query of a page that says what was just done.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Done {
    pub(super) done: String,
}

/// A certification that the person may change.
pub(super) async fn changeable(tx: &mut CallerTx, id: Uuid) -> Result<Certification, PageError> {
    let found = caller::certification(tx, id).await?.ok_or(ApiError::NotFound)?;
    if found.is_managed { Ok(found) } else { Err(ApiError::NotYours.into()) }
}

/// An option of a select.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

impl Choice {
    pub(super) fn new(value: String, label: String, chosen: &str) -> Self {
        let is_chosen = value == chosen;
        Self { value, label, is_chosen }
    }
}
