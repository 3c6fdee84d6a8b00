//! Counts the rows that a person's transaction reads, for the access log.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

/// The rows that a transaction has read, with their organisations. Clones share the same counter.
#[derive(Debug, Clone, Default)]
pub struct Seen(Arc<Mutex<Rows>>);

/// The rows that were read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The number of rows.
    pub count: u64,
    /// How many of them are addresses and phone numbers of mentors.
    pub addresses: u64,
    /// The organisations of the rows.
    pub organisations: BTreeSet<Uuid>,
}

/// A row with its organisation.
pub(super) trait OfOrganisation {
    /// The organisation.
    fn organisation_id(&self) -> Uuid;

    /// Whether it shows an address or a phone number of a mentor.
    fn shows_address(&self) -> bool {
        false
    }
}

impl Seen {
    pub(super) fn add<R: OfOrganisation>(&self, rows: &[R]) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.count += rows.len() as u64;
        seen.addresses += rows.iter().filter(|row| row.shows_address()).count() as u64;
        seen.organisations.extend(rows.iter().map(OfOrganisation::organisation_id));
    }

    /// The rows that were read so far.
    pub fn rows(&self) -> Rows {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Implements the count of read rows for types with a column `organisation_id`.
macro_rules! of_organisation {
    ($($row:ty),+ $(,)?) => {
        $(impl $crate::rows_read::OfOrganisation for $row {
            fn organisation_id(&self) -> uuid::Uuid {
                self.organisation_id
            }
        })+
    };
}
pub(crate) use of_organisation;
