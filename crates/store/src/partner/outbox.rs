//! The outbox of a partner: claims and finishes due mentors, and stops sending.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Partner;
use crate::{Environment, RegistrarTx, StopReason, StoreError, WorkerTx};

/// Approves the removals that wait now. Returns their number.
pub async fn approve_removals(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
) -> Result<u64, StoreError> {
    let approved = sqlx::query_file!("src/partner/approve.sql", organisation_id, partner);
    Ok(approved.execute(tx).await?.rows_affected())
}

/// A mentor whose current state is due to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The portal's key for the mentor.
    pub partner_key: String,
    /// The number of the mentor's last event.
    pub number: i64,
    /// The event's id.
    pub event_id: Uuid,
    /// The time of the event.
    pub at: DateTime<Utc>,
    /// Whether the mentor belongs on the listing.
    pub is_listed: bool,
    /// The number of replays.
    pub replays: i64,
    /// The number of attempts, including this one.
    pub attempt: i64,
    /// Whether a request had no response, so that the portal's state must be read first.
    pub is_in_doubt: bool,
    /// Whether that request was for the last event.
    pub was_requested: bool,
}

/// The parameters of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The maximum number of mentors.
    pub most: i64,
    /// The token of the lease.
    pub token: Uuid,
    /// The length of the lease.
    pub lease_seconds: u32,
    /// Whether removals are held, so that they are not claimed.
    pub removals_are_held: bool,
    /// Whether the portal's state of a mentor can be read. If not, mentors in an unknown state wait for the
    /// listing.
    pub can_be_asked: bool,
}

/// Claims due mentors, with one request per mentor.
pub async fn claim(tx: &mut WorkerTx, partner: &Partner, claim: &Claim) -> Result<Vec<Due>, StoreError> {
    Ok(sqlx::query_file_as!(
        Due,
        "src/partner/claim.sql",
        partner.organisation_id,
        partner.partner,
        claim.most,
        claim.token,
        f64::from(claim.lease_seconds),
        claim.removals_are_held,
        partner.environment.map(Environment::as_str),
        claim.can_be_asked,
        partner.contract.as_deref(),
    )
    .fetch_all(tx)
    .await?)
}

/// Whether more removals wait than the limit allows without approval.
pub async fn has_too_many_removals(tx: &mut WorkerTx, partner: &Partner) -> Result<bool, StoreError> {
    let counted = sqlx::query_file_scalar!(
        "src/partner/removals.sql",
        partner.organisation_id,
        partner.partner,
        partner.removal_limit,
    );
    Ok(counted.fetch_one(tx).await? > partner.removal_limit)
}

/// Records whether removals are held.
pub async fn hold(tx: &mut WorkerTx, partner: &Partner, is_held: bool) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set held_at = case when $3 then now() end
         where organisation_id = $1 and code = $2 and (held_at is not null) <> $3",
        partner.organisation_id,
        partner.partner,
        is_held,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Pauses sending to a portal that limits requests.
pub async fn rest(tx: &mut WorkerTx, partner: &Partner, seconds: f64) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners set retry_at = now() + make_interval(secs => $3) where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        seconds,
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Locks those of some mentors whom no other transaction has locked. Waiting could deadlock with a
/// transaction that changes certifications, which locks one mentor after the other.
pub(super) async fn hold_free(
    tx: &mut WorkerTx,
    partner: &Partner,
    keys: &[String],
) -> Result<HashSet<String>, StoreError> {
    let held = sqlx::query_scalar!(
        "select partner_key from certvakt.listings
         where organisation_id = $1 and partner = $2 and partner_key = any ($3) for no key update skip locked",
        partner.organisation_id,
        partner.partner,
        keys,
    );
    Ok(held.fetch_all(tx).await?.into_iter().collect())
}

/// The result of sending a mentor's state.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent")]
pub struct SendResult {
    /// The portal's key for the mentor.
    pub partner_key: String,
    /// The number of the event whose state was sent.
    pub number: i64,
    /// Whether the mentor belongs on the listing.
    pub is_listed: bool,
    /// Whether the portal accepted it.
    pub is_accepted: bool,
    /// Whether there was no response.
    pub is_in_doubt: bool,
    /// Seconds until the next attempt.
    pub wait_seconds: f64,
    /// The reason, if the portal did not accept it.
    pub last_error: Option<String>,
    /// Whether a request was sent.
    pub was_sent: bool,
}

/// Records results, if the lease is still valid. Returns those that are left because another transaction has
/// locked the mentor.
pub async fn finish<'a>(
    tx: &mut WorkerTx,
    partner: &Partner,
    token: Uuid,
    told: &'a [SendResult],
) -> Result<Vec<&'a SendResult>, StoreError> {
    let keys: Vec<String> = told.iter().map(|one| one.partner_key.clone()).collect();
    let free = hold_free(tx, partner, &keys).await?;
    let (now, left) = told.iter().partition::<Vec<_>, _>(|one| free.contains(&one.partner_key));
    write(tx, partner, token, &now).await?;
    Ok(left)
}

/// Records the result for one mentor, and waits for a while if another transaction has locked the mentor.
pub async fn finish_one(
    tx: &mut WorkerTx,
    partner: &Partner,
    token: Uuid,
    told: &SendResult,
) -> Result<(), StoreError> {
    // An import locks all its mentors. If the wait times out, the portal's state is read later.
    sqlx::query_scalar!("select set_config('lock_timeout', '10s', true)").fetch_one(&mut *tx).await?;
    write(tx, partner, token, &[told]).await
}

async fn write(
    tx: &mut WorkerTx,
    partner: &Partner,
    token: Uuid,
    told: &[&SendResult],
) -> Result<(), StoreError> {
    let results = told.iter().map(|one| {
        json!({
            "partner_key": one.partner_key,
            "number": one.number,
            "is_listed": one.is_listed,
            "is_accepted": one.is_accepted,
            "is_in_doubt": one.is_in_doubt,
            "wait_seconds": one.wait_seconds,
            "last_error": one.last_error.as_ref().map(|reason| reason.chars().take(500).collect::<String>()),
            "was_sent": one.was_sent,
        })
    });
    let finished = sqlx::query_file!(
        "src/partner/finish.sql",
        partner.organisation_id,
        partner.partner,
        token,
        results.collect::<Value>(),
    );
    finished.execute(tx).await?;
    Ok(())
}

/// The reason why sending stops.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// What it stops for.
    pub by: StopReason,
    /// The reason as a text.
    pub reason: String,
    /// Seconds until the next probe, after an outage.
    pub retry_in: Option<f64>,
}

/// Stops sending. Returns false if it has already stopped for the same reason.
pub async fn stop(tx: &mut WorkerTx, partner: &Partner, stop: &Stop) -> Result<bool, StoreError> {
    let reason: String = stop.reason.chars().take(500).collect();
    let stopped = sqlx::query_file_scalar!(
        "src/partner/stop.sql",
        partner.organisation_id,
        partner.partner,
        stop.by.as_str(),
        reason,
        stop.retry_in as _,
    );
    Ok(stopped.fetch_one(tx).await?)
}

/// The reason to resume sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumption {
    /// The portal responds. Only an outage ends by itself.
    PortalResponds,
    /// A person resumes sending, after any stop.
    ByPerson,
}

/// Resumes sending to a partner.
pub async fn resume(tx: &mut WorkerTx, partner: &Partner, why: Resumption) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners
         set stopped_at = null, stopped_by = null, stopped_reason = null, retry_at = null, failures = 0
         where organisation_id = $1 and code = $2 and ($3 or stopped_by is null or stopped_by = 'outage')",
        partner.organisation_id,
        partner.partner,
        why == Resumption::ByPerson,
    )
    .execute(tx)
    .await?;
    Ok(())
}
