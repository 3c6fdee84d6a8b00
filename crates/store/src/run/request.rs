//! The request for a run, and its starting point.

use certvakt_rules::Selection;
use chrono::NaiveDate;

use crate::organisation::Organisation;

/// The progress of an organisation's runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The date of the last complete run.
    pub last_complete: Option<NaiveDate>,
    /// The snapshot from the start of that run; `None` if there was no run yet, or the database was restored
    /// on another server since.
    pub read_through: Option<String>,
    /// The stages of the organisation and its types in that run.
    pub selection: Option<Selection>,
}

impl Calendar {
    /// The progress of an organisation without a run, whose first run reads everything.
    pub const NONE: Self = Self { last_complete: None, read_through: None, selection: None };

    /// The starting point of a run: this progress, or none if the last run does not determine what is due
    /// now. Another selection of stages or grace period puts certifications into a stage without a date that
    /// came due or a change.
    pub fn start(&self, organisation: &Organisation, run_date: NaiveDate) -> &Self {
        let tells = self.read_through.is_some()
            && self.selection.as_ref() == Some(&organisation.selection)
            && self.last_complete.is_some_and(|last| last <= run_date);
        if tells { self } else { &Self::NONE }
    }
}

/// The parameters of a run.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The organisation.
    pub organisation: &'a Organisation,
    /// The date of the run.
    pub run_date: NaiveDate,
    /// The progress of the runs. Without a snapshot and a date, the run reads everything.
    pub calendar: &'a Calendar,
    /// The kinds of contact point that the configured channels use; `None` if a channel reaches everyone.
    pub contact_kinds: Option<&'a [String]>,
    /// Whether to record the notices, instead of only counting them.
    pub record: bool,
    /// Whether the limit is waived.
    pub approved: bool,
}
