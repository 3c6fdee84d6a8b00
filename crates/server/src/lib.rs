//! The HTTP server of `certvakt serve`: the API, its pages, sign-in, and the addresses for operators.
//!
//! Each request runs in a transaction of `certvakt-store` with the caller's permissions. This crate defines the types
//! of requests and responses. Rules, runs, deliveries and imports are in the crates below; the command line is in the
//! binary, and the configuration file is in `certvakt-engine`.

mod access_log;
mod api;
mod browser;
mod concurrency;
mod connections;
mod cursor;
mod database;
mod extract;
mod health;
mod html;
mod metrics;
mod pages;
mod problem;
mod rate_limit;
mod recent;
mod return_to;
mod session;
mod sign_in;
mod step_up;
pub mod token;

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use certvakt_engine::config::Config;
use certvakt_store::Database;
use tokio::net::TcpListener;
use tokio::sync::watch;

use connections::Limits;
use health::{alive, ready, ready_for_strangers, unavailable};

pub use api::Api;
pub use database::RequestDatabase;
pub use metrics::Metrics;
pub use sign_in::{DemoPerson, SignIn, step_up_faults};

/// The limits of the operations address.
const OPERATORS: Limits = Limits { connections: 64, of_an_address: 64 };

/// The time limit for responses in progress after the shutdown signal.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

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
    // Pages need a browser's session.
    let beside = sign_in
        .map_or_else(Router::new, |sign_in| sign_in::router(sign_in).merge(pages::router(api.clone())));
    let for_people = health
        .route("/readyz", get(ready_for_strangers).with_state(requests))
        .merge(api::router(api.clone(), beside));
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
