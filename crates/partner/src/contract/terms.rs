//! The terms of a contract, as in its file.

use std::time::Duration;

use std::collections::BTreeMap;

use certvakt_store::Environment;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// A version of a contract.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// The portal's protocol.
    pub adapter: AdapterName,
    /// The portal's addresses at each environment.
    pub environments: BTreeMap<Environment, Addresses>,
    /// The sign-in method.
    pub sign_in: SignInTerms,
    /// The portal's values of the two states.
    pub status_values: StatusValues,
    /// The requests to the portal.
    pub request: RequestTerms,
    /// The portal's responses.
    pub response: ResponseTerms,
    /// The table of mentors, for `dataverse`.
    pub table: Option<TableTerms>,
    /// The request that reads the portal's state of one mentor, for `webhook`; if missing, only the listing
    /// shows it.
    pub read: Option<ReadTerms>,
    /// The portal's listing; if missing, only single mentors can be read.
    pub listing: Option<ListingTerms>,
    /// The portal's reports of completed renewal courses, if it sends any.
    pub inbound: Option<InboundTerms>,
    /// The portal's limits.
    #[serde(default)]
    pub limits: Limits,
    /// The example states for `partner probe`, which the portal's staging accepts.
    #[serde(default)]
    pub examples: Vec<Example>,
}

/// An adapter, by its name in a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterName {
    /// One request per change.
    Webhook,
    /// The Web API of Microsoft Dataverse.
    Dataverse,
}

/// The URLs of a portal at one environment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// The URL for changes.
    pub endpoint: Url,
    /// The token endpoint, for sign-in methods that need a token.
    pub token: Option<Url>,
    /// The URL of the listing.
    pub listing: Option<Url>,
    /// The URL of the reports of completed renewal courses; if missing, the portal sends them to the webhook,
    /// or sends none.
    pub inbound: Option<Url>,
}

/// A sign-in method.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "flow", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SignInTerms {
    /// Each request is signed as Standard Webhooks specifies.
    Signature {},
    /// A key in a header.
    HeaderKey {
        /// The header.
        header: String,
    },
    /// A bearer token for a client id and a secret (RFC 6749, section 4.4).
    ClientCredentials {
        /// The client id.
        client_id: String,
        /// The scope of the token.
        scope: String,
    },
    /// A bearer token for a client id and an assertion signed with a certificate (RFC 7523).
    ClientCertificate {
        /// The client id.
        client_id: String,
        /// The scope of the token.
        scope: String,
    },
}

impl SignInTerms {
    /// Whether the method needs a token.
    pub const fn needs_token(&self) -> bool {
        matches!(self, Self::ClientCredentials { .. } | Self::ClientCertificate { .. })
    }
}

/// A portal's values of the two states.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusValues {
    /// The value for a listed mentor.
    pub listed: StatusValue,
    /// The value for a mentor who is not listed.
    pub delisted: StatusValue,
}

impl StatusValues {
    /// The value of one of the two states.
    pub const fn of(&self, is_listed: bool) -> &StatusValue {
        if is_listed { &self.listed } else { &self.delisted }
    }
}

/// A portal's value of a state: a word, the number of a choice, or a flag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum StatusValue {
    /// A flag.
    Flag(bool),
    /// The number of a choice.
    Number(i64),
    /// A word.
    Text(String),
}

/// The Dataverse table of mentors. Its entity set is the environment's endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableTerms {
    /// The column of the mentor's key, which must be an alternate key of the table.
    pub key: String,
    /// The column of the state.
    pub status: String,
    /// The number of changes in a request, from 1 to 1,000.
    #[serde(default = "a_hundred")]
    pub batch: u16,
}

const fn a_hundred() -> u16 {
    100
}

/// The request for a change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestTerms {
    /// `POST`, `PUT` or `PATCH`.
    #[serde(default = "post")]
    pub method: String,
    /// The body, with the placeholders `{key}` (the portal's key for the mentor), `{status}` (the portal's
    /// value of the state), `{event}` (the event's id), `{number}` (its number among the mentor's events) and
    /// `{at}` (its time).
    pub body: Value,
    /// The JSON Schema of the body.
    pub schema: Value,
}

fn post() -> String {
    "POST".to_owned()
}

/// The responses to a change.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseTerms {
    /// The status codes of an accepted change.
    pub accepted: Vec<u16>,
    /// The status codes of a change that the portal refuses for this mentor.
    #[serde(default)]
    pub refused: Vec<u16>,
    /// The status codes for a mentor whom the portal does not know. A removal is then complete; an addition
    /// is refused.
    #[serde(default)]
    pub unknown: Vec<u16>,
    /// The JSON Schema of the body for an accepted change; if missing, the body is ignored.
    pub schema: Option<Value>,
}

/// The request that reads a portal's state of one mentor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadTerms {
    /// The path to add to the endpoint, with the placeholder `{key}` for the mentor's key.
    pub path: String,
    /// The place of the portal's value of the state in the response, as a JSON pointer (RFC 6901).
    pub status: String,
    /// The status codes for a mentor whom the portal does not know, or no longer knows.
    #[serde(default = "not_found")]
    pub absent: Vec<u16>,
}

fn not_found() -> Vec<u16> {
    vec![404]
}

/// A portal's listing: JSON, in pages. Places are JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingTerms {
    /// The place of the entries in a page; if empty, the page is the array of entries.
    #[serde(default)]
    pub entries: String,
    /// The place of the mentor's key in an entry.
    pub key: String,
    /// The place of the portal's value of the state in an entry; if missing, every entry is a listed mentor.
    pub status: Option<String>,
    /// The place of the next page's URL in a page, if there is one (`/@odata.nextLink` for `OData`).
    pub next: Option<String>,
    /// The place of an entry's id, which identifies the entry in changes.
    pub id: Option<String>,
    /// The place of the URL for changes in the last page (`/@odata.deltaLink`), if there is one.
    pub delta: Option<String>,
    /// Whether the listing is public; otherwise certvakt signs in.
    #[serde(default)]
    pub public: bool,
    /// The number of seconds for which the listing may show an older state.
    #[serde(default = "a_quarter_of_an_hour")]
    pub cache_seconds: u32,
}

const fn a_quarter_of_an_hour() -> u32 {
    15 * 60
}

/// A portal's limits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The maximum number of requests per minute.
    pub requests_a_minute: u32,
    /// The maximum number of concurrent requests.
    pub at_once: u16,
    /// Seconds after which a request times out.
    pub timeout_seconds: u16,
    /// The delays in seconds before further attempts for a mentor whom the portal refuses. The last one is
    /// repeated.
    pub retry_seconds: Vec<u32>,
}

impl Default for Limits {
    /// The retry schedule is the one that Standard Webhooks recommends.
    fn default() -> Self {
        const MINUTE: u32 = 60;
        const HOUR: u32 = 60 * MINUTE;
        Self {
            requests_a_minute: 300,
            at_once: 4,
            timeout_seconds: 20,
            retry_seconds: vec![
                5,
                5 * MINUTE,
                30 * MINUTE,
                2 * HOUR,
                5 * HOUR,
                10 * HOUR,
                14 * HOUR,
                20 * HOUR,
                24 * HOUR,
            ],
        }
    }
}

impl Limits {
    /// The delay after a number of attempts, from 1. `jitter`, from 0 to 1, varies it by a quarter, so that
    /// many mentors do not retry at the same time.
    pub fn wait(&self, attempts: u32, jitter: f64) -> Duration {
        let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let seconds = self.retry_seconds.get(place).or(self.retry_seconds.last()).copied().unwrap_or(60);
        Duration::from_secs(u64::from(seconds)).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 4.0)
    }

    /// The time limit of a request.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_seconds))
    }
}

/// An example state for the portal's staging.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The example's name.
    pub name: String,
    /// The mentor's key.
    pub key: String,
    /// Whether the mentor belongs on the listing.
    pub listed: bool,
    /// Whether the portal must refuse it.
    #[serde(default)]
    pub refused: bool,
}

/// The terms for reports of completed renewal courses: one in the body of a webhook, or many as entries of
/// pages. Places are JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InboundTerms {
    /// The place of the portal's id of the event. The same id is the same renewal.
    pub event: String,
    /// The place of the portal's key for the mentor.
    pub key: String,
    /// The place of the portal's name of the course; if missing, every course renews the only type in
    /// `types`.
    pub course: Option<String>,
    /// The place of the day of completion: a date, or a time (RFC 3339).
    pub completed: String,
    /// The place of the new last valid day, in the same format; if missing, the rule of the type decides.
    pub until: Option<String>,
    /// The place of the origin of the reported change.
    pub origin: Option<String>,
    /// The portal's value of the origin for certvakt, to recognise changes that certvakt itself sent.
    pub ours: Option<StatusValue>,
    /// The type of certification that each course renews, by the portal's name of the course.
    pub types: BTreeMap<String, String>,
    /// Courses completed before this day renew nothing, because they are older than the use of certvakt.
    pub since: Option<NaiveDate>,
    /// The JSON Schema of a report.
    pub schema: Value,
    /// The place of the reports in a page; if empty, the page is the array of reports.
    #[serde(default)]
    pub entries: String,
    /// The place of the next page's URL in a page.
    pub next: Option<String>,
    /// The place, in the last page, of the URL for new reports only; if missing, all reports are read each
    /// time.
    pub delta: Option<String>,
}
