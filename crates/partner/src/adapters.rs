//! The adapters, one file for each portal protocol.

mod adapter;
mod dataverse;
mod multipart;
mod webhook;

use certvakt_engine::config::{PartnersConfig, SecretsConfig};
use certvakt_store::partner::Partner;
use sha2::{Digest, Sha256};

use super::PartnerError;
use super::contract::Contract;
use super::portal::Portal;
use certvakt_store::Environment;

pub use adapter::{Adapter, Bounds};

/// Creates the adapter of a contract at an environment.
pub fn of(
    contract: Contract,
    organisation: &str,
    partner: &str,
    environment: Environment,
    config: &PartnersConfig,
) -> Result<Box<dyn Adapter>, PartnerError> {
    let table = contract.table.clone();
    let portal = Portal::new(contract, organisation, partner, environment, config)?;
    Ok(match table {
        Some(table) => Box::new(dataverse::Dataverse::new(portal, table)),
        None => Box::new(webhook::Webhook::new(portal)),
    })
}

/// Creates the adapter of a partner that is switched on.
pub fn of_partner(one: &Partner, config: &PartnersConfig) -> Result<Box<dyn Adapter>, PartnerError> {
    let (Some(environment), Some(version)) = (one.environment, &one.contract) else {
        return Err(PartnerError::Off(one.partner.clone()));
    };
    let contract = Contract::read(&config.contracts, &one.partner, version)?;
    of(contract, &one.organisation, &one.partner, environment, config)
}

/// A partner's cached adapter, which is valid until the contract, the environment or the secrets change.
#[derive(Debug)]
pub struct CachedAdapter {
    environment: Option<Environment>,
    version: Option<String>,
    /// The digest of the secrets, so that nothing can print them.
    digest: Option<[u8; 32]>,
    adapter: Box<dyn Adapter>,
}

impl CachedAdapter {
    /// Returns the cached adapter if it is still valid, otherwise a new one.
    pub fn of(kept: Option<Self>, one: &Partner, config: &PartnersConfig) -> Result<Self, PartnerError> {
        let secrets = one
            .environment
            .and_then(|environment| config.secrets_of(&one.organisation, &one.partner, environment.as_str()));
        let digest = secrets.map(SecretsConfig::read).transpose();
        let digest = digest.map(|secrets| secrets.map(|secrets| Sha256::digest(secrets.join("\n")).into()));
        let is_same = |kept: &Self| {
            // An unreadable secret is probably being written, so keep the adapter.
            let has_changed = digest.as_ref().is_ok_and(|digest| *digest != kept.digest);
            kept.environment == one.environment && kept.version == one.contract && !has_changed
        };
        Ok(match kept.filter(is_same) {
            Some(kept) => kept,
            None => Self {
                environment: one.environment,
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
