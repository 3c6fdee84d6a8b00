//! Secrets that a person carries and we do not: made at random, kept as a hash.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A secret that nobody guesses: two times 122 random bits of the system, as 64 hexadecimal digits.
pub fn fresh() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Whether a text has the form of a secret.
pub fn is_one(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What is kept of a secret: its SHA-256.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Another secret, which follows from one and a purpose, and from which neither can be had back.
pub fn derived(secret: &str, purpose: &str) -> String {
    hash(&format!("{purpose}:{secret}"))
        .iter()
        .fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// Whether two secrets are the same. Their hashes are compared, so that the time it takes tells nothing of
/// them.
pub fn are_same(one: &str, other: &str) -> bool {
    hash(one) == hash(other)
}
