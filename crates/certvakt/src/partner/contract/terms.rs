//! The terms of a contract, as they stand in its file.

use std::time::Duration;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An adapter, by its name in a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterName {
    /// A request for each change.
    Webhook,
    /// The Web API of Microsoft Dataverse.
    Dataverse,
}

/// Where a portal is tried, or is what people see.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Where it is tried.
    Staging,
    /// What people see.
    Live,
}

impl Stage {
    /// Its name in contracts, in the configuration and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staging => "staging",
            Self::Live => "live",
        }
    }

    /// The stage of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Staging, Self::Live].into_iter().find(|stage| stage.as_str() == name)
    }
}

/// A portal's addresses at one stage.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// Where changes are sent.
    pub endpoint: Url,
    /// Where tokens come from, for a sign-in that needs one.
    pub token: Option<Url>,
    /// Where the listing is read.
    pub listing: Option<Url>,
    /// Where completed renewal courses are read; none: the portal tells of them by itself, or of none.
    pub inbound: Option<Url>,
}

/// How we sign in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "flow", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SignInTerms {
    /// Each request is signed, as Standard Webhooks says.
    Signature {},
    /// A key in a header.
    HeaderKey {
        /// The header.
        header: String,
    },
    /// A bearer token for our id and secret (RFC 6749, section 4.4).
    ClientCredentials {
        /// Our id.
        client_id: String,
        /// What the token is for.
        scope: String,
    },
    /// A bearer token for our id and an assertion that our certificate signs (RFC 7523).
    ClientCertificate {
        /// Our id.
        client_id: String,
        /// What the token is for.
        scope: String,
    },
}

impl SignInTerms {
    /// Whether a token has to be fetched for it.
    pub const fn needs_token(&self) -> bool {
        matches!(self, Self::ClientCredentials { .. } | Self::ClientCertificate { .. })
    }
}

/// What a portal calls the two states.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusWords {
    /// Who can be contacted.
    pub listed: Word,
    /// Who cannot.
    pub delisted: Word,
}

impl StatusWords {
    /// The word for one of the two.
    pub const fn of(&self, is_listed: bool) -> &Word {
        if is_listed { &self.listed } else { &self.delisted }
    }
}

/// A state as a portal writes it: a word, the number of a choice, or a flag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Word {
    /// A flag.
    Flag(bool),
    /// The number of a choice.
    Number(i64),
    /// A word.
    Text(String),
}

/// The table of Dataverse that holds mentors; its entity set is the stage's endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableTerms {
    /// The column of the mentor's key, which must be an alternate key of the table.
    pub key: String,
    /// The column of the state.
    pub status: String,
    /// Changes in a request, at most 1,000; 1: a request for each.
    #[serde(default = "a_hundred")]
    pub batch: u16,
}

const fn a_hundred() -> u16 {
    100
}

/// What is sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestTerms {
    /// `POST`, `PUT` or `PATCH`.
    #[serde(default = "post")]
    pub method: String,
    /// The body, in which `{key}`, `{status}`, `{event}`, `{number}` and `{at}` stand for the mentor's key at the
    /// portal, the portal's word for the state, the event's id, its number among the mentor's, and when it happened.
    pub body: Value,
    /// JSON Schema of the body.
    pub schema: Value,
}

fn post() -> String {
    "POST".to_owned()
}

/// How a portal answers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerTerms {
    /// The status codes of what it has taken.
    pub taken: Vec<u16>,
    /// The status codes of what it does not take of this one mentor.
    #[serde(default)]
    pub refused: Vec<u16>,
    /// The status codes of a mentor whom it does not know: done, if they are to be taken off; otherwise refused.
    #[serde(default)]
    pub unknown: Vec<u16>,
    /// JSON Schema of the body of what it has taken; none: whatever it says is ignored.
    pub schema: Option<Value>,
}

/// How a portal's state of one mentor is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadTerms {
    /// What is added to the endpoint; `{key}` stands for the mentor's key.
    pub path: String,
    /// Where in the answer the portal's word for the state stands, as a JSON pointer (RFC 6901).
    pub status: String,
    /// The status codes of a mentor whom the portal does not know, or knows no more.
    #[serde(default = "not_found")]
    pub absent: Vec<u16>,
}

fn not_found() -> Vec<u16> {
    vec![404]
}

/// How a portal's listing is read: JSON, in pages. Places in it are JSON pointers (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListingTerms {
    /// Where in a page its entries stand; empty: the page is the array of them.
    #[serde(default)]
    pub entries: String,
    /// Where in an entry the mentor's key stands.
    pub key: String,
    /// Where in an entry the portal's word for the state stands; none: whoever is in the listing is listed.
    pub status: Option<String>,
    /// Where in a page the address of the next one stands, if there is one (`/@odata.nextLink` where the portal speaks `OData`).
    pub next: Option<String>,
    /// Where in an entry its id stands, by which changes of it are known.
    pub id: Option<String>,
    /// Where in the last page the address stands at which changes can be read (`/@odata.deltaLink`), if there is one.
    pub delta: Option<String>,
    /// Whether everybody can read it; otherwise we sign in.
    #[serde(default)]
    pub public: bool,
    /// For how many seconds it may show what was so before.
    #[serde(default = "a_quarter_of_an_hour")]
    pub cache_seconds: u32,
}

const fn a_quarter_of_an_hour() -> u32 {
    15 * 60
}

/// What a portal bears.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Requests a minute.
    pub requests_a_minute: u32,
    /// Requests at once.
    pub at_once: u16,
    /// Seconds after which an answer does not come any more.
    pub timeout_seconds: u16,
    /// How long to wait before each further attempt for a mentor whom the portal does not take, in seconds; the last
    /// is repeated.
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
    /// How long to wait after so many attempts, from 1, spread by a quarter by `jitter`, from 0 to 1, so that a crowd
    /// does not return at once.
    pub fn wait(&self, attempts: u32, jitter: f64) -> Duration {
        let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let seconds = self.retry_seconds.get(place).or(self.retry_seconds.last()).copied().unwrap_or(60);
        Duration::from_secs(u64::from(seconds)).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 4.0)
    }

    /// How long an answer may take.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout_seconds))
    }
}

/// A state that the portal's staging takes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// What it shows.
    pub name: String,
    /// The mentor's key.
    pub key: String,
    /// Whether they are to be listed.
    pub listed: bool,
    /// Whether the portal is not to take it.
    #[serde(default)]
    pub refused: bool,
}
