//! A portal's listing, read whole, page by page.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Url;
use reqwest::header::HeaderMap;
use serde_json::Value;
use uuid::Uuid;

use super::adapters::Outcome;
use super::contract::{Contract, ListingTerms};
use super::portal::{Portal, judge, odata};

/// Entries read, at most: more people than any partner has.
const MOST_ENTRIES: usize = 1_000_000;

/// Whom a listing shows: for each key whether they are listed.
pub type Shown = BTreeMap<String, bool>;

/// Reads a listing. It is whole or an error: whoever is missing from half of one is not missing. None: the contract
/// says nothing of one.
pub async fn read(portal: &Portal) -> Result<Option<Shown>, Outcome> {
    let Some(terms) = &portal.contract.listing else { return Ok(None) };
    let first = portal.addresses.listing.clone();
    let first = first.ok_or_else(|| broken("the contract names no address of it"))?;
    let mut shown = Shown::new();
    let (mut next, mut read) = (Some(first.clone()), BTreeSet::new());
    while let Some(url) = next.take() {
        if !read.insert(url.clone()) || shown.len() > MOST_ENTRIES {
            return Err(broken("it has no end"));
        }
        let page = page(portal, terms, &url).await?;
        let entries = page.pointer(&terms.entries).and_then(Value::as_array);
        for entry in entries.ok_or_else(|| broken("it has no entries where the contract says"))? {
            let (key, is_listed) = one(&portal.contract, terms, entry)?;
            // Twice in a listing is seen if once is.
            *shown.entry(key).or_default() |= is_listed;
        }
        next = match terms.next.as_ref().and_then(|place| page.pointer(place)) {
            None | Some(Value::Null) => None,
            Some(Value::String(place)) if place.is_empty() => None,
            Some(place) => Some(following(&first, place)?),
        };
    }
    Ok(Some(shown))
}

/// The address of a further page, which must be the same server's: our sign-in goes along.
fn following(first: &Url, place: &Value) -> Result<Url, Outcome> {
    let url = place.as_str().and_then(|place| first.join(place).ok());
    url.filter(|url| url.origin() == first.origin()).ok_or_else(|| broken("its next page is somewhere else"))
}

async fn page(portal: &Portal, terms: &ListingTerms, url: &Url) -> Result<Value, Outcome> {
    let get = |headers: HeaderMap| portal.wire.client().get(url.clone()).headers(odata()).headers(headers);
    let answered = if terms.public {
        portal.wire.send(get(HeaderMap::new())).await.map_err(|none| match Outcome::from(none) {
            Outcome::Unsure(reason) => Outcome::Down(reason, None),
            other => other,
        })?
    } else {
        portal.ask(&format!("listing-{}", Uuid::new_v4()), get).await?
    };
    judge(&answered, &[200])?;
    serde_json::from_slice(&answered.body).map_err(|_| broken("it is not JSON"))
}

fn one(contract: &Contract, terms: &ListingTerms, entry: &Value) -> Result<(String, bool), Outcome> {
    let key = match entry.pointer(&terms.key) {
        Some(Value::String(key)) => key.clone(),
        Some(Value::Number(key)) => key.to_string(),
        _ => return Err(broken(&format!("an entry has no key at {}", terms.key))),
    };
    let Some(place) = &terms.status else { return Ok((key, true)) };
    let is_listed = entry.pointer(place).and_then(|word| contract.reads(word));
    Ok((key, is_listed.ok_or_else(|| broken(&format!("an entry has no known status at {place}")))?))
}

fn broken(what: &str) -> Outcome {
    Outcome::Broken(format!("its listing does not keep to the contract: {what}"))
}
