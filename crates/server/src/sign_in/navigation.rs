//! The path that the sign-in pages link to.

/// The path of the sign-in page.
pub(super) const HOME: &str = "/sign-in";
