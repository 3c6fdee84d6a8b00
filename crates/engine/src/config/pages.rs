//! The section `[pages]`.

use certvakt_rules::text::is_plain;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use crate::outbound::is_safe;

/// The maximum length of the help text, in characters.
const LONGEST_HELP: usize = 300;

/// `[pages]`: what the page about help, privacy and accessibility says, and where pages lead that an app replaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PagesConfig {
    /// Whom to ask for help, and how, in one line.
    pub help: String,
    /// The organisation's privacy notice.
    pub privacy_url: String,
    /// The app that owns the hierarchy of roles and chapters, if one does.
    pub app_url: String,
}

impl PagesConfig {
    /// Checks the section.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: String| Err(ConfigError::Contradiction(what));
        if self.help.chars().count() > LONGEST_HELP || !self.help.is_empty() && !is_plain(&self.help) {
            return wrong(format!(
                "pages.help must have at most {LONGEST_HELP} characters, without line breaks and control characters"
            ));
        }
        let is_web = |url: &Url| matches!(url.scheme(), "https" | "http");
        if !self.privacy_url.is_empty() && !self.privacy_url.parse().is_ok_and(|url| is_web(&url)) {
            return wrong("pages.privacy_url must be the address of a web page".to_owned());
        }
        if !self.app_url.is_empty() && !self.app_url.parse().is_ok_and(|url| is_safe(&url)) {
            return wrong(
                "pages.app_url must be an https address, or an http address on this machine".to_owned(),
            );
        }
        Ok(())
    }
}
