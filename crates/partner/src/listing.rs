//! Reads a portal's whole listing, or its changes since the last time.

use reqwest::Url;
use serde_json::Value;

use super::contract::{Contract, ListingTerms};
use super::outcome::PortalOutcome;
use super::pages::{Pages, deleted};
use super::portal::Portal;
use super::snapshot::{Shown, Snapshot};

/// Reads a complete listing, or fails: a mentor who is missing from a partial listing may still be listed.
/// Returns `None` if the contract does not describe a listing.
pub async fn read(portal: &Portal) -> Result<Option<Shown>, PortalOutcome> {
    let Some(terms) = &portal.contract.listing else { return Ok(None) };
    let pages = pages(terms);
    let first = portal.addresses.listing.as_ref();
    let first = first.ok_or_else(|| pages.broken("the contract has no address for the listing"))?;
    let Some(id) = terms.id.as_deref() else {
        let mut shown = Shown::new();
        let take = |entry: &Value| {
            let (key, is_listed) = one(&portal.contract, terms, entry)?;
            // A key that occurs twice is listed if one of the entries is.
            *shown.entry(key).or_default() |= is_listed;
            Ok(())
        };
        pages.read(portal, first, None, take).await?;
        return Ok(Some(shown));
    };
    let mut kept = portal.snapshot.lock().await;
    if let Some(snapshot) = kept.as_mut().filter(|snapshot| snapshot.is_current()) {
        match update(snapshot, portal, terms, first, id).await {
            Ok(()) => return Ok(Some(snapshot.shown())),
            // URLs for changes can expire.
            Err(PortalOutcome::Broken(_)) => {}
            Err(outcome) => return Err(outcome),
        }
    }
    let mut whole = Snapshot::new();
    update(&mut whole, portal, terms, first, id).await?;
    let shown = whole.shown();
    *kept = Some(whole).filter(|whole| whole.since.is_some());
    Ok(Some(shown))
}

/// Brings a snapshot up to date by the changes since it was read; reads the whole listing into an empty one.
async fn update(
    snapshot: &mut Snapshot,
    portal: &Portal,
    terms: &ListingTerms,
    first: &Url,
    id: &str,
) -> Result<(), PortalOutcome> {
    let pages = pages(terms);
    let (rows, since) = (&mut snapshot.rows, snapshot.since.clone());
    let take = |entry: &Value| {
        if let Some(gone) = deleted(entry) {
            rows.remove(gone);
            return Ok(());
        }
        let at = entry.pointer(id).and_then(Value::as_str);
        let at = at.ok_or_else(|| pages.broken(&format!("an entry has no id at {id}")))?;
        if entry.pointer(&terms.key).is_some_and(Value::is_null) {
            // The row has no key of ours: it belongs to another application that shares the table.
            rows.remove(at);
        } else {
            rows.insert(at.to_owned(), one(&portal.contract, terms, entry)?);
        }
        Ok(())
    };
    snapshot.since = pages.read(portal, first, since.as_ref(), take).await?;
    Ok(())
}

fn pages(terms: &ListingTerms) -> Pages<'_> {
    Pages {
        what: "listing",
        entries: &terms.entries,
        next: terms.next.as_deref(),
        delta: terms.delta.as_deref(),
        is_public: terms.public,
    }
}

fn one(contract: &Contract, terms: &ListingTerms, entry: &Value) -> Result<(String, bool), PortalOutcome> {
    let broken = |what: String| Err(pages(terms).broken(&what));
    let key = match entry.pointer(&terms.key) {
        Some(Value::String(key)) => key.clone(),
        Some(Value::Number(key)) => key.to_string(),
        _ => return broken(format!("an entry has no key at {}", terms.key)),
    };
    let Some(place) = &terms.status else { return Ok((key, true)) };
    match entry.pointer(place).and_then(|word| contract.reads(word)) {
        Some(is_listed) => Ok((key, is_listed)),
        None => broken(format!("an entry has no known status at {place}")),
    }
}
