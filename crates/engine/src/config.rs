//! The configuration file. `certvakt.example.toml` shows every key with its default.

mod auth;
mod error;
mod pages;
mod partners;
mod sign_in;
mod step_up;

use std::path::{Path, PathBuf};

use certvakt_base::suggest::nearest;
use serde::{Deserialize, Serialize};

pub use auth::{AuthConfig, KeySource, TokenAlgorithm};
pub use error::ConfigError;
pub use pages::PagesConfig;
pub use partners::{PartnersConfig, SecretsConfig};
pub use sign_in::{LabelConfig, ProviderConfig, SignInConfig};
pub use step_up::StepUpConfig;

/// The configuration. It contains the paths of secrets, never the secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Delivery of notices.
    pub delivery: DeliveryConfig,
    /// Firebase Cloud Messaging, HTTP v1.
    pub fcm: FcmConfig,
    /// E-mail over SMTP.
    pub email: EmailConfig,
    /// Notices as JSON lines.
    pub file: FileConfig,
    /// The long-running service.
    pub serve: ServeConfig,
    /// The tokens that the HTTP API accepts.
    pub auth: AuthConfig,
    /// Sign-in with a browser.
    pub sign_in: SignInConfig,
    /// The requirements for the sign-in of administrators who change data.
    pub step_up: StepUpConfig,
    /// The page about help, privacy and accessibility.
    pub pages: PagesConfig,
    /// The external monitor of the runs.
    pub heartbeat: HeartbeatConfig,
    /// Limits of an import.
    pub import: ImportConfig,
    /// Histories of certifications.
    pub history: HistoryConfig,
    /// Erasure of people.
    pub erasure: ErasureConfig,
    /// Partners, whose portals publish which mentors people can contact.
    pub partners: PartnersConfig,
}

/// `[delivery]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryConfig {
    /// The channels to try for each person, in this order: "fcm", "email", "file".
    pub channels: Vec<ChannelName>,
    /// The number of deliveries that a worker claims at once.
    pub batch: u32,
    /// The maximum number of messages in flight.
    pub concurrency: u32,
    /// Seconds after which another worker may claim a delivery whose worker has not finished it.
    pub lease_seconds: u32,
    /// Seconds after which a request to a provider times out; at most half of the lease.
    pub timeout_seconds: u32,
    /// Seconds between two polls of an empty queue.
    pub poll_seconds: u32,
}

/// A channel, by its name in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelName {
    /// Push by Firebase Cloud Messaging.
    Fcm,
    /// E-mail.
    Email,
    /// JSON lines.
    File,
}

impl ChannelName {
    /// Every channel.
    pub const ALL: [Self; 3] = [Self::Fcm, Self::Email, Self::File];

    /// The channel's name in the configuration and the database.
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
    /// The service account's key file (JSON, from the Firebase console); if empty, the channel is off.
    pub service_account_file: PathBuf,
    /// The address of the FCM API. Unencrypted addresses are allowed on loopback only.
    pub endpoint: String,
    /// The number of HTTP/2 connections.
    pub connections: u32,
    /// The maximum number of messages per minute, below the project's quota (600,000 unless Google raised
    /// it).
    pub messages_per_minute: u32,
}

/// `[email]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmailConfig {
    /// The server: `smtps://host`, `smtp://host?tls=required` or, on this machine only, the unencrypted
    /// `smtp://localhost:25`; if empty, the channel is off.
    pub server: String,
    /// The user name; if empty, no authentication.
    pub user: String,
    /// The file with the password.
    pub password_file: PathBuf,
    /// The sender, such as `Varsel <varsel@example.org>`, which lock screens show.
    pub from: String,
    /// The maximum number of messages per minute.
    pub messages_per_minute: u32,
}

/// `[file]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileConfig {
    /// The file to append each notice to, as a line of JSON; if empty, the channel is off.
    pub path: PathBuf,
}

/// `[history]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HistoryConfig {
    /// The folder to which `serve` writes the heads of all histories once a day, as one file per day; if
    /// empty, nowhere. Store them where nobody who can change the database can change them.
    pub heads_folder: PathBuf,
}

/// `[erasure]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ErasureConfig {
    /// The file in which `person erase` records the ids of erased people; if empty, it refuses to run. Store
    /// it outside the database and its backups.
    pub ledger: PathBuf,
}

/// `[serve]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServeConfig {
    /// The address of the API and the pages, and of `/healthz` and `/readyz`.
    pub listen: String,
    /// The address of `/metrics`, and of a second `/healthz` and `/readyz` with separate connections; if
    /// empty, the port after that of `listen`, on this machine only.
    pub operations: String,
    /// The maximum number of connections. A lower limit of open files reduces it.
    pub connections: u32,
    /// The maximum number of connections from one address, unless `sign_in.client_header` is set, because
    /// then all connections come from a proxy.
    pub connections_per_address: u32,
    /// Minutes after an organisation's hour at which an incomplete run counts as late.
    pub late_after_minutes: u32,
}

/// `[heartbeat]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeartbeatConfig {
    /// The address to call with `/start` when a run starts, without a suffix after a success, and with
    /// `/fail` after a failure (the convention of healthchecks.io); if empty, no calls.
    pub url: String,
    /// Minutes that the oldest deliverable notice may wait before the heartbeat reports a failure.
    pub max_queue_age_minutes: u32,
}

/// `[import]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportConfig {
    /// The maximum size of a workbook (XLSX, XLSB, ODS) in bytes. The whole file is read into memory.
    pub max_xlsx_bytes: u64,
    /// The maximum length of a row in bytes.
    pub max_row_bytes: u64,
    /// The maximum memory in bytes of the child process that reads a register.
    pub max_memory_bytes: u64,
    /// The share of rejected rows, in percent, above which an import is held.
    pub max_rejected_percent: u8,
    /// The share of known expiry dates that change, in percent, above which an import is held.
    pub max_moved_percent: u8,
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
            max_rejected_percent: 20,
            max_moved_percent: 30,
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

    /// The files with secrets of the channels that are not off.
    pub fn channel_secrets(&self) -> impl Iterator<Item = &Path> {
        self.active_channels().filter_map(|channel| match channel {
            ChannelName::Fcm => Some(self.fcm.service_account_file.as_path()),
            ChannelName::Email => Some(self.email.password_file.as_path()),
            ChannelName::File => None,
        })
    }

    /// The kinds of contact point that the channels use; `None` if a channel reaches everyone. While no
    /// channel is configured, the channels in `delivery.channels` count, so that people with such a contact
    /// point do not count as unreachable.
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

    /// Rejects a portal's key that two organisations share. It reads the keys, so only the code that uses
    /// them calls it.
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
        self.pages.check()?;
        if !self.step_up.is_off() && self.sign_in.providers.is_empty() && self.auth.is_off() {
            return wrong(
                "[step_up] needs an issuer that reports how people signed in: add a provider to [sign_in], or set [auth]",
            );
        }
        let heartbeat = &self.heartbeat.url;
        if !heartbeat.is_empty() && !heartbeat.parse().is_ok_and(|url| crate::outbound::is_safe(&url)) {
            return wrong(
                "heartbeat.url must start with https://, unless it is on this machine: anyone who reads the address can report for us",
            );
        }
        if self.sign_in.links && self.email.server.is_empty() {
            return wrong("sign_in.links needs a mail server: set email.server");
        }
        // Otherwise the API would accept the id tokens of the sign-in client.
        let is_for_both = self
            .sign_in
            .providers
            .iter()
            .any(|one| self.auth.issuer == one.issuer && self.auth.audience == one.client_id);
        if is_for_both {
            return wrong(
                "auth.audience and the client_id of a provider in [sign_in] are the same, so the API would accept id tokens: have the issuer use another audience for the API's tokens",
            );
        }
        Ok(())
    }
}

/// Rewrites toml's message about an unknown key to suggest the nearest known key.
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
