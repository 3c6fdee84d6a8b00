//! The page instead of a form for what only the app changes, where an app owns the hierarchy.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::error::PageError;
use crate::api::Api;
use crate::html::layout::Layout;
use crate::html::page;
use crate::problem::ApiError;

#[derive(Template)]
#[template(path = "of_app.html")]
struct OfAppPage {
    layout: Layout,
    app_url: String,
}

/// Replaces a refusal of a form by a link to the app, if this installation has one.
pub(super) fn explained(refusal: PageError, api: &Api, layout: Layout) -> Result<Response, PageError> {
    let app_url = api.pages().app_url.clone();
    match refusal {
        PageError::Refused(ApiError::NotYours) if !app_url.is_empty() => {
            let heading = layout.text.say("of-app-title");
            Ok(page(StatusCode::FORBIDDEN, &OfAppPage { layout: Layout { heading, ..layout }, app_url }))
        }
        refusal => Err(refusal),
    }
}
