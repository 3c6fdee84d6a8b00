//! Values of a register that mean that a certification does not expire.

use std::collections::HashMap;

use certvakt_rules::normal::fold;
use chrono::NaiveDate;
use serde::Serialize;

use super::dates::{self, DateFormat, When};

/// The values, such as `Livsvarig` or `9999-12-31`.
#[derive(Debug, Clone, Default)]
pub(super) struct Never {
    /// The values as texts, with folded case.
    texts: Vec<String>,
    /// The days that they are.
    days: Vec<NaiveDate>,
    formats: Vec<DateFormat>,
}

impl Never {
    pub(super) fn new(values: &[String], formats: &[DateFormat]) -> Self {
        Self {
            texts: values.iter().map(|value| fold(value)).collect(),
            days: values.iter().filter_map(|value| day(value, formats)).collect(),
            formats: formats.to_vec(),
        }
    }

    /// Whether a text is one of the values, in any case, or the same day in another format.
    pub(super) fn contains(&self, text: &str) -> bool {
        !self.texts.is_empty()
            && (self.texts.contains(&fold(text))
                || day(text, &self.formats).is_some_and(|day| self.days.contains(&day)))
    }
}

/// The number of rows from which a value that they share may mean *never*.
const SHARED_ROWS: u64 = 20;
/// The maximum number of different values that are counted, and of those in a result.
const MOST_VALUES: usize = 1_000;
const VALUES_SHOWN: usize = 3;

/// A value of the expiry that could not be read and that many rows share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SharedValue {
    /// The value.
    pub value: String,
    /// The number of its rows.
    pub rows: u64,
}

/// Counts the values of the expiry that could not be read.
#[derive(Debug, Default)]
pub(super) struct Unread(HashMap<String, u64>);

impl Unread {
    /// Counts a value.
    pub(super) fn count(&mut self, value: &str) {
        if let Some(rows) = self.0.get_mut(value) {
            *rows += 1;
        } else if self.0.len() < MOST_VALUES {
            self.0.insert(value.to_owned(), 1);
        }
    }

    /// The values that many rows share, the most frequent first. One that so many people share tells nothing about
    /// any of them.
    pub(super) fn shared(&self) -> Vec<SharedValue> {
        let mut shared: Vec<SharedValue> = self
            .0
            .iter()
            .filter(|(_, rows)| **rows >= SHARED_ROWS)
            .map(|(value, rows)| SharedValue { value: value.clone(), rows: *rows })
            .collect();
        shared.sort_by(|one, other| other.rows.cmp(&one.rows).then(one.value.cmp(&other.value)));
        shared.truncate(VALUES_SHOWN);
        shared
    }
}

fn day(text: &str, formats: &[DateFormat]) -> Option<NaiveDate> {
    Some(match dates::parse(text, formats).ok()? {
        When::Day(day) => day,
        When::Local(at) => at.date(),
        When::Instant(at) => at.date_naive(),
    })
}

/// Whether a text that is no date may mean that a certification does not expire: a word, or a date of zeros
/// or nines, such as `00.00.0000`.
pub(super) fn is_likely(text: &str) -> bool {
    let all_are = |digit: char| text.chars().filter(char::is_ascii_digit).all(|one| one == digit);
    all_are('0') || all_are('9')
}
