//! The runs, types, statistics and forecast that the caller may see.

use certvakt_rules::Stage;
use certvakt_rules::stage::TOLD_AGAIN_AFTER_DAYS;
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::run::{ByStage, days_before};
use crate::{CallerTx, StoreError};

/// A run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub id: i64,
    /// The organisation.
    pub organisation_id: Uuid,
    /// The date of the run.
    pub run_date: NaiveDate,
    /// `complete`, `held`, `missed` or `failed`.
    pub state: String,
    /// The numbers of notices recorded, by stage; for a held run, the number that it would record.
    pub notices: ByStage,
    /// For a missed night: the date of the run that caught up on it.
    pub covered_by: Option<NaiveDate>,
    /// For a failed run: the code of the error.
    pub reason: Option<String>,
    /// The time at which the run ended.
    pub finished_at: DateTime<Utc>,
    /// For a held run: the time at which an administrator decided about it.
    pub decided_at: Option<DateTime<Utc>>,
    /// The number of its notices that they approved; 0 if they asked for another check.
    pub approved_notices: Option<i64>,
    /// For a held run: the first certifications with a notice, at most three.
    pub examples: Vec<Uuid>,
    /// The number of notices that it could record without an approval.
    pub limit: Option<i64>,
}

/// An import that may be the reason why a run is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuspectedImport {
    /// The run.
    pub run: i64,
    /// The number of the import.
    pub id: i64,
    /// The time at which the import ended.
    pub finished_at: DateTime<Utc>,
    /// The number of certifications that it added, renewed or corrected.
    pub changed: i64,
    /// Whether it was undone.
    pub is_undone: bool,
}

/// A change of the date of a certification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// The certification.
    pub certification_id: Uuid,
    /// The time of the change.
    pub at: DateTime<Utc>,
    /// The end of its validity before.
    pub expires_before: DateTime<Utc>,
}

/// A type of certification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificationType {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The type's code.
    pub code: String,
    /// The type's name.
    pub name: String,
    /// The validity in months; `None` if each renewal must give a date.
    pub validity_months: Option<i16>,
    /// The rule for the last valid day of a renewal.
    pub renewal_rule: String,
    /// The lead times in days that the type selected; `None` for those of its organisation.
    pub lead_times: Option<Vec<i32>>,
}

/// The numbers of certifications in a chapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistics {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The chapter.
    pub chapter_id: Uuid,
    /// All certifications.
    pub certifications: i64,
    /// Certifications whose last valid day has not passed and that are not suspended.
    pub valid: i64,
    /// Valid certifications that do not expire.
    pub never_expire: i64,
    /// Valid certifications whose last valid day is within 90 days.
    pub within_90_days: i64,
    /// Valid certifications whose last valid day is within 30 days.
    pub within_30_days: i64,
    /// Valid certifications whose last valid day is within 7 days.
    pub within_7_days: i64,
    /// Certifications whose last valid day has passed and that are not suspended.
    pub lapsed: i64,
    /// Suspended certifications.
    pub suspended: i64,
}

/// The number of notices that a future run will record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coming {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The date of the run.
    pub night: NaiveDate,
    /// The stage.
    pub stage: String,
    /// The number of notices.
    pub notices: i64,
}
crate::rows_read::of_organisation!(Run, CertificationType, Statistics, Coming);

/// The runs of the organisations in which the caller is a coordinator or an administrator, latest first.
pub async fn runs(tx: &mut CallerTx, before: Option<i64>, limit: u32) -> Result<Vec<Run>, StoreError> {
    some_runs(tx, before, Some(limit), false).await
}

/// The latest run of each of these organisations, except missed nights, if it is held.
pub async fn held_runs(tx: &mut CallerTx) -> Result<Vec<Run>, StoreError> {
    some_runs(tx, None, None, true).await
}

async fn some_runs(
    tx: &mut CallerTx,
    before: Option<i64>,
    limit: Option<u32>,
    is_held: bool,
) -> Result<Vec<Run>, StoreError> {
    let found = sqlx::query_file!("src/caller/runs.sql", before, limit.map(i64::from), is_held)
        .fetch_all(&mut *tx)
        .await?;
    let found: Vec<Run> = found
        .into_iter()
        .map(|row| Run {
            id: row.id,
            organisation_id: row.organisation_id,
            run_date: row.run_date,
            state: row.state,
            notices: row.notices.0,
            covered_by: row.covered_by,
            reason: row.reason,
            finished_at: row.finished_at,
            decided_at: row.decided_at,
            approved_notices: row.approved_notices,
            examples: row.examples,
            limit: row.record_limit,
        })
        .collect();
    tx.saw(&found);
    Ok(found)
}

/// For each of some held runs, the import since the run before it that changed most certifications.
pub async fn suspected_imports(tx: &mut CallerTx, runs: &[i64]) -> Result<Vec<SuspectedImport>, StoreError> {
    let found = sqlx::query_as!(
        SuspectedImport,
        r#"select run as "run!", id as "id!", finished_at as "finished_at!", changed as "changed!",
             is_undone as "is_undone!" from certvakt.suspected_imports($1)"#,
        runs,
    );
    Ok(found.fetch_all(tx).await?)
}

/// Lets a held run happen again: approved, or within its limit. Returns false if the caller does not administer its
/// organisation, or it does not wait.
pub async fn repeat_run(tx: &mut CallerTx, run: i64, is_approved: bool) -> Result<bool, StoreError> {
    let repeated =
        sqlx::query_scalar!(r#"select certvakt.repeat_run($1, $2) as "is_repeated!""#, run, is_approved);
    Ok(repeated.fetch_one(tx).await?)
}

/// The last change of the date of each of some certifications, if it had one before.
pub async fn last_moves(tx: &mut CallerTx, certifications: &[Uuid]) -> Result<Vec<Move>, StoreError> {
    let found = sqlx::query_as!(
        Move,
        r#"select asked.id as "certification_id!", (h.entry ->> 'at')::timestamptz as "at!",
             (h.entry ->> 'expires_before')::timestamptz as "expires_before!"
           from unnest($1::uuid[]) as asked (id)
           cross join lateral (
             select h.entry from certvakt.history_of(asked.id) h
             where h.entry ->> 'expires_before' <> h.entry ->> 'expires_after'
             order by h.number desc limit 1) h
           where h.entry ->> 'kind' <> 'undone'"#,
        certifications,
    );
    Ok(found.fetch_all(tx).await?)
}

/// The types of certification of the caller's organisations.
pub async fn certification_types(tx: &mut CallerTx) -> Result<Vec<CertificationType>, StoreError> {
    let found = sqlx::query_as!(
        CertificationType,
        "select organisation_id, code, name, validity_months, renewal_rule, lead_times from certvakt.certification_types
         order by organisation_id, code"
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}

/// The start times of some of an organisation's days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The start of today.
    pub today: DateTime<Utc>,
    /// The starts of the days after the next 7, 30 and 90 days.
    pub after: [DateTime<Utc>; 3],
}

/// The numbers of certifications that the caller may see, one row per chapter.
pub async fn statistics(tx: &mut CallerTx, days: &[Days]) -> Result<Vec<Statistics>, StoreError> {
    let column = |of: fn(&Days) -> DateTime<Utc>| days.iter().map(of).collect::<Vec<_>>();
    let found = sqlx::query_file_as!(
        Statistics,
        "src/caller/statistics.sql",
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

/// The range of expiry times of an organisation's types that are due for a stage in a range of nights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueBetween {
    /// The organisation.
    pub organisation_id: Uuid,
    /// The codes of the types that have the stage, with commas between them.
    pub types: String,
    /// The number of their selection; 0 for the organisation's own, of all types except these.
    pub selection: i32,
    /// The organisation's time zone.
    pub time_zone: &'static str,
    /// The stage.
    pub stage: Stage,
    /// The start of the range.
    pub since: DateTime<Utc>,
    /// The end of the range, exclusive.
    pub before: DateTime<Utc>,
}

/// The number of due notices of the certifications that the caller may see.
pub async fn coming(tx: &mut CallerTx, due: &[DueBetween]) -> Result<Vec<Coming>, StoreError> {
    let found = sqlx::query_as!(
        Coming,
        r#"select organisation_id as "organisation_id!", night as "night!", stage as "stage!", notices as "notices!"
           from certvakt.coming_notices($1, $2, $3, $4, $5, $6, $7, $8, $9) order by night, organisation_id, stage"#,
        &due.iter().map(|one| one.organisation_id).collect::<Vec<_>>(),
        &due.iter().map(|one| one.types.clone()).collect::<Vec<_>>(),
        &due.iter().map(|one| one.selection).collect::<Vec<_>>(),
        &due.iter().map(|one| one.time_zone.to_owned()).collect::<Vec<_>>(),
        &due.iter().map(|one| one.stage.to_string()).collect::<Vec<_>>(),
        &due.iter().map(|one| days_before(one.stage)).collect::<Vec<_>>(),
        &due.iter().map(|one| one.since).collect::<Vec<_>>(),
        &due.iter().map(|one| one.before).collect::<Vec<_>>(),
        i32::try_from(TOLD_AGAIN_AFTER_DAYS).unwrap_or(i32::MAX),
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.saw(&found);
    Ok(found)
}
