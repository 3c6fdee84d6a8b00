//! The section `[sign_in]`.

use std::path::PathBuf;

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::step_up::check_classes;

/// The maximum length of a provider's id, in characters.
const LONGEST_ID: usize = 32;
/// The maximum length of a button's label, in characters.
const LONGEST_LABEL: usize = 60;

/// `[sign_in]`. Without the section, or with empty values, nobody can sign in with a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInConfig {
    /// The address at which browsers reach this service, such as `https://certvakt.example.org`.
    pub public_url: String,
    /// Whether people can request an e-mail with a link that signs them in once. Needs `[email]`.
    pub links: bool,
    /// The header in which the proxy in front of certvakt writes the client's address, such as
    /// `X-Forwarded-For`; if empty, the address of the connection.
    pub client_header: String,
    /// The OpenID Connect providers, in the order of their buttons.
    pub providers: Vec<ProviderConfig>,
}

/// `[[sign_in.providers]]`: an OpenID Connect provider, with our client there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The name in addresses, such as `vipps`. The redirect URI is `<public_url>/sign-in/callback/<id>`.
    pub id: String,
    /// The text of the button.
    pub label: LabelConfig,
    /// The issuer, exactly as in the `iss` claim of its tokens.
    pub issuer: String,
    /// The client id at the provider.
    pub client_id: String,
    /// The file with the client secret; if empty, a public client without a secret.
    #[serde(default)]
    pub client_secret_file: PathBuf,
    /// The authentication context classes that a sign-in asks for; if empty, the provider chooses.
    #[serde(default)]
    pub acr_values: Vec<String>,
    /// The authentication context classes, one of which the `acr` claim must contain; if empty, any.
    #[serde(default)]
    pub acr: Vec<String>,
}

/// The text of a provider's button in each language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabelConfig {
    /// In Norwegian.
    pub nb: String,
    /// In English.
    pub en: String,
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
        if self.providers.is_empty() && !self.links {
            return wrong("[sign_in] has no sign-in method: add a provider, set links, or both");
        }
        for (number, provider) in self.providers.iter().enumerate() {
            provider.check()?;
            // A login is an issuer and a subject, so two clients of one issuer would be one provider.
            let former = &self.providers[..number];
            if let Some(one) = former.iter().find(|one| one.place() == provider.place()) {
                return wrong(&format!(
                    "the providers '{}' and '{}' in [sign_in] have the same issuer: remove one of them",
                    one.id, provider.id
                ));
            }
            if former.iter().any(|one| one.id == provider.id) {
                return wrong(&format!(
                    "two providers in [sign_in] have the id '{}': change one",
                    provider.id
                ));
            }
        }
        if self.client_header.parse::<reqwest::header::HeaderName>().is_err()
            && !self.client_header.is_empty()
        {
            return wrong("sign_in.client_header is not a header name, write it like X-Forwarded-For");
        }
        Ok(base)
    }
}

impl ProviderConfig {
    /// The address below which the provider publishes its metadata (OpenID Connect Discovery 1.0, section 4).
    pub fn place(&self) -> &str {
        self.issuer.trim_end_matches('/')
    }

    fn check(&self) -> Result<(), ConfigError> {
        let id = &self.id;
        let wrong = |text: String| Err(ConfigError::Contradiction(text));
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=LONGEST_ID).contains(&id.len()) || !id.bytes().all(is_letter) {
            return wrong(
                "the id of each provider in [sign_in] must have 1 to 32 letters a to z, digits and hyphens"
                    .to_owned(),
            );
        }
        for label in [&self.label.nb, &self.label.en] {
            if label.trim().is_empty() || label.chars().count() > LONGEST_LABEL {
                return wrong(format!("each label of the provider '{id}' must have 1 to 60 characters"));
            }
        }
        if self.client_id.is_empty() {
            return wrong(format!("the provider '{id}' has no client_id: copy it from the provider"));
        }
        if !self.issuer.parse().is_ok_and(|url| crate::outbound::is_safe(&url)) {
            return wrong(format!(
                "the issuer of the provider '{id}' must start with https://, unless it is on this machine"
            ));
        }
        check_classes(&self.acr_values, &format!("acr_values of the provider '{id}'"))?;
        check_classes(&self.acr, &format!("acr of the provider '{id}'"))
    }
}
