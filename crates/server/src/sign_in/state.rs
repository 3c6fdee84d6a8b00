//! The state of the sign-in handlers.

use std::sync::Arc;

use certvakt_engine::config::{Config, ConfigError};
use certvakt_engine::mail_queue::MailQueue;
use uuid::Uuid;

use super::link_limits::Limits;
use super::provider_client::Provider;
use crate::database::RequestDatabase;
use crate::step_up::StepUp;

/// The shared state of the sign-in handlers.
#[derive(Debug, Clone)]
pub struct SignIn(pub(super) Arc<Shared>);

/// A person of the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoPerson {
    /// The person's id.
    pub id: Uuid,
    /// Who they are: `coordinator`, `administrator`, `mentor` or `outsider`.
    pub key: &'static str,
    /// The name.
    pub name: String,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) database: RequestDatabase,
    pub(super) provider: Option<Provider>,
    /// The queue for requests for links, if links are enabled.
    pub(super) links: Option<MailQueue>,
    pub(super) limits: Limits,
    pub(super) step_up: StepUp,
    /// The people of `serve --demo`, whom anybody may be.
    pub(super) demo: Vec<DemoPerson>,
}

impl SignIn {
    /// Creates the sign-in of `[sign_in]`; `None` if it is off.
    pub fn new(
        database: RequestDatabase,
        config: &Config,
        mails: Option<MailQueue>,
    ) -> Result<Option<Self>, ConfigError> {
        let sign_in = &config.sign_in;
        if sign_in.is_off() {
            return Ok(None);
        }
        let base = sign_in.base()?;
        let provider = if sign_in.issuer.is_empty() { None } else { Some(Provider::new(sign_in, &base)?) };
        Ok(Some(Self(Arc::new(Shared {
            database,
            provider,
            links: mails.filter(|_| sign_in.links),
            limits: Limits::new(&sign_in.client_header),
            step_up: StepUp::new(&config.step_up),
            demo: Vec::new(),
        }))))
    }

    /// Creates a sign-in without proof as one of these people. For a demo on this machine only.
    pub fn of_demo(database: RequestDatabase, config: &Config, people: Vec<DemoPerson>) -> Self {
        Self(Arc::new(Shared {
            database,
            provider: None,
            links: None,
            limits: Limits::new(&config.sign_in.client_header),
            step_up: StepUp::new(&config.step_up),
            demo: people,
        }))
    }
}

/// Checks by the provider's metadata whether it supports `[step_up]`. Returns the reason if it does not.
pub async fn step_up_fault(config: &Config) -> Result<Option<&'static str>, ConfigError> {
    let sign_in = &config.sign_in;
    if config.step_up.is_off() || sign_in.issuer.is_empty() {
        return Ok(None);
    }
    Ok(Provider::new(sign_in, &sign_in.base()?)?.lacks(&config.step_up).await)
}
