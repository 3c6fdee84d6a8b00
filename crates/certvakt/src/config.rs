//! The configuration file. `certvakt.example.toml` shows every key with its default.

mod auth;
mod partners;
mod sign_in;
mod step_up;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use auth::{AuthConfig, KeySource, TokenAlgorithm};
pub use partners::{PartnersConfig, SecretsConfig};
pub use sign_in::SignInConfig;
pub use step_up::StepUpConfig;

/// Everything that can be configured. Secrets are named by the file that holds them, never written
/// here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How notices are delivered.
    pub delivery: DeliveryConfig,
    /// Firebase Cloud Messaging, HTTP v1.
    pub fcm: FcmConfig,
    /// Mail by SMTP.
    pub email: EmailConfig,
    /// Notices as JSON lines.
    pub file: FileConfig,
    /// The long-running service.
    pub serve: ServeConfig,
    /// Whose tokens the HTTP API accepts.
    pub auth: AuthConfig,
    /// How people sign in with a browser.
    pub sign_in: SignInConfig,
    /// How administrators must have signed in before they change something.
    pub step_up: StepUpConfig,
    /// A watcher that is told of every run.
    pub heartbeat: HeartbeatConfig,
    /// Limits of an import.
    pub import: ImportConfig,
    /// Histories of certifications.
    pub history: HistoryConfig,
    /// Erasing people.
    pub erasure: ErasureConfig,
    /// Partners, whose portals publish whom one can contact.
    pub partners: PartnersConfig,
}

/// `[delivery]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// The channels to try for each person, in this order: "fcm", "email", "file".
    pub channels: Vec<ChannelName>,
    /// Deliveries claimed at once.
    pub batch: u32,
    /// Messages under way at once.
    pub concurrency: u32,
    /// Seconds after which a claimed delivery is taken back from a worker that died.
    pub lease_seconds: u32,
    /// Seconds after which a provider that does not answer counts as failed; well under the lease.
    pub timeout_seconds: u32,
    /// Seconds between two looks at an empty queue.
    pub poll_seconds: u32,
}

/// A channel, by its name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelName {
    /// Push by Firebase Cloud Messaging.
    Fcm,
    /// Mail.
    Email,
    /// JSON lines.
    File,
}

impl ChannelName {
    /// Its name in the configuration and in the books.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fcm => "fcm",
            Self::Email => "email",
            Self::File => "file",
        }
    }
}

/// `[fcm]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FcmConfig {
    /// The service account's key file (JSON, from the Firebase console); empty: the channel is off.
    pub service_account_file: PathBuf,
    /// Where messages are sent. Unencrypted addresses are taken on loopback only.
    pub endpoint: String,
    /// HTTP/2 connections.
    pub connections: u32,
    /// Messages a minute, under the project's quota (600,000 unless Google raised it).
    pub messages_per_minute: u32,
}

/// `[email]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmailConfig {
    /// The server: `smtps://host`, `smtp://host?tls=required`, or, on this machine only, unencrypted
    /// `smtp://localhost:25`; empty: the channel is off.
    pub server: String,
    /// The user to sign in as; empty: nobody.
    pub user: String,
    /// The file that holds the password.
    pub password_file: PathBuf,
    /// Who the mail is from, like `Varsel <varsel@example.org>`. It is seen on lock screens.
    pub from: String,
    /// Messages a minute.
    pub messages_per_minute: u32,
}

/// `[file]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileConfig {
    /// Where each notice is appended as a line of JSON; empty: the channel is off.
    pub path: PathBuf,
}

/// `[history]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryConfig {
    /// Where `serve` writes the heads of all histories once a day, a file a day; empty: nowhere. Keep them
    /// outside the database's reach.
    pub heads_folder: PathBuf,
}

/// `[erasure]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErasureConfig {
    /// The file that names whom `person erase` erased; empty: nobody is erased. Keep it outside the database and
    /// its backups.
    pub ledger: PathBuf,
}

/// `[serve]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeConfig {
    /// The address of the API and the pages, of `/healthz` and `/readyz`.
    pub listen: String,
    /// The address of `/metrics`, and of `/healthz` and `/readyz` with connections of their own; empty: on this machine,
    /// at the port after that of `listen`.
    pub operations: String,
    /// Connections at once; fewer, if the system's limit of open files says so.
    pub connections: u32,
    /// Connections at once of one address, unless `sign_in.client_header` says that it is a proxy's.
    pub connections_per_address: u32,
    /// Minutes after its hour at which a run that is not complete counts as late.
    pub late_after_minutes: u32,
}

/// `[heartbeat]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// Called with `/start` when a run starts, plain when it succeeded, with `/fail` when it did not
    /// (the convention of healthchecks.io); empty: nothing is called.
    pub url: String,
    /// Success is claimed only while the oldest delivery that could leave has waited for fewer minutes.
    pub max_queue_age_minutes: u32,
}

/// `[import]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportConfig {
    /// The largest XLSX file in bytes; it is read into memory whole.
    pub max_xlsx_bytes: u64,
    /// The longest row in bytes.
    pub max_row_bytes: u64,
    /// The memory in bytes that reading a register may take, in a process of its own.
    pub max_memory_bytes: u64,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            channels: vec![ChannelName::Fcm, ChannelName::Email],
            batch: 2_000,
            concurrency: 100,
            lease_seconds: 120,
            timeout_seconds: 20,
            poll_seconds: 5,
        }
    }
}

impl Default for FcmConfig {
    fn default() -> Self {
        Self {
            service_account_file: PathBuf::new(),
            endpoint: "https://fcm.googleapis.com".to_owned(),
            connections: 2,
            messages_per_minute: 300_000,
        }
    }
}

impl Default for EmailConfig {
    fn default() -> Self {
        Self {
            server: String::new(),
            user: String::new(),
            password_file: PathBuf::new(),
            from: String::new(),
            messages_per_minute: 600,
        }
    }
}

impl Default for ServeConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8470".to_owned(),
            operations: String::new(),
            connections: 1_024,
            connections_per_address: 128,
            late_after_minutes: 60,
        }
    }
}

impl Default for HeartbeatConfig {
    fn default() -> Self {
        Self { url: String::new(), max_queue_age_minutes: 720 }
    }
}

impl Default for ImportConfig {
    fn default() -> Self {
        Self {
            max_xlsx_bytes: 20 * 1024 * 1024,
            max_row_bytes: 1024 * 1024,
            max_memory_bytes: 512 * 1024 * 1024,
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file '{path}' cannot be read ({cause}): check the path and its permissions")]
    Unreadable {
        /// The path, as given.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// A key is unknown, or a value is of the wrong form.
    #[error(
        "the configuration file '{path}' has an error in line {line}: {message}; certvakt.example.toml shows every key"
    )]
    Invalid {
        /// The path, as given.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong, the nearest key included.
        message: String,
    },
    /// Values that do not fit together.
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

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigError::Unreadable { path: path.display().to_string(), cause })?;
        let config: Self = toml::from_str(&text).map_err(|error| ConfigError::Invalid {
            path: path.display().to_string(),
            line: error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count()),
            message: with_nearest_key(error.message()),
        })?;
        config.check()?;
        Ok(config)
    }

    /// The channels that are not off, in order.
    pub fn active_channels(&self) -> impl Iterator<Item = ChannelName> + '_ {
        self.delivery.channels.iter().copied().filter(|channel| match channel {
            ChannelName::Fcm => !self.fcm.service_account_file.as_os_str().is_empty(),
            ChannelName::Email => !self.email.server.is_empty(),
            ChannelName::File => !self.file.path.as_os_str().is_empty(),
        })
    }

    /// The kinds of contact point that the channels need to reach somebody; none if one of them
    /// reaches everyone. While no channel is set up, those that are named count: whoever could be
    /// reached by them is not unreachable.
    pub fn contact_kinds(&self) -> Option<Vec<String>> {
        let mut channels: Vec<ChannelName> = self.active_channels().collect();
        if channels.is_empty() {
            channels.clone_from(&self.delivery.channels);
        }
        channels
            .into_iter()
            .map(|channel| match channel {
                ChannelName::Fcm => Some("push".to_owned()),
                ChannelName::Email => Some("email".to_owned()),
                ChannelName::File => None,
            })
            .collect()
    }

    /// Refuses a portal's key that two organisations share. It reads the keys, so only what uses them asks.
    pub fn check_keys(&self) -> Result<(), ConfigError> {
        match self.partners.shared_key() {
            None => Ok(()),
            Some((one, other)) => Err(ConfigError::Contradiction(format!(
                "partners.secrets has the same key at {one} and at {other}: give each organisation its own key"
            ))),
        }
    }

    fn check(&self) -> Result<(), ConfigError> {
        let delivery = &self.delivery;
        let wrong = |text: &str| Err(ConfigError::Contradiction(text.to_owned()));
        if delivery.timeout_seconds.saturating_mul(2) > delivery.lease_seconds {
            return wrong(
                "delivery.lease_seconds must be at least twice delivery.timeout_seconds, so that a slow response does not cause a repeat",
            );
        }
        let counts = [
            delivery.batch,
            delivery.concurrency,
            delivery.poll_seconds,
            delivery.timeout_seconds,
            self.partners.poll_seconds,
            self.fcm.connections,
            self.fcm.messages_per_minute,
            self.email.messages_per_minute,
            self.serve.connections,
            self.serve.connections_per_address,
        ];
        if counts.contains(&0) {
            return wrong(
                "batch, concurrency, connections, and every number of seconds or messages per minute must be at least 1",
            );
        }
        if !self.auth.is_off() {
            self.auth.keys()?;
        }
        if !self.sign_in.is_off() {
            self.sign_in.base()?;
        }
        self.step_up.check()?;
        if !self.step_up.is_off() && self.sign_in.issuer.is_empty() && self.auth.is_off() {
            return wrong(
                "[step_up] needs an issuer that reports how people signed in: set sign_in.issuer or [auth]",
            );
        }
        let heartbeat = &self.heartbeat.url;
        if !heartbeat.is_empty() && !heartbeat.parse().is_ok_and(|url| crate::http::is_safe(&url)) {
            return wrong(
                "heartbeat.url must start with https://, unless it is on this machine: anyone who reads the address can report for us",
            );
        }
        if self.sign_in.links && self.email.server.is_empty() {
            return wrong("sign_in.links needs a mail server: set email.server");
        }
        // What shows a client that somebody has signed in would else open the API as well.
        let is_for_both =
            self.auth.issuer == self.sign_in.issuer && self.auth.audience == self.sign_in.client_id;
        if is_for_both && !self.auth.is_off() && !self.sign_in.is_off() {
            return wrong(
                "auth.audience and sign_in.client_id are the same, so the API would accept id tokens: have the issuer use another audience for the API's tokens",
            );
        }
        Ok(())
    }
}

/// toml's message on an unknown key, with the nearest of the expected ones named first.
fn with_nearest_key(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown field"), quoted.next()) {
        (true, Some(unknown)) => match nearest(unknown, quoted) {
            Some(key) => format!("unknown key '{unknown}', did you mean '{key}'?"),
            None => format!("unknown key '{unknown}'"),
        },
        _ => message.lines().collect::<Vec<_>>().join(" "),
    }
}

/// The longest name, in characters, and the most candidates that are compared: the comparison takes time with the
/// product of the lengths, and both may come from outside.
const LONGEST_SUGGESTION: usize = 100;
const MOST_CANDIDATES: usize = 1_000;

/// The nearest of some names to one that was not found, if any is near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let is_short = |text: &str| text.chars().nth(LONGEST_SUGGESTION).is_none();
    if !is_short(name) {
        return None;
    }
    let name = name.to_lowercase();
    candidates
        .into_iter()
        .take(MOST_CANDIDATES)
        .filter(|candidate| is_short(candidate))
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let likeness = strsim::normalized_damerau_levenshtein(&name, &lower)
                .max(if lower.starts_with(&name) { 0.9 } else { 0.0 });
            (likeness, candidate)
        })
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
