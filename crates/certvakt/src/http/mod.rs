//! HTTP: the server of `serve`, and the client for all outgoing requests.

mod access;
mod api;
pub mod bearer;
mod browser;
mod concurrency;
mod connections;
mod database;
mod extract;
mod metrics;
mod problem;
mod rate_limit;
mod recent;
mod session;
mod sign_in;
mod step_up;
pub mod token;

use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response, Url};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::config::Config;
use crate::store::{Database, migration};

use connections::Limits;

pub use api::Api;
pub use database::RequestDatabase;
pub use metrics::Metrics;
pub use sign_in::{SignIn, step_up_fault};

/// The limits of the operations address.
const OPERATORS: Limits = Limits { connections: 64, of_an_address: 64 };

/// The time limit for responses in progress after the shutdown signal.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

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
async fn body(mut answer: Response, longest: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        if body.len() + chunk.len() > longest {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body)
}

/// Becomes true at the shutdown signal (SIGTERM, or Ctrl-C on a terminal). A second signal ends the process
/// immediately.
pub fn ending() -> watch::Receiver<bool> {
    let (sender, receiver) = watch::channel(false);
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return receiver;
    };
    tokio::spawn(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tracing::info!("shutting down: finishing the work in progress");
        let _ = sender.send(true);
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        std::process::exit(130);
    });
    receiver
}

/// The listening sockets of the server.
#[derive(Debug)]
pub struct Listeners {
    people: TcpListener,
    operations: TcpListener,
    limits: Limits,
}

impl Listeners {
    /// Binds the addresses in `[serve]`.
    pub async fn take(config: &Config) -> Result<Self, HttpError> {
        let serve = &config.serve;
        let limits = Limits {
            connections: serve.connections as usize,
            of_an_address: if config.sign_in.client_header.is_empty() {
                serve.connections_per_address as usize
            } else {
                usize::MAX
            },
        };
        let limits = limits.within_files();
        let people = bind("serve.listen", &serve.listen).await?;
        let operations = if serve.operations.is_empty() {
            // The system chooses a port for port 0, and also if there is no port after that of `listen`.
            let port = serve.listen.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
            let next = port.filter(|port| *port > 0).and_then(|port| port.checked_add(1)).unwrap_or(0);
            format!("127.0.0.1:{next}")
        } else {
            serve.operations.clone()
        };
        let operations = bind("serve.operations", &operations).await?;
        if let (Ok(address), Ok(operations)) = (people.local_addr(), operations.local_addr()) {
            tracing::info!(%address, %operations, "listening");
        }
        Ok(Self { people, operations, limits })
    }
}

async fn bind(key: &'static str, address: &str) -> Result<TcpListener, HttpError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|cause| HttpError::Listen { key, address: address.to_owned(), cause })
}

/// Serves requests until shutdown.
pub async fn serve(
    Listeners { people, operations, limits }: Listeners,
    database: Database,
    requests: RequestDatabase,
    metrics: Metrics,
    api: Api,
    sign_in: Option<SignIn>,
    ending: watch::Receiver<bool>,
) {
    let health = Router::new().route("/healthz", get(alive));
    let for_operators = health
        .clone()
        .route("/readyz", get(ready).with_state(database.clone()))
        .route("/metrics", get(show_metrics).with_state((database, metrics)));
    let for_people = health
        .route("/readyz", get(ready_for_strangers).with_state(requests))
        .merge(api::router(api, sign_in.map_or_else(Router::new, sign_in::router)));
    let answering = async {
        tokio::join!(
            connections::answer(people, for_people, limits, ending.clone()),
            connections::answer(operations, for_operators, OPERATORS, ending.clone()),
        );
    };
    let mut closing = ending.clone();
    let patience = async {
        let _ = closing.wait_for(|ending| *ending).await;
        tokio::time::sleep(LAST_ANSWERS).await;
    };
    tokio::select! {
        () = answering => {}
        () = patience => {}
    }
}

async fn alive() -> &'static str {
    "alive\n"
}

async fn ready(State(database): State<Database>) -> (StatusCode, String) {
    match migration::check(&database).await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(error) => unavailable(error.code()),
    }
}

/// The readiness check on the public address. It uses the few connections for callers who are not identified.
async fn ready_for_strangers(State(database): State<RequestDatabase>) -> (StatusCode, String) {
    match database.stranger().await {
        Ok(_turn) => ready(State(database.pool().clone())).await,
        Err(refusal) => unavailable(refusal.code()),
    }
}

fn unavailable(code: &str) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{code}\n"))
}

async fn show_metrics(State((database, metrics)): State<(Database, Metrics)>) -> (StatusCode, String) {
    match metrics.render(&database).await {
        Ok(text) => (StatusCode::OK, text),
        Err(error) => {
            tracing::error!(code = error.code(), "could not read the metrics: {error}");
            unavailable(error.code())
        }
    }
}

/// The server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is in use, or is not on this machine.
    #[error("cannot listen on {key} = '{address}' ({cause}): choose another address")]
    Listen {
        /// The configuration key.
        key: &'static str,
        /// The address.
        address: String,
        /// The system's error.
        cause: std::io::Error,
    },
}

impl HttpError {
    /// The stable code, as listed in `docs/errors.md`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "listen",
        }
    }
}
