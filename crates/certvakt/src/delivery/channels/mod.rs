//! The channels that a notice can take. A new one is a file here, a name in the configuration and a
//! row in the conformance suite.

mod email;
mod fcm;
mod file;
mod google;

use std::time::Duration;

use futures_util::future::BoxFuture;
use governor::DefaultDirectRateLimiter;
use uuid::Uuid;

use super::{DeliveryError, Notice};
use crate::config::{ChannelName, Config};

/// A way to reach a person.
pub trait Channel: std::fmt::Debug + Send + Sync {
    /// Its name in the configuration and in the books.
    fn name(&self) -> ChannelName;

    /// What it needs to reach somebody.
    fn reaches(&self) -> Reach;

    /// Asks the provider whether it knows us, without sending anything; if not, why. Never waits for
    /// longer than the configured time-out.
    fn check(&self) -> BoxFuture<'_, Result<(), String>>;

    /// How many messages may leave at which pace, if that is limited. The worker waits for it before
    /// each [`Channel::send`], so that waiting our turn is never taken for a slow provider.
    fn pace(&self) -> Option<&DefaultDirectRateLimiter>;

    /// Hands a notice to one address and says what became of it. Never waits for longer than the
    /// configured time-out, and never panics, whatever the provider answers.
    fn send<'a>(&'a self, notice: &'a Notice<'a>, to: &'a Address)
    -> BoxFuture<'a, Result<Outcome, Stopped>>;
}

/// Whom a channel reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// People with a contact point of the kind `push`.
    Push,
    /// People with a contact point of the kind `email`.
    Email,
    /// Everyone: the channel's reader knows them by their id.
    Everyone,
}

/// Where a notice goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The person.
    pub person_id: Uuid,
    /// The device's registration token or the mail address; empty for a channel that reaches everyone.
    pub contact: String,
}

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider has taken it.
    Delivered {
        /// The provider's name for the message.
        reference: String,
    },
    /// Not now.
    Retry {
        /// When to try again.
        wait: Wait,
        /// The provider's code.
        reason: String,
    },
    /// The provider refuses this message, but not because of its address: policy, quota, size, form or the system.
    Declined {
        /// The provider's code.
        reason: String,
    },
    /// Never, to this address.
    GiveUp {
        /// The provider's code.
        reason: String,
        /// Whether the address reaches nobody any more and is to be removed.
        address_is_dead: bool,
    },
}

/// How long to wait before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// As long as the provider asks for.
    Exactly(Duration),
    /// Exponentially longer from this on.
    Backoff(Duration),
}

/// The provider refuses all our messages: the channel stops and keeps its queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Stopped {
    /// What the provider said.
    pub reason: String,
}

/// The configured channels that are not off, in order; at least one.
pub fn configured(config: &Config) -> Result<Vec<Box<dyn Channel>>, DeliveryError> {
    let timeout = Duration::from_secs(u64::from(config.delivery.timeout_seconds));
    let mut channels: Vec<Box<dyn Channel>> = Vec::new();
    for name in config.active_channels() {
        channels.push(match name {
            ChannelName::Fcm => Box::new(fcm::FcmChannel::new(&config.fcm, timeout)?),
            ChannelName::Email => Box::new(email::EmailChannel::new(&config.email, timeout)?),
            ChannelName::File => Box::new(file::FileChannel::new(config.file.path.clone())?),
        });
    }
    if channels.is_empty() { Err(DeliveryError::NoChannel) } else { Ok(channels) }
}
