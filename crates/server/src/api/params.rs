//! The parameters that several resources have. Each is extracted and documented by its type.

use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

/// The path of an object.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(super) struct Id {
    /// The object's id.
    pub(super) id: Uuid,
}
