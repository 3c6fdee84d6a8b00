//! Why a configuration cannot be used.

/// An error in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file '{path}' cannot be read ({cause}): check the path and its permissions")]
    Unreadable {
        /// The path, as given.
        path: String,
        /// The system's error.
        cause: std::io::Error,
    },
    /// A key is unknown, or a value has the wrong form.
    #[error(
        "the configuration file '{path}' has an error in line {line}: {message}; certvakt.example.toml shows every key"
    )]
    Invalid {
        /// The path, as given.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The fault, with the nearest known key.
        message: String,
    },
    /// Two values contradict each other, or a value is out of range.
    #[error("the configuration is invalid: {0}")]
    Contradiction(String),
}

impl ConfigError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config-unreadable",
            Self::Invalid { .. } => "config-invalid",
            Self::Contradiction(_) => "config-contradiction",
        }
    }
}
