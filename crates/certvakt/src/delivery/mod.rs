//! Handing notices to people: the queue's worker, and the channels.

pub mod channels;
mod outcome;
mod refusals;
mod stops;
pub mod text;
mod truth;
mod worker;

use certvakt_rules::Stage;
use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;

use crate::error::Exit;

pub use worker::{Tally, Worker};

/// A notice, as one person is to be told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice<'a> {
    /// The certification; what replaces an older notice on a device comes from it.
    pub certification_id: Uuid,
    /// The stage that it entered.
    pub stage: Stage,
    /// The last valid day, in the organisation's time zone.
    pub last_valid_day: NaiveDate,
    /// Days from today to the last valid day, worked out when the notice is sent; negative after it.
    pub days_left: i64,
    /// The key of the notice: the same for every repeat.
    pub idempotency_key: &'a str,
    /// The language of the person.
    pub locale: Locale,
    /// What the person is called, if known. Never on a lock screen, never in a log.
    pub recipient_name: Option<&'a str>,
    /// The organisation's name.
    pub organisation: &'a str,
    /// The certification's name, as people read it.
    pub certification: &'a str,
    /// Whether a lock screen and a mail's subject may name the two.
    pub names_certification: bool,
}

/// A language that people are written to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// Norwegian, bokmål.
    Nb,
    /// English.
    En,
}

impl Locale {
    /// The locale of that tag; Norwegian for any other.
    pub fn from_tag(tag: &str) -> Self {
        if tag == "en" { Self::En } else { Self::Nb }
    }

    /// Its tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Nb => "nb",
            Self::En => "en",
        }
    }
}

/// Delivery that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// A channel is configured wrongly.
    #[error("the configuration of the channel {channel} is invalid: {reason}")]
    Channel {
        /// Its name.
        channel: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// There is no way to reach anybody.
    #[error(
        "no channel is configured, so nothing can be delivered: configure a service account, a mail server or a file"
    )]
    NoChannel,
    /// A channel refuses us, or what an organisation sends; the queue is kept.
    #[error(
        "the channel {channel} has stopped ({reason}): fix the cause, see `certvakt status`; its queue is kept, and delivery then continues"
    )]
    Stopped {
        /// Its name.
        channel: String,
        /// What the provider said.
        reason: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl DeliveryError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Channel { .. } => "channel-configuration",
            Self::NoChannel => "no-channel",
            Self::Stopped { .. } => "channel-stopped",
            Self::Store(error) => error.code(),
        }
    }

    /// How the process ends.
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Channel { .. } | Self::NoChannel => Exit::Usage,
            Self::Stopped { .. } => Exit::ChannelStopped,
            Self::Store(error) => error.exit(),
        }
    }
}
