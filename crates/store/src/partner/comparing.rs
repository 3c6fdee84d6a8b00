//! The comparison of a portal's listing with certvakt's data.

use super::Partner;
use super::outbox::hold_free;
use crate::{Environment, StoreError, WorkerTx};

/// The keys of some of a partner's mentors.
pub async fn some_keys(tx: &mut WorkerTx, partner: &Partner, most: i64) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!(
        "select partner_key from certvakt.listings
         where organisation_id = $1 and partner = $2 and accepted_number > 0 order by partner_key limit $3",
        partner.organisation_id,
        partner.partner,
        most,
    )
    .fetch_all(tx)
    .await?)
}

/// A mentor to compare with the listing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent")]
pub struct ToCompare {
    /// The portal's key for the mentor.
    pub partner_key: String,
    /// Whether the mentor belongs on the listing.
    pub is_listed: bool,
    /// The number of the mentor's last event.
    pub number: i64,
    /// The number of the last event that the portal accepted.
    pub accepted_number: i64,
    /// The number of the last event whose state the listing has shown.
    pub confirmed_number: i64,
    /// Whether a request had no response.
    pub is_in_doubt: bool,
    /// Whether the mentor was removed manually at the portal, and nobody has decided yet.
    pub was_removed_by_hand: bool,
    /// Whether a request is in progress.
    pub is_under_way: bool,
    /// Whether the last change was sent so recently that the listing may not show it yet.
    pub is_fresh: bool,
    /// Whether the request without a response was that recent.
    pub was_requested: bool,
}

/// A batch of a partner's mentors, in the order of their keys. The listing can be as old as `cache_seconds`.
pub async fn to_compare(
    tx: &mut WorkerTx,
    partner: &Partner,
    after: &str,
    batch: i64,
    cache_seconds: u32,
) -> Result<Vec<ToCompare>, StoreError> {
    Ok(sqlx::query_file_as!(
        ToCompare,
        "src/partner/to_compare.sql",
        partner.organisation_id,
        partner.partner,
        after,
        batch,
        f64::from(cache_seconds),
        partner.at,
    )
    .fetch_all(tx)
    .await?)
}

/// The result of a comparison for a mentor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the flags are independent")]
pub struct Compared {
    /// The portal's key for the mentor.
    pub partner_key: String,
    /// The number of the mentor's last event when the mentor was read.
    pub number: i64,
    /// Whether the listing shows the mentor; `None` if it cannot show the last event yet.
    pub shown: Option<bool>,
    /// Whether the listing confirms the state of the last event.
    pub confirmed: bool,
    /// Whether the listing shows the result of a request without a response.
    pub cleared: bool,
    /// Whether the state must be sent again.
    pub again: bool,
    /// Whether the mentor was removed manually at the portal.
    pub removed_by_hand: bool,
    /// Whether the manual removal is new.
    pub is_news: bool,
}

/// Records the results for mentors who have not changed since they were read.
pub async fn compared(tx: &mut WorkerTx, partner: &Partner, all: &[Compared]) -> Result<(), StoreError> {
    let keys: Vec<String> = all.iter().map(|one| one.partner_key.clone()).collect();
    let free = hold_free(tx, partner, &keys).await?;
    let all: Vec<&Compared> = all.iter().filter(|one| free.contains(&one.partner_key)).collect();
    let keys: Vec<String> = all.iter().map(|one| one.partner_key.clone()).collect();
    let numbers: Vec<i64> = all.iter().map(|one| one.number).collect();
    let flags = |flag: fn(&Compared) -> bool| all.iter().map(|one| flag(one)).collect::<Vec<bool>>();
    let shown: Vec<Option<bool>> = all.iter().map(|one| one.shown).collect();
    sqlx::query_file!(
        "src/partner/compared.sql",
        partner.organisation_id,
        partner.partner,
        &keys,
        &shown as _,
        &flags(|one| one.confirmed),
        &flags(|one| one.cleared),
        &flags(|one| one.again),
        &flags(|one| one.removed_by_hand),
        &numbers,
        partner.environment == Some(Environment::Live),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes the first event of a mentor whom a portal lists although certvakt never sent them.
pub async fn delist_found(tx: &mut WorkerTx, partner: &Partner, key: &str) -> Result<(), StoreError> {
    let keys = [key.to_owned()];
    sqlx::query!("select certvakt.delist_found($1, $2, $3)", partner.organisation_id, partner.partner, &keys)
        .execute(tx)
        .await?;
    Ok(())
}

/// The numbers of people whom a listing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownNumbers {
    /// The enrolled mentors.
    pub enrolled: i64,
    /// Those who are unknown to certvakt.
    pub unknown: i64,
}

/// Records that a listing was read completely, with the numbers of people whom it shows, or the reason why it could not be
/// read. Returns whether it could be read before.
pub async fn reconciled(
    tx: &mut WorkerTx,
    partner: &Partner,
    read: Result<ShownNumbers, &str>,
) -> Result<bool, StoreError> {
    let reason: Option<String> = read.err().map(|reason| reason.chars().take(500).collect());
    sqlx::query!(
        "update certvakt.partners set
           reconciled_at = case when $4::text is null then now() else reconciled_at end, read_tried_at = now(),
           unknown_shown = coalesce($3, unknown_shown), enrolled_shown = coalesce($5, enrolled_shown),
           unread_since = case when $4 is not null then coalesce(unread_since, now()) end, unread_reason = $4
         where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        read.ok().map(|shown| shown.unknown),
        reason,
        read.ok().map(|shown| shown.enrolled),
    )
    .execute(tx)
    .await?;
    Ok(partner.unread_since.is_none())
}
