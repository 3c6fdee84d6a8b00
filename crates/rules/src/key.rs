//! The key of a notice.

use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::stage::Stage;

/// Lower-case hex SHA-256 of `{certification_id}|{notification_type}|{YYYY-MM-DD}`, the date being
/// the stage's due date. `certvakt.notice_key` computes the same in SQL.
pub fn notice_key(certification_id: Uuid, stage: Stage, due_date: NaiveDate) -> String {
    use std::fmt::Write;
    // A date is written as YYYY-MM-DD. As long as the longest: 36 + 1 + 18 + 1 + 10.
    let mut text = String::with_capacity(66);
    let _ = write!(text, "{certification_id}|{stage}|{due_date}");
    hex_digest(text)
}

/// Lower-case hex SHA-256.
pub fn hex_digest(bytes: impl AsRef<[u8]>) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
