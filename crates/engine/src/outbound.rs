//! Requests to other servers: clients, where a secret may be sent, how long a server asks to be left alone.

pub mod bearer;

use std::net::IpAddr;
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response, Url};

/// A client for outgoing requests: TLS by rustls, no redirects, with a time-out.
pub fn client(timeout: Duration) -> Client {
    builder(timeout).build().unwrap_or_default()
}

/// A client with one HTTP/2 connection to an address; without TLS if the address is on this machine.
pub fn http2_client(timeout: Duration, to: &Url) -> Client {
    let mut builder = builder(timeout).pool_max_idle_per_host(1);
    if to.scheme() == "http" {
        builder = builder.http2_prior_knowledge();
    }
    builder.build().unwrap_or_default()
}

/// The common settings of clients: a time-out, no redirects, and certvakt's user agent.
pub fn builder(timeout: Duration) -> ClientBuilder {
    // A second call fails because the provider is already installed, which is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("certvakt/", env!("CARGO_PKG_VERSION")))
}

/// The time in a response's `Retry-After` (RFC 9110, section 10.2.3: seconds or a date), at most a day.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok();
    let asked = text(RETRY_AFTER)?;
    let wait = asked.parse().map(Duration::from_secs).ok().or_else(|| {
        let until = DateTime::parse_from_rfc2822(asked).ok()?;
        // Relative to the server's own clock, from the response's `Date` header.
        let now = DateTime::parse_from_rfc2822(text(DATE)?).ok()?;
        (until - now).to_std().ok()
    });
    wait.map(|wait| wait.min(Duration::from_hours(24)))
}

/// Whether it is safe to send a secret to an address: over TLS, or without leaving this machine.
pub fn is_safe(address: &Url) -> bool {
    match (address.scheme(), address.host_str()) {
        ("https", Some(_)) => true,
        ("http", Some(host)) => is_loopback(host),
        _ => false,
    }
}

/// Whether a host is this machine.
pub fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The body of a response; `None` if it was cut off or is longer than `longest` bytes.
pub async fn body(mut answer: Response, longest: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if body.len() + chunk.len() > longest {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}
