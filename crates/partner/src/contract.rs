//! Contracts with partners: the requests to a portal, its responses, and its listing. Each version is a file,
//! `contracts/<partner>/<version>.toml`.

#[cfg(test)]
mod fuzz;
mod inbound;
mod message;
mod terms;

use std::path::{Path, PathBuf};

use certvakt_store::Environment;
use chrono::DateTime;
use uuid::Uuid;

pub use inbound::Report;
pub use message::{Rules, State};
pub use terms::{
    AdapterName, Addresses, Contract, Example, InboundTerms, Limits, ListingTerms, ReadTerms, RequestTerms,
    ResponseTerms, SignInTerms, StatusValue, StatusValues, TableTerms,
};

/// The maximum number of operations in a batch (Microsoft Learn, "Execute batch operations using the Web
/// API").
const MOST_OPERATIONS: u16 = 1_000;

/// An error of a contract.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    /// No folder of contracts is configured.
    #[error("no folder of contracts is configured: set partners.contracts in the configuration")]
    NoFolder,
    /// The version does not exist or cannot be read.
    #[error(
        "cannot read the contract '{version}' with '{partner}' ({cause}): check partners.contracts, and the file {partner}/{version}.toml in it"
    )]
    Unreadable {
        /// The partner.
        partner: String,
        /// The version.
        version: String,
        /// The system's error.
        cause: std::io::Error,
    },
    /// The contract is incomplete or contradicts itself.
    #[error("the contract '{version}' with '{partner}' is invalid: {what}")]
    Invalid {
        /// The partner.
        partner: String,
        /// The version.
        version: String,
        /// The fault.
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
        Self::parse(&text).map_err(|what| ContractError::Invalid {
            partner: partner.to_owned(),
            version: version.to_owned(),
            what,
        })
    }

    /// Parses a contract, or returns its fault.
    fn parse(text: &str) -> Result<Self, String> {
        let contract: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            format!("line {line}: {}", error.message())
        })?;
        contract.check()?;
        Ok(contract)
    }

    /// Checks the contract for contradictions.
    fn check(&self) -> Result<(), String> {
        self.check_environments()?;
        self.check_adapter()?;
        self.check_messages()?;
        inbound::check(self)?;
        let rules = Rules::of(self)?;
        for is_listed in [true, false] {
            let state = State::new("1", is_listed, Uuid::nil(), 1, DateTime::UNIX_EPOCH, 0);
            let body = self.body(&state);
            if let Some(fault) = rules.request_fault(&body) {
                return Err(format!("the body does not match request.schema: {fault}"));
            }
        }
        Ok(())
    }

    /// Checks the addresses of the environments.
    fn check_environments(&self) -> Result<(), String> {
        for (environment, addresses) in &self.environments {
            let others = [&addresses.token, &addresses.listing, &addresses.inbound];
            let urls = [Some(&addresses.endpoint)].into_iter().chain(others.map(Option::as_ref));
            if let Some(unsafe_one) = urls.flatten().find(|url| !certvakt_engine::outbound::is_safe(url)) {
                return Err(format!("{unsafe_one} of {} must start with https://", environment.as_str()));
            }
            if self.sign_in.needs_token() && addresses.token.is_none() {
                return Err(format!(
                    "environments.{}.token is missing: the sign-in needs it",
                    environment.as_str()
                ));
            }
        }
        let unread = self.environments.iter().find(|(_, addresses)| addresses.listing.is_none());
        if let (Some(_), Some((environment, _))) = (&self.listing, unread) {
            return Err(format!(
                "environments.{}.listing is missing: [listing] needs it",
                environment.as_str()
            ));
        }
        Ok(())
    }

    /// Checks that the sections fit the adapter.
    fn check_adapter(&self) -> Result<(), String> {
        match (self.adapter, &self.table, &self.read) {
            (AdapterName::Dataverse, None, _) => {
                return Err("[table] is missing: dataverse needs it".to_owned());
            }
            (AdapterName::Dataverse, _, Some(_)) => {
                return Err("[read] is only for webhook: dataverse reads its [table]".to_owned());
            }
            (AdapterName::Webhook, Some(_), _) => return Err("[table] is only for dataverse".to_owned()),
            _ => {}
        }
        if self.table.as_ref().is_some_and(|table| !(1..=MOST_OPERATIONS).contains(&table.batch)) {
            return Err(format!("table.batch must be from 1 to {MOST_OPERATIONS}"));
        }
        if self.adapter == AdapterName::Dataverse && self.request.method != "PATCH" {
            return Err("request.method must be PATCH with dataverse".to_owned());
        }
        let can_be_asked = self.read.is_some() || self.table.is_some();
        if self.listing.is_none() && (!can_be_asked || self.environments.contains_key(&Environment::Live)) {
            return Err(
                "[listing] is missing: only the listing proves that the portal shows a change".to_owned()
            );
        }
        if self.listing.as_ref().is_some_and(|listing| listing.delta.is_some() != listing.id.is_some()) {
            return Err("listing.delta and listing.id belong together: set both or neither".to_owned());
        }
        Ok(())
    }

    /// Checks the requests, the answers and the limits.
    fn check_messages(&self) -> Result<(), String> {
        if self.environments.is_empty() {
            return Err("it has no environment: add [environments.staging] or [environments.live]".to_owned());
        }
        if !["POST", "PUT", "PATCH"].contains(&self.request.method.as_str()) {
            return Err(format!("request.method is '{}': write POST, PUT or PATCH", self.request.method));
        }
        if self.status_values.listed == self.status_values.delisted {
            return Err("status_values.listed and status_values.delisted are the same".to_owned());
        }
        if self.response.accepted.is_empty()
            || self.response.accepted.iter().any(|code| !(200..300).contains(code))
        {
            return Err("response.accepted must contain status codes from 200 to 299".to_owned());
        }
        if self.table.is_some() && !self.response.unknown.is_empty() {
            return Err(
                "response.unknown is only for webhook: dataverse reports unknown mentors itself".to_owned()
            );
        }
        let about_mentor = self.response.refused.iter().chain(&self.response.unknown);
        if about_mentor
            .into_iter()
            .any(|code| !(400..500).contains(code) || matches!(code, 401 | 403 | 408 | 429))
        {
            return Err("response.refused and response.unknown may contain status codes from 400 to 499, except 401, 403, 408 and 429, which concern certvakt itself".to_owned());
        }
        if [self.limits.requests_a_minute, self.limits.at_once.into(), self.limits.timeout_seconds.into()]
            .contains(&0)
        {
            return Err("every number in [limits] must be at least 1".to_owned());
        }
        Ok(())
    }
}
