//! Help, privacy and accessibility: the page that the footer of every page leads to, also without a sign-in.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::error::PageError;
use super::visitor::Visitor;
use crate::api::Api;
use crate::html::layout::{Layout, Section};
use crate::html::page;
use crate::html::text::Text;

/// What people who manage certifications do, each with the page where it begins: the end of the text's key, and the path.
const TASKS: [(&str, &str); 8] = [
    ("today", "/today"),
    ("renew", "/certifications"),
    ("several", "/certifications"),
    ("undo", "/changes"),
    ("unreached", "/certifications?state=unreachable"),
    ("stops", "/certifications"),
    ("import", "/imports"),
    ("held", "/runs"),
];

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage {
    layout: Layout,
    /// Whom to ask for help.
    help: String,
    /// What the person may do, how, and the page where it begins.
    tasks: Vec<(String, String, &'static str)>,
    /// The address of the organisation's privacy notice; empty if there is none.
    privacy_url: String,
}

/// Shows the page, with the menu of the person who is signed in.
pub(super) async fn show(
    State(api): State<Api>,
    headers: HeaderMap,
    visitor: Result<Visitor, PageError>,
) -> Response {
    let layout = match &visitor {
        Ok(visitor) => signed_in(visitor, &api).await.ok(),
        Err(_) => None,
    };
    // Help must not depend on a session, so every error leads to the page without a menu.
    let layout = layout.unwrap_or_else(|| Layout::new(Text::of_browser(&headers), String::new()));
    let text = layout.text;
    let help = Some(api.pages().help.clone()).filter(|help| !help.is_empty());
    let tasks = TASKS.iter().filter(|_| layout.manages());
    let tasks = tasks.map(|(task, path)| {
        (text.say(&format!("help-{task}")), text.say(&format!("help-{task}-how")), *path)
    });
    let shown = AboutPage {
        tasks: tasks.collect(),
        layout: Layout { heading: text.say("about-title"), ..layout },
        help: help.unwrap_or_else(|| text.say("about-help")),
        privacy_url: api.pages().privacy_url.clone(),
    };
    page(StatusCode::OK, &shown)
}

async fn signed_in(visitor: &Visitor, api: &Api) -> Result<Layout, PageError> {
    let (tx, layout) = visitor.begin(api, Section::About).await?;
    tx.commit().await?;
    Ok(layout)
}
