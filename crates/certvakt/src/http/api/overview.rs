//! The whole at a glance: chapters, types, runs, statistics, and what comes due.

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

/// How many nights a forecast is for, if the request does not say.
const NIGHTS: u32 = 30;
/// The most nights of a forecast: until then a year's expiries are warned of.
const MOST_NIGHTS: u32 = 366;

/// The chapters that the person coordinates, with all below them, or belongs to
#[utoipa::path(get, path = "/api/v1/chapters", tag = "overview", responses(
    (status = OK, body = [Chapter]),
    Problems))]
pub(super) async fn chapters(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Chapter>>, Refusal> {
    let mut tx = api.person(&caller).await?;
    let chapters = tenant::chapters(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(chapters))
}

/// The types of certification of the person's organisations
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

/// Which runs to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// How many on a page.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<i64>,
}

/// List runs, the latest first, of the organisations in which the person coordinates or administers
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

/// How the certifications stand that the person may see, a row a chapter
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

/// For how long a forecast is.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ForecastQuery {
    /// How many nights from tomorrow on.
    #[param(minimum = 1, maximum = 366)]
    nights: Option<u32>,
}

/// How many notices come due in the nights from tomorrow on, if nothing changes until then
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
        return Err(Refusal::Invalid(format!("nights is from 1 to {MOST_NIGHTS}")));
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
