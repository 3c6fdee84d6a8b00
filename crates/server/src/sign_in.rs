//! Sign-in with a browser, through an OpenID Connect provider or with an e-mailed link; and turning e-mails off without
//! one.

mod demo;
mod error;
mod form;
mod home;
mod invitation;
mod link;
mod link_limits;
mod methods;
mod navigation;
mod page;
mod provider;
mod provider_client;
mod setup;
mod state;
mod unsubscribe;
mod wanted;

use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::html::errors::render_errors;
use crate::problem::ApiError;
use navigation::HOME;

pub(super) use methods::Methods;
pub use state::{DemoPerson, SignIn, step_up_faults};

/// The router of the sign-in pages.
pub(super) fn router(sign_in: SignIn) -> Router {
    let database = sign_in.0.database.clone();
    Router::new()
        .route(HOME, get(home::show))
        .route("/sign-in/demo", post(demo::sign_in))
        .route("/sign-in/provider", get(provider::start))
        .route("/sign-in/callback/{id}", get(provider::finish))
        .route("/sign-in/link", get(link::show).post(link::ask))
        .route("/sign-in/link/open", post(link::open))
        .route("/sign-in/code", get(link::show_code).post(link::enter))
        .route("/sign-in/invitation", get(invitation::show).post(invitation::accept))
        .route("/setup", get(setup::show).post(setup::make))
        .route("/sign-out", post(home::sign_out))
        .route("/unsubscribe", get(unsubscribe::show).post(unsubscribe::make))
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(middleware::from_fn_with_state(database, render_errors))
        // For scripts, which read problem details.
        .route("/sign-in/session", get(home::csrf))
        .with_state(sign_in)
}
