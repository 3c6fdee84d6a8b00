//! What a person's transaction has read, for the record of access.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

/// How many rows a transaction has read, and of which organisations. Clones look at the same.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Rows>>);

/// Rows that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// How many.
    pub count: u64,
    /// Of which organisations.
    pub organisations: BTreeSet<Uuid>,
}

/// A row that says whose it is.
pub(super) trait OfOrganisation {
    /// The organisation.
    fn organisation_id(&self) -> Uuid;
}

impl Seen {
    pub(super) fn add<R: OfOrganisation>(&self, rows: &[R]) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.count += rows.len() as u64;
        seen.organisations.extend(rows.iter().map(OfOrganisation::organisation_id));
    }

    /// What was read until now.
    pub fn rows(&self) -> Rows {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
