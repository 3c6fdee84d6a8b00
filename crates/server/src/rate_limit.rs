//! Rate limits for each login or address.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use governor::clock::DefaultClock;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use super::recent::Recent;

/// The minimum number of recently used keys that are counted. Older keys start again with a full quota.
const COUNTED: usize = 20_000;

/// The factor between the quota of a network and that of the next narrower one.
const WIDER: u32 = 4;
/// The prefix lengths of the networks in which an address is counted, narrowest first: those of a customer, a
/// site, and a region of a provider (RFC 6177 for IPv6).
const NETWORKS_V6: [u32; LEVELS] = [64, 48, 32];
const NETWORKS_V4: [u32; LEVELS] = [32, 24, 16];
const LEVELS: usize = 3;

/// A rate limit for each key.
#[derive(Debug)]
pub(super) struct RateLimit<Key: Hash + Eq + Clone>(RateLimiter<Key, Counted<Key>, DefaultClock>);

impl<Key: Hash + Eq + Clone> RateLimit<Key> {
    /// Creates a limit with the same quota for each key.
    pub(super) fn new(quota: Quota) -> Self {
        Self(RateLimiter::new(quota, Counted(Mutex::new(Recent::new(COUNTED))), DefaultClock::default()))
    }

    /// Counts a request of a key, and returns whether it is within the limit.
    pub(super) fn is_within(&self, key: &Key) -> bool {
        self.0.check_key(key).is_ok()
    }
}

/// The state of each key.
#[derive(Debug)]
struct Counted<Key>(Mutex<Recent<Key, Nanos>>);

impl<Key: Hash + Eq + Clone> StateStore for Counted<Key> {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (measured, now) = measure(counted.get(key))?;
        counted.insert(key.clone(), now);
        Ok(measured)
    }
}

/// A rate limit for each address and for the networks around it, because a client usually has many addresses
/// of its network.
#[derive(Debug)]
pub(super) struct AddressRateLimit([RateLimit<IpAddr>; LEVELS]);

impl AddressRateLimit {
    /// Creates a limit of requests per minute, and in a burst, for each address; wider networks have higher
    /// limits.
    pub(super) fn per_minute(requests: NonZeroU32) -> Self {
        let level = |wider: u32| {
            RateLimit::new(Quota::per_minute(requests.saturating_mul(NonZeroU32::MIN.saturating_add(wider))))
        };
        Self([level(0), level(WIDER - 1), level(WIDER * WIDER - 1)])
    }

    /// Counts a request from an address, and returns whether it is within the limits.
    pub(super) fn is_within(&self, address: IpAddr) -> bool {
        // Narrowest first: a request that a narrow network's limit refuses does not count for the wider ones.
        self.0.iter().enumerate().all(|(level, pace)| pace.is_within(&network(address, level)))
    }
}

/// The network of an address. An IPv4-mapped IPv6 address counts as IPv4 (RFC 4291, section 2.5.5.2).
pub(super) fn network(address: IpAddr, level: usize) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let mask = u32::MAX << (32 - NETWORKS_V4[level]);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX << (128 - NETWORKS_V6[level]);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

/// The header in which a proxy writes the client's address, if there is a proxy.
#[derive(Debug)]
pub(super) struct ClientHeader(Option<String>);

impl ClientHeader {
    /// Creates it from the header's name; empty means no proxy.
    pub(super) fn new(name: &str) -> Self {
        Self(Some(name.to_owned()).filter(|name| !name.is_empty()))
    }

    /// The client's address: the last one in the proxy's header, which the proxy itself wrote, or that of the
    /// connection.
    pub(super) fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let written = self.0.as_ref().and_then(|name| headers.get_all(name).into_iter().next_back());
        let last = written.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        last.unwrap_or(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressRateLimit, network};
    use std::net::IpAddr;
    use std::num::NonZeroU32;

    #[test]
    fn an_address_is_counted_in_its_networks() {
        for (address, networks) in [
            ("192.0.2.7", ["192.0.2.7", "192.0.2.0", "192.0.0.0"]),
            ("::ffff:192.0.2.7", ["192.0.2.7", "192.0.2.0", "192.0.0.0"]),
            ("2001:db8:1:2:3:4:5:6", ["2001:db8:1:2::", "2001:db8:1::", "2001:db8::"]),
        ] {
            let address: IpAddr = address.parse().unwrap();
            for (level, expected) in networks.into_iter().enumerate() {
                assert_eq!(network(address, level), expected.parse::<IpAddr>().unwrap(), "{address} {level}");
            }
        }
    }

    #[test]
    fn a_flood_from_one_network_limits_only_that_network() {
        let pace = AddressRateLimit::per_minute(NonZeroU32::new(20).unwrap());
        let address = |text: String| text.parse::<IpAddr>().unwrap();
        for (crowd, most) in [
            // The same one, one /48, one /32, and addresses of all networks.
            ((0..10_000).map(|n| address(format!("2001:db8:1:2::{n:x}"))).collect::<Vec<_>>(), 21),
            ((0..10_000).map(|n| address(format!("2001:db8:7:{n:x}::1"))).collect(), 85),
            ((0..10_000).map(|n| address(format!("2001:db9:{n:x}::1"))).collect(), 330),
            (
                (0..100_000).map(|n| address(format!("2{:03x}:{:x}::1", n % 4096, n / 4096))).collect(),
                100_000,
            ),
        ] {
            let heard = crowd.iter().filter(|address| pace.is_within(**address)).count();
            assert!((1..=most).contains(&heard), "{heard} of {}", crowd[0]);
            for other in ["192.0.2.1", "3fff:db8::1"] {
                assert!(pace.is_within(address(other.to_owned())), "{other}, beside {}", crowd[0]);
            }
        }
    }
}
