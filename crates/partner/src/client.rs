//! The HTTP client for partners. It refuses internal addresses, follows no redirects, and limits the size of
//! responses.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, StatusCode, Url};

use tokio::time::Instant;

use super::contract::Limits;

/// The maximum size of a response, in bytes. A response to a change has a few hundred; a page of a listing
/// can contain thousands of people.
const LONGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Whether an address is internal: this machine, a private network, or an address that translates to one of
/// these.
///
/// Sources: the IANA registries of special-purpose addresses (RFC 6890), for translated ones RFC 6052 and RFC 8215
/// (NAT64), RFC 3056 (6to4) and RFC 4380 (Teredo).
pub fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => v4_points_inward(address),
        IpAddr::V6(address) => v6_points_inward(address),
    }
}

fn v4_points_inward(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || a == 0
        // Carrier-grade NAT, RFC 6598.
        || (a == 100 && (64..128).contains(&b))
        // IETF protocol assignments, 6to4 relays, benchmarks, reserved.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240
}

fn v6_points_inward(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        v4_points_inward(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Only global unicast addresses can be external, with exceptions.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, benchmarks, ORCHID and other protocol assignments; documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => true,
        [0x3fff, second, ..] if second < 0x1000 => true,
        [first, ..] => first & 0xe000 != 0x2000,
    }
}

/// Resolves names as the system does, and refuses internal addresses when it connects.
#[derive(Debug)]
struct ExternalResolver {
    allowed: Arc<BTreeSet<String>>,
}

/// The error for an internal address.
#[derive(Debug, thiserror::Error)]
#[error("the address is on this machine or in a private network")]
struct InternalAddress;

impl Resolve for ExternalResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let is_allowed = self.allowed.contains(name.as_str());
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !is_allowed && found.iter().any(|address| is_internal(address.ip())) {
                return Err(InternalAddress.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// A client for one partner.
#[derive(Debug, Clone)]
pub struct PortalClient {
    client: Client,
    allowed: Arc<BTreeSet<String>>,
    pace: Arc<DefaultDirectRateLimiter>,
}

/// A partner's response.
#[derive(Debug, Clone)]
pub struct PortalResponse {
    /// The status code.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

/// The reason why there is no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestError {
    /// Nothing was sent: the partner cannot be reached.
    Unreachable,
    /// The request was or may have been sent, so the result is unknown.
    Lost,
    /// Nothing was sent: the time limit has passed.
    TooLate,
    /// The response is too long.
    TooLong,
    /// The address is internal, and the configuration does not allow it.
    InternalAddress,
}

impl PortalClient {
    /// Creates a client that respects a partner's limits. Of internal addresses, it allows only the given
    /// hosts.
    pub fn new(allowed: &[String], limits: &Limits) -> reqwest::Result<Self> {
        let timeout = limits.timeout();
        let a_minute = NonZeroU32::new(limits.requests_a_minute).unwrap_or(NonZeroU32::MIN);
        let burst = NonZeroU32::new(limits.at_once.into()).unwrap_or(NonZeroU32::MIN);
        let pace = Arc::new(RateLimiter::direct(Quota::per_minute(a_minute).allow_burst(burst)));
        let allowed = Arc::new(allowed.iter().map(|host| host.to_lowercase()).collect::<BTreeSet<_>>());
        let client = certvakt_engine::outbound::builder(timeout)
            .no_proxy()
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .dns_resolver(Arc::new(ExternalResolver { allowed: allowed.clone() }))
            .build()?;
        Ok(Self { client, allowed, pace })
    }

    /// The client, to build requests.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request when the rate limit allows it, unless that is after `until`, and reads the response.
    pub async fn send(
        &self,
        request: RequestBuilder,
        until: Option<Instant>,
    ) -> Result<PortalResponse, RequestError> {
        let request = request.build().map_err(|_| RequestError::Unreachable)?;
        // A numeric address is not resolved, so check it here.
        if self.is_internal_ip(request.url()) {
            return Err(RequestError::InternalAddress);
        }
        self.pace.until_ready().await;
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(RequestError::TooLate);
        }
        let mut answer = self.client.execute(request).await.map_err(|error| no_answer(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| no_answer(&error))? {
            body.extend_from_slice(&chunk);
            if body.len() > LONGEST_ANSWER {
                return Err(RequestError::TooLong);
            }
        }
        Ok(PortalResponse { status, headers, body })
    }

    fn is_internal_ip(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().map(|host| host.trim_matches(['[', ']'])) else { return false };
        host.parse().is_ok_and(is_internal) && !self.allowed.contains(host)
    }
}

fn no_answer(error: &reqwest::Error) -> RequestError {
    let mut cause = std::error::Error::source(error);
    while let Some(one) = cause {
        if one.is::<InternalAddress>() {
            return RequestError::InternalAddress;
        }
        cause = one.source();
    }
    if error.is_connect() { RequestError::Unreachable } else { RequestError::Lost }
}
