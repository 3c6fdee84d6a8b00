//! The form data of the pages.

use serde::Deserialize;

/// The form that signs out, or accepts an invitation.
#[derive(Deserialize)]
pub(super) struct Sent {
    pub(super) csrf: Option<String>,
    pub(super) token: Option<String>,
}
