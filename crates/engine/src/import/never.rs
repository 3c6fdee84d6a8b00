//! Values of a register that mean that a certification does not expire.

use certvakt_rules::normal::fold;
use chrono::NaiveDate;

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
