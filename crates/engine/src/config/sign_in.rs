//! The section `[sign_in]`.

use std::path::PathBuf;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::error::ConfigError;

/// `[sign_in]`. Without the section, or with empty values, nobody can sign in with a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConfig {
    /// The address at which browsers reach this service, such as `https://certvakt.example.org`.
    pub public_url: String,
    /// The OpenID Connect provider, exactly as in the `iss` claim of its tokens; if empty, there is none.
    pub issuer: String,
    /// The client id at the provider.
    pub client_id: String,
    /// The file with the client secret; if empty, a public client without a secret.
    pub client_secret_file: PathBuf,
    /// Whether people can request an e-mail with a link that signs them in once. Needs `[email]`.
    pub links: bool,
    /// The header in which the proxy in front of certvakt writes the client's address, such as
    /// `X-Forwarded-For`; if empty, the address of the connection.
    pub client_header: String,
}

impl SignInConfig {
    /// Whether the section is left out or empty.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// The base URL, or the fault in the section.
    pub fn base(&self) -> Result<Url, ConfigError> {
        let wrong = |text: &str| Err(ConfigError::Contradiction(text.to_owned()));
        let base = match self.public_url.parse::<Url>() {
            Ok(url) if crate::outbound::is_safe(&url) => url,
            Ok(_) => {
                return wrong("sign_in.public_url must start with https://, unless it is on this machine");
            }
            Err(_) => {
                return wrong(
                    "sign_in.public_url is not a valid URL, write it like https://certvakt.example.org",
                );
            }
        };
        if base.path() != "/" || base.query().is_some() || base.fragment().is_some() {
            return wrong("sign_in.public_url has a path: write it without one");
        }
        match (self.issuer.is_empty(), self.client_id.is_empty()) {
            (true, true) if !self.links => {
                return wrong("[sign_in] has no sign-in method: set issuer, links or both");
            }
            (true, true) => {}
            (false, false) => match self.issuer.parse() {
                Ok(url) if crate::outbound::is_safe(&url) => {}
                _ => {
                    return wrong("sign_in.issuer must start with https://, unless it is on this machine");
                }
            },
            _ => return wrong("sign_in.issuer and sign_in.client_id belong together: set both or neither"),
        }
        if self.client_header.parse::<reqwest::header::HeaderName>().is_err()
            && !self.client_header.is_empty()
        {
            return wrong("sign_in.client_header is not a header name, write it like X-Forwarded-For");
        }
        Ok(base)
    }
}
