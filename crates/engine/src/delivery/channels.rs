//! The channels. CONTRIBUTING.md explains how to add one.

mod channel;
mod email;
mod fcm;
mod file;
mod google;

use std::time::Duration;

use super::DeliveryError;
use crate::config::{ChannelName, Config};

pub use channel::{Address, Channel, Outcome, Reach, Stopped, Wait};
pub use email::{Preview, preview};

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
