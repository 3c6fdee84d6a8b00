//! What whoever is asking may know of the whole: runs, types, statistics, and what comes.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use certvakt_rules::stage::TOLD_AGAIN_AFTER_DAYS;

use crate::store::{StoreError, TenantTx};

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Run {
    /// Its id.
    pub id: i64,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The date that it was for.
    pub run_date: NaiveDate,
    /// `complete`, `held`, `missed` or `failed`.
    #[schema(example = "complete")]
    pub state: String,
    /// Notices recorded; of a held run, that would have been.
    pub expiry_warning_90d: i64,
    /// As above.
    pub expiry_warning_30d: i64,
    /// As above.
    pub expiry_warning_7d: i64,
    /// As above.
    pub expired: i64,
    /// Of a missed night: the date of the run that caught up.
    pub covered_by: Option<NaiveDate>,
    /// Of a failed run: the code of the error.
    pub reason: Option<String>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
}

/// A type of certification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CertificationType {
    /// The organisation.
    pub organisation_id: Uuid,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// How long a certification of it is valid, in months; null: each has its own date.
    pub validity_months: Option<i16>,
}

/// How the certifications of a chapter stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Statistics {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter.
    pub chapter_id: Uuid,
    /// All that are there.
    pub certifications: i64,
    /// Those whose last valid day has not passed, and that are not suspended.
    pub valid: i64,
    /// Of those, the ones that do not expire.
    pub never_expire: i64,
    /// Of those, the ones whose last valid day is within 90 days.
    pub within_90_days: i64,
    /// Of those, the ones whose last valid day is within 30 days.
    pub within_30_days: i64,
    /// Of those, the ones whose last valid day is within 7 days.
    pub within_7_days: i64,
    /// Those whose last valid day has passed, and that are not suspended.
    pub lapsed: i64,
    /// Those that are suspended.
    pub suspended: i64,
}

/// Notices to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Coming {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The date of the run that will record them.
    pub night: NaiveDate,
    /// The stage.
    #[schema(example = "expiry_warning_90d")]
    pub stage: String,
    /// How many.
    pub notices: i64,
}
super::of_organisation!(Run, CertificationType, Statistics, Coming);

/// The runs of the organisations in which who is asking coordinates or administers, the latest first.
pub async fn runs(tx: &mut TenantTx, before: Option<i64>, limit: u32) -> Result<Vec<Run>, StoreError> {
    let found = sqlx::query_as!(
        Run,
        "select id, organisation_id, run_date, state, expiry_warning_90d, expiry_warning_30d, expiry_warning_7d, expired,
           covered_by, reason, finished_at
         from certvakt.runs where $1::bigint is null or id < $1 order by id desc limit $2",
        before,
        i64::from(limit),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The types of certification of the organisations of who is asking.
pub async fn certification_types(tx: &mut TenantTx) -> Result<Vec<CertificationType>, StoreError> {
    let found = sqlx::query_as!(
        CertificationType,
        "select organisation_id, code, name, validity_months from certvakt.certification_types
         order by organisation_id, code"
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The first instants of an organisation's days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The organisation.
    pub organisation_id: Uuid,
    /// Of today.
    pub today: DateTime<Utc>,
    /// Of the day after the next 7, 30 and 90.
    pub after: [DateTime<Utc>; 3],
}

/// How the certifications that who is asking may see stand, a row a chapter.
pub async fn statistics(tx: &mut TenantTx, days: &[Days]) -> Result<Vec<Statistics>, StoreError> {
    let column = |of: fn(&Days) -> DateTime<Utc>| days.iter().map(of).collect::<Vec<_>>();
    let found = sqlx::query_file_as!(
        Statistics,
        "src/store/tenant/statistics.sql",
        &days.iter().map(|one| one.organisation_id).collect::<Vec<_>>(),
        &column(|one| one.today),
        &column(|one| one.after[0]),
        &column(|one| one.after[1]),
        &column(|one| one.after[2]),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The expiries of an organisation that come due for a stage in some nights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueBetween {
    /// The organisation.
    pub organisation_id: Uuid,
    /// Its time zone.
    pub time_zone: String,
    /// The stage.
    pub stage: &'static str,
    /// How many days before the last valid day it comes due.
    pub days_before: i64,
    /// The first instant.
    pub since: DateTime<Utc>,
    /// The first instant after the last.
    pub before: DateTime<Utc>,
}

/// How many notices of the certifications that who is asking may see come due.
pub async fn coming(tx: &mut TenantTx, due: &[DueBetween]) -> Result<Vec<Coming>, StoreError> {
    let text = |of: fn(&DueBetween) -> &str| due.iter().map(|one| of(one).to_owned()).collect::<Vec<_>>();
    let days = due.iter().map(|one| i32::try_from(one.days_before).unwrap_or(i32::MAX)).collect::<Vec<_>>();
    let found = sqlx::query_as!(
        Coming,
        r#"select organisation_id as "organisation_id!", night as "night!", stage as "stage!", notices as "notices!"
           from certvakt.coming_notices($1, $2, $3, $4, $5, $6, $7) order by night, organisation_id, stage"#,
        &due.iter().map(|one| one.organisation_id).collect::<Vec<_>>(),
        &text(|one| &one.time_zone),
        &text(|one| one.stage),
        &days,
        &due.iter().map(|one| one.since).collect::<Vec<_>>(),
        &due.iter().map(|one| one.before).collect::<Vec<_>>(),
        i32::try_from(TOLD_AGAIN_AFTER_DAYS).unwrap_or(i32::MAX),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}
