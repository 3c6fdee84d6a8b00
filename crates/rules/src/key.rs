//! The key of a notice.

use chrono::NaiveDate;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::stage::Stage;

/// The SHA-256, in lower-case hexadecimal, of `{certification_id}|{notification_type}|{YYYY-MM-DD}`, where
/// the date is the stage's due date. `certvakt.notice_key` computes the same key in SQL.
pub fn notice_key(certification_id: Uuid, stage: Stage, due_date: NaiveDate) -> String {
    use std::fmt::Write;
    // The maximum length: 36 + 1 + 20 + 1 + 10. The date has the format YYYY-MM-DD.
    let mut text = String::with_capacity(68);
    let _ = write!(text, "{certification_id}|{stage}|{due_date}");
    hex_digest(text)
}

/// The SHA-256 in lower-case hexadecimal.
pub fn hex_digest(bytes: impl AsRef<[u8]>) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
