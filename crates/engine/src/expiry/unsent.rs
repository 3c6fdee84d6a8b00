//! Why a stage of a certification has no notice: the rules of `explain` and of the certification's page.

use std::fmt;

use certvakt_rules::stage::is_told_again;
use certvakt_rules::{Stage, Stages, notice_key, today};
use certvakt_store::DeliveryState;
use certvakt_store::certification::Notice;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// The present cycle of a certification, with its notices.
#[derive(Debug, Clone, Copy)]
pub struct Cycle<'a> {
    /// The certification.
    pub certification: Uuid,
    /// Whether it is suspended.
    pub is_suspended: bool,
    /// The start of the cycle.
    pub began: DateTime<Utc>,
    /// The organisation's time zone.
    pub zone: Tz,
    /// The stages of the certification.
    pub stages: &'a Stages,
    /// Whether its type selects other lead times than the organisation.
    pub type_selects: bool,
    /// The declared lead times.
    pub declared: &'a [Stage],
    /// The notices of the cycle.
    pub notices: &'a [Notice],
    /// The age in days below which a notice is never deleted. A missing older notice may have been deleted.
    pub days_kept: i32,
    /// The present time.
    pub now: DateTime<Utc>,
}

/// Why a stage has no notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsent {
    /// Its notice was sent on this day, before a correction of the date that was too small for a repeat.
    ToldBefore(NaiveDate),
    /// No notices while the certification is suspended.
    Suspended,
    /// The type does not use this lead time.
    OffForType,
    /// The organisation does not use this lead time.
    OffForOrganisation,
    /// It comes due on this day, after this number of days.
    Ahead(NaiveDate, i64),
    /// This later stage was recorded before it was turned off.
    LaterRecorded(Stage),
    /// The next run records it.
    DueNow,
    /// It had come due before the cycle was recorded.
    BeforeCycle,
    /// Its record may have been deleted.
    TooLongAgo,
    /// This later stage had started by the next run.
    LaterStarted(Stage),
    /// It had passed by the next run.
    Passed,
}

impl fmt::Display for Unsent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ToldBefore(on) => {
                write!(f, "sent on {on}, before the date was corrected by less than 30 days")
            }
            Self::Suspended => f.write_str("no notices while the certification is suspended"),
            Self::OffForType => f.write_str("off: the type does not use this lead time"),
            Self::OffForOrganisation => f.write_str("off: the organisation does not use this lead time"),
            Self::Ahead(due, 1) => write!(f, "due on {due}, tomorrow"),
            Self::Ahead(due, days) => write!(f, "due on {due}, in {days} days"),
            Self::LaterRecorded(later) => {
                write!(f, "superseded: {later} was recorded before it was turned off")
            }
            Self::DueNow => f.write_str("due now, the next run records it"),
            Self::BeforeCycle => f.write_str("superseded: it had come due before this cycle was recorded"),
            Self::TooLongAgo => f.write_str("too long ago: its record may have been deleted"),
            Self::LaterStarted(later) => write!(f, "superseded: {later} had started by the next run"),
            Self::Passed => f.write_str("superseded: its stage had passed by the next run"),
        }
    }
}

impl Cycle<'_> {
    /// The stages of a last valid day, and then the declared ones that are not used, each with its due date.
    pub fn all(&self, last_valid_day: NaiveDate) -> impl Iterator<Item = (Stage, NaiveDate)> + '_ {
        self.stages.iter().chain(self.off()).map(move |stage| (stage, stage.due_date(last_valid_day)))
    }

    /// The notice of a stage with a due date.
    pub fn notice(&self, stage: Stage, due_date: NaiveDate) -> Option<&Notice> {
        let key = notice_key(self.certification, stage, due_date);
        self.notices.iter().find(|notice| notice.idempotency_key == key)
    }

    /// Why a stage of a last valid day, which has no notice, has none.
    pub fn unsent(&self, stage: Stage, last_valid_day: NaiveDate) -> Unsent {
        let due_date = stage.due_date(last_valid_day);
        let today_here = today(self.now, self.zone);
        let current = self.stages.current(last_valid_day, today_here);
        if let Some(told) = self.told(stage, due_date) {
            Unsent::ToldBefore(today(told.recorded_at, self.zone))
        } else if self.is_suspended {
            Unsent::Suspended
        } else if !self.stages.has(stage) {
            if self.type_selects { Unsent::OffForType } else { Unsent::OffForOrganisation }
        } else if due_date > today_here {
            Unsent::Ahead(due_date, (due_date - today_here).num_days())
        } else if let Some(later) = self.later_recorded(stage, last_valid_day) {
            Unsent::LaterRecorded(later)
        } else if current == Some(stage) {
            Unsent::DueNow
        } else if due_date < today(self.began, self.zone) {
            Unsent::BeforeCycle
        } else if (today_here - due_date).num_days() > i64::from(self.days_kept) {
            Unsent::TooLongAgo
        } else {
            current.map_or(Unsent::Passed, Unsent::LaterStarted)
        }
    }

    /// The declared stages that are not used.
    fn off(&self) -> impl Iterator<Item = Stage> + '_ {
        self.declared.iter().copied().filter(|stage| !self.stages.has(*stage))
    }

    /// The notice of the stage that the mentor got for an earlier date of the cycle, if the stage gets no other.
    fn told(&self, stage: Stage, due_date: NaiveDate) -> Option<&Notice> {
        let name = stage.to_string();
        self.notices.iter().find(|notice| {
            notice.stage == name
                && notice.recorded_at >= self.began
                && matches!(notice.delivery, Some(DeliveryState::Claimed | DeliveryState::Delivered))
                && notice.due_date.is_some_and(|told| !is_told_again(told, due_date))
        })
    }

    /// A later stage of the same last valid day that is off and has a notice, unless a worker cancelled its delivery.
    fn later_recorded(&self, stage: Stage, last_valid_day: NaiveDate) -> Option<Stage> {
        self.off().filter(|later| *later > stage).find(|later| {
            let notice = self.notice(*later, later.due_date(last_valid_day));
            notice.is_some_and(|notice| !notice.cancelled_by_worker)
        })
    }
}
