//! Stages, their due dates, and the current stage on a day.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// The default number of days for which `expired` stays current.
pub const DEFAULT_GRACE_DAYS: u16 = 30;

/// The number of days by which a correction must move a due date to a later day, so that a stage that was
/// already recorded in the cycle gets another notice.
pub const TOLD_AGAIN_AFTER_DAYS: i64 = 30;

/// A stage: how close a certification is to its end. Each stage causes one notice to the mentor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// From 90 days before the last valid day.
    #[serde(rename = "expiry_warning_90d")]
    Warning90d,
    /// From 30 days before the last valid day.
    #[serde(rename = "expiry_warning_30d")]
    Warning30d,
    /// From 7 days before the last valid day until that day, inclusive.
    #[serde(rename = "expiry_warning_7d")]
    Warning7d,
    /// From the day after the last valid day, for the organisation's grace period.
    #[serde(rename = "expired")]
    Expired,
}

impl Stage {
    /// All stages, in the order of their due dates.
    pub const ALL: [Self; 4] = [Self::Warning90d, Self::Warning30d, Self::Warning7d, Self::Expired];

    /// The name in `cert_notification_log.notification_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning90d => "expiry_warning_90d",
            Self::Warning30d => "expiry_warning_30d",
            Self::Warning7d => "expiry_warning_7d",
            Self::Expired => "expired",
        }
    }

    /// Parses the name of a stage.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }

    /// The number of days from the due date to the last valid day; negative if the due date is later.
    pub const fn days_before(self) -> i64 {
        match self {
            Self::Warning90d => 90,
            Self::Warning30d => 30,
            Self::Warning7d => 7,
            Self::Expired => -1,
        }
    }

    /// The next stage, which ends this one.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Warning90d => Some(Self::Warning30d),
            Self::Warning30d => Some(Self::Warning7d),
            Self::Warning7d => Some(Self::Expired),
            Self::Expired => None,
        }
    }

    /// The first day of the stage for a certification with this last valid day.
    pub fn due_date(self, last_valid_day: NaiveDate) -> NaiveDate {
        shift(last_valid_day, -self.days_before())
    }

    /// The number of days for which the stage is current, given the grace period of `expired`.
    pub fn length(self, grace_days: u16) -> i64 {
        match self.next() {
            Some(next) => self.days_before() - next.days_before(),
            None => i64::from(grace_days),
        }
    }

    /// The first day on which the stage is no longer current.
    pub fn end(self, due_date: NaiveDate, grace_days: u16) -> NaiveDate {
        shift(due_date, self.length(grace_days))
    }

    /// The current stage on a day: the last one whose due date has come; `None` after the grace period of
    /// `expired`.
    pub fn current(last_valid_day: NaiveDate, on: NaiveDate, grace_days: u16) -> Option<Self> {
        Self::ALL.into_iter().rev().find_map(|stage| {
            let due = stage.due_date(last_valid_day);
            (due <= on).then(|| (on < stage.end(due, grace_days)).then_some(stage))
        })?
    }
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The range of last valid days, both inclusive, whose certifications are in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The stage that is current for each of these days.
    pub stage: Stage,
    /// The first last valid day of the range.
    pub first: NaiveDate,
    /// The last one; before `first` if the range is empty.
    pub last: NaiveDate,
}

/// For every stage, the range of last valid days for which it is current on `on` and came due after `since`.
/// Without `since`, all for which it is current.
pub fn windows(on: NaiveDate, since: Option<NaiveDate>, grace_days: u16) -> Vec<Window> {
    Stage::ALL
        .into_iter()
        .map(|stage| {
            let last = shift(on, stage.days_before());
            let current_from = shift(last, 1 - stage.length(grace_days));
            let came_due_from = since.map(|since| shift(since, stage.days_before() + 1));
            Window { stage, first: came_due_from.map_or(current_from, |day| day.max(current_from)), last }
        })
        .filter(|window| window.first <= window.last)
        .collect()
}

/// Whether a stage that was already recorded in a cycle gets another notice after a correction moved its due
/// date.
pub fn is_told_again(told_due: NaiveDate, due: NaiveDate) -> bool {
    (due - told_due).num_days() >= TOLD_AGAIN_AFTER_DAYS
}

/// Moves a day by a number of days, limited to the range of chrono's dates.
pub fn shift(day: NaiveDate, days: i64) -> NaiveDate {
    let by = Days::new(days.unsigned_abs());
    if days < 0 {
        day.checked_sub_days(by).unwrap_or(NaiveDate::MIN)
    } else {
        day.checked_add_days(by).unwrap_or(NaiveDate::MAX)
    }
}
