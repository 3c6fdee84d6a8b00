//! How often somebody may ask who has not said yet who they are.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;
use governor::RateLimiter;
use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;

/// Clients, or addresses, that are counted at most; while there are more, nobody may ask.
const COUNTED: usize = 10_000;

/// A limit for each key.
pub(super) type Pace<Key> = RateLimiter<Key, HashMapStateStore<Key>, DefaultClock>;

/// Whether whoever has this key may ask once more.
pub(super) fn is_within<Key: Hash + Eq + Clone>(pace: &Pace<Key>, key: &Key) -> bool {
    if pace.len() > COUNTED {
        pace.retain_recent();
    }
    pace.len() <= COUNTED && pace.check_key(key).is_ok()
}

/// Where a proxy writes who asks, if one stands before us.
#[derive(Debug)]
pub(super) struct ClientHeader(Option<String>);

impl ClientHeader {
    /// The header of that name; empty: none.
    pub(super) fn new(name: &str) -> Self {
        Self(Some(name.to_owned()).filter(|name| !name.is_empty()))
    }

    /// Who asks: the last address in the proxy's header, which the proxy itself wrote, or the connection's.
    pub(super) fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let written = self.0.as_ref().and_then(|name| headers.get_all(name).into_iter().next_back());
        let last = written.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        match last.unwrap_or(peer) {
            // Whoever has one address of a network has all of them.
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address @ IpAddr::V4(_) => address,
        }
    }
}
