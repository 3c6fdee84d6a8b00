//! Telling a portal: who is due, claimed and finished, and when sending stops.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Partner;
use crate::store::{RegistrarTx, StoreError, WorkerTx};

/// Approves of the removals that wait now. How many they are.
pub async fn approve_removals(
    tx: &mut RegistrarTx,
    organisation_id: Uuid,
    partner: &str,
) -> Result<u64, StoreError> {
    let approved = sqlx::query_file!("src/store/partner/approve.sql", organisation_id, partner);
    Ok(approved.execute(tx).await?.rows_affected())
}

/// Somebody whose present state a portal is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The portal's key of them.
    pub partner_key: String,
    /// The number of their last event.
    pub number: i64,
    /// Its id.
    pub event_id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Whether they are to be listed.
    pub is_listed: bool,
    /// How often it was sent anew.
    pub replays: i64,
    /// How often this was tried, this time included.
    pub attempt: i64,
    /// Whether a request was left without an answer: the portal's state is to be read first.
    pub is_unsure: bool,
    /// Whether that request was of the last event.
    pub was_asked: bool,
}

/// What of a queue is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// How many at most.
    pub most: i64,
    /// Whose the lease is.
    pub token: Uuid,
    /// How long it is.
    pub lease_seconds: u32,
    /// Whether removals are held: they stay where they are.
    pub removals_are_held: bool,
    /// Whether the portal can be asked what it holds of a mentor: otherwise whoever is in doubt waits for its listing.
    pub can_be_asked: bool,
}

/// Claims people who are to be told, one request a person.
pub async fn claim(tx: &mut WorkerTx, partner: &Partner, claim: &Claim) -> Result<Vec<Due>, StoreError> {
    Ok(sqlx::query_file_as!(
        Due,
        "src/store/partner/claim.sql",
        partner.organisation_id,
        partner.partner,
        claim.most,
        claim.token,
        f64::from(claim.lease_seconds),
        claim.removals_are_held,
        partner.stage.as_deref(),
        claim.can_be_asked,
        partner.contract.as_deref(),
    )
    .fetch_all(tx)
    .await?)
}

/// Whether more removals wait than may leave without anybody's approval.
pub async fn has_too_many_removals(tx: &mut WorkerTx, partner: &Partner) -> Result<bool, StoreError> {
    let counted = sqlx::query_file_scalar!(
        "src/store/partner/removals.sql",
        partner.organisation_id,
        partner.partner,
        partner.removal_limit,
    );
    Ok(counted.fetch_one(tx).await? > partner.removal_limit)
}

/// Notes whether removals are held.
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

/// Lets a portal rest that wants fewer requests.
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

/// Holds those of some mentors whom nobody else holds. Whoever changes certifications holds one mentor after the other,
/// and would wait for us while we wait for them.
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

/// What became of telling a portal.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct SendResult {
    /// The portal's key of the mentor.
    pub partner_key: String,
    /// The number of the event whose state it was.
    pub number: i64,
    /// Whether they are to be listed.
    pub is_listed: bool,
    /// Whether the portal has taken it.
    pub is_taken: bool,
    /// Whether there was no answer.
    pub is_unsure: bool,
    /// When it is tried again, in seconds from now.
    pub wait_seconds: f64,
    /// What the portal said, if it did not take it.
    pub trouble: Option<String>,
    /// Whether the portal was sent something.
    pub was_sent: bool,
}

/// Writes down what became of telling a portal, where the lease still holds. Those who are left, because somebody
/// holds them.
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

/// Writes down what became of telling a portal of one mentor, once nobody holds them: for a while it is waited.
pub async fn finish_one(
    tx: &mut WorkerTx,
    partner: &Partner,
    token: Uuid,
    told: &SendResult,
) -> Result<(), StoreError> {
    // A register that is being read holds everybody in it: whoever is told meanwhile is asked about later.
    sqlx::query_scalar!("select set_config('lock_timeout', '10s', true)").fetch_one(&mut *tx).await?;
    write(tx, partner, token, &[told]).await
}

async fn write(
    tx: &mut WorkerTx,
    partner: &Partner,
    token: Uuid,
    told: &[&SendResult],
) -> Result<(), StoreError> {
    let keys: Vec<String> = told.iter().map(|one| one.partner_key.clone()).collect();
    let numbers: Vec<i64> = told.iter().map(|one| one.number).collect();
    let listed: Vec<bool> = told.iter().map(|one| one.is_listed).collect();
    let taken: Vec<bool> = told.iter().map(|one| one.is_taken).collect();
    let unsure: Vec<bool> = told.iter().map(|one| one.is_unsure).collect();
    let waits: Vec<f64> = told.iter().map(|one| one.wait_seconds).collect();
    let troubles: Vec<Option<String>> = told
        .iter()
        .map(|one| one.trouble.as_ref().map(|reason| reason.chars().take(500).collect()))
        .collect();
    let sent: Vec<bool> = told.iter().map(|one| one.was_sent).collect();
    let finished = sqlx::query_file!(
        "src/store/partner/finish.sql",
        partner.organisation_id,
        partner.partner,
        token,
        &keys,
        &numbers,
        &listed,
        &taken,
        &unsure,
        &waits,
        &troubles as _,
        &sent,
    );
    finished.execute(tx).await?;
    Ok(())
}

/// Why sending stops.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// `contract`, `sign-in` or `outage`.
    pub by: &'static str,
    /// In words.
    pub reason: String,
    /// In how many seconds it goes on by itself, after an outage.
    pub retry_in: Option<f64>,
}

/// Stops sending. False: it had stopped for the same before.
pub async fn stop(tx: &mut WorkerTx, partner: &Partner, stop: &Stop) -> Result<bool, StoreError> {
    let reason: String = stop.reason.chars().take(500).collect();
    let stopped = sqlx::query_file_scalar!(
        "src/store/partner/stop.sql",
        partner.organisation_id,
        partner.partner,
        stop.by,
        reason,
        stop.retry_in as _,
    );
    Ok(stopped.fetch_one(tx).await?)
}

/// Lets sending go on: after an outage, because the portal answers, or after whatever it was, because a person has
/// seen to it.
pub async fn go_on(tx: &mut WorkerTx, partner: &Partner, says_person: bool) -> Result<(), StoreError> {
    sqlx::query!(
        "update certvakt.partners
         set stopped_at = null, stopped_by = null, stopped_reason = null, retry_at = null, failures = 0
         where organisation_id = $1 and code = $2 and ($3 or stopped_by is null or stopped_by = 'outage')",
        partner.organisation_id,
        partner.partner,
        says_person,
    )
    .execute(tx)
    .await?;
    Ok(())
}
