//! The page instead of a form for what only the app changes, where an app owns the hierarchy.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use certvakt_store::CallerTx;
use certvakt_store::caller::mentor;
use uuid::Uuid;

use super::error::PageError;
use super::form::changeable;
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

/// Replaces a refusal of a form about a certification's mentor by a link to the app, if an app owns the hierarchy of the
/// organisation and this installation knows its address.
pub(super) async fn explained(
    refusal: PageError,
    tx: &mut CallerTx,
    certification: Uuid,
    api: &Api,
    layout: Layout,
) -> Result<Response, PageError> {
    let app_url = api.pages().app_url.clone();
    if app_url.is_empty() || !matches!(refusal, PageError::Refused(ApiError::NotYours)) {
        return Err(refusal);
    }
    // A caller who does not manage the certification gets that refusal, whether or not an app owns the hierarchy.
    changeable(tx, certification).await?;
    if !mentor::mentor(tx, certification).await?.is_some_and(|mentor| mentor.is_of_app) {
        return Err(refusal);
    }
    let heading = layout.text.say("of-app-title");
    Ok(page(StatusCode::FORBIDDEN, &OfAppPage { layout: Layout { heading, ..layout }, app_url }))
}
