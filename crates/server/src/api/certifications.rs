//! Certifications: a paginated list, and one certification with its notices.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use certvakt_base::clock::Clock;
use certvakt_engine::expiry::filter;
use certvakt_engine::expiry::standing::Standing;
use certvakt_rules::Stage;
use certvakt_store::CallerTx;
use certvakt_store::DeliveryState;
use certvakt_store::caller::{self, Filter};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::list::{Page, limit};
use super::params::Id;
use super::response::response_of;
use super::state::{Api, Caller};
use crate::cursor;
use crate::extract::{Path, Query, check_text};
use crate::problem::{ApiError, Problems};

/// A certification.
#[derive(Serialize, ToSchema)]
pub(super) struct Certification {
    id: Uuid,
    organisation_id: Uuid,
    /// The chapter that certified.
    chapter: Named,
    /// The certified mentor.
    mentor: Mentor,
    /// The code of the certification's type.
    #[serde(rename = "type")]
    type_code: String,
    /// The name of the certification's type.
    type_name: Option<String>,
    /// The certification's id in the organisation's register.
    external_id: Option<String>,
    issued_at: Option<DateTime<Utc>>,
    /// The end of the validity; null if it does not expire.
    expires_at: Option<DateTime<Utc>>,
    /// The last day on which it is valid, in the organisation's time zone.
    last_valid_day: Option<NaiveDate>,
    /// Days from today to the last valid day; negative after it.
    days_left: Option<i64>,
    /// The current stage, if there is one.
    #[schema(value_type = Option<String>, example = "expiry_warning_30d")]
    stage: Option<Stage>,
    /// `active`, `expired` or `suspended`.
    #[schema(example = "active")]
    status: &'static str,
    /// Whether it was withdrawn, and so is suspended until somebody reinstates it.
    withdrawn: bool,
    /// The last day of a suspension that ends by itself.
    suspended_until: Option<NaiveDate>,
}

/// An object with its name, if the caller may see the name.
#[derive(Serialize, ToSchema)]
struct Named {
    id: Uuid,
    name: Option<String>,
}

/// The certified mentor.
#[derive(Serialize, ToSchema)]
struct Mentor {
    id: Uuid,
    name: Option<String>,
    /// Whether the mentor's data was erased.
    erased: bool,
}

response_of! {
    caller::Notice =>
    /// A notice, as people may see it.
    Notice {
        /// The stage.
        stage: String,
        /// The day on which it came due.
        due_date: NaiveDate,
        /// The time at which the run recorded it.
        recorded_at: DateTime<Utc>,
        /// The state of its delivery: `pending`, `claimed`, `delivered`, `unreachable` or `cancelled`.
        #[schema(value_type = String)]
        state: DeliveryState,
        /// The reason of the state, if there is one.
        reason: Option<String>,
        /// The time at which its delivery ended.
        finished_at: Option<DateTime<Utc>>,
    }
}

/// A certification, with its notices and its next stage.
#[derive(Serialize, ToSchema)]
pub(super) struct Detail {
    #[serde(flatten)]
    certification: Certification,
    /// Oldest first.
    notices: Vec<Notice>,
    /// The next stage, if the certification does not change before.
    next_stage: Option<NextStage>,
}

/// A future stage.
#[derive(Serialize, ToSchema)]
struct NextStage {
    #[schema(value_type = String, example = "expiry_warning_7d")]
    stage: Stage,
    /// The first day of the stage.
    due_date: NaiveDate,
}

/// The filters of the list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CertificationsQuery {
    /// Only certifications that are in this stage today.
    #[param(value_type = Option<String>, example = "expiry_warning_30d",
        pattern = "^(expiry_warning_[1-9][0-9]{0,3}d|expired)$")]
    stage: Option<String>,
    /// Only certifications of this chapter.
    chapter: Option<Uuid>,
    /// Only certifications of the type with this code.
    #[param(max_length = 200, pattern = "^[^\\x00]*$")]
    r#type: Option<String>,
    /// Only certifications whose mentor's name or register id contains this text.
    #[param(max_length = 200, pattern = "^[^\\x00]*$")]
    q: Option<String>,
    /// The number of items on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the previous page.
    #[param(pattern = "^(never|-?[0-9]{1,18})_[0-9a-f]{32}$")]
    after: Option<String>,
}

/// List certifications, the next to expire first
#[utoipa::path(get, path = "/api/v1/certifications", tag = "certifications", params(CertificationsQuery), responses(
    (status = OK, body = Page<Certification>),
    Problems))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller,
    Query(which): Query<CertificationsQuery>,
) -> Result<Json<Page<Certification>>, ApiError> {
    let limit = limit(which.limit)?;
    let after = which.after.as_deref().map(|text| {
        cursor::parse(text).ok_or_else(|| ApiError::Invalid("after must be the `next` of a page".to_owned()))
    });
    let after = after.transpose()?;
    check_text(which.q.as_ref())?;
    check_text(which.r#type.as_ref())?;
    let stage = which.stage.as_deref().map(known_stage).transpose()?;
    let mut tx = api.person(&caller).await?;
    let state = match stage {
        None => None,
        Some(stage) => {
            let organisations = caller::organisations(&mut tx).await?;
            Some(filter::in_stage(stage, &organisations, api.clock()))
        }
    };
    let filter =
        Filter { chapter_id: which.chapter, type_code: which.r#type, text: which.q, state, on: None };
    let found = caller::certifications(&mut tx, &filter, after, limit + 1).await?;
    tx.commit().await?;
    let now = api.clock().now();
    Ok(Json(Page::of(found, limit, cursor::of).map(|one| seen(one, now))))
}

/// Parses the name of a stage.
pub(super) fn known_stage(name: &str) -> Result<Stage, ApiError> {
    Stage::from_name(name).ok_or_else(|| {
        ApiError::Invalid(
            "stage must be expired or expiry_warning_<days>d, such as expiry_warning_30d".to_owned(),
        )
    })
}

/// Get a certification with its notices
#[utoipa::path(get, path = "/api/v1/certifications/{id}", tag = "certifications",
    params(Id), responses(
    (status = OK, body = Detail, headers(("etag" = String, description = "The version, for If-Match"))),
    Problems))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
) -> Result<([(HeaderName, String); 1], Json<Detail>), ApiError> {
    let mut tx = api.person(&caller).await?;
    let (etag, detail) = detail(&mut tx, id, api.clock()).await?;
    tx.commit().await?;
    Ok(([(header::ETAG, etag)], Json(detail)))
}

/// A certification with its notices and next stage, and its version.
pub(super) async fn detail(tx: &mut CallerTx, id: Uuid, clock: &Clock) -> Result<(String, Detail), ApiError> {
    let found = caller::certification(tx, id).await?.ok_or(ApiError::NotFound)?;
    let notices = caller::notices(tx, id).await?;
    let etag = version(found.updated_at);
    let next_stage = Standing::of(&found, clock.now()).next_stage;
    let next_stage = next_stage.map(|(stage, due_date)| NextStage { stage, due_date });
    let certification = seen(found, clock.now());
    let notices = notices.into_iter().map(Notice::from).collect();
    Ok((etag, Detail { certification, notices, next_stage }))
}

pub(super) fn seen(one: caller::Certification, now: DateTime<Utc>) -> Certification {
    let standing = Standing::of(&one, now);
    Certification {
        id: one.id,
        organisation_id: one.organisation_id,
        chapter: Named { id: one.chapter_id, name: one.chapter },
        mentor: Mentor { id: one.mentor_id, name: one.mentor, erased: one.is_mentor_erased },
        type_code: one.type_code,
        type_name: one.type_name,
        external_id: one.external_id,
        issued_at: one.issued_at,
        expires_at: one.expires_at,
        last_valid_day: standing.last_valid_day,
        days_left: standing.days_left,
        stage: standing.stage,
        status: one.status.as_str(),
        withdrawn: one.is_withdrawn,
        suspended_until: one.suspended_until,
    }
}

/// The version of a row: the time of its last change, in microseconds.
pub(super) fn version(changed: DateTime<Utc>) -> String {
    format!("\"{:x}\"", changed.timestamp_micros())
}
