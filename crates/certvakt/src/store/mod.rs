//! All SQL. One file an aggregate; the transactions here are the only way to reach data.

mod error;
mod rows_read;
mod transaction;

pub mod access;
pub mod audit;
pub mod auth;
pub mod certification;
pub mod cleanup;
pub mod delivery;
pub mod doctor;
pub mod import;
pub mod migration;
pub mod organisation;
pub mod partner;
pub mod people;
pub mod renewal;
pub mod report;
pub mod run;
pub mod tenant;
pub mod upload;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

pub use error::StoreError;
pub use rows_read::{Rows, Seen};
use tenant::Admission;
use transaction::LoginTx;
pub use transaction::{Asking, AuthTx, Held, Operator, RegistrarTx, TenantTx, WorkerTx};

use crate::clock::Clock;

/// How long a server may take to let us in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections of a command, and of the background work of `serve`. With [`REQUEST_CONNECTIONS`] this is the budget
/// that `docs/runbook.md` states, and that the embedded cluster's `max_connections` leaves room for.
pub const BACKGROUND_CONNECTIONS: u32 = 8;

/// Connections with which `serve` answers requests, beside those of its background work.
pub const REQUEST_CONNECTIONS: u32 = 12;

/// From when on a connection that nobody used is asked whether it still lives, before it is used again.
const RESTED: Duration = Duration::from_secs(1);

/// A pool of connections to one database.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
    clock: Clock,
    /// Who runs the command; none: it is a service.
    operator: Option<Arc<Operator>>,
}

impl Database {
    /// Connects to a server. The address may hold a password; no error shows it.
    pub async fn connect(address: &str, connections: u32) -> Result<Self, StoreError> {
        let options = connect_options(address)?;
        // A pool goes on trying where nobody listens, which is right for a service whose server
        // restarts; whoever has just given a wrong address is told at once, and why.
        tokio::time::timeout(CONNECT_TIMEOUT, options.connect())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)??
            .close()
            .await?;
        Ok(Self { pool: pool(options, connections), clock: Clock::system(), operator: None })
    }

    /// The same database through a separate pool, so that using up one leaves the connections of the other.
    #[must_use]
    pub fn with_pool_of(&self, connections: u32) -> Self {
        Self { pool: pool((*self.pool.connect_options()).clone(), connections), ..self.clone() }
    }

    /// The same, for transactions to which a rehearsal's clock says what time it is.
    #[must_use]
    pub fn at(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The same, for transactions that record who runs the command which makes them.
    #[must_use]
    pub fn by(self, operator: Option<Operator>) -> Self {
        Self { operator: operator.map(Arc::new), ..self }
    }

    /// A transaction of the background role: runs, deliveries, cleanup, reports.
    pub async fn worker(&self) -> Result<WorkerTx, StoreError> {
        WorkerTx::begin(&self.pool, &self.clock, self.operator.as_ref()).await
    }

    /// A transaction of the role that keeps the register: organisations, people, imports.
    pub async fn registrar(&self) -> Result<RegistrarTx, StoreError> {
        RegistrarTx::begin(&self.pool, &self.clock, self.operator.as_ref()).await
    }

    /// A transaction of the role that lets browsers in: sessions and letters.
    pub async fn auth(&self) -> Result<AuthTx, StoreError> {
        self.auth_holding(Box::new(())).await
    }

    /// The same, which holds something for as long as it keeps a connection busy.
    pub async fn auth_holding(&self, held: Held) -> Result<AuthTx, StoreError> {
        AuthTx::begin(&self.pool, &self.clock, held).await
    }

    /// A transaction of whoever is asking.
    pub async fn tenant(&self, asking: &Asking<'_>) -> Result<TenantTx, StoreError> {
        self.tenant_holding(asking, Box::new(())).await
    }

    /// The same, which holds something for as long as it keeps a connection busy.
    pub async fn tenant_holding(&self, asking: &Asking<'_>, held: Held) -> Result<TenantTx, StoreError> {
        TenantTx::begin(&self.pool, &self.clock, asking, held).await
    }

    /// A transaction of whoever is asking, and whether they may come in.
    pub async fn admit(&self, asking: &Asking<'_>) -> Result<(TenantTx, Admission), StoreError> {
        self.admit_holding(asking, Box::new(())).await
    }

    /// The same, with a transaction that holds something for as long as it keeps a connection busy.
    pub async fn admit_holding(
        &self,
        asking: &Asking<'_>,
        held: Held,
    ) -> Result<(TenantTx, Admission), StoreError> {
        let (tx, answer) =
            TenantTx::begin_asking(&self.pool, &self.clock, asking, tenant::ADMISSION, held).await?;
        let answer = answer.ok_or_else(|| StoreError::Other("nobody said who may come in".to_owned()))?;
        Ok((tx, Admission::of(&answer)?))
    }

    /// A transaction for the leak canary.
    pub async fn canary(&self) -> Result<audit::CanaryTx, StoreError> {
        audit::CanaryTx::begin(&self.pool).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A pool that connects when it is first asked for a connection.
fn pool(options: PgConnectOptions, connections: u32) -> PgPool {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECT_TIMEOUT)
        // Testing a connection costs a round trip, so only an idle one is tested.
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for >= RESTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options)
}

/// How to connect. Nothing is kept on the server between transactions, so a transaction-mode pooler
/// may stand in between.
fn connect_options(address: &str) -> Result<PgConnectOptions, StoreError> {
    if !["postgres://", "postgresql://"].iter().any(|scheme| address.starts_with(scheme)) {
        return Err(StoreError::BadAddress);
    }
    Ok(PgConnectOptions::from_str(address)
        .map_err(|_| StoreError::BadAddress)?
        .application_name("certvakt")
        .statement_cache_capacity(0)
        .disable_statement_logging())
}
