//! Calendar files (RFC 5545) with the last valid days of certifications.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use icalendar::{Alarm, Calendar, Component, Event, EventLike};
use uuid::Uuid;

/// An entry on the last valid day of a certification.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The certification. The entry's id derives from it, so that a newer entry replaces an older one.
    pub certification: Uuid,
    /// The last valid day.
    pub day: NaiveDate,
    /// The title. Calendars show it on locked screens.
    pub title: &'a str,
    /// The description, which a calendar shows when the entry is opened.
    pub details: Option<&'a str>,
    /// The number of the version.
    pub sequence: u32,
    /// The time of the last change; `None` for now.
    pub changed_at: Option<DateTime<Utc>>,
    /// How long before the beginning of the day the calendar reminds of it; `None` if it does not.
    pub reminds_before: Option<TimeDelta>,
}

/// The file with some entries.
pub fn file(entries: &[Entry<'_>]) -> String {
    let mut calendar = Calendar::new();
    for entry in entries {
        let mut event = Event::new();
        event
            .uid(&format!("{}@certvakt", entry.certification))
            .summary(entry.title)
            .sequence(entry.sequence)
            .starts(entry.day)
            // A reminder does not block the day.
            .add_property("TRANSP", "TRANSPARENT");
        // The end of an all-day event is exclusive (RFC 5545, section 3.6.1).
        if let Some(next) = entry.day.succ_opt() {
            event.ends(next);
        }
        if let Some(details) = entry.details {
            event.description(details);
        }
        if let Some(at) = entry.changed_at {
            event.timestamp(at);
        }
        if let Some(before) = entry.reminds_before {
            event.alarm(Alarm::display(entry.title, -before));
        }
        calendar.push(event.done());
    }
    fold(&calendar.to_string())
}

/// Folds lines to at most 75 octets, including the space of a continuation (RFC 5545, section 3.1). The
/// library allows one octet too many. It also gives a reminder a time and a random id, which the standard does not have.
fn fold(calendar: &str) -> String {
    let mut folded = String::with_capacity(calendar.len());
    let mut is_reminder = false;
    for line in calendar.replace("\r\n ", "").split_terminator("\r\n") {
        match line {
            "BEGIN:VALARM" => is_reminder = true,
            "END:VALARM" => is_reminder = false,
            _ if is_reminder && (line.starts_with("DTSTAMP:") || line.starts_with("UID:")) => continue,
            _ => {}
        }
        let mut octets = 0;
        for character in line.chars() {
            octets += character.len_utf8();
            if octets > 75 {
                folded.push_str("\r\n ");
                octets = 1 + character.len_utf8();
            }
            folded.push(character);
        }
        folded.push_str("\r\n");
    }
    folded
}
