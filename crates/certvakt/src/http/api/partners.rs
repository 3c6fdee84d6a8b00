//! The state of the partners of the organisations that the caller administers.

use axum::Json;
use axum::extract::State;

use super::{Api, Caller};
use crate::http::problem::{Problems, Refusal};
use crate::store::tenant::partners::{self, Partner};

/// List the partners of the organisations that the caller administers, with their state
#[utoipa::path(get, path = "/api/v1/partners", tag = "partners", responses(
    (status = OK, body = [Partner]),
    Problems))]
pub(super) async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Partner>>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let partners = partners::administered(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(partners))
}
