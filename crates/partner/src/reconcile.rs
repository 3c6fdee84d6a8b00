//! Compares portals' listings with certvakt's data. Only the listing proves that a portal shows a change; an
//! accepted request does not.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use certvakt_engine::config::PartnersConfig;
use certvakt_store::partner::{self, Compared, Partner, ShownNumbers, ToCompare};
use certvakt_store::{Database, StoreError};
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::watch;
use uuid::Uuid;

use super::PartnerError;
use super::adapters::{Adapter, CachedAdapter};
use super::listing;
use super::outcome::PortalOutcome;
use super::snapshot::Shown;

/// The number of mentors compared in one transaction.
const BATCH: i64 = 1_000;
/// The maximum number of listed unknown keys.
const MOST_NAMED: usize = 100;

/// The result of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// The number of mentors whom the listing shows correctly.
    pub right: u64,
    /// The number of mentors whose last change the listing cannot show yet.
    pub not_yet: u64,
    /// The keys of mentors who are still listed, but should not be. Their removals are sent again.
    pub still_listed: Vec<String>,
    /// The keys of mentors who should be listed, but are missing. They are sent again.
    pub missing: Vec<String>,
    /// The keys of mentors who were removed manually at the portal. A person must decide.
    pub removed_by_hand: Vec<String>,
    /// The listed keys that certvakt does not know.
    pub unknown: Vec<String>,
    /// The total number of unknown keys.
    pub unknown_in_all: i64,
    /// The number of enrolled mentors whom the listing shows.
    pub enrolled_shown: i64,
}

/// The time limit for reading and comparing one listing.
const LONGEST: Duration = Duration::from_mins(10);

/// Compares each partner's listing once an hour, even while sending has stopped, until shutdown.
pub async fn run(database: &Database, config: &PartnersConfig, ending: watch::Receiver<bool>) {
    let mut kept = HashMap::new();
    let reconcile = async || reconcile_due(database, config, &mut kept).await;
    super::repeat(config, ending, "could not compare the listings", reconcile).await;
}

/// The partners' adapters, by organisation and name. They cache listings, which are updated by their changes.
type Adapters = HashMap<(Uuid, String), CachedAdapter>;

async fn reconcile_due(
    database: &Database,
    config: &PartnersConfig,
    adapters: &mut Adapters,
) -> Result<(), StoreError> {
    let mut tx = database.worker().await?;
    let partners = partner::all(&mut tx).await?;
    tx.rollback().await?;
    let due = partners.iter().filter(|one| one.environment.is_some() && one.is_to_be_reconciled);
    let read = due.map(|one| {
        let kept = adapters.remove(&(one.organisation_id, one.partner.clone()));
        async move { (one, within(database, config, one, kept).await) }
    });
    let read = join_all(read.collect::<Vec<_>>()).await;
    read.into_iter().try_for_each(|(one, kept)| {
        adapters.extend(kept?.map(|kept| ((one.organisation_id, one.partner.clone()), kept)));
        Ok(())
    })
}

/// Compares a partner's listing, and records the reason if it cannot.
async fn within(
    database: &Database,
    config: &PartnersConfig,
    one: &Partner,
    kept: Option<CachedAdapter>,
) -> Result<Option<CachedAdapter>, StoreError> {
    let compared = async {
        let kept = CachedAdapter::of(kept, one, config)?;
        let listing = kept.adapter().portal().contract.listing.as_ref();
        // Reading a public listing does not burden a portal that asked for a pause.
        if one.is_resting() && !listing.is_some_and(|listing| listing.public) {
            return Ok(Some(kept));
        }
        let compared = once(database, kept.adapter(), one, Some(one.removal_limit)).await?;
        // After a failure, drop the adapter, because the credentials may change before the next attempt.
        Ok(compared.is_ok().then_some(kept))
    };
    let reason = match tokio::time::timeout(LONGEST, compared).await {
        Ok(Ok(kept)) => return Ok(kept),
        Ok(Err(PartnerError::NoListing(_))) => return Ok(None),
        Ok(Err(PartnerError::Store(error))) => return Err(error),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "reading and comparing it took longer than ten minutes".to_owned(),
    };
    let mut tx = database.worker().await?;
    partner::reconciled(&mut tx, one, Err(&reason)).await?;
    tx.commit().await?;
    Ok(None)
}

/// Reads and compares a partner's listing. Returns the reason if it cannot be read, or if more mentors are missing
/// from it than `removal_limit`.
pub async fn once(
    database: &Database,
    adapter: &dyn Adapter,
    one: &Partner,
    removal_limit: Option<i64>,
) -> Result<Result<Reconciled, PortalOutcome>, PartnerError> {
    let terms = adapter.portal().contract.listing.as_ref();
    let terms = terms.ok_or_else(|| PartnerError::NoListing(one.partner.clone()))?;
    let cache_seconds = terms.cache_seconds;
    let outcome = match listing::read(adapter.portal()).await {
        Ok(shown) => {
            let (reconciled, compared) =
                compare(database, one, &shown.unwrap_or_default(), cache_seconds).await?;
            let gone = compared.iter().filter(|mentor| mentor.removed_by_hand && mentor.is_news).count();
            if removal_limit.is_none_or(|limit| i64::try_from(gone).is_ok_and(|gone| gone <= limit)) {
                let Reconciled { enrolled_shown: enrolled, unknown_in_all: unknown, .. } = reconciled;
                write(database, one, &compared, ShownNumbers { enrolled, unknown }).await?;
                report(one, &reconciled);
                return Ok(Ok(reconciled));
            }
            PortalOutcome::Broken(
                "more mentors are missing from it than the limit of removals: if that is correct, run `certvakt partner reconcile --trust-listing`"
                    .to_owned(),
            )
        }
        Err(outcome) => outcome,
    };
    let reason = outcome.reason().unwrap_or_default();
    let mut tx = database.worker().await?;
    if let (Some(wait), false) = (outcome.rest(), terms.public) {
        partner::rest(&mut tx, one, wait.as_secs_f64()).await?;
    }
    let was_read = partner::reconciled(&mut tx, one, Err(reason)).await?;
    tx.commit().await?;
    if was_read {
        tracing::error!(
            organisation = one.organisation,
            partner = one.partner,
            "the partner's listing cannot be read: {reason}"
        );
    }
    Ok(Err(outcome))
}

/// Compares a listing with all mentors of a partner, and finds unknown keys.
async fn compare(
    database: &Database,
    one: &Partner,
    shown: &Shown,
    cache_seconds: u32,
) -> Result<(Reconciled, Vec<Compared>), StoreError> {
    let mut reconciled = Reconciled::default();
    let mut compared = Vec::new();
    let mut unknown: BTreeSet<&String> =
        shown.iter().filter(|(_, listed)| **listed).map(|(key, _)| key).collect();
    let mut after = String::new();
    loop {
        let mut tx = database.worker().await?;
        let batch = partner::to_compare(&mut tx, one, &after, BATCH, cache_seconds).await?;
        tx.rollback().await?;
        let Some(last) = batch.last() else { break };
        after.clone_from(&last.partner_key);
        for mentor in &batch {
            unknown.remove(&mentor.partner_key);
            let is_shown = shown.get(&mentor.partner_key).copied().unwrap_or(false);
            let found = judge(mentor, is_shown);
            reconciled.enrolled_shown += i64::from(is_shown);
            reconciled.add(mentor, found);
            compared.push(written(mentor, is_shown, found));
        }
    }
    reconciled.unknown_in_all = i64::try_from(unknown.len()).unwrap_or(i64::MAX);
    reconciled.unknown = unknown.into_iter().take(MOST_NAMED).cloned().collect();
    Ok((reconciled, compared))
}

async fn write(
    database: &Database,
    one: &Partner,
    compared: &[Compared],
    shown: ShownNumbers,
) -> Result<(), StoreError> {
    for batch in compared.chunks(usize::try_from(BATCH).unwrap_or(usize::MAX)) {
        let mut tx = database.worker().await?;
        partner::compared(&mut tx, one, batch).await?;
        tx.commit().await?;
        for mentor in batch.iter().filter(|mentor| mentor.again && mentor.number == 0) {
            let mut tx = database.worker().await?;
            partner::delist_found(&mut tx, one, &mentor.partner_key).await?;
            tx.commit().await?;
        }
    }
    let mut tx = database.worker().await?;
    partner::reconciled(&mut tx, one, Ok(shown)).await?;
    tx.commit().await
}

/// The result of comparing a listing for a mentor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The listing is correct.
    Right,
    /// The listing cannot show the last change yet, or the change has not been sent yet.
    NotYet,
    /// The listing shows an older state, or that a request without a response was not accepted.
    NotAccepted,
    /// The listing shows a mentor who should not be listed.
    StillListed,
    /// The listing does not show a mentor who should be listed, and has not shown them since they became
    /// eligible.
    Missing,
    /// The listing has shown the mentor since they became eligible, but no longer does.
    RemovedByHand,
}

/// Compares a mentor with the listing, which shows them or not.
pub fn judge(mentor: &ToCompare, is_shown: bool) -> Comparison {
    let is_told = mentor.accepted_number == mentor.number;
    if mentor.is_under_way || (mentor.is_in_doubt && mentor.was_requested) || (is_told && mentor.is_fresh) {
        return Comparison::NotYet;
    }
    if mentor.was_removed_by_hand && mentor.is_listed && !is_shown {
        return Comparison::RemovedByHand;
    }
    if is_shown == mentor.is_listed {
        return if is_told || mentor.is_in_doubt { Comparison::Right } else { Comparison::NotYet };
    }
    match (is_told, mentor.is_listed) {
        (false, _) if mentor.is_in_doubt => Comparison::NotAccepted,
        (false, _) => Comparison::NotYet,
        (true, false) => Comparison::StillListed,
        (true, true) if mentor.confirmed_number == mentor.number => Comparison::RemovedByHand,
        (true, true) => Comparison::Missing,
    }
}

fn written(mentor: &ToCompare, is_shown: bool, found: Comparison) -> Compared {
    Compared {
        partner_key: mentor.partner_key.clone(),
        number: mentor.number,
        // Until then, the listing shows an older state.
        shown: (found != Comparison::NotYet).then_some(is_shown),
        confirmed: found == Comparison::Right,
        cleared: mentor.is_in_doubt && matches!(found, Comparison::Right | Comparison::NotAccepted),
        again: matches!(found, Comparison::StillListed | Comparison::Missing),
        removed_by_hand: found == Comparison::RemovedByHand,
        is_news: !mentor.was_removed_by_hand,
    }
}

impl Reconciled {
    fn add(&mut self, mentor: &ToCompare, found: Comparison) {
        let named = match found {
            Comparison::Right => {
                self.right += 1;
                return;
            }
            Comparison::NotYet | Comparison::NotAccepted => {
                self.not_yet += 1;
                return;
            }
            Comparison::StillListed => &mut self.still_listed,
            Comparison::Missing => &mut self.missing,
            Comparison::RemovedByHand => &mut self.removed_by_hand,
        };
        named.push(mentor.partner_key.clone());
    }

    /// Whether the listing is correct, as far as it can be.
    pub fn is_right(&self) -> bool {
        self.still_listed.is_empty()
            && self.missing.is_empty()
            && self.removed_by_hand.is_empty()
            && self.unknown.is_empty()
    }
}

/// Logs the numbers of differences, but no keys.
fn report(one: &Partner, reconciled: &Reconciled) {
    if !reconciled.is_right() {
        tracing::error!(
            organisation = one.organisation,
            partner = one.partner,
            still_listed = reconciled.still_listed.len(),
            missing = reconciled.missing.len(),
            removed_by_hand = reconciled.removed_by_hand.len(),
            unknown = reconciled.unknown_in_all,
            "the partner's listing differs from certvakt's data: see `certvakt partner reconcile`"
        );
    }
}
