//! A portal's listing as it was last read.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use tokio::time::Instant;

/// The time after which a listing is read completely again instead of its changes.
const LONGEST_KEPT: Duration = Duration::from_hours(24);

/// The keys in a listing, each with whether the portal lists the mentor.
pub type Shown = BTreeMap<String, bool>;

/// A listing as it was last read, with the address of what has changed since.
#[derive(Debug)]
pub struct Snapshot {
    /// For each entry's id its key and whether the portal lists the mentor.
    pub(crate) rows: BTreeMap<String, (String, bool)>,
    /// The URL for later changes; `None` if the listing must be read completely.
    pub(crate) since: Option<Url>,
    read_at: Instant,
}

impl Snapshot {
    /// An empty snapshot.
    pub(crate) fn new() -> Self {
        Self { rows: BTreeMap::new(), since: None, read_at: Instant::now() }
    }

    /// Whether changes can still bring it up to date.
    pub(crate) fn is_current(&self) -> bool {
        self.since.is_some() && self.read_at.elapsed() < LONGEST_KEPT
    }

    /// The keys in it. A key in several entries is listed if one of them says so.
    pub(crate) fn shown(&self) -> Shown {
        let mut shown = Shown::new();
        for (key, is_listed) in self.rows.values() {
            *shown.entry(key.clone()).or_default() |= is_listed;
        }
        shown
    }
}
