//! Random secrets that only the client keeps; certvakt stores their hashes.

use certvakt_rules::key::hex_digest;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Creates a secret of twice 122 random bits, as 64 hexadecimal digits.
pub fn fresh() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

/// Whether a text has the form of a secret.
pub fn is_one(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The SHA-256 of a secret, which is stored instead of the secret.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Derives a secret from another secret and a purpose. Neither can be computed from the result.
pub fn derived(secret: &str, purpose: &str) -> String {
    hex_digest(format!("{purpose}:{secret}"))
}

/// Whether two secrets are the same. It compares their hashes, so that the time reveals nothing about the
/// secrets.
pub fn are_same(one: &str, other: &str) -> bool {
    hash(one) == hash(other)
}
