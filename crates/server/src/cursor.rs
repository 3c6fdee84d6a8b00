//! The cursor in lists of certifications.

use certvakt_store::caller::{After, Certification};
use chrono::{DateTime, Utc};

/// The first instant that the schema accepts for a certification: the start of 1900.
const FIRST_INSTANT: DateTime<Utc> = DateTime::from_timestamp_micros(-2_208_988_800_000_000).unwrap();
/// The last instant that the schema accepts: the end of 9998.
pub(super) const LAST_INSTANT: DateTime<Utc> =
    DateTime::from_timestamp_micros(253_370_764_799_999_999).unwrap();

/// The cursor of a certification: its expiry in microseconds since 1970, or `never`, and its id.
pub(super) fn of(one: &Certification) -> String {
    let expiry = one.expires_at.map_or("never".to_owned(), |at| at.timestamp_micros().to_string());
    format!("{expiry}_{}", one.id.simple())
}

/// Reads a cursor; `None` if it is none.
pub(super) fn parse(text: &str) -> Option<After> {
    let (expiry, id) = text.split_once('_')?;
    let expires_at = match expiry {
        "never" => None,
        // An expiry outside the schema's range sorts before or after all others.
        micros => {
            let at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
            Some(at.clamp(FIRST_INSTANT, LAST_INSTANT))
        }
    };
    Some(After { expires_at, id: id.parse().ok()? })
}
