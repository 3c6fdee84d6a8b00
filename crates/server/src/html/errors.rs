//! Refusals as pages: in the language of the person who is signed in, with their name and menu, or else of the browser.

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use certvakt_store::caller;

use super::layout::Layout;
use super::page;
use super::text::Text;
use crate::database::RequestDatabase;
use crate::problem::{ApiError, Code};
use crate::session::Session;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    what: String,
}

/// Renders a refusal by its code, see `docs/errors.md`.
pub(crate) async fn render_errors(
    State(database): State<RequestDatabase>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers().clone();
    let refused = next.run(request).await;
    let Some(Code(code)) = refused.extensions().get().copied() else { return refused };
    let layout = layout(&headers, &database, refused.status()).await;
    let text = layout.text;
    let what =
        Some(text.say(code)).filter(|what| !what.is_empty()).unwrap_or_else(|| text.say("trouble-ours"));
    let title = Some(text.say(&format!("{code}-title"))).filter(|title| !title.is_empty());
    let heading = title.unwrap_or_else(|| text.say("trouble-title"));
    let mut response = page(refused.status(), &ErrorPage { layout: Layout { heading, ..layout }, what });
    if let Some(later) = refused.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, later.clone());
    }
    response
}

/// The page without a heading. A refusal for too many requests, and a fault, do without the person, because the lookup
/// would add requests to the database.
async fn layout(headers: &HeaderMap, database: &RequestDatabase, status: StatusCode) -> Layout {
    let browser = Text::of_browser(headers);
    let looks_up = status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS;
    let found = if looks_up { signed_in(headers, database, browser).await } else { Ok(None) };
    found.ok().flatten().unwrap_or_else(|| Layout::new(browser, String::new()))
}

async fn signed_in(
    headers: &HeaderMap,
    database: &RequestDatabase,
    browser: Text,
) -> Result<Option<Layout>, ApiError> {
    let Some(session) = Session::of(headers, database).await? else { return Ok(None) };
    let mut tx = database.caller(&session.login).await?;
    let person = caller::profile(&mut tx).await?;
    tx.commit().await?;
    Ok(person.map(|person| Layout::of(&person, session.csrf(), browser, None)))
}
