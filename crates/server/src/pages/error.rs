//! Why a page cannot be shown.

use axum::response::{IntoResponse, Redirect, Response};

use crate::problem::ApiError;
use crate::return_to::with_return;

/// The reason why a page cannot be shown.
#[derive(Debug)]
pub(super) enum PageError {
    /// Nobody is signed in; the browser returns to this path afterwards.
    NotSignedIn(String),
    /// The same, after a form was sent. It is kept, or lost, which the person must know.
    FormNotSaved { path: String, is_kept: bool },
    /// The login is linked to no person yet. After an invitation, the browser goes on to this path.
    NotAdmitted(String),
    /// An administrator must sign in again, and returns to this path.
    StepUp(String),
    /// A refusal that the API uses as well. It is rendered as a page.
    Refused(ApiError),
}

impl<E: Into<ApiError>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            // The sign-in page says what to do if the login is linked to no person.
            Self::NotSignedIn(path) | Self::NotAdmitted(path) => {
                Redirect::to(&with_return("/sign-in", &path)).into_response()
            }
            Self::FormNotSaved { path, is_kept } => {
                let form = if is_kept { "kept" } else { "lost" };
                Redirect::to(&format!("{}&form={form}", with_return("/sign-in", &path))).into_response()
            }
            Self::Refused(ApiError::UnknownLogin) => Redirect::to("/sign-in").into_response(),
            Self::StepUp(path) => {
                let path = with_return("/sign-in", &path) + "&step_up=true";
                Redirect::to(&path).into_response()
            }
            Self::Refused(refusal) => refusal.into_response(),
        }
    }
}
