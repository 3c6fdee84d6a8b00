//! How a certification stands on a day: what the API and the pages show beside its dates.

use certvakt_rules::{Stage, Stages, last_valid_day, today};
use certvakt_store::CertificationStatus;
use certvakt_store::caller::Certification;
use chrono::{DateTime, NaiveDate, Utc};

/// How a certification stands today, in its organisation's time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The day, usually today.
    pub today: NaiveDate,
    /// The last valid day; `None` if it does not expire.
    pub last_valid_day: Option<NaiveDate>,
    /// Days from today to the last valid day; negative after it.
    pub days_left: Option<i64>,
    /// The current stage, if there is one.
    pub stage: Option<Stage>,
    /// The next stage with its due date, if the certification does not change before.
    pub next_stage: Option<(Stage, NaiveDate)>,
    /// The state in one word.
    pub state: State,
}

/// The state of a certification in one word, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Lapsed, and in the stage `expired`.
    Expired,
    /// Valid, and in a stage.
    Due,
    /// Lapsed before that.
    Lapsed,
    /// Suspended.
    Suspended,
    /// Valid, and no stage has begun.
    Valid,
    /// Withdrawn.
    Withdrawn,
}

impl State {
    /// The name in URLs and keys of texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Due => "due",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Suspended => "suspended",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Standing {
    /// The standing of a certification at a time.
    pub fn of(certification: &Certification, now: DateTime<Utc>) -> Self {
        let counts = certification.status != CertificationStatus::Suspended;
        Self::on_day(certification, today(now, certification.zone.0), counts)
    }

    /// The standing of a certification on a later day, if nobody changes it before. A suspension whose last day is before
    /// that has ended.
    pub fn later(certification: &Certification, day: NaiveDate) -> Self {
        let has_ended = certification.suspended_until.is_some_and(|until| until < day);
        Self::on_day(certification, day, certification.status != CertificationStatus::Suspended || has_ended)
    }

    fn on_day(certification: &Certification, today: NaiveDate, counts: bool) -> Self {
        let zone = certification.zone.0;
        let last = certification.expires_at.map(|at| last_valid_day(at, zone));
        let days_left = last.map(|last| (last - today).num_days());
        let stages = certification.stages();
        let stage = last.filter(|_| counts).and_then(|last| stages.current(last, today));
        let next_stage = last.filter(|_| counts).and_then(|last| next(&stages, last, today));
        let state = match (certification.is_withdrawn, counts, stage, days_left) {
            (true, ..) => State::Withdrawn,
            (false, false, ..) => State::Suspended,
            (.., Some(Stage::Expired), _) => State::Expired,
            (.., Some(_), _) => State::Due,
            (.., None, Some(..=-1)) => State::Lapsed,
            (.., None, _) => State::Valid,
        };
        Self { today, last_valid_day: last, days_left, stage, next_stage, state }
    }

    /// Whether a notice of a stage with a due date is of the present last valid day, and not of an earlier one.
    pub fn has_date_of(&self, stage: Stage, due_date: NaiveDate) -> bool {
        self.last_valid_day.is_some_and(|last| stage.due_date(last) == due_date)
    }

    /// Whether a notice of a stage with a due date is still true today.
    pub fn calls_for(&self, stage: Stage, due_date: NaiveDate) -> bool {
        self.stage == Some(stage) && self.has_date_of(stage, due_date)
    }
}

fn next(stages: &Stages, last: NaiveDate, today: NaiveDate) -> Option<(Stage, NaiveDate)> {
    let due = stages.iter().map(|stage| (stage, stage.due_date(last)));
    due.into_iter().find(|(_, due)| *due > today)
}
