//! The delivery hours of an organisation.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveTime, Utc};
use chrono_tz::Tz;

use crate::calendar::{instant, today};
use crate::stage::shift;

/// The local delivery hours: from `from`, inclusive, to `until`, exclusive. Equal times mean the whole day;
/// an `until` before `from` is on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryHours {
    /// The start of the hours.
    pub from: NaiveTime,
    /// The end of the hours.
    pub until: NaiveTime,
}

impl DeliveryHours {
    /// Whether a notice may be sent at this time.
    pub fn is_open(self, now: DateTime<Utc>, zone: Tz) -> bool {
        let local = now.with_timezone(&zone).time();
        match self.from.cmp(&self.until) {
            Ordering::Equal => true,
            Ordering::Less => self.from <= local && local < self.until,
            Ordering::Greater => self.from <= local || local < self.until,
        }
    }

    /// The next time at which a notice may be sent; now if it may be sent now.
    pub fn next_open(self, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
        if self.is_open(now, zone) {
            return now;
        }
        let date = today(now, zone);
        let opening = instant(date.and_time(self.from), zone);
        if opening >= now { opening } else { instant(shift(date, 1).and_time(self.from), zone) }
    }
}
