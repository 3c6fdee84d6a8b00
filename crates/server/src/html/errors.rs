//! Refusals as pages, in the browser's language.

use askama::Template;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;

use super::layout::Layout;
use super::page;
use super::text::Text;
use crate::problem::Code;

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    layout: Layout,
    what: String,
}

/// Renders a refusal by its code, see `docs/errors.md`.
pub(crate) async fn render_errors(request: Request, next: Next) -> Response {
    let text = Text::of_browser(request.headers());
    let refused = next.run(request).await;
    let Some(Code(code)) = refused.extensions().get().copied() else { return refused };
    let what =
        Some(text.say(code)).filter(|what| !what.is_empty()).unwrap_or_else(|| text.say("trouble-ours"));
    let title = Some(text.say(&format!("{code}-title"))).filter(|title| !title.is_empty());
    let layout = Layout::new(text, title.unwrap_or_else(|| text.say("trouble-title")));
    let mut response = page(refused.status(), &ErrorPage { layout, what });
    if let Some(later) = refused.headers().get(header::RETRY_AFTER) {
        response.headers_mut().insert(header::RETRY_AFTER, later.clone());
    }
    response
}
