//! Contracts with partners: what a portal is sent, how it answers, and how its listing is read. Each version is a
//! file, `contracts/<partner>/<version>.toml`; adding one is adding a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use jsonschema::Validator;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// A version of a contract.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// How the portal is spoken to.
    pub adapter: AdapterName,
    /// The portal's addresses at each stage.
    pub stages: BTreeMap<Stage, Addresses>,
    /// How we sign in.
    pub sign_in: SignInTerms,
    /// What the portal calls the two states.
    pub words: Words,
    /// What is sent.
    pub request: RequestTerms,
    /// How the portal answers.
    pub answer: AnswerTerms,
    /// How the portal's state of one mentor is read; none: only its listing shows it.
    pub read: Option<ReadTerms>,
    /// How the portal's listing is read; none: only mentors one at a time can be.
    pub listing: Option<ListingTerms>,
    /// What the portal bears.
    #[serde(default)]
    pub limits: Limits,
    /// States that the portal's staging takes, for `partner probe`.
    #[serde(default)]
    pub examples: Vec<Example>,
}

/// An adapter, by its name in a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterName {
    /// A request for each change.
    Webhook,
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
}

/// What a portal calls the two states.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Who can be contacted.
    pub listed: String,
    /// Who cannot.
    pub delisted: String,
}

impl Words {
    const fn of(&self, is_listed: bool) -> &String {
        if is_listed { &self.listed } else { &self.delisted }
    }
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

/// The present state of a mentor, as a portal is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The portal's key of them.
    pub key: String,
    /// Whether they are to be listed.
    pub is_listed: bool,
    /// The last event's id.
    pub event: Uuid,
    /// The id of the message that tells it: the event's, or another for each time that it is sent anew, which a portal
    /// would otherwise take for a repeat.
    pub message: String,
    /// Its number among the mentor's.
    pub number: i64,
    /// When it happened.
    pub at: DateTime<Utc>,
}

impl State {
    /// A state, sent anew so often.
    pub fn new(
        key: &str,
        is_listed: bool,
        event: Uuid,
        number: i64,
        at: DateTime<Utc>,
        replays: i64,
    ) -> Self {
        let message = if replays == 0 { event.to_string() } else { format!("{event}.{replays}") };
        Self { key: key.to_owned(), is_listed, event, message, number, at }
    }
}

/// Why a contract cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// No folder is named.
    #[error(
        "no contract can be read: name the folder that holds them in partners.contracts of the configuration"
    )]
    NoFolder,
    /// There is no such version.
    #[error(
        "there is no contract '{version}' with '{partner}' ({cause}): check partners.contracts, and the file {partner}/{version}.toml in it"
    )]
    Unreadable {
        /// The partner.
        partner: String,
        /// The version.
        version: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// It is not whole, or contradicts itself.
    #[error("the contract '{version}' with '{partner}' is wrong: {what}")]
    Invalid {
        /// The partner.
        partner: String,
        /// The version.
        version: String,
        /// What is wrong.
        what: String,
    },
}

impl ContractError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoFolder | Self::Unreadable { .. } => "contract-unknown",
            Self::Invalid { .. } => "contract-invalid",
        }
    }
}

impl Contract {
    /// Reads a version from the folder of contracts.
    pub fn read(folder: &Path, partner: &str, version: &str) -> Result<Self, ContractError> {
        if folder.as_os_str().is_empty() {
            return Err(ContractError::NoFolder);
        }
        let path: PathBuf = folder.join(partner).join(format!("{version}.toml"));
        let text = std::fs::read_to_string(path).map_err(|cause| ContractError::Unreadable {
            partner: partner.to_owned(),
            version: version.to_owned(),
            cause,
        })?;
        let invalid = |what: String| ContractError::Invalid {
            partner: partner.to_owned(),
            version: version.to_owned(),
            what,
        };
        let contract: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            invalid(format!("line {line}: {}", error.message()))
        })?;
        contract.check().map_err(invalid)?;
        Ok(contract)
    }

    /// What contradicts itself, if anything does.
    fn check(&self) -> Result<(), String> {
        for (stage, addresses) in &self.stages {
            let urls = [Some(&addresses.endpoint), addresses.token.as_ref(), addresses.listing.as_ref()];
            if let Some(unsafe_one) = urls.into_iter().flatten().find(|url| !crate::http::is_safe(url)) {
                return Err(format!("{unsafe_one} of {} must begin with https://", stage.as_str()));
            }
            if matches!(self.sign_in, SignInTerms::ClientCredentials { .. }) && addresses.token.is_none() {
                return Err(format!(
                    "stages.{}.token is missing: client-credentials needs it",
                    stage.as_str()
                ));
            }
        }
        let unread = self.stages.iter().find(|(_, addresses)| addresses.listing.is_none());
        if let (Some(_), Some((stage, _))) = (&self.listing, unread) {
            return Err(format!("stages.{}.listing is missing: [listing] needs it", stage.as_str()));
        }
        if self.listing.is_none() && (self.read.is_none() || self.stages.contains_key(&Stage::Live)) {
            return Err("it has no [listing]: that a portal has taken something is no proof, its listing is"
                .to_owned());
        }
        if self.stages.is_empty() {
            return Err("it names no stage: add [stages.staging] or [stages.live]".to_owned());
        }
        if !["POST", "PUT", "PATCH"].contains(&self.request.method.as_str()) {
            return Err(format!("request.method is '{}': write POST, PUT or PATCH", self.request.method));
        }
        if self.words.listed == self.words.delisted {
            return Err("words.listed and words.delisted are the same".to_owned());
        }
        if self.answer.taken.is_empty() || self.answer.taken.iter().any(|code| !(200..300).contains(code)) {
            return Err("answer.taken must name status codes from 200 to 299".to_owned());
        }
        let about_mentor = self.answer.refused.iter().chain(&self.answer.unknown);
        if about_mentor
            .into_iter()
            .any(|code| !(400..500).contains(code) || matches!(code, 401 | 403 | 408 | 429))
        {
            return Err("answer.refused and answer.unknown may name status codes from 400 to 499, but 401, 403, 408 and 429, which are about us".to_owned());
        }
        if [self.limits.requests_a_minute, self.limits.at_once.into(), self.limits.timeout_seconds.into()]
            .contains(&0)
        {
            return Err("every figure of [limits] must be at least 1".to_owned());
        }
        let rules = Rules::of(self)?;
        for is_listed in [true, false] {
            let state = State::new("1", is_listed, Uuid::nil(), 1, DateTime::UNIX_EPOCH, 0);
            let body = self.body(&state);
            if let Some(fault) = rules.request_fault(&body) {
                return Err(format!("the body does not keep to request.schema: {fault}"));
            }
        }
        Ok(())
    }

    /// The body of a request that tells a state.
    pub fn body(&self, state: &State) -> Value {
        fill(&self.request.body, &|name| {
            Some(match name {
                "{key}" => json!(state.key),
                "{status}" => json!(self.words.of(state.is_listed)),
                "{event}" => json!(state.event),
                "{number}" => json!(state.number),
                "{at}" => json!(state.at.to_rfc3339_opts(SecondsFormat::Secs, true)),
                _ => return None,
            })
        })
    }

    /// Whether a word is the portal's for being listed; none: it is neither of the two.
    pub fn reads(&self, word: &str) -> Option<bool> {
        [true, false].into_iter().find(|is_listed| self.words.of(*is_listed) == word)
    }
}

/// A template whose texts that are a placeholder are what it stands for.
fn fill(template: &Value, known: &impl Fn(&str) -> Option<Value>) -> Value {
    match template {
        Value::String(text) => known(text).unwrap_or_else(|| template.clone()),
        Value::Array(all) => all.iter().map(|one| fill(one, known)).collect(),
        Value::Object(all) => all
            .iter()
            .map(|(name, one)| (name.clone(), fill(one, known)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The schemas of a contract, compiled.
#[derive(Debug)]
pub struct Rules {
    request: Validator,
    answer: Option<Validator>,
}

impl Rules {
    /// Those of a contract, or what is wrong with them.
    pub fn of(contract: &Contract) -> Result<Self, String> {
        let compile = |name: &str, schema: &Value| {
            jsonschema::options()
                .should_validate_formats(true)
                .build(schema)
                .map_err(|error| format!("{name} is no JSON Schema: {error}"))
        };
        Ok(Self {
            request: compile("request.schema", &contract.request.schema)?,
            answer: contract
                .answer
                .schema
                .as_ref()
                .map(|schema| compile("answer.schema", schema))
                .transpose()?,
        })
    }

    /// What in a request is not as the contract says.
    pub fn request_fault(&self, body: &Value) -> Option<String> {
        fault(&self.request, body)
    }

    /// What in an answer is not as the contract says. It names the rule, and nothing that is there.
    pub fn answer_fault(&self, body: &[u8]) -> Option<String> {
        let schema = self.answer.as_ref()?;
        match serde_json::from_slice(body) {
            Ok(body) => fault(schema, &body),
            Err(_) => Some("it is not JSON".to_owned()),
        }
    }
}

fn fault(schema: &Validator, body: &Value) -> Option<String> {
    // The contract's own words: what the other side calls its fields may be anything.
    Some(format!("it breaks {}", schema.iter_errors(body).next()?.schema_path()))
}
