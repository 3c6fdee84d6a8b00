//! The form that a person sent after their session had expired.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_store::caller;

use super::error::PageError;
use super::visitor::Visitor;
use crate::api::Api;
use crate::html::layout::{Layout, Section};
use crate::html::page;

#[derive(Template)]
#[template(path = "kept.html")]
struct KeptPage {
    layout: Layout,
    path: String,
    fields: Vec<(String, String)>,
}

/// Shows that the form was kept, to be sent again.
pub(super) async fn show(State(api): State<Api>, visitor: Visitor) -> Result<Response, PageError> {
    let (mut tx, layout) = visitor.begin(&api, Section::Today).await?;
    let kept = caller::kept_form(&mut tx).await?;
    tx.commit().await?;
    let Some(kept) = kept else { return Ok(Redirect::to("/").into_response()) };
    let fields = form_urlencoded::parse(kept.fields.as_bytes()).into_owned().collect();
    let layout = Layout { heading: layout.text.say("kept-title"), has_news: true, ..layout };
    Ok(page(StatusCode::OK, &KeptPage { layout, path: kept.path, fields }))
}
