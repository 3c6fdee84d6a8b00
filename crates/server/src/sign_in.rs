//! Sign-in with a browser, through an OpenID Connect provider or with an e-mailed link.

mod error;
mod form;
mod home;
mod invitation;
mod link;
mod link_limits;
mod navigation;
mod page;
mod provider;
mod provider_client;
mod state;

use axum::http::{HeaderName, header};
use axum::routing::{get, post};
use axum::{Router, middleware};

use navigation::{END_SESSION, HOME};

pub use state::{SignIn, step_up_fault};

/// The router of the sign-in pages.
pub(super) fn router(sign_in: SignIn) -> Router {
    Router::new()
        .route(HOME, get(home::show))
        .route("/sign-in/style.css", get(style))
        .route("/sign-in/provider", get(provider::start))
        .route("/sign-in/callback", get(provider::finish))
        .route("/sign-in/link", get(link::show).post(link::ask))
        .route("/sign-in/link/open", post(link::open))
        .route("/sign-in/invitation", get(invitation::show).post(invitation::accept))
        .route(END_SESSION, post(home::end_session))
        .route("/sign-out", post(home::sign_out))
        .layer(middleware::from_fn(page::render_errors))
        // For scripts, which read problem details.
        .route("/sign-in/session", get(home::csrf))
        .with_state(sign_in)
}

async fn style() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../templates/page.css"))
}
