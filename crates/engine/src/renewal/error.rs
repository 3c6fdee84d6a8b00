//! The reasons why a certification cannot be changed.

use certvakt_base::Exit;
use certvakt_rules::calendar::{FIRST_YEAR, YEARS_AHEAD};
use certvakt_store::StoreError;
use chrono::NaiveDate;

/// The reason why a certification cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// The certification does not exist, or the caller may not see it.
    #[error("unknown certification: give its id")]
    Unknown,
    /// The certification has changed since the caller read it.
    #[error("the certification has changed since you read it: read it again, then repeat the change")]
    Changed,
    /// The caller may see the certification, but not change it.
    #[error("you may see this but not change it: ask a coordinator of its chapter")]
    NotTheirs,
    /// The rule needs a validity that the type does not have.
    #[error("this type of certification has no validity: give the new last valid day")]
    NoRule,
    /// The type does not allow a renewal as early as this; contains the first day.
    #[error("this type can be renewed from {0} on: wait until then, or use --early")]
    Early(NaiveDate),
    /// A date that is not possible.
    #[error(transparent)]
    Date(#[from] DateError),
    /// The evidence or the note is empty or too long.
    #[error("{0}")]
    Words(String),
    /// The certification has lapsed, so it cannot be suspended.
    #[error("this certification has lapsed: renew it instead")]
    Lapsed,
    /// The certification was withdrawn.
    #[error("this certification was withdrawn: reinstate it first, if that was a mistake")]
    Withdrawn,
    /// The mentor was erased.
    #[error("the person was erased and cannot be changed: create a new person")]
    Erased,
    /// The mentor has died or left.
    #[error("the person has died or left: an administrator can record that they are back")]
    Ended,
    /// The history is full.
    #[error(
        "the history of this certification is full: find out why it changes so often before you change it again"
    )]
    HistoryFull,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RenewalError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown-name",
            Self::Changed => "version-mismatch",
            Self::NotTheirs => "not-permitted",
            Self::NoRule => "renewal-date-missing",
            Self::Early(_) => "renewal-early",
            Self::Date(_) => "renewal-date",
            Self::Words(_) => "remarks-invalid",
            Self::Lapsed => "certification-lapsed",
            Self::Withdrawn => "certification-withdrawn",
            Self::Erased => "person-erased",
            Self::Ended => "person-ended",
            Self::HistoryFull => "history-full",
            Self::Store(error) => error.code(),
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            _ => Exit::Usage,
        }
    }
}

/// The reason why a date of a change is not possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// The day of completion is in the future.
    #[error("the day of completion must not be in the future")]
    CompletedLater,
    /// The day of completion is too long ago.
    #[error("{0} is before the year {FIRST_YEAR}")]
    CompletedTooEarly(NaiveDate),
    /// The rule of the type gives a day that has passed.
    #[error("by its type's rule, the certification would have lapsed on {0}: give the new last valid day")]
    AlreadyLapsed(NaiveDate),
    /// The last valid day of a renewal is the present one.
    #[error("it is already valid until that day: give a different day")]
    Unchanged,
    /// The last day of a suspension has passed, or is too far away.
    #[error("the last day of a suspension must be today or later, and at most {YEARS_AHEAD} years from now")]
    SuspensionEnd,
    /// The last valid day is before the day of issue.
    #[error("{day} is before the day of issue, {issued}")]
    BeforeIssue {
        /// The last valid day.
        day: NaiveDate,
        /// The day of issue.
        issued: NaiveDate,
    },
    /// The last valid day is too long ago, or too far away.
    #[error("{0} is not between the year {FIRST_YEAR} and {YEARS_AHEAD} years from now")]
    OutOfRange(NaiveDate),
    /// A file has a value that is not certainly a date; says what to do.
    #[error("{0}")]
    Unreadable(String),
}
