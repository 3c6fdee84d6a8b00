//! Days and instants in an organisation's time zone.

use chrono::{
    DateTime, Datelike, Duration, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc,
};
use chrono_tz::Tz;

use crate::stage::shift;

/// The first year in which a certification can start or end.
pub const FIRST_YEAR: i32 = 1900;
/// The maximum number of years after the current one in which it can end. A later year is a typing error or a
/// date in another calendar.
pub const YEARS_AHEAD: i32 = 50;

/// Whether a certification can start or end on a day.
pub fn is_plausible(day: NaiveDate, today: NaiveDate) -> bool {
    (FIRST_YEAR..=today.year() + YEARS_AHEAD).contains(&day.year())
}

/// The date of an instant in a time zone.
pub fn today(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    now.with_timezone(&zone).date_naive()
}

/// The last valid day of a certification: the date of `expires_at` in the organisation's zone.
pub fn last_valid_day(expires_at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    today(expires_at, zone)
}

/// The instant of a local time. A skipped time maps to the next valid instant, and a repeated time to its
/// first occurrence.
pub fn instant(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    // The longest gap in the time-zone database is a whole day (Samoa, 2011-12-30).
    (0..=26 * 60)
        .filter_map(|minutes| local.checked_add_signed(Duration::minutes(minutes)))
        .find_map(|candidate| match zone.from_local_datetime(&candidate) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.to_utc()),
            MappedLocalTime::None => None,
        })
        .unwrap_or_else(|| local.and_utc())
}

/// The first instant of a day.
pub fn start_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    instant(day.and_time(NaiveTime::MIN), zone)
}

/// The last whole second of a day: what `expires_at` is when a register gives only a date.
pub fn end_of_day(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    start_of_day(shift(day, 1), zone) - Duration::seconds(1)
}

/// The time at which the run of a date is scheduled.
pub fn scheduled_at(date: NaiveDate, run_at: NaiveTime, zone: Tz) -> DateTime<Utc> {
    instant(date.and_time(run_at), zone)
}

/// The date of the latest run that should have started by now.
pub fn latest_scheduled(now: DateTime<Utc>, run_at: NaiveTime, zone: Tz) -> NaiveDate {
    let date = today(now, zone);
    if scheduled_at(date, run_at, zone) <= now { date } else { shift(date, -1) }
}

/// The nights between the last complete run and a later run, both exclusive.
pub fn missed_nights(last: NaiveDate, run_date: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    std::iter::successors(Some(shift(last, 1)), |day| Some(shift(*day, 1)))
        .take_while(move |day| *day < run_date)
}
