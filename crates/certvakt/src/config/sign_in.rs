//! The section `[sign_in]`.

use std::path::PathBuf;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::ConfigError;

/// `[sign_in]`. Left out or empty, nobody signs in with a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConfig {
    /// The address at which browsers reach this service, like `https://certvakt.example.org`.
    pub public_url: String,
    /// The OpenID Connect provider, exactly as tokens write it in `iss`; empty: there is none.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// The file that holds the client's secret; empty: a public client, which has none.
    pub client_secret_file: PathBuf,
    /// Whether people may have a link mailed to them that signs them in once. Needs `[email]`.
    pub links: bool,
    /// The header in which the proxy in front writes the client's address, like `X-Forwarded-For`;
    /// empty: the connection's own address.
    pub client_header: String,
}

impl SignInConfig {
    /// Whether the section is left out or empty.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// Where browsers reach us, or what in the section is wrong.
    pub fn base(&self) -> Result<Url, ConfigError> {
        let wrong = |text: &str| Err(ConfigError::Contradiction(text.to_owned()));
        let base = match self.public_url.parse::<Url>() {
            Ok(url) if crate::http::is_safe(&url) => url,
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
                Ok(url) if crate::http::is_safe(&url) => {}
                _ => {
                    return wrong("sign_in.issuer must start with https://, unless it is on this machine");
                }
            },
            _ => return wrong("sign_in.issuer and sign_in.client_id belong together: set both or neither"),
        }
        if self.client_header.parse::<axum::http::HeaderName>().is_err() && !self.client_header.is_empty() {
            return wrong("sign_in.client_header is not a header name, write it like X-Forwarded-For");
        }
        Ok(base)
    }
}
