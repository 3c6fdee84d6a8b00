//! Help, privacy and accessibility: the page that the footer of every page leads to, also without a sign-in.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::api::Api;
use crate::html::layout::Layout;
use crate::html::page;
use crate::html::text::Text;

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    layout: Layout,
    /// Whom to ask for help.
    help: String,
    /// The address of the organisation's privacy notice; empty if there is none.
    privacy_url: String,
}

/// Shows the page.
pub(super) async fn show(State(api): State<Api>, headers: HeaderMap) -> Response {
    let text = Text::of_browser(&headers);
    let help = Some(api.pages().help.clone()).filter(|help| !help.is_empty());
    let shown = AboutPage {
        layout: Layout::new(text, text.say("about-title")),
        help: help.unwrap_or_else(|| text.say("about-help")),
        privacy_url: api.pages().privacy_url.clone(),
    };
    page(StatusCode::OK, &shown)
}
