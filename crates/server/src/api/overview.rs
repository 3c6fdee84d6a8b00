//! Overviews: chapters, types, runs, statistics and the forecast.

use axum::Json;
use axum::extract::State;
use certvakt_rules::Stage;
use certvakt_rules::calendar::start_of_day;
use certvakt_rules::stage::shift;
use certvakt_store::caller;
use certvakt_store::caller::overview::{self, Days, DueBetween};
use certvakt_store::run::ByStage;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::list::{Page, limit};
use super::response::response_of;
use super::state::{Api, Caller};
use crate::extract::Query;
use crate::problem::{ApiError, Problems};

/// The default number of nights of a forecast.
const NIGHTS: u32 = 30;
/// The maximum number of nights of a forecast.
const MOST_NIGHTS: u32 = 366;

response_of! {
    caller::Chapter =>
    /// A chapter.
    Chapter {
        /// Its id.
        id: Uuid,
        /// Its organisation.
        organisation_id: Uuid,
        /// The parent chapter, which the caller may not be able to see; null at the top.
        parent_id: Option<Uuid>,
        /// Its name.
        name: String,
    }
}

response_of! {
    overview::Run =>
    /// A run.
    Run {
        /// Its id.
        id: i64,
        /// The organisation.
        organisation_id: Uuid,
        /// The date of the run.
        run_date: NaiveDate,
        /// `complete`, `held`, `missed` or `failed`.
        #[schema(example = "complete")]
        state: String,
        /// The numbers of notices recorded, by stage; for a held run, those that it would record. Each
        /// installation declares its own stages.
        #[schema(value_type = BTreeMap<String, i64>, example = json!({ "expiry_warning_30d": 12, "expired": 3 }))]
        notices: ByStage,
        /// For a missed night: the date of the run that caught up on it.
        covered_by: Option<NaiveDate>,
        /// For a failed run: the code of the error.
        reason: Option<String>,
        /// The time at which the run ended.
        finished_at: DateTime<Utc>,
    }
}

response_of! {
    overview::CertificationType =>
    /// A type of certification.
    CertificationType {
        /// The organisation.
        organisation_id: Uuid,
        /// The type's code.
        code: String,
        /// The type's name.
        name: String,
        /// The validity in months; null if each renewal must give a date.
        validity_months: Option<i16>,
        /// The lead times in days that the type selected; null for those of its organisation.
        #[schema(example = json!([180, 90, 30]))]
        lead_times: Option<Vec<i32>>,
    }
}

response_of! {
    overview::Statistics =>
    /// The numbers of certifications in a chapter.
    Statistics {
        /// The organisation.
        organisation_id: Uuid,
        /// The chapter.
        chapter_id: Uuid,
        /// All certifications.
        certifications: i64,
        /// Certifications whose last valid day has not passed and that are not suspended.
        valid: i64,
        /// Valid certifications that do not expire.
        never_expire: i64,
        /// Valid certifications whose last valid day is within 90 days.
        within_90_days: i64,
        /// Valid certifications whose last valid day is within 30 days.
        within_30_days: i64,
        /// Valid certifications whose last valid day is within 7 days.
        within_7_days: i64,
        /// Certifications whose last valid day has passed and that are not suspended.
        lapsed: i64,
        /// Suspended certifications.
        suspended: i64,
    }
}

response_of! {
    overview::Coming =>
    /// The number of notices that a future run will record.
    Coming {
        /// The organisation.
        organisation_id: Uuid,
        /// The date of the run.
        night: NaiveDate,
        /// The stage.
        #[schema(example = "expiry_warning_90d")]
        stage: String,
        /// The number of notices.
        notices: i64,
    }
}

/// List the chapters that the caller coordinates, with all below them, and those that the caller belongs to
#[utoipa::path(get, path = "/api/v1/chapters", tag = "overview", responses(
    (status = OK, body = [Chapter]),
    Problems))]
pub(super) async fn chapters(State(api): State<Api>, caller: Caller) -> Result<Json<Vec<Chapter>>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let chapters = caller::chapters(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(chapters.into_iter().map(Chapter::from).collect()))
}

/// List the types of certification of the caller's organisations
#[utoipa::path(get, path = "/api/v1/certification-types", tag = "overview", responses(
    (status = OK, body = [CertificationType]),
    Problems))]
pub(super) async fn certification_types(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<CertificationType>>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let types = overview::certification_types(&mut tx).await?;
    tx.commit().await?;
    Ok(Json(types.into_iter().map(CertificationType::from).collect()))
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
) -> Result<Json<Page<Run>>, ApiError> {
    let limit = limit(asked.limit)?;
    let mut tx = api.person(&caller).await?;
    let found = overview::runs(&mut tx, asked.after, limit + 1).await?;
    tx.commit().await?;
    Ok(Json(Page::of(found, limit, |run| run.id.to_string()).map(Run::from)))
}

/// Count the certifications that the caller may see, per chapter
#[utoipa::path(get, path = "/api/v1/statistics", tag = "overview", responses(
    (status = OK, body = [Statistics]),
    Problems))]
pub(super) async fn statistics(
    State(api): State<Api>,
    caller: Caller,
) -> Result<Json<Vec<Statistics>>, ApiError> {
    let mut tx = api.person(&caller).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let days: Vec<Days> = organisations
        .iter()
        .map(|one| {
            let zone = one.zone.0;
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
    Ok(Json(statistics.into_iter().map(Statistics::from).collect()))
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
) -> Result<Json<Vec<Coming>>, ApiError> {
    let nights = asked.nights.unwrap_or(NIGHTS);
    if !(1..=MOST_NIGHTS).contains(&nights) {
        return Err(ApiError::Invalid(format!("nights must be from 1 to {MOST_NIGHTS}")));
    }
    let mut tx = api.person(&caller).await?;
    let organisations = caller::organisations(&mut tx).await?;
    let due: Vec<DueBetween> = organisations
        .iter()
        .flat_map(|one| {
            let zone = one.zone.0;
            let first = shift(api.clock().today(zone), 1);
            let due_between = |stage: Stage, types: &str, selection: i32| DueBetween {
                organisation_id: one.id,
                types: types.to_owned(),
                selection,
                time_zone: zone.name(),
                stage,
                since: start_of_day(shift(first, stage.days_before()), zone),
                before: start_of_day(shift(first, stage.days_before() + i64::from(nights)), zone),
            };
            let groups = (0..).zip(one.selection.groups());
            groups
                .flat_map(|(number, group)| {
                    let types = group.types.join(",");
                    group.stages.iter().map(|stage| due_between(stage, &types, number)).collect::<Vec<_>>()
                })
                .collect::<Vec<_>>()
        })
        .collect();
    let coming = overview::coming(&mut tx, &due).await?;
    tx.commit().await?;
    Ok(Json(coming.into_iter().map(Coming::from).collect()))
}
