//! How a register's file is written, parsed from the options for reading it.

use certvakt_store::import::DatesAre;

use super::dates::DateFormat;
use super::field::Field;
use super::location::Location;
use super::mapping::InstantDay;

/// The options for reading a register's file.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The column of each field, or several with `+` between them.
    pub columns: Vec<(Field, String)>,
    /// Where the table is in the file. Its columns are those of the fields.
    pub location: Location,
    /// The formats of ambiguous dates.
    pub date_formats: Vec<DateFormat>,
    /// The values of the status column that mean active.
    pub active_status: Vec<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset; `None` to reject it.
    pub instant_day: Option<InstantDay>,
    /// Whether a changed date is a renewal or a correction; `None` if a later date is a renewal, and an
    /// earlier one a correction.
    pub dates_are: Option<DatesAre>,
    /// Whether a blank expiry means that the certification does not expire.
    pub blank_never_expires: bool,
    /// The values of the expiry that mean that the certification does not expire.
    pub never: Vec<String>,
}

impl Layout {
    /// Whether a field has a column.
    pub(super) fn has(&self, field: Field) -> bool {
        self.columns.iter().any(|(mapped, _)| *mapped == field)
    }

    /// Whether rows have values for the columns of the staging table that most registers do not have.
    pub(super) fn has_more(&self) -> bool {
        [
            Field::Phone,
            Field::Language,
            Field::SuspendedUntil,
            Field::PersonId,
            Field::Chapter,
            Field::Type,
            Field::Replaces,
        ]
        .into_iter()
        .any(|field| self.has(field))
    }
}
