//! How people sign in, as the configuration says: what a page may show of it.

use certvakt_engine::config::{Config, LabelConfig, StepUpConfig};
use reqwest::Url;

/// The methods of signing in, and what an administrator's sign-in must meet. Without secrets, clients and paths.
#[derive(Debug)]
pub(crate) struct Methods {
    /// The OpenID Connect providers, in the order of their buttons.
    pub(crate) providers: Vec<OfferedProvider>,
    /// Whether people can request a link by e-mail.
    pub(crate) has_links: bool,
    /// The requirements for the sign-in of an administrator who changes something.
    pub(crate) step_up: StepUpConfig,
}

/// A provider that people can choose.
#[derive(Debug)]
pub(crate) struct OfferedProvider {
    /// The text of its button.
    pub(crate) label: LabelConfig,
    /// The host of its issuer.
    pub(crate) host: String,
}

impl Methods {
    /// Reads the methods from the configuration.
    pub(crate) fn new(config: &Config) -> Self {
        let host = |issuer: &str| issuer.parse::<Url>().ok()?.host_str().map(str::to_owned);
        let offered = config.sign_in.providers.iter().map(|one| OfferedProvider {
            label: one.label.clone(),
            host: host(&one.issuer).unwrap_or_default(),
        });
        Self {
            providers: offered.collect(),
            has_links: config.sign_in.links,
            step_up: config.step_up.clone(),
        }
    }
}
