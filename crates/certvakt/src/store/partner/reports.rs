//! What portals told of completed renewal courses.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::Partner;
use crate::store::{RegistrarTx, StoreError, WorkerTx};

/// A report of a completed course, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredReport {
    /// The portal's id of the event.
    pub event_id: String,
    /// At which of the portal's stages it was told.
    pub stage: String,
    /// The portal's key of the mentor; none: they were deleted or erased.
    pub partner_key: Option<String>,
    /// Which type the course renews; none: the contract does not know the course.
    pub certification_type: Option<String>,
    /// The certification that it is about, if there was exactly one.
    pub certification_id: Option<Uuid>,
    /// When the course was completed.
    pub completed_on: NaiveDate,
    /// The new last valid day by the portal; none: it names none.
    pub valid_until: Option<NaiveDate>,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// `renewed`, `echo`, `waiting`, `taken` or `dismissed`.
    pub outcome: String,
    /// Why it was not taken at once.
    pub reason: Option<String>,
    /// When it was settled; none: it waits.
    pub settled_at: Option<DateTime<Utc>>,
}

/// A report that has just come, and what becomes of it. Its key is not kept of somebody who was deleted or erased.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    /// The portal's id of the event.
    pub event_id: &'a str,
    /// The portal's key of the mentor.
    pub partner_key: &'a str,
    /// Which type the course renews.
    pub certification_type: Option<&'a str>,
    /// The certification that it is about.
    pub certification_id: Option<Uuid>,
    /// When the course was completed.
    pub completed_on: NaiveDate,
    /// The new last valid day by the portal.
    pub valid_until: Option<NaiveDate>,
    /// What becomes of it.
    pub outcome: &'a str,
    /// Why it is not taken at once.
    pub reason: Option<&'a str>,
}

/// Keeps a report. False: its event has come before, or is being kept by somebody else at this moment.
pub async fn record(tx: &mut RegistrarTx, partner: &Partner, new: &New<'_>) -> Result<bool, StoreError> {
    let kept = sqlx::query_file!(
        "src/store/partner/keep_report.sql",
        partner.organisation_id,
        partner.partner,
        partner.stage,
        new.event_id,
        new.partner_key,
        new.certification_type,
        new.certification_id,
        new.completed_on,
        new.valid_until,
        new.outcome,
        new.reason,
    );
    Ok(kept.execute(tx).await?.rows_affected() > 0)
}

/// Whom a partner knows by a key. None: nobody; none inside: somebody who was deleted or erased.
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
pub struct Held {
    /// Its id.
    pub id: Uuid,
    /// Whether it was withdrawn.
    pub is_withdrawn: bool,
}

/// What somebody holds of a type, locked: whoever else renews it waits, or has ended.
pub async fn held(
    tx: &mut RegistrarTx,
    partner: &Partner,
    person_id: Uuid,
    certification_type: &str,
) -> Result<Vec<Held>, StoreError> {
    Ok(sqlx::query_as!(
        Held,
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
    /// When what renewed it was completed.
    pub completed_on: NaiveDate,
    /// When it ended afterwards; none: never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A certification's renewals by what was completed on a day or later.
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

/// Which of some events have not come before.
pub async fn news(
    tx: &mut WorkerTx,
    partner: &Partner,
    events: &[String],
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"select event as "event!" from unnest($4::text[]) event
           where not exists (
             select from certvakt.partner_reports r
             where r.organisation_id = $1 and r.partner = $2 and r.stage = $3 and r.event_id = event)"#,
        partner.organisation_id,
        partner.partner,
        partner.stage,
        events,
    )
    .fetch_all(tx)
    .await?)
}

/// What a partner told, the newest last; only what waits, if that is asked.
pub async fn list(
    tx: &mut WorkerTx,
    partner: &Partner,
    waiting: bool,
    most: i64,
) -> Result<Vec<StoredReport>, StoreError> {
    let mut newest = sqlx::query_as!(
        StoredReport,
        "select event_id, stage, partner_key, certification_type, certification_id, completed_on, valid_until, received_at,
           outcome, reason, settled_at
         from certvakt.partner_reports
         where organisation_id = $1 and partner = $2 and (outcome = 'waiting' or not $3)
         order by received_at desc, event_id desc limit $4",
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
        "select event_id, stage, partner_key, certification_type, certification_id, completed_on, valid_until, received_at,
           outcome, reason, settled_at
         from certvakt.partner_reports
         where organisation_id = $1 and partner = $2 and stage = 'live' and event_id = $3 and outcome = 'waiting'",
        partner.organisation_id,
        partner.partner,
        event_id,
    )
    .fetch_optional(tx)
    .await?)
}

/// Settles a report that waits: taken, as a renewal of this certification, or dismissed. Whoever nobody here knows is
/// forgotten then. False: it waits no more.
pub async fn settle(
    tx: &mut RegistrarTx,
    partner: &Partner,
    event_id: &str,
    taken_for: Option<Uuid>,
) -> Result<bool, StoreError> {
    let settled = sqlx::query_file!(
        "src/store/partner/settle_report.sql",
        partner.organisation_id,
        partner.partner,
        event_id,
        taken_for,
    );
    Ok(settled.execute(tx).await?.rows_affected() > 0)
}

/// Notes why what a partner told was not understood; none: it is.
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

/// Notes that a partner has no reports that are to be read.
pub async fn has_none(tx: &mut WorkerTx, partner: &Partner) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set reports_tried_at = now(), reports_delta = null
         where organisation_id = $1 and code = $2 and stage = $3 and contract = $4",
        partner.organisation_id,
        partner.partner,
        partner.stage,
        partner.contract,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes that a partner's reports were read, and where what is new can be read from here on; or why they could not
/// be. Nothing is noted of a stage or a contract that is not the partner's any more.
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
         where organisation_id = $1 and code = $2 and stage = $3 and contract = $4",
        partner.organisation_id,
        partner.partner,
        partner.stage,
        partner.contract,
        read.ok().flatten(),
        reason,
    )
    .execute(tx)
    .await?;
    Ok(())
}
