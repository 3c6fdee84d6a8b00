//! What forms share: the certification that they are about, the options of a select, and what is wrong with a field.

use std::borrow::Cow;

use certvakt_store::CallerTx;
use certvakt_store::caller::{self, Certification};
use serde::Deserialize;
use uuid::Uuid;

use super::error::PageError;
use crate::problem::ApiError;

/// A form without fields.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// What is wrong with a form: the id of the field, and a sentence.
pub(super) struct Fault {
    pub(super) field: Cow<'static, str>,
    pub(super) what: String,
}

/// What is wrong with a field.
pub(super) fn of_field<'a>(faults: &'a [Fault], field: &str) -> Option<&'a Fault> {
    faults.iter().find(|fault| fault.field == field)
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
