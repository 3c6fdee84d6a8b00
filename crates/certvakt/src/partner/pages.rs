//! Pages of JSON, read to their end; where the portal keeps track of changes, only what has changed since.

use std::collections::BTreeSet;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use uuid::Uuid;

use super::adapters::Outcome;
use super::portal::{Portal, judge, odata};

/// Entries read, at most: more people than any partner has.
const MOST_ENTRIES: usize = 1_000_000;

/// How pages are read. Places in them are JSON pointers (RFC 6901).
#[derive(Debug, Clone, Copy)]
pub struct Pages<'a> {
    /// What they are, for whoever reads why they cannot be read.
    pub what: &'static str,
    /// Where in a page its entries stand; empty: the page is the array of them.
    pub entries: &'a str,
    /// Where in a page the address of the next one stands.
    pub next: Option<&'a str>,
    /// Where in the last page the address stands at which changes can be read; none: the portal does not track them.
    pub delta: Option<&'a str>,
    /// Whether everybody can read them; otherwise we sign in.
    pub is_public: bool,
}

impl Pages<'_> {
    /// Reads all pages, or those of what has changed since, and gives each entry away. Where changes from here on can
    /// be read, if the portal has said so. After an error, some may have been given away.
    pub async fn read(
        &self,
        portal: &Portal,
        first: &Url,
        since: Option<&Url>,
        mut take: impl FnMut(&Value) -> Result<(), Outcome> + Send,
    ) -> Result<Option<Url>, Outcome> {
        let mut next = Some(since.unwrap_or(first).clone());
        let (mut read, mut entries) = (BTreeSet::new(), 0);
        let mut delta = None;
        while let Some(url) = next.take() {
            let page = self.page(portal, &url, since.is_none()).await?;
            let some = page.pointer(self.entries).and_then(Value::as_array);
            let some =
                some.ok_or_else(|| self.broken("it has no entries at the place that the contract gives"))?;
            entries += some.len();
            if !read.insert(url) || entries > MOST_ENTRIES {
                return Err(self.broken("it has too many pages"));
            }
            some.iter().try_for_each(&mut take)?;
            next = self.address(first, &page, self.next)?;
            delta = self.address(first, &page, self.delta)?;
        }
        Ok(delta)
    }

    /// What is said of pages that are not as the contract says.
    pub fn broken(&self, what: &str) -> Outcome {
        Outcome::Broken(format!("its {} breaks the contract: {what}", self.what))
    }

    /// An address in a page, which must be the same server's: our sign-in goes along.
    fn address(&self, first: &Url, page: &Value, place: Option<&str>) -> Result<Option<Url>, Outcome> {
        match place.and_then(|place| page.pointer(place)) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(place) => {
                let url = place.as_str().and_then(|place| first.join(place).ok());
                let url = url.filter(|url| url.origin() == first.origin());
                url.map(Some).ok_or_else(|| self.broken("its next page is on another server"))
            }
        }
    }

    async fn page(&self, portal: &Portal, url: &Url, is_whole: bool) -> Result<Value, Outcome> {
        let get = |sign_in: HeaderMap| {
            let mut headers = odata();
            if is_whole && self.delta.is_some() {
                let tracked = HeaderValue::from_static("odata.track-changes");
                headers.insert(HeaderName::from_static("prefer"), tracked);
            }
            portal.wire.client().get(url.clone()).headers(headers).headers(sign_in)
        };
        let answered = if self.is_public {
            portal.wire.send(get(HeaderMap::new()), None).await.map_err(|none| match Outcome::from(none) {
                Outcome::Unsure(reason) => Outcome::Down(reason, None),
                other => other,
            })?
        } else {
            portal.ask(&format!("read-{}", Uuid::new_v4()), None, get).await?
        };
        judge(&answered, &[200])?;
        serde_json::from_slice(&answered.body).map_err(|_| self.broken("it is not JSON"))
    }
}

/// The id of what an entry says was deleted (`OData` JSON Format Version 4.0, section 15.3; `@removed`, Version 4.01).
pub fn deleted(entry: &Value) -> Option<&str> {
    let context = entry.get("@odata.context").and_then(Value::as_str);
    let is_deleted = context.is_some_and(|context| context.ends_with("/$deletedEntity"));
    if !is_deleted && entry.get("@removed").is_none() {
        return None;
    }
    Some(entry.get("id").or_else(|| entry.get("@id")).and_then(Value::as_str).unwrap_or_default())
}
