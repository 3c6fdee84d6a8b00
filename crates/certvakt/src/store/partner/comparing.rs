//! What a portal's listing shows, beside what it is to show.

use super::Partner;
use super::outbox::hold_free;
use crate::store::{StoreError, WorkerTx};

/// The keys of some of a partner's mentors.
pub async fn some_keys(tx: &mut WorkerTx, partner: &Partner, most: i64) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!(
        "select partner_key from certvakt.listings
         where organisation_id = $1 and partner = $2 and told_number > 0 order by partner_key limit $3",
        partner.organisation_id,
        partner.partner,
        most,
    )
    .fetch_all(tx)
    .await?)
}

/// A mentor, to be compared with what the listing shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct ToCompare {
    /// The portal's key of them.
    pub partner_key: String,
    /// Whether they are to be listed.
    pub is_listed: bool,
    /// The number of their last event.
    pub number: i64,
    /// The last that the portal has taken.
    pub told_number: i64,
    /// The last whose state the listing has shown.
    pub confirmed_number: i64,
    /// Whether a request was left without an answer.
    pub is_unsure: bool,
    /// Whether somebody took them off there, and nobody has answered yet.
    pub is_away: bool,
    /// Whether a request is under way.
    pub is_under_way: bool,
    /// Whether the portal was told so shortly ago that its listing may not show it yet.
    pub is_fresh: bool,
    /// Whether it was asked so shortly ago.
    pub was_asked: bool,
}

/// Some of a partner's mentors, in the order of their keys. The listing may be as old as `cache_seconds`.
pub async fn to_compare(
    tx: &mut WorkerTx,
    partner: &Partner,
    after: &str,
    batch: i64,
    cache_seconds: u32,
) -> Result<Vec<ToCompare>, StoreError> {
    Ok(sqlx::query_file_as!(
        ToCompare,
        "src/store/partner/to_compare.sql",
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

/// What the listing showed of a mentor, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Compared {
    /// The portal's key of them.
    pub partner_key: String,
    /// The number of their last event, when they were read.
    pub number: i64,
    /// Whether the listing shows them; none: it cannot show their last event yet.
    pub shown: Option<bool>,
    /// Whether that is their last event's state.
    pub confirmed: bool,
    /// Whether it says what became of a request without an answer.
    pub cleared: bool,
    /// Whether the portal is to be told anew.
    pub again: bool,
    /// Whether somebody took them off there.
    pub away: bool,
    /// Whether that was not known before.
    pub is_news: bool,
}

/// Writes down what the listing showed of mentors who have not changed since.
pub async fn compared(tx: &mut WorkerTx, partner: &Partner, all: &[Compared]) -> Result<(), StoreError> {
    let keys: Vec<String> = all.iter().map(|one| one.partner_key.clone()).collect();
    let free = hold_free(tx, partner, &keys).await?;
    let all: Vec<&Compared> = all.iter().filter(|one| free.contains(&one.partner_key)).collect();
    let keys: Vec<String> = all.iter().map(|one| one.partner_key.clone()).collect();
    let numbers: Vec<i64> = all.iter().map(|one| one.number).collect();
    let flags = |flag: fn(&Compared) -> bool| all.iter().map(|one| flag(one)).collect::<Vec<bool>>();
    let shown: Vec<Option<bool>> = all.iter().map(|one| one.shown).collect();
    sqlx::query_file!(
        "src/store/partner/compared.sql",
        partner.organisation_id,
        partner.partner,
        &keys,
        &shown as _,
        &flags(|one| one.confirmed),
        &flags(|one| one.cleared),
        &flags(|one| one.again),
        &flags(|one| one.away),
        &numbers,
        partner.stage.as_deref() == Some("live"),
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes the first event of a mentor whom a portal shows although it was never told so.
pub async fn delist_found(tx: &mut WorkerTx, partner: &Partner, key: &str) -> Result<(), StoreError> {
    let keys = [key.to_owned()];
    sqlx::query!("select certvakt.delist_found($1, $2, $3)", partner.organisation_id, partner.partner, &keys)
        .execute(tx)
        .await?;
    Ok(())
}

/// Notes that a listing was read whole, and how many it showed whom nobody here knows; or why it could not be.
/// Whether it could be read before.
pub async fn reconciled(
    tx: &mut WorkerTx,
    partner: &Partner,
    read: Result<i64, &str>,
) -> Result<bool, StoreError> {
    let reason: Option<String> = read.err().map(|reason| reason.chars().take(500).collect());
    sqlx::query!(
        "update certvakt.partners set
           reconciled_at = case when $4::text is null then now() else reconciled_at end, read_tried_at = now(),
           unknown_shown = coalesce($3, unknown_shown),
           unread_since = case when $4 is not null then coalesce(unread_since, now()) end, unread_reason = $4
         where organisation_id = $1 and code = $2",
        partner.organisation_id,
        partner.partner,
        read.ok(),
        reason,
    )
    .execute(tx)
    .await?;
    Ok(partner.unread_since.is_none())
}
