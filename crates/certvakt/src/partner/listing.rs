//! Reads a portal's whole listing, or its changes since the last time.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use tokio::time::Instant;

use super::adapters::Outcome;
use super::contract::{Contract, ListingTerms};
use super::pages::{Pages, deleted};
use super::portal::Portal;

/// The time after which a listing is read completely again instead of its changes.
const LONGEST_KEPT: Duration = Duration::from_hours(24);

/// The content of a listing: for each key, whether the mentor is listed.
pub type Shown = BTreeMap<String, bool>;

/// A cached listing, updated by its changes.
#[derive(Debug)]
pub struct Snapshot {
    /// For each entry's id, the key and whether the mentor is listed.
    rows: BTreeMap<String, (String, bool)>,
    since: Option<Url>,
    read_at: Instant,
}

/// Reads a complete listing, or fails: a mentor who is missing from a partial listing may still be listed.
/// Returns `None` if the contract does not describe a listing.
pub async fn read(portal: &Portal) -> Result<Option<Shown>, Outcome> {
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
    if let Some(snapshot) = kept.as_mut().filter(|snapshot| snapshot.is_good()) {
        match snapshot.follow(portal, terms, first, id).await {
            Ok(()) => return Ok(Some(snapshot.shown())),
            // URLs for changes can expire.
            Err(Outcome::Broken(_)) => {}
            Err(outcome) => return Err(outcome),
        }
    }
    let mut whole = Snapshot { rows: BTreeMap::new(), since: None, read_at: Instant::now() };
    whole.follow(portal, terms, first, id).await?;
    let shown = whole.shown();
    *kept = Some(whole).filter(|whole| whole.since.is_some());
    Ok(Some(shown))
}

impl Snapshot {
    fn is_good(&self) -> bool {
        self.since.is_some() && self.read_at.elapsed() < LONGEST_KEPT
    }

    /// Reads the changes since the last time, or the whole listing the first time.
    async fn follow(
        &mut self,
        portal: &Portal,
        terms: &ListingTerms,
        first: &Url,
        id: &str,
    ) -> Result<(), Outcome> {
        let pages = pages(terms);
        let (rows, since) = (&mut self.rows, self.since.clone());
        let take = |entry: &Value| {
            if let Some(gone) = deleted(entry) {
                rows.remove(gone);
                return Ok(());
            }
            let at = entry.pointer(id).and_then(Value::as_str);
            let at = at.ok_or_else(|| pages.broken(&format!("an entry has no id at {id}")))?;
            if entry.pointer(&terms.key).is_some_and(Value::is_null) {
                // A row without a key belongs to nobody in the listing.
                rows.remove(at);
            } else {
                rows.insert(at.to_owned(), one(&portal.contract, terms, entry)?);
            }
            Ok(())
        };
        self.since = pages.read(portal, first, since.as_ref(), take).await?;
        Ok(())
    }

    fn shown(&self) -> Shown {
        let mut shown = Shown::new();
        for (key, is_listed) in self.rows.values() {
            *shown.entry(key.clone()).or_default() |= is_listed;
        }
        shown
    }
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

fn one(contract: &Contract, terms: &ListingTerms, entry: &Value) -> Result<(String, bool), Outcome> {
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
