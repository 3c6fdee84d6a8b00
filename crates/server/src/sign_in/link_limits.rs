//! How many links may be asked for.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::http::HeaderMap;
use certvakt_base::secret;
use governor::Quota;

use crate::problem::ApiError;
use crate::rate_limit::{AddressRateLimit, ClientHeader, RateLimit};

/// The links that a client may request per minute, and in a burst. It is large enough for an office behind
/// one address. The networks around it have higher limits.
const OF_A_CLIENT: NonZeroU32 = NonZeroU32::new(20).unwrap();
/// The links that can be requested in a burst for an e-mail address, and the time after which it can be one
/// more.
const OF_AN_ADDRESS: NonZeroU32 = NonZeroU32::new(5).unwrap();
const ONE_MORE_AFTER: Duration = Duration::from_mins(3);

/// The limits of requests for links.
#[derive(Debug)]
pub(super) struct Limits {
    clients: AddressRateLimit,
    /// By the hash of the address.
    addresses: RateLimit<[u8; 32]>,
    client_header: ClientHeader,
}

impl Limits {
    pub(super) fn new(client_header: &str) -> Self {
        let an_address = Quota::with_period(ONE_MORE_AFTER).unwrap_or(Quota::per_minute(OF_AN_ADDRESS));
        Self {
            clients: AddressRateLimit::per_minute(OF_A_CLIENT),
            addresses: RateLimit::new(an_address.allow_burst(OF_AN_ADDRESS)),
            client_header: ClientHeader::new(client_header),
        }
    }

    /// Counts a request of a client that guesses a token, and refuses it beyond the limit of links.
    pub(super) fn check_client(&self, headers: &HeaderMap, peer: IpAddr) -> Result<(), ApiError> {
        let is_within = self.clients.is_within(self.client_header.client(headers, peer));
        if is_within { Ok(()) } else { Err(ApiError::TooMany) }
    }

    pub(super) fn check(&self, headers: &HeaderMap, peer: IpAddr, address: &str) -> Result<(), ApiError> {
        let is_within = self.clients.is_within(self.client_header.client(headers, peer))
            && self.addresses.is_within(&secret::hash(&address.to_lowercase()));
        if is_within { Ok(()) } else { Err(ApiError::TooMany) }
    }
}
