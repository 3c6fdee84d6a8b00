//! Notices: what people were told, and who could not be.

use axum::Json;
use axum::extract::State;
use certvakt_rules::Stage;
use chrono::{DateTime, Days, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::certifications::known_stage;
use super::list::{Page, limit};
use super::{Api, Caller};
use crate::http::extract::Query;
use crate::http::problem::{Problems, Refusal};
use crate::store::tenant::notices::{self, NoticeFilter, NoticeOf};

/// How far back notices are listed, if the request does not say.
const DAYS: Days = Days::new(30);
/// How far back they are listed at most: retention keeps a year.
const MOST_DAYS: Days = Days::new(400);
/// The states of a delivery.
const STATES: [&str; 5] = ["pending", "claimed", "delivered", "unreachable", "cancelled"];

/// The notices to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NoticesQuery {
    /// Only those recorded since; 30 days ago, if this is left out, and 400 days ago at most.
    since: Option<DateTime<Utc>>,
    /// Only those of a chapter.
    chapter: Option<Uuid>,
    /// Only those of a stage.
    #[param(value_type = Option<String>, example = "expiry_warning_30d",
        pattern = "^(expiry_warning_(90|30|7)d|expired)$")]
    stage: Option<String>,
    /// Only those whose delivery is in a state.
    #[param(example = "delivered", pattern = "^(pending|claimed|delivered|unreachable|cancelled)$")]
    state: Option<String>,
    /// How many on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<i64>,
}

/// List notices, the latest first
#[utoipa::path(get, path = "/api/v1/notices", tag = "notices", params(NoticesQuery), responses(
    (status = OK, body = Page<NoticeOf>),
    Problems))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(asked): Query<NoticesQuery>,
) -> Result<Json<Page<NoticeOf>>, Refusal> {
    let limit = limit(asked.limit)?;
    let stage = asked.stage.as_deref().map(known_stage).transpose()?;
    if asked.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        return Err(Refusal::Invalid(format!("state is one of {}", STATES.join(", "))));
    }
    let now = api.clock().now();
    let since = asked.since.unwrap_or(now - DAYS).clamp(now - MOST_DAYS, super::LAST_INSTANT);
    let stage = stage.map(Stage::as_str).map(str::to_owned);
    let which = NoticeFilter { chapter_id: asked.chapter, stage, state: asked.state };
    let mut tx = api.person(&caller).await?;
    let found = notices::recent(&mut tx, &which, since, asked.after, limit + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(found, limit, |notice| notice.id.to_string())))
}

/// Whose unreachable people to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UnreachableQuery {
    /// Only those of a chapter.
    chapter: Option<Uuid>,
    /// How many on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<i64>,
}

/// List people whom no channel reaches, a row a notice that waits for them: add a device or a mail address
#[utoipa::path(get, path = "/api/v1/unreachable", tag = "notices", params(UnreachableQuery), responses(
    (status = OK, body = Page<NoticeOf>),
    Problems))]
pub(super) async fn unreachable(
    State(api): State<Api>,
    caller: Caller,
    Query(asked): Query<UnreachableQuery>,
) -> Result<Json<Page<NoticeOf>>, Refusal> {
    let limit = limit(asked.limit)?;
    let mut tx = api.person(&caller).await?;
    let found = notices::unreachable(&mut tx, asked.chapter, asked.after, limit + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(found, limit, |notice| notice.id.to_string())))
}
