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
    pub(super) providers: Vec<Provider>,
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
        let providers = sign_in.providers.iter().map(|one| Provider::new(one, &base));
        Ok(Some(Self(Arc::new(Shared {
            database,
            providers: providers.collect::<Result<_, _>>()?,
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
            providers: Vec::new(),
            links: None,
            limits: Limits::new(&config.sign_in.client_header),
            step_up: StepUp::new(&config.step_up),
            demo: people,
        }))
    }
}

impl Shared {
    /// The provider with an id.
    pub(super) fn provider(&self, id: &str) -> Option<&Provider> {
        self.providers.iter().find(|one| one.config.id == id)
    }
}

/// Checks by the metadata of each provider whether it supports `[step_up]`. Returns the id of each that does not, with the
/// reason.
pub async fn step_up_faults(config: &Config) -> Result<Vec<(String, &'static str)>, ConfigError> {
    let sign_in = &config.sign_in;
    let mut faults = Vec::new();
    if config.step_up.is_off() || sign_in.providers.is_empty() {
        return Ok(faults);
    }
    let base = sign_in.base()?;
    for one in &sign_in.providers {
        if let Some(fault) = Provider::new(one, &base)?.lacks(&config.step_up).await {
            faults.push((one.id.clone(), fault));
        }
    }
    Ok(faults)
}
