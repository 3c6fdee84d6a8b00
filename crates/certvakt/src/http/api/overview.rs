//! Overviews: chapters, types, runs, statistics and the forecast.

use axum::Json;
use axum::extract::State;
use certvakt_rules::Stage;
use certvakt_rules::calendar::start_of_day;
use certvakt_rules::stage::shift;
use serde::Deserialize;
use utoipa::IntoParams;

use super::certifications::zone;
use super::list::{Page, limit};
use super::{Api, Caller};
use crate::http::extract::Query;
use crate::http::problem::{Problems, Refusal};
use crate::store::tenant::overview::{self, CertificationType, Coming, Days, DueBetween, Run, Statistics};
use crate::store::tenant::{self, Chapter};

/// The default number of nights of a forecast.
const NIGHTS: u32 = 30;
/// The maximum number of nights of a forecast.
const MOST_NIGHTS: u32 = 366;

/// List the chapters that the caller coordinates, with all below them, and those that the caller belongs to
#[utoipa::path(get, path = "/api/v1/chapters", tag = "overview", responses(
    (status = OK, body = [Chapter]),
    Problems))]
pub(super) async fn chapters(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Chapter>>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let chapters = tenant::chapters(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(chapters))
}

/// List the types of certification of the caller's organisations
#[utoipa::path(get, path = "/api/v1/certification-types", tag = "overview", responses(
    (status = OK, body = [CertificationType]),
    Problems))]
pub(super) async fn certification_types(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<CertificationType>>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let types = overview::certification_types(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(types))
}

/// The page of runs to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// The number of items on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// The `next` of the previous page.
    after: Option<i64>,
}

/// List the runs of the organisations in which the caller is a coordinator or an administrator, latest first
#[utoipa::path(get, path = "/api/v1/runs", tag = "overview", params(RunsQuery), responses(
    (status = OK, body = Page<Run>),
    Problems))]
pub(super) async fn runs(
    State(api): State<Api>,
    caller: Caller,
    Query(asked): Query<RunsQuery>,
) -> Result<Json<Page<Run>>, Refusal> {
    let limit = limit(asked.limit)?;
    let mut tx = api.person(&caller).await?;
    let found = overview::runs(&mut tx, asked.after, limit + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(found, limit, |run| run.id.to_string())))
}

/// Count the certifications that the caller may see, per chapter
#[utoipa::path(get, path = "/api/v1/statistics", tag = "overview", responses(
    (status = OK, body = [Statistics]),
    Problems))]
pub(super) async fn statistics(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<Statistics>>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let organisations = tenant::organisations(&mut tx).await?;
    let days: Vec<Days> = organisations
        .iter()
        .map(|one| {
            let zone = zone(&one.time_zone);
            let today = api.clock().today(zone);
            Days {
                organisation_id: one.id,
                today: start_of_day(today, zone),
                after: [7, 30, 90].map(|days| start_of_day(shift(today, days + 1), zone)),
            }
        })
        .collect();
    let statistics = overview::statistics(&mut tx, &days).await?;
    tx.commit().await?;
    Ok(Json(statistics))
}

/// The length of a forecast.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ForecastQuery {
    /// The number of nights, from tomorrow on.
    #[param(minimum = 1, maximum = 366)]
    nights: Option<u32>,
}

/// Count the notices that will be due in the coming nights, if no certification changes
#[utoipa::path(get, path = "/api/v1/forecast", tag = "overview", params(ForecastQuery), responses(
    (status = OK, body = [Coming]),
    Problems))]
pub(super) async fn forecast(
    State(api): State<Api>,
    caller: Caller,
    Query(asked): Query<ForecastQuery>,
) -> Result<Json<Vec<Coming>>, Refusal> {
    let nights = asked.nights.unwrap_or(NIGHTS);
    if !(1..=MOST_NIGHTS).contains(&nights) {
        return Err(Refusal::Invalid(format!("nights must be from 1 to {MOST_NIGHTS}")));
    }
    let mut tx = api.person(&caller).await?;
    let organisations = tenant::organisations(&mut tx).await?;
    let due: Vec<DueBetween> = organisations
        .iter()
        .flat_map(|one| {
            let zone = zone(&one.time_zone);
            let first = shift(api.clock().today(zone), 1);
            Stage::ALL.map(|stage| DueBetween {
                organisation_id: one.id,
                time_zone: one.time_zone.clone(),
                stage: stage.as_str(),
                days_before: stage.days_before(),
                since: start_of_day(shift(first, stage.days_before()), zone),
                before: start_of_day(shift(first, stage.days_before() + i64::from(nights)), zone),
            })
        })
        .collect();
    let coming = overview::coming(&mut tx, &due).await?;
    tx.commit().await?;
    Ok(Json(coming))
}
