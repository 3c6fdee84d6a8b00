//! The adapters, one file for each portal protocol.

mod dataverse;
mod multipart;
mod webhook;

use std::time::Duration;

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::PartnerError;
use super::client::NoAnswer;
use super::contract::{Contract, Stage, State};
use super::portal::Portal;
use super::sign_in;
use crate::config::{PartnersConfig, SecretsConfig};
use crate::store::partner::Partner;

/// The limits of the requests of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The maximum number of concurrent requests.
    pub at_once: usize,
    /// The time after which no request is sent, because the lease may have expired.
    pub until: Instant,
}

impl Bounds {
    /// One request after the other, without a lease.
    pub fn alone() -> Self {
        Self { at_once: 1, until: Instant::now() + Duration::from_hours(1) }
    }
}

/// A protocol of portals.
pub trait Adapter: std::fmt::Debug + Send + Sync {
    /// The portal.
    fn portal(&self) -> &Portal;

    /// The maximum number of changes in a request.
    fn batch(&self) -> u16 {
        1
    }

    /// Whether the portal's state of a mentor can be read. Otherwise only its listing shows it.
    fn can_be_asked(&self) -> bool;

    /// Sends the current states of mentors, one for each. Returns the outcomes in the same order.
    fn send<'a>(&'a self, states: &'a [State], bounds: Bounds) -> BoxFuture<'a, Vec<Outcome>>;

    /// Reads whether the portal lists mentors. Returns the results in the same order.
    fn read<'a>(&'a self, keys: &'a [&'a str], bounds: Bounds) -> BoxFuture<'a, Vec<Result<bool, Outcome>>>;
}

/// The outcome of a request. The reasons are certvakt's own texts, because a portal's text can contain
/// anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The portal accepted the change, with a response that follows the contract.
    Taken,
    /// The portal refused the change for this mentor.
    Refused(String),
    /// The portal limits requests, for a time if it gave one.
    Busy(String, Option<Duration>),
    /// The portal cannot be reached or fails, for a time if it gave one.
    Down(String, Option<Duration>),
    /// There was no response, so the result is unknown.
    Unsure(String),
    /// The portal refused access.
    SignIn(String),
    /// The portal breaks the contract.
    Broken(String),
}

impl Outcome {
    /// The reason; `None` for an accepted change.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Taken => None,
            Self::Refused(reason)
            | Self::Busy(reason, _)
            | Self::Down(reason, _)
            | Self::Unsure(reason)
            | Self::SignIn(reason)
            | Self::Broken(reason) => Some(reason),
        }
    }

    /// The time that the portal asked us to wait, if any.
    pub fn rest(&self) -> Option<Duration> {
        match self {
            Self::Busy(_, wait) => Some(wait.unwrap_or(Duration::from_secs(30))),
            _ => None,
        }
    }

    /// Whether the portal responded for this mentor.
    pub const fn is_an_answer(&self) -> bool {
        matches!(self, Self::Taken | Self::Refused(_))
    }

    /// The outcome's name in metrics and on the terminal.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Refused(_) => "refused",
            Self::Busy(..) => "busy",
            Self::Down(..) => "down",
            Self::Unsure(_) => "unsure",
            Self::SignIn(_) => "sign-in",
            Self::Broken(_) => "broken",
        }
    }
}

impl From<NoAnswer> for Outcome {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Unreachable => Self::Down("the portal cannot be reached".to_owned(), None),
            NoAnswer::TooLong => Self::Broken("its response is too long".to_owned()),
            NoAnswer::Lost => Self::Unsure("no response".to_owned()),
            NoAnswer::TooLate => Self::Down("this process was suspended for longer than its lease".to_owned(), None),
            NoAnswer::Inward => Self::Broken(
                "the contract's address is on this machine or in a private network: add the host to partners.allowed_inward if that is intended"
                    .to_owned(),
            ),
        }
    }
}

impl From<sign_in::SignInError> for Outcome {
    fn from(error: sign_in::SignInError) -> Self {
        match error {
            sign_in::SignInError::Refused(reason) => Self::SignIn(reason),
            sign_in::SignInError::Unavailable(reason) => Self::Down(reason, None),
        }
    }
}

/// Creates the adapter of a contract at a stage.
pub fn of(
    contract: Contract,
    organisation: &str,
    partner: &str,
    stage: Stage,
    config: &PartnersConfig,
) -> Result<Box<dyn Adapter>, PartnerError> {
    let table = contract.table.clone();
    let portal = Portal::new(contract, organisation, partner, stage, config)?;
    Ok(match table {
        Some(table) => Box::new(dataverse::Dataverse::new(portal, table)),
        None => Box::new(webhook::Webhook::new(portal)),
    })
}

/// Creates the adapter of a partner that is switched on.
pub fn of_partner(one: &Partner, config: &PartnersConfig) -> Result<Box<dyn Adapter>, PartnerError> {
    let (Some(stage), Some(version)) = (one.stage.as_deref().and_then(Stage::named), &one.contract) else {
        return Err(PartnerError::Off(one.partner.clone()));
    };
    let contract = Contract::read(&config.contracts, &one.partner, version)?;
    of(contract, &one.organisation, &one.partner, stage, config)
}

/// A partner's cached adapter, which is valid until the contract, the stage or the secrets change.
#[derive(Debug)]
pub struct CachedAdapter {
    stage: Option<String>,
    version: Option<String>,
    /// The digest of the secrets, so that nothing can print them.
    digest: Option<[u8; 32]>,
    adapter: Box<dyn Adapter>,
}

impl CachedAdapter {
    /// Returns the cached adapter if it is still valid, otherwise a new one.
    pub fn of(kept: Option<Self>, one: &Partner, config: &PartnersConfig) -> Result<Self, PartnerError> {
        let secrets =
            one.stage.as_deref().and_then(|stage| config.secrets_of(&one.organisation, &one.partner, stage));
        let digest = secrets.map(SecretsConfig::read).transpose();
        let digest = digest.map(|secrets| secrets.map(|secrets| Sha256::digest(secrets.join("\n")).into()));
        let is_same = |kept: &Self| {
            // An unreadable secret is probably being written, so keep the adapter.
            let has_changed = digest.as_ref().is_ok_and(|digest| *digest != kept.digest);
            kept.stage == one.stage && kept.version == one.contract && !has_changed
        };
        Ok(match kept.filter(is_same) {
            Some(kept) => kept,
            None => Self {
                stage: one.stage.clone(),
                version: one.contract.clone(),
                adapter: of_partner(one, config)?,
                digest: digest.unwrap_or_default(),
            },
        })
    }

    /// The adapter.
    pub fn adapter(&self) -> &dyn Adapter {
        self.adapter.as_ref()
    }
}
