//! Reads all pages of a JSON list, or only the changes if the portal tracks them.

use std::collections::BTreeSet;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use uuid::Uuid;

use super::outcome::PortalOutcome;
use super::portal::{Portal, judge, odata};

/// The maximum number of entries, which is more than any partner has.
const MOST_ENTRIES: usize = 1_000_000;

/// A paginated list. Places are JSON pointers (RFC 6901).
#[derive(Debug, Clone, Copy)]
pub struct Pages<'a> {
    /// The name of the list, for error messages.
    pub what: &'static str,
    /// The place of the entries in a page; if empty, the page is the array of entries.
    pub entries: &'a str,
    /// The place of the next page's URL in a page.
    pub next: Option<&'a str>,
    /// The place of the URL for changes in the last page; `None` if the portal does not track changes.
    pub delta: Option<&'a str>,
    /// Whether the list is public; otherwise certvakt signs in.
    pub is_public: bool,
}

impl Pages<'_> {
    /// Reads all pages, or the pages of changes, and passes each entry on. Returns the URL for the next
    /// changes, if the portal gave one. Some entries may have been passed on before an error.
    pub async fn read(
        &self,
        portal: &Portal,
        first: &Url,
        since: Option<&Url>,
        mut take: impl FnMut(&Value) -> Result<(), PortalOutcome> + Send,
    ) -> Result<Option<Url>, PortalOutcome> {
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

    /// The outcome for pages that break the contract.
    pub fn broken(&self, what: &str) -> PortalOutcome {
        PortalOutcome::Broken(format!("its {} breaks the contract: {what}", self.what))
    }

    /// A URL in a page. It must be on the same server, because the request contains our credentials.
    fn address(&self, first: &Url, page: &Value, place: Option<&str>) -> Result<Option<Url>, PortalOutcome> {
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

    async fn page(&self, portal: &Portal, url: &Url, is_whole: bool) -> Result<Value, PortalOutcome> {
        let get = |sign_in: HeaderMap| {
            let mut headers = odata();
            if is_whole && self.delta.is_some() {
                let tracked = HeaderValue::from_static("odata.track-changes");
                headers.insert(HeaderName::from_static("prefer"), tracked);
            }
            portal.wire.client().get(url.clone()).headers(headers).headers(sign_in)
        };
        let answered = if self.is_public {
            portal.wire.send(get(HeaderMap::new()), None).await.map_err(|none| {
                match PortalOutcome::from(none) {
                    PortalOutcome::InDoubt(reason) => PortalOutcome::Down(reason, None),
                    other => other,
                }
            })?
        } else {
            portal.ask(&format!("read-{}", Uuid::new_v4()), None, get).await?
        };
        judge(&answered, &[200])?;
        serde_json::from_slice(&answered.body).map_err(|_| self.broken("it is not JSON"))
    }
}

/// The id of a deleted entry (`OData` JSON Format Version 4.0, section 15.3; `@removed`, Version 4.01).
pub fn deleted(entry: &Value) -> Option<&str> {
    let context = entry.get("@odata.context").and_then(Value::as_str);
    let is_deleted = context.is_some_and(|context| context.ends_with("/$deletedEntity"));
    if !is_deleted && entry.get("@removed").is_none() {
        return None;
    }
    Some(entry.get("id").or_else(|| entry.get("@id")).and_then(Value::as_str).unwrap_or_default())
}
