//! An import by its number: one that a command made, or another coordinator.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use certvakt_store::caller::uploads;
use tokio::time::Instant;

use super::error::PageError;
use super::form::Nothing;
use super::import::{self, LOOK_EVERY, WAIT};
use super::register::{Outcome, maker, path_of_number};
use super::visitor::{Sent, Visitor};
use crate::api::Api;
use crate::extract::Path;
use crate::html::layout::Section;
use crate::html::page;
use crate::problem::ApiError;

/// Shows an import. It waits some seconds for an undo.
pub(super) async fn show(
    State(api): State<Api>,
    visitor: Visitor,
    Path(number): Path<i64>,
) -> Result<Response, PageError> {
    let until = Instant::now() + WAIT;
    let (mut tx, layout) = visitor.begin(&api, Section::Imports).await?;
    let mut found = uploads::import(&mut tx, number).await?.ok_or(ApiError::NotFound)?;
    while found.is_waiting && Instant::now() < until {
        tx.commit().await?;
        tokio::time::sleep(LOOK_EVERY).await;
        tx = visitor.again(&api).await?;
        found = uploads::import(&mut tx, number).await?.ok_or(ApiError::NotFound)?;
    }
    tx.commit().await?;
    let state = if found.is_undone { "undone" } else { "imported" };
    let outcome = Outcome::of(Some(&found.result));
    let maker = maker(found.sender.as_deref(), found.operator.as_deref(), layout.text);
    let mut shown = import::result(state, &outcome, found.is_waiting, path_of_number(number), layout);
    shown.facts.insert(0, maker);
    shown.is_undoable = found.is_undoable && !found.is_waiting;
    Ok(page(StatusCode::OK, &shown))
}

/// Undoes an import.
pub(super) async fn undo(
    State(api): State<Api>,
    Path(number): Path<i64>,
    Sent { visitor, form: Nothing {} }: Sent<Nothing>,
) -> Result<Response, PageError> {
    let (mut tx, _) = visitor.begin(&api, Section::Imports).await?;
    uploads::import(&mut tx, number).await?.ok_or(ApiError::NotFound)?;
    // A form that was sent twice undoes nothing more.
    if uploads::request_undo_of(&mut tx, number).await? {
        tx.commit().await?;
    }
    Ok(Redirect::to(&path_of_number(number)).into_response())
}

/// A form that was interrupted by a sign-in leads back to the import.
pub(super) async fn lead_back(Path(number): Path<i64>) -> Redirect {
    Redirect::to(&path_of_number(number))
}
