//! The adapter trait: an implementation of a portal's protocol.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::contract::State;
use crate::outcome::PortalOutcome;
use crate::portal::Portal;

/// The limits of the requests of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The maximum number of concurrent requests.
    pub at_once: usize,
    /// The time after which no request is sent, because the lease may have expired.
    pub until: Instant,
}

impl Bounds {
    /// One request after the other, without a lease.
    pub fn alone() -> Self {
        Self { at_once: 1, until: Instant::now() + Duration::from_hours(1) }
    }
}

/// A protocol of portals.
pub trait Adapter: std::fmt::Debug + Send + Sync {
    /// The portal.
    fn portal(&self) -> &Portal;

    /// The maximum number of changes in a request.
    fn batch(&self) -> u16 {
        1
    }

    /// Whether the portal's state of a mentor can be read. Otherwise only its listing shows it.
    fn can_be_asked(&self) -> bool;

    /// Sends the current states of mentors, one for each. Returns the outcomes in the same order.
    fn send<'a>(&'a self, states: &'a [State], bounds: Bounds) -> BoxFuture<'a, Vec<PortalOutcome>>;

    /// Reads whether the portal lists mentors. Returns the results in the same order.
    fn read<'a>(
        &'a self,
        keys: &'a [&'a str],
        bounds: Bounds,
    ) -> BoxFuture<'a, Vec<Result<bool, PortalOutcome>>>;
}
