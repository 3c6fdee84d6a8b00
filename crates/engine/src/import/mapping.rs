//! The mapping of a file's columns to fields, with the options for reading them.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::dates::DateFormat;
use super::field::Field;
use super::names::Names;
use super::never::{Never, Unread};

/// The mapping of a file's columns, with the options for reading them.
#[derive(Debug)]
pub(super) struct Mapping {
    /// The position of each field's column. A field with several columns occurs several times.
    pub columns: Vec<(Field, usize)>,
    /// The position of the family name: the last of several columns with the parts of the name.
    pub family_name: Option<usize>,
    /// The formats of ambiguous dates.
    pub date_formats: Vec<DateFormat>,
    /// The values of the status column that mean active, with folded case.
    pub active_status: Vec<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset; `None` to reject it.
    pub instant_day: Option<InstantDay>,
    /// Whether a blank expiry means that the certification does not expire.
    pub blank_never_expires: bool,
    /// The values of the expiry that mean that the certification does not expire.
    pub never: Never,
    /// The number of fields in the header.
    pub width: usize,
    /// Whether the rows have values for the columns that most registers do not have.
    pub has_more: bool,
    /// The organisation's time zone.
    pub zone: Tz,
    /// Today in the organisation's time zone.
    pub today: NaiveDate,
    /// The values of the expiry that could not be read.
    pub unread: Unread,
    /// The chapters, if a column names them.
    pub chapters: Option<Names>,
    /// The types, if a column names them.
    pub types: Option<Names>,
}

impl Mapping {
    /// The value in a field's column, if it is not blank.
    pub(super) fn raw<'a>(&self, record: &'a csv::StringRecord, field: Field) -> Option<&'a str> {
        let (_, place) = self.columns.iter().find(|(mapped, _)| *mapped == field)?;
        record.get(*place).map(str::trim).filter(|text| !text.is_empty())
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.columns.iter().any(|(mapped, _)| *mapped == field)
    }
}

/// The day of an instant whose date at its own offset differs from the date in the organisation's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstantDay {
    /// The day in the organisation's time zone.
    Local,
    /// The day as written, at the instant's own offset.
    Written,
}
