//! Notices, and people whom no channel reaches.

use axum::Json;
use axum::extract::State;
use certvakt_rules::Stage;
use certvakt_store::DeliveryState;
use certvakt_store::caller::notices::{self, NoticeFilter};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::certifications::known_stage;
use super::list::{Page, limit};
use super::response::response_of;
use super::state::{Api, Caller};
use crate::cursor;
use crate::extract::Query;
use crate::problem::{ApiError, Problems};

/// The default age of the oldest listed notices.
const DAYS: Days = Days::new(30);
/// The maximum age of listed notices. `cleanup` keeps a year by default.
const MOST_DAYS: Days = Days::new(400);

response_of! {
    notices::NoticeOf =>
    /// A notice of a certification.
    NoticeOf {
        /// Its id.
        id: i64,
        /// The organisation that certified.
        organisation_id: Uuid,
        /// The chapter that certified.
        chapter_id: Uuid,
        /// The certification.
        certification_id: Uuid,
        /// The certification's mentor.
        mentor_id: Uuid,
        /// The mentor's name, if there is one.
        mentor: Option<String>,
        /// The stage.
        #[schema(example = "expiry_warning_30d")]
        stage: String,
        /// The day on which it came due.
        due_date: NaiveDate,
        /// The time at which the run recorded it.
        recorded_at: DateTime<Utc>,
        /// The state of its delivery: `pending`, `claimed`, `delivered`, `unreachable` or `cancelled`.
        #[schema(value_type = String, example = "delivered")]
        state: DeliveryState,
        /// The reason of the state, if there is one.
        reason: Option<String>,
        /// The time at which its delivery ended.
        finished_at: Option<DateTime<Utc>>,
    }
}

/// The filters of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct NoticesQuery {
    /// Only notices recorded since this time; defaults to 30 days ago, and at most 400 days ago.
    since: Option<DateTime<Utc>>,
    /// Only notices of this chapter.
    chapter: Option<Uuid>,
    /// Only notices of this stage.
    #[param(value_type = Option<String>, example = "expiry_warning_30d",
        pattern = "^(expiry_warning_[1-9][0-9]{0,3}d|expired)$")]
    stage: Option<String>,
    /// Only notices whose delivery is in this state.
    #[param(example = "delivered", pattern = "^(pending|claimed|delivered|unreachable|cancelled)$")]
    state: Option<String>,
    /// The number of items on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the previous page.
    after: Option<i64>,
}

/// List notices, latest first
#[utoipa::path(get, path = "/api/v1/notices", tag = "notices", params(NoticesQuery), responses(
    (status = OK, body = Page<NoticeOf>),
    Problems))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(asked): Query<NoticesQuery>,
) -> Result<Json<Page<NoticeOf>>, ApiError> {
    let limit = limit(asked.limit)?;
    let stage = asked.stage.as_deref().map(known_stage).transpose()?;
    let state = asked.state.as_deref().map(str::parse::<DeliveryState>).transpose();
    let state = state.map_err(|_| {
        ApiError::Invalid(format!("state must be one of {}", DeliveryState::NAMES.join(", ")))
    })?;
    let now = api.clock().now();
    let since = asked.since.unwrap_or(now - DAYS).clamp(now - MOST_DAYS, cursor::LAST_INSTANT);
    let stage = stage.as_ref().map(Stage::to_string);
    let which = NoticeFilter { chapter_id: asked.chapter, stage, state };
    let mut tx = api.person(&caller).await?;
    let found = notices::recent(&mut tx, &which, since, asked.after, limit + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(found, limit, |notice| notice.id.to_string()).map(NoticeOf::from)))
}

/// The filters of the list of unreachable people.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UnreachableQuery {
    /// Only notices of this chapter.
    chapter: Option<Uuid>,
    /// The number of items on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the previous page.
    after: Option<i64>,
}

/// List the notices that no channel can deliver; add a device or an e-mail address to reach these people
#[utoipa::path(get, path = "/api/v1/unreachable", tag = "notices", params(UnreachableQuery), responses(
    (status = OK, body = Page<NoticeOf>),
    Problems))]
pub(super) async fn unreachable(
    State(api): State<Api>,
    caller: Caller,
    Query(asked): Query<UnreachableQuery>,
) -> Result<Json<Page<NoticeOf>>, ApiError> {
    let limit = limit(asked.limit)?;
    let mut tx = api.person(&caller).await?;
    let found = notices::unreachable(&mut tx, asked.chapter, asked.after, limit + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(found, limit, |notice| notice.id.to_string()).map(NoticeOf::from)))
}
