//! The hours in which deliveries may leave.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::calendar::{instant, today};
use crate::stage::shift;

/// The local hours of an organisation: from `from`, included, to `until`, not included. Equal times
/// mean the whole day; an `until` before `from` means past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryHours {
    /// When the hours begin.
    pub from: NaiveTime,
    /// When they end.
    pub until: NaiveTime,
}

impl DeliveryHours {
    /// Whether a delivery may leave at this instant.
    pub fn is_open(self, now: DateTime<Utc>, zone: Tz) -> bool {
        let local = now.with_timezone(&zone).time();
        match self.from.cmp(&self.until) {
            Ordering::Equal => true,
            Ordering::Less => self.from <= local && local < self.until,
            Ordering::Greater => self.from <= local || local < self.until,
        }
    }

    /// The next instant at which a delivery may leave; now, if it may.
    pub fn next_open(self, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        if self.is_open(now, zone) {
            return now;
        }
        let date = today(now, zone);
        let opening = instant(date.and_time(self.from), zone);
        if opening >= now { opening } else { instant(shift(date, 1).and_time(self.from), zone) }
    }
}
