//! A portal at one of its environments: the contract, the URLs, the sign-in and the client, which adapters use.

use certvakt_engine::config::{PartnersConfig, SecretsConfig};
use certvakt_engine::outbound::retry_after;
use chrono::NaiveDate;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{RequestBuilder, StatusCode};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::PartnerError;
use super::client::{PortalClient, PortalResponse};
use super::contract::{Addresses, Contract, Rules, State};
use super::outcome::PortalOutcome;
use super::sign_in::{self, SignIn};
use super::snapshot::Snapshot;
use certvakt_store::Environment;

/// A portal at one of its environments.
#[derive(Debug)]
pub struct Portal {
    /// The contract.
    pub contract: Contract,
    /// The contract's compiled schemas.
    pub rules: Rules,
    /// The URLs of the environment.
    pub addresses: Addresses,
    /// The sign-in.
    pub sign_in: Box<dyn SignIn>,
    /// The last day on which the credential is valid, in UTC; `None` if it does not expire or the date is
    /// unknown.
    pub secret_ends_on: Option<NaiveDate>,
    /// The client.
    pub wire: PortalClient,
    /// The cached listing, if its changes can be read.
    pub snapshot: Mutex<Option<Snapshot>>,
}

impl Portal {
    /// Creates the portal of an organisation's partner, with the configured secrets.
    pub fn new(
        contract: Contract,
        organisation: &str,
        partner: &str,
        environment: Environment,
        config: &PartnersConfig,
    ) -> Result<Self, PartnerError> {
        let wrong = |what: String| PartnerError::NotSetUp {
            partner: partner.to_owned(),
            environment: environment.as_str(),
            what,
        };
        let addresses = contract.environments.get(&environment).cloned();
        let addresses = addresses
            .ok_or_else(|| wrong(format!("the contract has no [environments.{}]", environment.as_str())))?;
        let named = config.secrets_of(organisation, partner, environment.as_str());
        let secrets = named.map(SecretsConfig::read).transpose().map_err(wrong)?.unwrap_or_default();
        let wire = PortalClient::new(&config.allowed_internal_hosts, &contract.limits)
            .map_err(|_| wrong("could not set up the HTTP client".to_owned()))?;
        let sign_in = sign_in::of(&contract.sign_in, &addresses, &secrets, &wire).map_err(wrong)?;
        let certified = sign_in.ends_at().map(|end| end.date_naive());
        let secret_ends_on = named.and_then(|named| named.ends).into_iter().chain(certified).min();
        let rules = Rules::of(&contract).map_err(wrong)?;
        Ok(Self { contract, rules, addresses, sign_in, secret_ends_on, wire, snapshot: Mutex::default() })
    }

    /// The body of a request that sends a state.
    pub fn body(&self, state: &State) -> Result<Vec<u8>, PortalOutcome> {
        let body = self.contract.body(state);
        match self.rules.request_fault(&body) {
            None => Ok(body.to_string().into_bytes()),
            Some(fault) => Err(PortalOutcome::Refused(format!("the request breaks the contract: {fault}"))),
        }
    }

    /// Sends a request with an id and a body, with the credentials. If they were rejected and can be renewed,
    /// it sends the request again. It sends nothing after `until`.
    pub async fn send(
        &self,
        id: &str,
        body: &[u8],
        until: Option<Instant>,
        make: impl Fn(HeaderMap) -> RequestBuilder,
    ) -> Result<PortalResponse, PortalOutcome> {
        let headers = self.sign_in.headers(id, body).await?;
        let answered = self.wire.send(make(headers.clone()), until).await?;
        if answered.status == StatusCode::UNAUTHORIZED && self.sign_in.renew(&headers).await {
            return Ok(self.wire.send(make(self.sign_in.headers(id, body).await?), until).await?);
        }
        Ok(answered)
    }

    /// Sends a request that changes nothing, which is sent again if there is no response.
    pub async fn ask(
        &self,
        id: &str,
        until: Option<Instant>,
        make: impl Fn(HeaderMap) -> RequestBuilder,
    ) -> Result<PortalResponse, PortalOutcome> {
        self.send(id, &[], until, make).await.map_err(|outcome| match outcome {
            PortalOutcome::InDoubt(reason) => PortalOutcome::Down(reason, None),
            other => other,
        })
    }
}

/// The headers of every request to an `OData` service (Microsoft Learn, "Compose HTTP requests and handle
/// errors").
pub fn odata() -> HeaderMap {
    let version = HeaderValue::from_static("4.0");
    HeaderMap::from_iter([
        (ACCEPT, HeaderValue::from_static("application/json")),
        (HeaderName::from_static("odata-version"), version.clone()),
        (HeaderName::from_static("odata-maxversion"), version),
    ])
}

/// The outcome of a change by its response.
pub fn judge_change(portal: &Portal, state: &State, answered: &PortalResponse) -> PortalOutcome {
    let terms = &portal.contract.response;
    let code = answered.status.as_u16();
    if terms.unknown.contains(&code) {
        return if state.is_listed {
            PortalOutcome::Refused(format!("the portal does not know this mentor ({code})"))
        } else {
            PortalOutcome::Accepted
        };
    }
    if terms.refused.contains(&code) {
        return PortalOutcome::Refused(format!("the portal refused the change ({code})"));
    }
    if let Err(outcome) = judge(answered, &terms.accepted) {
        return outcome;
    }
    match portal.rules.answer_fault(&answered.body) {
        None => PortalOutcome::Accepted,
        Some(fault) => PortalOutcome::Broken(format!("its response breaks the contract: {fault}")),
    }
}

/// The outcome of a response with an unexpected status code.
pub fn judge(answered: &PortalResponse, expected: &[u16]) -> Result<(), PortalOutcome> {
    let code = answered.status.as_u16();
    Err(match code {
        _ if expected.contains(&code) => return Ok(()),
        401 | 403 => PortalOutcome::SignIn(format!("the portal refused access ({code})")),
        // After a time-out at the portal, the result is unknown (RFC 9110, section 15.6.5).
        408 | 504 => PortalOutcome::InDoubt(format!("the portal timed out ({code})")),
        429 => PortalOutcome::Busy(
            format!("the portal limits our requests ({code})"),
            retry_after(&answered.headers),
        ),
        500..=599 => {
            PortalOutcome::Down(format!("the portal failed ({code})"), retry_after(&answered.headers))
        }
        300..=399 => PortalOutcome::Broken(format!("it redirected the request ({code})")),
        _ => PortalOutcome::Broken(format!(
            "its response has a status that the contract does not know ({code})"
        )),
    })
}
