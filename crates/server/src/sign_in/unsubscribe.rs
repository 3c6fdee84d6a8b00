//! Turning a digest off with the link in it. The token in the link is the authority, so neither a cookie nor a page of
//! ours is needed: mail programs send the request of RFC 8058.

use axum::extract::State;
use certvakt_store::auth;
use serde::Deserialize;
use uuid::Uuid;

use super::error::SignInError;
use super::page::{self, Page};
use super::state::SignIn;
use crate::extract::Query;
use crate::html::text::Text;
use crate::problem::ApiError;

/// The query with a person's token.
#[derive(Deserialize)]
pub(super) struct TokenQuery {
    token: Uuid,
}

/// Shows a button. Programs that scan e-mail follow links, but press no buttons.
pub(super) async fn show(text: Text, Query(TokenQuery { token }): Query<TokenQuery>) -> Page {
    let action = format!("/unsubscribe?token={token}");
    Page::new(text, "unsubscribe").form(page::Form::button(action, text.say("unsubscribe-button"), []))
}

/// Turns the digests of the token's person off. A repeat has the same result.
pub(super) async fn make(
    State(SignIn(shared)): State<SignIn>,
    text: Text,
    Query(TokenQuery { token }): Query<TokenQuery>,
) -> Result<Page, SignInError> {
    let mut tx = shared.database.auth().await?;
    let is_known = auth::unsubscribe(&mut tx, token).await?;
    tx.commit().await?;
    if !is_known {
        return Err(ApiError::NotFound.into());
    }
    Ok(Page::new(text, "unsubscribed").link("/me", text.say("menu-mine")))
}
