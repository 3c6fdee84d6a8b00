//! The section `[step_up]`.

use serde::{Deserialize, Serialize};

use super::error::ConfigError;

/// `[step_up]`: how recent and how strong an administrator's sign-in must be for changes. Without the
/// section, or with empty values, any sign-in is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StepUpConfig {
    /// The maximum age of the sign-in in minutes; 0 means no limit.
    pub max_age_minutes: u32,
    /// The accepted authentication context classes, as in the `acr` claim; if empty, any.
    pub acr: Vec<String>,
}

impl StepUpConfig {
    /// Whether any sign-in is enough.
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// Checks the section.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.max_age_minutes > 7 * 24 * 60 {
            return Err(ConfigError::Contradiction(
                "step_up.max_age_minutes is more than a week, the lifetime of a session: use a smaller number, or 0"
                    .to_owned(),
            ));
        }
        check_classes(&self.acr, "step_up.acr")
    }
}

/// Checks that each authentication context class is valid in a space-separated list (OpenID Connect Core 1.0, section
/// 3.1.2.1) and in a header.
pub(super) fn check_classes(classes: &[String], key: &str) -> Result<(), ConfigError> {
    let is_word = |class: &String| {
        !class.is_empty()
            && class.len() <= 255
            && class.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'))
    };
    if classes.iter().all(is_word) {
        Ok(())
    } else {
        Err(ConfigError::Contradiction(format!(
            "each class in {key} must have 1 to 255 ASCII characters, without spaces, quotes and backslashes"
        )))
    }
}
