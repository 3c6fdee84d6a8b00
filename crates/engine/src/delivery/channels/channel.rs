//! The channel trait, and the possible outcomes of sending a notice.

use std::time::Duration;

use futures_util::future::BoxFuture;
use governor::DefaultDirectRateLimiter;
use uuid::Uuid;

use crate::config::ChannelName;
use crate::delivery::Notice;

/// A way to reach a person.
pub trait Channel: std::fmt::Debug + Send + Sync {
    /// The channel's name in the configuration and the database.
    fn name(&self) -> ChannelName;

    /// The people whom the channel can reach.
    fn reaches(&self) -> Reach;

    /// Checks whether the provider accepts the credentials, without sending a message. Returns the reason if
    /// it does not. Must not wait for longer than the configured time-out.
    fn check(&self) -> BoxFuture<'_, Result<(), String>>;

    /// The rate limit, if there is one. The worker waits for it before each [`Channel::send`], so that this
    /// wait does not count as a slow provider.
    fn pace(&self) -> Option<&DefaultDirectRateLimiter>;

    /// Sends a notice to one address, and returns the outcome. Must not wait for longer than the configured
    /// time-out, and must not panic on any response.
    fn send<'a>(&'a self, notice: &'a Notice<'a>, to: &'a Address)
    -> BoxFuture<'a, Result<Outcome, Stopped>>;
}

/// The people whom a channel reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// People with a contact point of the kind `push`.
    Push,
    /// People with a contact point of the kind `email`.
    Email,
    /// Everyone, by their id.
    Everyone,
}

/// The address of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The person.
    pub person_id: Uuid,
    /// The device's registration token or the mail address; empty for a channel that reaches everyone.
    pub contact: String,
}

/// The outcome of sending a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider accepted it.
    Delivered {
        /// The provider's name for the message.
        reference: String,
    },
    /// The provider cannot accept it now.
    Retry {
        /// The delay before another attempt.
        wait: Wait,
        /// The provider's code.
        reason: String,
    },
    /// The provider refuses this message, but not because of its address: policy, quota, size, form or the system.
    Declined {
        /// The provider's code.
        reason: String,
    },
    /// The provider refuses this address permanently.
    GiveUp {
        /// The provider's code.
        reason: String,
        /// Whether the address is dead and should be removed.
        address_is_dead: bool,
    },
}

/// The delay before the next attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// As long as the provider asks for.
    Exactly(Duration),
    /// Exponential backoff from this delay on.
    Backoff(Duration),
}

/// The provider refuses all our messages, so the channel stops and keeps its queue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Stopped {
    /// The provider's reason.
    pub reason: String,
}
