//! PostgreSQL: the transactions of each role, every statement, the migrations, and the types of rows.
//!
//! Each module covers one subject, such as deliveries or people; long statements are `.sql` files next to it. All data
//! access goes through the transactions here. Decisions belong in `certvakt-rules` and `certvakt-engine`; this crate
//! does not depend on HTTP, the command line or the format of responses.

mod error;
mod rows_read;
mod state;
mod transaction;
mod zone;

pub mod audit;
pub mod auth;
pub mod caller;
pub mod certification;
pub mod certification_type;
pub mod cleanup;
pub mod delivery;
pub mod digest;
pub mod doctor;
pub mod import;
pub mod kill_switch;
pub mod mapping;
pub mod migration;
pub mod notice_text;
pub mod organisation;
pub mod partner;
pub mod people;
pub mod renewal;
pub mod report;
pub mod run;
pub mod settings;
pub mod setup;
pub mod stage;
pub mod undo;
pub mod upload;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, PgPool};

use caller::Admission;
pub use error::StoreError;
pub use rows_read::{Rows, Seen};
pub use state::{
    AddressOutcome, AttemptOutcome, CertificationStatus, ConsentOutcome, ContactOutcome, DeliveryState,
    Environment, GivenAs, MergeOutcome, PersonChangeKind, Role, RoleEnd, StopReason, UnknownState,
};
use transaction::LoginTx;
pub use transaction::{AuthTx, CallerClaims, CallerTx, Guard, Operator, RegistrarTx, WorkerTx};
pub use zone::Zone;

use certvakt_base::clock::Clock;

/// The time limit for connecting to a server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The connections of a command, and of the background work of `serve`. Together with
/// [`REQUEST_CONNECTIONS`], it is the number in `docs/runbook.md`, and must fit into the embedded cluster's
/// `max_connections`.
pub const BACKGROUND_CONNECTIONS: u32 = 8;

/// The connections of `serve` for requests, in addition to those of its background work.
pub const REQUEST_CONNECTIONS: u32 = 12;

/// The idle time after which a connection is tested before it is used again.
const RESTED: Duration = Duration::from_secs(1);

/// A pool of connections to one database.
#[derive(Debug, Clone)]
pub struct Database {
    pool: PgPool,
    clock: Clock,
    /// The operator who runs the command; `None` for `serve`.
    operator: Option<Arc<Operator>>,
}

impl Database {
    /// Connects to a server. The address can contain a password; errors never contain the address.
    pub async fn connect(address: &str, connections: u32) -> Result<Self, StoreError> {
        let options = connect_options(address)?;
        // A pool keeps trying to connect, which is right for a service whose server restarts. Connect once
        // here, so that an operator with a wrong address gets an error immediately.
        tokio::time::timeout(CONNECT_TIMEOUT, options.connect())
            .await
            .map_err(|_| sqlx::Error::PoolTimedOut)??
            .close()
            .await?;
        Ok(Self { pool: pool(options, connections), clock: Clock::system(), operator: None })
    }

    /// The same database through a separate pool, so that exhausting one does not affect the other.
    #[must_use]
    pub fn with_pool_of(&self, connections: u32) -> Self {
        Self { pool: pool((*self.pool.connect_options()).clone(), connections), ..self.clone() }
    }

    /// Sets the clock of transactions, for a rehearsal.
    #[must_use]
    pub fn at(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Sets the operator that transactions record.
    #[must_use]
    pub fn by(self, operator: Option<Operator>) -> Self {
        Self { operator: operator.map(Arc::new), ..self }
    }

    /// Begins a transaction of the worker role, for runs, deliveries, cleanup and reports.
    pub async fn worker(&self) -> Result<WorkerTx, StoreError> {
        WorkerTx::begin(&self.pool, &self.clock, self.operator.as_ref()).await
    }

    /// Begins a transaction of the registrar role, for organisations, people and imports.
    pub async fn registrar(&self) -> Result<RegistrarTx, StoreError> {
        RegistrarTx::begin(&self.pool, &self.clock, self.operator.as_ref()).await
    }

    /// Begins a transaction of the registrar role that carries the claims of a caller, who must be checked in it. Its
    /// statements take at most half a minute.
    pub async fn registrar_for(&self, asking: &CallerClaims<'_>) -> Result<RegistrarTx, StoreError> {
        RegistrarTx::begin_for(&self.pool, &self.clock, self.operator.as_ref(), asking).await
    }

    /// Begins a transaction of the auth role, for sessions and e-mails.
    pub async fn auth(&self) -> Result<AuthTx, StoreError> {
        self.auth_holding(Box::new(())).await
    }

    /// As [`Self::auth`], but keeps a value until the connection is released.
    pub async fn auth_holding(&self, guard: Guard) -> Result<AuthTx, StoreError> {
        AuthTx::begin(&self.pool, &self.clock, guard).await
    }

    /// Begins a transaction of a caller.
    pub async fn caller(&self, asking: &CallerClaims<'_>) -> Result<CallerTx, StoreError> {
        self.caller_holding(asking, Box::new(())).await
    }

    /// As [`Self::caller`], but keeps a value until the connection is released.
    pub async fn caller_holding(
        &self,
        asking: &CallerClaims<'_>,
        guard: Guard,
    ) -> Result<CallerTx, StoreError> {
        CallerTx::begin(&self.pool, &self.clock, asking, guard).await
    }

    /// Begins a transaction of a caller, and returns the check of the caller.
    pub async fn admit(&self, asking: &CallerClaims<'_>) -> Result<(CallerTx, Admission), StoreError> {
        self.admit_holding(asking, Box::new(())).await
    }

    /// As [`Self::admit`], but keeps a value until the connection is released.
    pub async fn admit_holding(
        &self,
        asking: &CallerClaims<'_>,
        guard: Guard,
    ) -> Result<(CallerTx, Admission), StoreError> {
        let (tx, answer) =
            CallerTx::begin_asking(&self.pool, &self.clock, asking, caller::ADMISSION, guard).await?;
        let answer = answer.ok_or_else(|| StoreError::Other("nobody said who may come in".to_owned()))?;
        Ok((tx, Admission::of(&answer)?))
    }

    /// Begins a transaction for the leak canary.
    pub async fn canary(&self) -> Result<audit::CanaryTx, StoreError> {
        audit::CanaryTx::begin(&self.pool).await
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// Creates a pool that connects on first use.
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

/// The connection options. No state stays on the server between transactions, so a pooler in transaction mode
/// can sit in between.
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
