//! How portals are spoken to. Each way is a file.

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

/// What holds for the requests of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many are made at once.
    pub at_once: usize,
    /// After which none is made any more: somebody else may be making them.
    pub until: Instant,
}

impl Bounds {
    /// One after the other, of whom nobody else knows.
    pub fn alone() -> Self {
        Self { at_once: 1, until: Instant::now() + Duration::from_hours(1) }
    }
}

/// A way to speak to a portal.
pub trait Adapter: std::fmt::Debug + Send + Sync {
    /// The portal.
    fn portal(&self) -> &Portal;

    /// Changes that one request tells, at most.
    fn batch(&self) -> u16 {
        1
    }

    /// Whether the portal can be asked what it holds of a mentor; otherwise its listing alone shows it.
    fn can_be_asked(&self) -> bool;

    /// Tells the portal the present states of mentors, one each. What became of each, in the same order.
    fn send<'a>(&'a self, states: &'a [State], bounds: Bounds) -> BoxFuture<'a, Vec<Outcome>>;

    /// What the portal holds of mentors: whether they are listed, in the same order.
    fn read<'a>(&'a self, keys: &'a [&'a str], bounds: Bounds) -> BoxFuture<'a, Vec<Result<bool, Outcome>>>;
}

/// What became of a request. The words are ours: what a portal says may hold anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The portal has taken it, and answered as the contract says.
    Taken,
    /// It does not take it of this one mentor.
    Refused(String),
    /// It takes nothing for now; for how long, if it said so.
    Busy(String, Option<Duration>),
    /// It cannot be reached, or fails; for how long, if it said so.
    Down(String, Option<Duration>),
    /// No answer came: nobody knows what became of it.
    Unsure(String),
    /// It does not let us sign in.
    SignIn(String),
    /// It does not keep to the contract.
    Broken(String),
}

impl Outcome {
    /// What is behind it, in words; nothing of what was taken.
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

    /// How long the portal is to be left alone, if it wants to be.
    pub fn rest(&self) -> Option<Duration> {
        match self {
            Self::Busy(_, wait) => Some(wait.unwrap_or(Duration::from_secs(30))),
            _ => None,
        }
    }

    /// Whether the portal has answered about this mentor.
    pub const fn is_an_answer(&self) -> bool {
        matches!(self, Self::Taken | Self::Refused(_))
    }

    /// Its name in metrics and on the screen.
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

/// The way that a contract asks for, at a stage.
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

/// The way to speak to a partner that is switched on.
pub fn of_partner(one: &Partner, config: &PartnersConfig) -> Result<Box<dyn Adapter>, PartnerError> {
    let (Some(stage), Some(version)) = (one.stage.as_deref().and_then(Stage::named), &one.contract) else {
        return Err(PartnerError::Off(one.partner.clone()));
    };
    let contract = Contract::read(&config.contracts, &one.partner, version)?;
    of(contract, &one.organisation, &one.partner, stage, config)
}

/// A partner's adapter, as long as nothing changes that it was made for: the contract, the stage, the secrets.
#[derive(Debug)]
pub struct CachedAdapter {
    stage: Option<String>,
    version: Option<String>,
    /// Of the secrets, so that nothing prints them.
    digest: Option<[u8; 32]>,
    adapter: Box<dyn Adapter>,
}

impl CachedAdapter {
    /// The same, if it still fits; otherwise another.
    pub fn of(kept: Option<Self>, one: &Partner, config: &PartnersConfig) -> Result<Self, PartnerError> {
        let secrets =
            one.stage.as_deref().and_then(|stage| config.secrets_of(&one.organisation, &one.partner, stage));
        let digest = secrets.map(SecretsConfig::read).transpose();
        let digest = digest.map(|secrets| secrets.map(|secrets| Sha256::digest(secrets.join("\n")).into()));
        let is_same = |kept: &Self| {
            // What cannot be read is being written.
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
