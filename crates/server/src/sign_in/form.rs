//! The form data of the pages.

use serde::Deserialize;
use uuid::Uuid;

/// The form that ends a session.
#[derive(Deserialize)]
pub(super) struct Sent {
    pub(super) csrf: Option<String>,
    pub(super) token: Option<String>,
    pub(super) session: Option<Uuid>,
}
