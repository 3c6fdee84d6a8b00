//! The options for reading a register, as they are saved and announced.

use std::collections::BTreeMap;

use certvakt_rules::text::is_plain;
use certvakt_store::import::DatesAre;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dates::DateFormat;
use super::field::Field;
use super::layout::Layout;
use super::location::{self, Location};
use super::mapping::InstantDay;
use super::missing::{Missing, MissingChange};

/// The maximum length of a type's code, in characters.
const LONGEST_TYPE: usize = 63;
/// The maximum length of a column's name and of a value of the status column, in characters: that of a field.
const LONGEST_NAME: usize = 200;
/// The maximum length of a date format, in characters.
const LONGEST_FORMAT: usize = 40;
/// The maximum number of date formats.
const MOST_FORMATS: usize = 20;
const MOST_STATUSES: usize = 50;
/// The last line that can contain the column names: the last row of an XLSX sheet.
const LAST_HEADER_ROW: u64 = 1_048_576;

/// The options for reading a register; those that are empty have their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadingOptions {
    /// The slug of the chapter of rows that name none.
    pub chapter: Option<String>,
    /// The code of the type of rows that name none.
    #[serde(rename = "type")]
    pub certification_type: Option<String>,
    /// The column of each field, or several with `+` between them.
    pub columns: BTreeMap<String, String>,
    /// The formats of ambiguous dates, such as `MM/DD/YYYY`.
    pub date_formats: Vec<String>,
    /// The values of the status column that mean active; defaults to `active`.
    pub active_status: Vec<String>,
    /// How to treat changed dates: as `renewals` or as `corrections`. By default, a later date is a renewal,
    /// and an earlier one is a correction.
    pub dates_are: Option<String>,
    /// The day of an instant whose date in the organisation's time zone differs from the date at its own
    /// offset: `local` or `written`. By default, its row is rejected.
    pub instant_day: Option<String>,
    /// Whether a blank expiry date means that the certification does not expire. By default, its row is
    /// rejected.
    pub blank_never_expires: bool,
    /// The values of the expiry date that mean that the certification does not expire.
    pub never: Vec<String>,
    /// The sheet of a workbook: its name, or its number from 1. By default, the only visible sheet with the
    /// columns.
    pub sheet: Option<String>,
    /// The line of the column names, from 1. By default, the first of 20 rows that has all columns.
    pub header_row: Option<u64>,
    /// The separator of a text file's fields; by default, it is detected.
    pub separator: Option<String>,
    /// The encoding of a text file; by default, it is detected.
    pub encoding: Option<String>,
    /// Whether a person has one certification of each type, so that a new one replaces the old one.
    pub one_per_type: bool,
    /// What happens to certifications that are missing from the register: `report`, `suspend` or `withdraw`.
    pub missing: Option<String>,
    /// Whether to suspend or withdraw them even if rows are rejected.
    pub missing_despite_rejects: bool,
}

impl ReadingOptions {
    /// The options of a saved mapping. An error is one sentence.
    pub fn of(name: &str, options: &Value) -> Result<Self, String> {
        serde_json::from_value(options.clone())
            .map_err(|_| format!("this version does not know the options of the mapping '{name}'"))
    }

    /// The options to save: those that are not empty.
    pub fn to_saved(&self) -> Value {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = value.as_object_mut() {
            members.retain(|_, value| match value {
                Value::Null | Value::Bool(false) => false,
                Value::Array(items) => !items.is_empty(),
                Value::Object(members) => !members.is_empty(),
                _ => true,
            });
        }
        value
    }

    /// These options, with those of `base` where they are empty.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        let either = |own: Vec<String>, base: Vec<String>| if own.is_empty() { base } else { own };
        Self {
            chapter: self.chapter.or(base.chapter),
            certification_type: self.certification_type.or(base.certification_type),
            columns: base.columns.into_iter().chain(self.columns).collect(),
            date_formats: either(self.date_formats, base.date_formats),
            active_status: either(self.active_status, base.active_status),
            dates_are: self.dates_are.or(base.dates_are),
            instant_day: self.instant_day.or(base.instant_day),
            blank_never_expires: self.blank_never_expires || base.blank_never_expires,
            never: either(self.never, base.never),
            sheet: self.sheet.or(base.sheet),
            header_row: self.header_row.or(base.header_row),
            separator: self.separator.or(base.separator),
            encoding: self.encoding.or(base.encoding),
            one_per_type: self.one_per_type || base.one_per_type,
            missing: self.missing.or(base.missing),
            missing_despite_rejects: self.missing_despite_rejects || base.missing_despite_rejects,
        }
    }

    /// Checks that they are complete, apart from the chapter. An error is one sentence about the fault.
    pub fn check(&self) -> Result<(), String> {
        for field in [Field::ExternalId, Field::ExpiresAt] {
            if !self.columns.contains_key(field.as_str()) {
                return Err(format!("no column is given for {}: add one", field.as_str()));
            }
        }
        if self.certification_type.is_none() && !self.columns.contains_key(Field::Type.as_str()) {
            return Err("no type is given, and no column for it: add one of them".to_owned());
        }
        if self.one_per_type && !self.columns.contains_key(Field::PersonId.as_str()) {
            return Err("one_per_type needs a column for person_id: add one".to_owned());
        }
        self.layout().map(|_| ())
    }

    /// Checks the numbers and lengths of values, which come from outside. An error is one sentence about the fault.
    pub fn check_bounds(&self) -> Result<(), String> {
        if let Some(code) = &self.certification_type
            && !(1..=LONGEST_TYPE).contains(&code.chars().count())
        {
            return Err(format!("a type's code must have 1 to {LONGEST_TYPE} characters"));
        }
        if self.date_formats.len() > MOST_FORMATS {
            return Err(format!("there can be at most {MOST_FORMATS} date_formats"));
        }
        if self.active_status.len() > MOST_STATUSES {
            return Err(format!("there can be at most {MOST_STATUSES} values of active_status"));
        }
        for status in &self.active_status {
            bounded(status, LONGEST_NAME, "a value of active_status")?;
        }
        if self.never.len() > MOST_STATUSES {
            return Err(format!("there can be at most {MOST_STATUSES} values of never"));
        }
        for value in &self.never {
            bounded(value, LONGEST_NAME, "a value of never")?;
        }
        for column in self.columns.values() {
            bounded(column, LONGEST_NAME, "a column's name")?;
        }
        for form in &self.date_formats {
            bounded(form, LONGEST_FORMAT, "a date format")?;
        }
        match &self.sheet {
            Some(sheet) => bounded(sheet, LONGEST_NAME, "a sheet's name"),
            None => Ok(()),
        }
    }

    /// What happens to certifications that are missing from the register.
    pub fn missing(&self) -> Result<Missing, String> {
        let change = match self.missing.as_deref() {
            None | Some("report") => MissingChange::Report,
            Some("suspend") => MissingChange::Suspend,
            Some("withdraw") => MissingChange::Withdraw,
            Some(_) => return Err("missing must be report, suspend or withdraw".to_owned()),
        };
        Ok(Missing { change, despite_rejects: self.missing_despite_rejects })
    }

    /// The options for reading the file.
    pub fn layout(&self) -> Result<Layout, String> {
        self.missing()?;
        let columns = self.columns.iter().map(|(field, column)| {
            let field: Field = field.parse()?;
            Ok((field, column.clone()))
        });
        let dates_are = match self.dates_are.as_deref() {
            None => None,
            Some("renewals") => Some(DatesAre::Renewals),
            Some("corrections") => Some(DatesAre::Corrections),
            Some(_) => return Err("dates_are must be renewals or corrections".to_owned()),
        };
        let instant_day = match self.instant_day.as_deref() {
            None => None,
            Some("local") => Some(InstantDay::Local),
            Some("written") => Some(InstantDay::Written),
            Some(_) => return Err("instant_day must be local or written".to_owned()),
        };
        let date_formats = self.date_formats.iter().map(|form| form.parse::<DateFormat>());
        let active_status = if self.active_status.is_empty() {
            vec!["active".to_owned()]
        } else {
            self.active_status.clone()
        };
        Ok(Layout {
            columns: columns.collect::<Result<_, String>>()?,
            date_formats: date_formats.collect::<Result<_, String>>()?,
            active_status,
            instant_day,
            dates_are,
            blank_never_expires: self.blank_never_expires,
            never: self.never.clone(),
            location: self.location()?,
        })
    }

    /// Where the table is in the file.
    pub fn location(&self) -> Result<Location, String> {
        if self.header_row.is_some_and(|line| !(1..=LAST_HEADER_ROW).contains(&line)) {
            return Err(format!("header_row must be a line from 1 to {LAST_HEADER_ROW}"));
        }
        Ok(Location {
            columns: Vec::new(),
            sheet: self.sheet.clone(),
            header_row: self.header_row,
            separator: self.separator.as_deref().map(location::separator).transpose()?,
            encoding: self.encoding.as_deref().map(location::encoding).transpose()?,
        })
    }
}

/// Rejects a text that is longer than `longest` characters or contains control characters.
pub(super) fn bounded(text: &str, longest: usize, what: &str) -> Result<(), String> {
    if !is_plain(text) {
        Err(format!("{what} must not contain control characters"))
    } else if text.chars().count() <= longest {
        Ok(())
    } else {
        Err(format!("{what} must have at most {longest} characters"))
    }
}
