//! Stages, their due dates, and the current stage on a day.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;

use chrono::{Days, NaiveDate};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The default number of days for which `expired` stays current.
pub const DEFAULT_GRACE_DAYS: u16 = 30;

/// The number of days by which a correction must move a due date to a later day, so that a stage that was
/// already recorded in the cycle gets another notice.
pub const TOLD_AGAIN_AFTER_DAYS: i64 = 30;

/// The lead times, in days, that an organisation has selected unless it says otherwise.
pub const DEFAULT_LEAD_TIMES: [u16; 3] = [90, 30, 7];

/// The longest lead time, in days.
pub const LONGEST_LEAD_TIME: u16 = 3_650;

/// A stage: how close a certification is to its end. Each stage causes one notice to the mentor. The order is
/// that of the due dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// From this number of days before the last valid day.
    Warning(u16),
    /// From the day after the last valid day, for the organisation's grace period.
    Expired,
}

impl Stage {
    /// Parses the name of a stage: `expired`, or `expiry_warning_<days>d` with 1 to [`LONGEST_LEAD_TIME`] days.
    pub fn from_name(name: &str) -> Option<Self> {
        if name == "expired" {
            return Some(Self::Expired);
        }
        let days = name.strip_prefix("expiry_warning_")?.strip_suffix('d')?;
        // `parse` also accepts a sign and leading zeros.
        let days = Some(days).filter(|days| days.starts_with(|first| ('1'..='9').contains(&first)))?;
        days.parse().ok().filter(|days| *days <= LONGEST_LEAD_TIME).map(Self::Warning)
    }

    /// The number of days from the due date to the last valid day; negative if the due date is later.
    pub const fn days_before(self) -> i64 {
        match self {
            Self::Warning(days) => days as i64,
            Self::Expired => -1,
        }
    }

    /// The first day of the stage for a certification with this last valid day.
    pub fn due_date(self, last_valid_day: NaiveDate) -> NaiveDate {
        shift(last_valid_day, -self.days_before())
    }
}

impl Ord for Stage {
    fn cmp(&self, other: &Self) -> Ordering {
        other.days_before().cmp(&self.days_before())
    }
}

impl PartialOrd for Stage {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The name in `cert_notification_log.notification_type`.
impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Warning(days) => write!(f, "expiry_warning_{days}d"),
            Self::Expired => f.write_str("expired"),
        }
    }
}

impl Serialize for Stage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| D::Error::custom(format_args!("unknown stage '{name}'")))
    }
}

/// The stages of a certification: the selected lead times, and then `expired`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stages {
    /// Each lead time once, the longest first.
    lead_times: Vec<u16>,
    /// The number of days for which `expired` stays current.
    grace_days: u16,
}

impl Default for Stages {
    fn default() -> Self {
        Self::new(&DEFAULT_LEAD_TIMES, DEFAULT_GRACE_DAYS)
    }
}

impl Stages {
    /// The stages with these lead times, in days and in any order, and a grace period for `expired`.
    pub fn new(lead_times: &[u16], grace_days: u16) -> Self {
        let lead_times: BTreeSet<u16> = lead_times.iter().copied().collect();
        Self { lead_times: lead_times.into_iter().rev().collect(), grace_days }
    }

    /// The lead times in days, the longest first.
    pub fn lead_times(&self) -> &[u16] {
        &self.lead_times
    }

    /// The number of days for which `expired` stays current.
    pub const fn grace_days(&self) -> u16 {
        self.grace_days
    }

    /// The stages in the order of their due dates.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Stage> + '_ {
        self.lead_times.iter().copied().map(Stage::Warning).chain([Stage::Expired])
    }

    /// Whether this is one of the stages.
    pub fn has(&self, stage: Stage) -> bool {
        self.iter().any(|one| one == stage)
    }

    /// The next stage, which ends this one.
    pub fn next(&self, stage: Stage) -> Option<Stage> {
        self.iter().find(|next| *next > stage)
    }

    /// The number of days for which a stage is current.
    pub fn length(&self, stage: Stage) -> i64 {
        match self.next(stage) {
            Some(next) => stage.days_before() - next.days_before(),
            None => i64::from(self.grace_days),
        }
    }

    /// The first day on which a stage is no longer current.
    pub fn end(&self, stage: Stage, due_date: NaiveDate) -> NaiveDate {
        shift(due_date, self.length(stage))
    }

    /// The current stage on a day: the last one whose due date has come; `None` after the grace period of
    /// `expired`.
    pub fn current(&self, last_valid_day: NaiveDate, on: NaiveDate) -> Option<Stage> {
        let stage = self.iter().rfind(|stage| stage.due_date(last_valid_day) <= on)?;
        (on < self.end(stage, stage.due_date(last_valid_day))).then_some(stage)
    }

    /// For every stage, the range of last valid days for which it is current on `on` and came due after
    /// `since`. Without `since`, all for which it is current.
    pub fn windows(&self, on: NaiveDate, since: Option<NaiveDate>) -> Vec<Window> {
        self.iter()
            .map(|stage| {
                let last = shift(on, stage.days_before());
                let current_from = shift(last, 1 - self.length(stage));
                let came_due_from = since.map(|since| shift(since, stage.days_before() + 1));
                Window { stage, first: came_due_from.map_or(current_from, |day| day.max(current_from)), last }
            })
            .filter(|window| window.first <= window.last)
            .collect()
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
