//! A certification that a person can choose for a change of several, and what the change would do to it.

use certvakt_engine::renewal::RenewalError;
use certvakt_engine::renewal::batch::Outcome;
use certvakt_store::caller::Certification;
use chrono::{DateTime, Utc};

use super::action::Action;
use super::change::{days_of_long_validity, fault};
use super::results::reason;
use super::row::{Row, with_chapter};
use crate::html::text::Text;

/// A certification that the person can choose.
pub(super) struct Candidate {
    pub(super) row: Row,
    /// The time of its last change, in microseconds since 1970.
    pub(super) version: String,
    pub(super) is_chosen: bool,
    /// The mentor's name and the chapter.
    pub(super) who: String,
    /// Whether it is valid for so long that its renewal may be of the wrong mentor.
    pub(super) is_long_valid: bool,
    /// On the page that shows what was chosen: how a renewal changes its date; empty for another change.
    pub(super) result: String,
    /// On that page: why it will not be changed.
    pub(super) refusal: Option<String>,
}

impl Candidate {
    pub(super) fn of(
        one: &Certification,
        version: &str,
        is_chosen: bool,
        now: DateTime<Utc>,
        text: Text,
    ) -> Self {
        let row = Row::of(one, now, text);
        Self {
            row,
            version: version.to_owned(),
            is_chosen,
            who: with_chapter(one, text),
            is_long_valid: days_of_long_validity(one, now).is_some(),
            result: String::new(),
            refusal: None,
        }
    }

    /// With what the change will do to it.
    pub(super) fn with(self, action: Action, outcome: Option<&Outcome>, text: Text) -> Self {
        match outcome {
            Some(Ok(outcome)) if outcome.is_changed && action == Action::Renewal => {
                let after = text.date_or_never(outcome.after);
                let before = outcome.before.map(|day| text.date(day));
                let result = match before {
                    Some(before) => {
                        text.with("several-renewed", &[("before", before.into()), ("after", after.into())])
                    }
                    None => text.named("several-renewed-first", &after),
                };
                Self { result, ..self }
            }
            Some(outcome) => Self { refusal: refusal(outcome, action, text), ..self },
            None => self,
        }
    }

    /// Whether the change that the page shows will be made.
    pub(super) fn will_change(&self) -> bool {
        self.is_chosen && self.refusal.is_none()
    }
}

/// Why a change will not be made; `None` if it will.
fn refusal(outcome: &Outcome, action: Action, text: Text) -> Option<String> {
    match outcome {
        // The person can still write another date, so the text says what is wrong with this one.
        Err(error @ RenewalError::Date(_)) => fault(error, action, text).map(|fault| fault.what),
        outcome => code(outcome).map(|code| reason(code, text)),
    }
}

/// Why a change was not made, as a code; `None` if it was made.
pub(super) fn code(outcome: &Outcome) -> Option<&'static str> {
    match outcome {
        Ok(outcome) if outcome.is_changed => None,
        Ok(_) => Some("unchanged"),
        Err(error) => Some(error.code()),
    }
}
