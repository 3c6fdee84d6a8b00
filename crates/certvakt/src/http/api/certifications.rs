//! Certifications: a list by pages, and one of them with its notices.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use certvakt_rules::calendar::start_of_day;
use certvakt_rules::stage::{shift, windows};
use certvakt_rules::{Stage, last_valid_day, today};
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::list::{Page, check_text, limit};
use super::{Api, Caller};
use crate::clock::Clock;
use crate::http::extract::{Path, Query};
use crate::http::problem::{Problems, Refusal};
use crate::store::TenantTx;
use crate::store::tenant::{self, After, Filter, InStage};

/// A certification.
#[derive(Serialize, ToSchema)]
pub(super) struct Certification {
    id: Uuid,
    organisation_id: Uuid,
    /// The chapter that certified.
    chapter: Named,
    /// Who is certified.
    mentor: Mentor,
    /// The code of its type.
    #[serde(rename = "type")]
    type_code: String,
    /// The name of its type.
    type_name: Option<String>,
    /// Its id in the organisation's register.
    external_id: Option<String>,
    issued_at: Option<DateTime<Utc>>,
    /// Null: it does not expire.
    expires_at: Option<DateTime<Utc>>,
    /// The last day on which it is valid, in the organisation's time zone.
    last_valid_day: Option<NaiveDate>,
    /// Days from today to the last valid day; negative after it.
    days_left: Option<i64>,
    /// The stage that it is in today, if it is in one.
    #[schema(value_type = Option<String>, example = "expiry_warning_30d")]
    stage: Option<Stage>,
    /// `active`, `expired` or `suspended`.
    #[schema(example = "active")]
    status: String,
}

/// Somebody or something, with its name if the person may know it.
#[derive(Serialize, ToSchema)]
struct Named {
    id: Uuid,
    name: Option<String>,
}

/// Who is certified.
#[derive(Serialize, ToSchema)]
struct Mentor {
    id: Uuid,
    name: Option<String>,
    /// Whether what was known of them was erased.
    erased: bool,
}

/// A certification, with what was told of it and what comes next.
#[derive(Serialize, ToSchema)]
pub(super) struct Detail {
    #[serde(flatten)]
    certification: Certification,
    /// Oldest first.
    notices: Vec<tenant::Notice>,
    /// The next stage, if nothing changes before.
    next_stage: Option<NextStage>,
}

/// A stage to come.
#[derive(Serialize, ToSchema)]
struct NextStage {
    #[schema(value_type = String, example = "expiry_warning_7d")]
    stage: Stage,
    /// The day on which it begins.
    due_date: NaiveDate,
}

/// The certifications to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CertificationsQuery {
    /// Only those in a stage today.
    #[param(value_type = Option<String>, example = "expiry_warning_30d",
        pattern = "^(expiry_warning_(90|30|7)d|expired)$")]
    stage: Option<String>,
    /// Only those of a chapter.
    chapter: Option<Uuid>,
    /// Only those of a type.
    #[param(max_length = 200, pattern = "^[^\\x00]*$")]
    r#type: Option<String>,
    /// Only those whose mentor's name, or whose id in the register, contains this.
    #[param(max_length = 200, pattern = "^[^\\x00]*$")]
    q: Option<String>,
    /// How many on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
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
) -> Result<Json<Page<Certification>>, Refusal> {
    let limit = limit(which.limit)?;
    let after = which.after.as_deref().map(|text| {
        parse_place(text).ok_or_else(|| Refusal::Invalid("after is not the `next` of a page".to_owned()))
    });
    let after = after.transpose()?;
    check_text(which.q.as_ref())?;
    check_text(which.r#type.as_ref())?;
    let stage = which.stage.as_deref().map(known_stage).transpose()?;
    let mut tx = api.person(&caller).await?;
    let in_stage = match stage {
        None => None,
        Some(stage) => Some(in_stage(&mut tx, stage, api.clock()).await?),
    };
    let filter = Filter { chapter_id: which.chapter, type_code: which.r#type, text: which.q, in_stage };
    let found = tenant::certifications(&mut tx, &filter, after, limit + 1).await?;
    tx.commit().await?;
    let now = api.clock().now();
    Ok(Json(Page::of(found, limit, place).map(|one| seen(one, now))))
}

/// The stage of that name.
pub(super) fn known_stage(name: &str) -> Result<Stage, Refusal> {
    Stage::from_name(name).ok_or_else(|| {
        let known = Stage::ALL.map(Stage::as_str).join(", ");
        Refusal::Invalid(format!("stage is one of {known}"))
    })
}

/// The expiries that are in a stage today, in each of the person's organisations.
async fn in_stage(tx: &mut TenantTx, stage: Stage, clock: &Clock) -> Result<Vec<InStage>, Refusal> {
    let organisations = tenant::organisations(tx).await?;
    let ranges = organisations.into_iter().flat_map(|one| {
        let zone = zone(&one.time_zone);
        windows(clock.today(zone), None, grace(one.expired_grace_days))
            .into_iter()
            .filter(move |window| window.stage == stage)
            .map(move |window| InStage {
                organisation_id: one.id,
                since: start_of_day(window.first, zone),
                before: start_of_day(shift(window.last, 1), zone),
            })
    });
    Ok(ranges.collect())
}

/// One certification, with its notices
#[utoipa::path(get, path = "/api/v1/certifications/{id}", tag = "certifications",
    params(("id" = Uuid, Path)), responses(
    (status = OK, body = Detail, headers(("etag" = String, description = "Its version, for If-Match"))),
    Problems))]
pub(super) async fn show(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<([(HeaderName, String); 1], Json<Detail>), Refusal> {
    let mut tx = api.person(&caller).await?;
    let (etag, detail) = detail(&mut tx, id, api.clock()).await?;
    tx.commit().await?;
    Ok(([(header::ETAG, etag)], Json(detail)))
}

/// A certification as it is shown alone, and its version.
pub(super) async fn detail(tx: &mut TenantTx, id: Uuid, clock: &Clock) -> Result<(String, Detail), Refusal> {
    let found = tenant::certification(tx, id).await?.ok_or(Refusal::NotFound)?;
    let notices = tenant::notices(tx, id).await?;
    let etag = version(found.updated_at);
    let certification = seen(found, clock.now());
    let next_stage = match (certification.last_valid_day, certification.days_left) {
        (Some(last), Some(left)) if certification.status != "suspended" => Stage::ALL
            .into_iter()
            .find(|stage| stage.due_date(last) > shift(last, -left))
            .map(|stage| NextStage { stage, due_date: stage.due_date(last) }),
        _ => None,
    };
    Ok((etag, Detail { certification, notices, next_stage }))
}

pub(super) fn seen(one: tenant::Certification, now: DateTime<Utc>) -> Certification {
    let zone = zone(&one.time_zone);
    let today = today(now, zone);
    let last = one.expires_at.map(|at| last_valid_day(at, zone));
    let stage = last.filter(|_| one.status != "suspended");
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
        last_valid_day: last,
        days_left: last.map(|last| (last - today).num_days()),
        stage: stage.and_then(|last| Stage::current(last, today, grace(one.expired_grace_days))),
        status: one.status,
    }
}

/// The zone of that name. The schema takes no other, so one that our own list lacks is a matter of its age.
pub(super) fn zone(name: &str) -> Tz {
    name.parse().unwrap_or_else(|_| {
        tracing::error!("the time zone {name} is not in this version's list: its dates are taken as UTC");
        Tz::UTC
    })
}

fn grace(days: i16) -> u16 {
    days.unsigned_abs()
}

/// The version of a row: when it was last changed, in microseconds.
pub(super) fn version(changed: DateTime<Utc>) -> String {
    format!("\"{:x}\"", changed.timestamp_micros())
}

/// Where a certification stands in the list: its expiry in microseconds since 1970, or `never`, and its id.
fn place(one: &tenant::Certification) -> String {
    let expiry = one.expires_at.map_or("never".to_owned(), |at| at.timestamp_micros().to_string());
    format!("{expiry}_{}", one.id.simple())
}

fn parse_place(text: &str) -> Option<After> {
    let (expiry, id) = text.split_once('_')?;
    let expires_at = match expiry {
        "never" => None,
        // One that no expiry has is before or after them all.
        micros => {
            let at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
            Some(at.clamp(super::FIRST_INSTANT, super::LAST_INSTANT))
        }
    };
    Some(After { expires_at, id: id.parse().ok()? })
}
