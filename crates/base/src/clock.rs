//! The one place that reads the clock.

use std::time::Instant;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

/// The variable that moves every date decision of a rehearsal (RFC 3339).
pub const NOW_VARIABLE: &str = "CERTVAKT_NOW";

/// The clock for date decisions. Leases use the database's clock instead.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    moved_to: Option<(DateTime<Utc>, Instant)>,
}

/// `CERTVAKT_NOW` is not an RFC 3339 time.
#[derive(Debug, thiserror::Error)]
#[error(
    "{NOW_VARIABLE} is '{0}', which is not an RFC 3339 time: write it like 2026-03-01T02:00:00Z, or unset it"
)]
pub struct BadNow(String);

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self { moved_to: None }
    }

    /// The clock that the environment selects: moved to `CERTVAKT_NOW` and ticking from there, or the
    /// machine's.
    pub fn from_environment() -> Result<Self, BadNow> {
        match std::env::var(NOW_VARIABLE) {
            Ok(text) if !text.is_empty() => DateTime::parse_from_rfc3339(&text)
                .map(|now| Self::moved_to(now.to_utc()))
                .map_err(|_| BadNow(text)),
            _ => Ok(Self::system()),
        }
    }

    /// A clock that shows `now` at this moment and ticks from there.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn moved_to(now: DateTime<Utc>) -> Self {
        Self { moved_to: Some((now, Instant::now())) }
    }

    /// Whether the clock was moved, which only a rehearsal's database accepts.
    pub const fn is_moved(&self) -> bool {
        self.moved_to.is_some()
    }

    /// The current time.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    pub fn now(&self) -> DateTime<Utc> {
        match self.moved_to {
            Some((start, since)) => start + since.elapsed(),
            None => Utc::now(),
        }
    }

    /// Today's date in a time zone.
    pub fn today(&self, zone: Tz) -> NaiveDate {
        certvakt_rules::today(self.now(), zone)
    }
}
