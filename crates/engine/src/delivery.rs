//! Delivery of notices: the worker of the queue, and the channels.

pub mod channels;
mod outcome;
mod refusals;
mod stops;
pub mod text;
pub mod validity;
pub mod wording;
mod worker;

use certvakt_base::Exit;
use certvakt_base::i18n::Locale;
use certvakt_rules::Stage;
use chrono::NaiveDate;
use uuid::Uuid;
use wording::Wording;

pub use worker::{Tally, Worker};

/// A notice to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice<'a> {
    /// The certification. The collapse id of a push derives from it.
    pub certification_id: Uuid,
    /// The stage that it entered.
    pub stage: Stage,
    /// The last valid day, in the organisation's time zone.
    pub last_valid_day: NaiveDate,
    /// Days from today to the last valid day, computed when the notice is sent; negative after it.
    pub days_left: i64,
    /// The key of the notice: the same for every repeat.
    pub idempotency_key: &'a str,
    /// The person's language.
    pub locale: Locale,
    /// The person's name, if known. It must not appear on a lock screen or in a log.
    pub recipient_name: Option<&'a str>,
    /// The organisation's name.
    pub organisation: &'a str,
    /// The name of the certification's type, for people.
    pub certification: &'a str,
    /// The name of the certification's chapter.
    pub chapter: &'a str,
    /// The organisation's own text of the e-mail, if it wrote one.
    pub wording: Option<&'a Wording>,
    /// Whether lock screens and subjects of e-mails may name the organisation and the certification.
    pub names_certification: bool,
}

/// An error that stops delivery.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The configuration of a channel is invalid.
    #[error("the configuration of the channel {channel} is invalid: {reason}")]
    Channel {
        /// The channel's name.
        channel: &'static str,
        /// The fault, and what to do.
        reason: String,
    },
    /// No channel is configured.
    #[error(
        "no channel is configured, so nothing can be delivered: configure a service account, a mail server or a file"
    )]
    NoChannel,
    /// A channel has stopped, for all or for one organisation; its queue is kept.
    #[error(
        "the channel {channel} has stopped ({reason}): fix the cause, see `certvakt status`; its queue is kept, and delivery then continues"
    )]
    Stopped {
        /// The channel's name.
        channel: String,
        /// The provider's reason.
        reason: String,
    },
    /// The configuration.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The database.
    #[error(transparent)]
    Store(#[from] certvakt_store::StoreError),
}

impl DeliveryError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Channel { .. } => "channel-configuration",
            Self::NoChannel => "no-channel",
            Self::Config(error) => error.code(),
            Self::Stopped { .. } => "channel-stopped",
            Self::Store(error) => error.code(),
        }
    }

    /// The exit status.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Channel { .. } | Self::NoChannel | Self::Config(_) => Exit::Usage,
            Self::Stopped { .. } => Exit::ChannelStopped,
            Self::Store(error) => error.exit(),
        }
    }
}
