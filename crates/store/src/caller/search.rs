//! Patterns for searches.

/// A LIKE pattern for texts that contain this one, with its special characters escaped. The database folds the pattern
/// and the texts in the same way.
pub(super) fn containing(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
