//! Whether the process lives, and whether it can serve.

use axum::extract::State;
use axum::http::StatusCode;
use certvakt_store::{Database, migration};

use crate::database::RequestDatabase;

pub(crate) async fn alive() -> &'static str {
    "alive\n"
}

pub(crate) async fn ready(State(database): State<Database>) -> (StatusCode, String) {
    match migration::check(&database).await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(error) => unavailable(error.code()),
    }
}

/// The readiness check on the public address. It uses the few connections for callers who are not identified.
pub(crate) async fn ready_for_strangers(State(database): State<RequestDatabase>) -> (StatusCode, String) {
    match database.stranger().await {
        Ok(_turn) => ready(State(database.pool().clone())).await,
        Err(refusal) => unavailable(refusal.code()),
    }
}

pub(crate) fn unavailable(code: &str) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{code}\n"))
}
