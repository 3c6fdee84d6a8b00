//! Portals' reports of completed renewal courses.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use serde_json::json;
use sqlx::{Executor, Postgres};
use uuid::Uuid;

use super::Partner;
use crate::{Environment, RegistrarTx, StoreError, WorkerTx};

/// A stored report of a completed course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredReport {
    /// The portal's id of the event.
    pub event_id: String,
    /// The portal's environment that sent the report.
    pub environment: Environment,
    /// The portal's key for the mentor; `None` if the mentor was deleted or erased.
    pub partner_key: Option<String>,
    /// The type that the course renews; `None` if the contract does not contain the course.
    pub certification_type: Option<String>,
    /// The certification, if there was exactly one.
    pub certification_id: Option<Uuid>,
    /// The day of completion.
    pub completed_on: NaiveDate,
    /// The portal's new last valid day, if it gives one.
    pub valid_until: Option<NaiveDate>,
    /// The time at which the report arrived.
    pub received_at: DateTime<Utc>,
    /// `renewed`, `echo`, `waiting`, `accepted` or `dismissed`.
    pub outcome: String,
    /// The reason if it did not renew at once.
    pub reason: Option<String>,
    /// The time at which it was resolved; `None` while it waits.
    pub resolved_at: Option<DateTime<Utc>>,
}

/// A new report with its outcome. The key of a deleted or erased mentor is not stored.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct New<'a> {
    /// The portal's id of the event.
    pub event_id: &'a str,
    /// The portal's key for the mentor.
    pub partner_key: &'a str,
    /// The type that the course renews.
    pub certification_type: Option<&'a str>,
    /// The certification.
    pub certification_id: Option<Uuid>,
    /// The day of completion.
    pub completed_on: NaiveDate,
    /// The portal's new last valid day.
    pub valid_until: Option<NaiveDate>,
    /// The outcome.
    pub outcome: &'a str,
    /// The reason if it does not renew at once.
    pub reason: Option<&'a str>,
}

/// Stores a report. Returns false if its event is already stored, or another transaction is storing it now.
pub async fn record(tx: &mut RegistrarTx, partner: &Partner, new: &New<'_>) -> Result<bool, StoreError> {
    let kept = sqlx::query_file!(
        "src/partner/store_report.sql",
        partner.organisation_id,
        partner.partner,
        partner.environment.map(Environment::as_str),
        json!(new),
    );
    Ok(kept.execute(tx).await?.rows_affected() > 0)
}

/// The mentor with a key at a partner. Returns `None` if there is none, and `Some(None)` if the mentor was
/// deleted or erased.
pub async fn mentor(
    tx: &mut RegistrarTx,
    partner: &Partner,
    key: &str,
) -> Result<Option<Option<Uuid>>, StoreError> {
    Ok(sqlx::query_scalar!(
        "select person_id from certvakt.listings where organisation_id = $1 and partner = $2 and partner_key = $3",
        partner.organisation_id,
        partner.partner,
        key,
    )
    .fetch_optional(tx)
    .await?)
}

/// A certification that a course may renew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldCertification {
    /// The certification's id.
    pub id: Uuid,
    /// Whether the certification was withdrawn.
    pub is_withdrawn: bool,
}

/// Finds and locks a mentor's certifications of a type, so that concurrent renewals wait.
pub async fn held(
    tx: &mut RegistrarTx,
    partner: &Partner,
    person_id: Uuid,
    certification_type: &str,
) -> Result<Vec<HeldCertification>, StoreError> {
    Ok(sqlx::query_as!(
        HeldCertification,
        r#"select c.id, certvakt.is_withdrawn(c.status, c.renewal_history) as "is_withdrawn!"
           from public.peer_mentor_certifications c
           where c.organisation_id = $1 and c.peer_mentor_id = $2 and c.certification_type = $3
           order by c.id for no key update"#,
        partner.organisation_id,
        person_id,
        certification_type,
    )
    .fetch_all(tx)
    .await?)
}

/// A renewal of a certification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewed {
    /// The day of completion of the course.
    pub completed_on: NaiveDate,
    /// The end of the validity after the renewal; `None` if it does not expire.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A certification's renewals by courses completed on a day or later.
pub async fn renewals_since(
    tx: &mut RegistrarTx,
    certification: Uuid,
    completed_on: NaiveDate,
) -> Result<Vec<Renewed>, StoreError> {
    Ok(sqlx::query_as!(
        Renewed,
        r#"select (e ->> 'completed_on')::date as "completed_on!", (e ->> 'expires_after')::timestamptz as expires_at
         from public.peer_mentor_certifications c
         cross join lateral jsonb_array_elements(certvakt.entries_of(c.id, c.renewal_history)) e
         where c.id = $1 and e ->> 'kind' = 'renewed' and (e ->> 'completed_on')::date >= $2"#,
        certification,
        completed_on,
    )
    .fetch_all(tx)
    .await?)
}

/// The events that are not stored yet.
pub async fn news(
    tx: &mut WorkerTx,
    partner: &Partner,
    events: &[String],
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select event as "event!" from unnest($4::text[]) event
           where not exists (
             select from certvakt.partner_reports r
             where r.organisation_id = $1 and r.partner = $2 and r.environment = $3 and r.event_id = event)"#,
        partner.organisation_id,
        partner.partner,
        partner.environment.map(Environment::as_str),
        events,
    )
    .fetch_all(tx)
    .await?)
}

/// The reports of a partner, newest last; only those that wait if `waiting` is true.
pub async fn list(
    tx: &mut WorkerTx,
    partner: &Partner,
    waiting: bool,
    most: i64,
) -> Result<Vec<StoredReport>, StoreError> {
    let mut newest = sqlx::query_as!(
        StoredReport,
        r#"select event_id, environment as "environment: Environment", partner_key,
             certification_type, certification_id, completed_on, valid_until, received_at, outcome, reason, resolved_at
         from certvakt.partner_reports
         where organisation_id = $1 and partner = $2 and (outcome = 'waiting' or not $3)
         order by received_at desc, event_id desc limit $4"#,
        partner.organisation_id,
        partner.partner,
        waiting,
        most,
    )
    .fetch_all(tx)
    .await?;
    newest.reverse();
    Ok(newest)
}

/// A report that waits.
pub async fn waiting(
    tx: &mut RegistrarTx,
    partner: &Partner,
    event_id: &str,
) -> Result<Option<StoredReport>, StoreError> {
    Ok(sqlx::query_as!(
        StoredReport,
        r#"select event_id, environment as "environment: Environment", partner_key,
             certification_type, certification_id, completed_on, valid_until, received_at, outcome, reason, resolved_at
         from certvakt.partner_reports
         where organisation_id = $1 and partner = $2 and environment = 'live' and event_id = $3 and outcome = 'waiting'"#,
        partner.organisation_id,
        partner.partner,
        event_id,
    )
    .fetch_optional(tx)
    .await?)
}

/// Resolves a waiting report: as the renewal of a certification, or as dismissed. Deletes the key of an
/// unknown mentor. Returns false if the report no longer waits.
pub async fn resolve(
    tx: &mut RegistrarTx,
    partner: &Partner,
    event_id: &str,
    taken_for: Option<Uuid>,
) -> Result<bool, StoreError> {
    settle(tx, partner.organisation_id, &partner.partner, event_id, taken_for).await
}

/// The same in the transaction of a command or of a person. Also returns false if the person may not settle it.
pub(crate) async fn settle<'c>(
    tx: impl Executor<'c, Database = Postgres>,
    organisation_id: Uuid,
    partner: &str,
    event_id: &str,
    taken_for: Option<Uuid>,
) -> Result<bool, StoreError> {
    let settled = sqlx::query_scalar!(
        r#"select certvakt.settle_report($1, $2, $3, $4) as "is_settled!""#,
        organisation_id,
        partner,
        event_id,
        taken_for as _,
    );
    Ok(settled.fetch_one(tx).await?)
}

/// Records why a partner's report was invalid; `None` if it was valid.
pub async fn is_understood(
    tx: &mut WorkerTx,
    partner: &Partner,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let reason: Option<String> = reason.map(|reason| reason.chars().take(500).collect());
    sqlx::query!(
        "update certvakt.partners
         set reports_unread_since = case when $3::text is not null then coalesce(reports_unread_since, now()) end,
           reports_unread_reason = $3
         where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        reason,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records that a partner publishes no reports.
pub async fn has_none(tx: &mut WorkerTx, partner: &Partner) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set reports_tried_at = now(), reports_delta = null
         where organisation_id = $1 and code = $2 and environment = $3 and contract = $4",
        partner.organisation_id,
        partner.partner,
        partner.environment.map(Environment::as_str),
        partner.contract,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Records that a partner's reports were read, with the URL for new reports, or the reason why they could not
/// be read. Does nothing if the partner's environment or contract has changed in the meantime.
pub async fn was_read(
    tx: &mut WorkerTx,
    partner: &Partner,
    read: Result<Option<&str>, &str>,
) -> Result<(), StoreError> {
    let reason: Option<String> = read.err().map(|reason| reason.chars().take(500).collect());
    sqlx::query!(
        "update certvakt.partners set reports_tried_at = now(),
           reports_delta = case when $6::text is null then $5 else reports_delta end,
           reports_unread_since = case when $6 is not null then coalesce(reports_unread_since, now()) end,
           reports_unread_reason = $6
         where organisation_id = $1 and code = $2 and environment = $3 and contract = $4",
        partner.organisation_id,
        partner.partner,
        partner.environment.map(Environment::as_str),
        partner.contract,
        read.ok().flatten(),
        reason,
    )
    .execute(tx)
    .await?;
    Ok(())
}
