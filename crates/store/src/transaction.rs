//! Transactions that carry the caller's identity and leave no state on a pooled connection.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use certvakt_base::clock::Clock;
use data_encoding::HEXLOWER;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{
    Arguments, AssertSqlSafe, Describe, Either, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr,
};
use uuid::Uuid;

use super::StoreError;
use super::rows_read::{OfOrganisation, Seen};

/// The settings of a role's transaction, in the round trip that begins it. The time-outs are generous limits
/// for a server that hangs, not performance budgets.
macro_rules! beginning {
    ($role:literal, $statement_timeout:literal) => {
        concat!(
            "begin; set local role ",
            $role,
            // One statement instead of five `set local`.
            "; select set_config('statement_timeout', '",
            $statement_timeout,
            "', true), set_config('lock_timeout', '",
            $statement_timeout,
            "', true), set_config('idle_in_transaction_session_timeout', '60s', true), ",
            "set_config('timezone', 'UTC', true), set_config('bytea_output', 'hex', true), ",
            // JIT compilation takes longer than our statements.
            "set_config('jit', 'off', true)",
        )
    };
}

/// A value, such as a permit, that is dropped once the transaction has released its connection.
pub type Guard = Box<dyn Any + Send + Sync>;

/// A connection in a transaction. A transaction that is neither committed nor rolled back is rolled back
/// before its connection is used again, or the connection is closed.
#[derive(Debug)]
struct Begun(Option<PoolConnection<Postgres>>, Guard);

/// The operator who runs a command, and the command.
#[derive(Debug)]
pub struct Operator {
    name: String,
    command: String,
    is_logged: AtomicBool,
}

impl Operator {
    /// Creates it from the operator as account@host, and the command without its arguments.
    pub const fn new(name: String, command: String) -> Self {
        Self { name, command, is_logged: AtomicBool::new(false) }
    }
}

/// Logs the command if the transaction has changed data, and commits.
const LOG_AND_COMMIT: &str = "insert into certvakt.command_log (operator, command)
    select certvakt.operator(), current_setting('certvakt.command')
    where pg_current_xact_id_if_assigned() is not null; commit";

/// The interval at which a wait for a new connection looks for an idle one.
const LOOK_FOR_IDLE_EVERY: Duration = Duration::from_millis(50);

/// Takes an idle connection of the pool, or a new one. While the server accepts no more connections, the pool keeps trying
/// to open one, and does not notice that one of its own has become idle. A connection becomes idle some time after its
/// transaction has ended, so this happens to a single task, too.
async fn acquire(pool: &PgPool) -> Result<PoolConnection<Postgres>, sqlx::Error> {
    let acquiring = pool.acquire();
    tokio::pin!(acquiring);
    loop {
        tokio::select! {
            biased;
            acquired = &mut acquiring => return acquired,
            () = tokio::time::sleep(LOOK_FOR_IDLE_EVERY) => {
                if let Some(idle) = pool.try_acquire() {
                    return Ok(idle);
                }
            }
        }
    }
}

impl Begun {
    /// Begins in one round trip, which can contain another query. Returns the rows of that query.
    async fn new(pool: &PgPool, sql: String) -> Result<(Self, Vec<PgRow>), StoreError> {
        Self::holding(Box::new(()), pool, sql).await
    }

    /// As [`Self::new`], but keeps a value until the connection is released.
    async fn holding(held: Guard, pool: &PgPool, sql: String) -> Result<(Self, Vec<PgRow>), StoreError> {
        let mut begun = Self(Some(acquire(pool).await?), held);
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(begun.connection()).await?;
        Ok((begun, rows))
    }

    #[expect(clippy::expect_used, reason = "it is taken by what consumes the transaction")]
    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("a connection")
    }

    /// Ends the transaction, and releases the connection. Returns the number of rows that the last statements
    /// wrote.
    async fn end(mut self, how: &'static str) -> Result<u64, StoreError> {
        let done = sqlx::raw_sql(how).execute(self.connection()).await?;
        self.0 = None;
        Ok(done.rows_affected())
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(mut connection) = self.0.take() {
            // The server may still execute a statement whose client has disconnected.
            let held = std::mem::replace(&mut self.1, Box::new(()));
            tokio::spawn(async move {
                if connection.execute("rollback").await.is_err() {
                    connection.close_on_drop();
                }
                drop(held);
            });
        }
    }
}

macro_rules! transaction {
    ($(#[$about:meta])* $name:ident $(with $more:ty)?) => {
        $(#[$about])*
        #[derive(Debug)]
        pub struct $name(Begun $(, $more)?);

        impl $name {
            /// Rolls back.
            pub async fn rollback(self) -> Result<(), StoreError> {
                self.0.end("rollback").await.map(drop)
            }
        }

        impl<'c> Executor<'c> for &'c mut $name {
            type Database = Postgres;

            fn fetch_many<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                self.0.connection().fetch_many(Unnamed(query))
            }

            fn fetch_optional<'e, 'q: 'e, E>(
                self,
                query: E,
            ) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
            where
                'c: 'e,
                E: 'q + Execute<'q, Postgres>,
            {
                self.0.connection().fetch_optional(Unnamed(query))
            }

            fn prepare_with<'e>(
                self,
                sql: SqlStr,
                parameters: &'e [PgTypeInfo],
            ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
            where
                'c: 'e,
            {
                self.0.connection().prepare_with(sql, parameters)
            }

            // The trait requires it, but only the query macros call it.
            fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, sqlx::Error>>
            where
                'c: 'e,
            {
                self.0.connection().describe(sql)
            }
        }
    };
}

transaction!(
    /// A transaction of `certvakt_worker`, which records notices and their deliveries.
    WorkerTx with Option<Arc<Operator>>
);
transaction!(
    /// A transaction of `certvakt_registrar`, which maintains organisations, people and certifications.
    RegistrarTx with Option<Arc<Operator>>
);
transaction!(
    /// A transaction of `certvakt_auth`, which maintains sessions, and the e-mails that carry tokens.
    AuthTx
);
transaction!(
    /// A transaction of the login itself, for queries of the catalogue about roles and the connection. It
    /// cannot read data, because row-level security shows a login no rows.
    LoginTx
);
transaction!(
    /// A transaction of a person, as `authenticated` with their claims. Row-level security decides which rows
    /// it can access. Handlers of requests have no other access to data.
    CallerTx with Seen
);

macro_rules! commits {
    ($($name:ident),+) => {
        $(impl $name {
            /// Commits.
            pub async fn commit(self) -> Result<(), StoreError> {
                self.0.end("commit").await.map(drop)
            }
        })+
    };
}
commits!(AuthTx, LoginTx, CallerTx);

macro_rules! commits_and_logs {
    ($($name:ident),+) => {
        $(impl $name {
            /// Commits, and logs the command with its first change.
            pub async fn commit(self) -> Result<(), StoreError> {
                match self.1.filter(|operator| !operator.is_logged.load(Ordering::Relaxed)) {
                    None => self.0.end("commit").await.map(drop),
                    Some(operator) => {
                        let is_logged = self.0.end(LOG_AND_COMMIT).await? > 0;
                        operator.is_logged.fetch_or(is_logged, Ordering::Relaxed);
                        Ok(())
                    }
                }
            }
        })+
    };
}
commits_and_logs!(WorkerTx, RegistrarTx);

/// The setting of a rehearsal's clock. Functions that depend on the date call `certvakt.moment()`.
fn moved(clock: &Clock) -> String {
    let now = clock.is_moved().then(|| clock.now().to_rfc3339());
    now.map(|now| format!(", set_config('certvakt.now', '{now}', true)")).unwrap_or_default()
}

/// The setting of a command's operator. The database records it through `certvakt.operator()`.
fn run_by(operator: Option<&Arc<Operator>>) -> String {
    let set = |operator: &Arc<Operator>| {
        format!(
            ", set_config('certvakt.operator', {}, true), set_config('certvakt.command', {}, true)",
            literal(operator.name.as_bytes()),
            literal(operator.command.as_bytes()),
        )
    };
    operator.map(set).unwrap_or_default()
}

/// A text as an SQL literal, in hexadecimal digits, so that it cannot end the literal.
fn literal(text: &[u8]) -> String {
    format!("convert_from(decode('{}', 'hex'), 'UTF8')", HEXLOWER.encode(text))
}

impl WorkerTx {
    pub(super) async fn begin(
        pool: &PgPool,
        clock: &Clock,
        operator: Option<&Arc<Operator>>,
    ) -> Result<Self, StoreError> {
        let sql = beginning!("certvakt_worker", "15min").to_owned() + &moved(clock) + &run_by(operator);
        Ok(Self(Begun::new(pool, sql).await?.0, operator.cloned()))
    }
}

impl RegistrarTx {
    pub(super) async fn begin(
        pool: &PgPool,
        clock: &Clock,
        operator: Option<&Arc<Operator>>,
    ) -> Result<Self, StoreError> {
        let sql = beginning!("certvakt_registrar", "60min").to_owned() + &moved(clock) + &run_by(operator);
        Ok(Self(Begun::new(pool, sql).await?.0, operator.cloned()))
    }

    /// Begins a transaction that carries the claims of a caller, whom it must check.
    pub(super) async fn begin_for(
        pool: &PgPool,
        clock: &Clock,
        operator: Option<&Arc<Operator>>,
        asking: &CallerClaims<'_>,
    ) -> Result<Self, StoreError> {
        let sql = beginning!("certvakt_registrar", "30s").to_owned()
            + &CallerTx::carrying(clock, asking)?
            + &run_by(operator);
        Ok(Self(Begun::new(pool, sql).await?.0, operator.cloned()))
    }

    /// The connection itself, for COPY.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.0.connection()
    }
}

impl AuthTx {
    pub(super) async fn begin(pool: &PgPool, clock: &Clock, held: Guard) -> Result<Self, StoreError> {
        let sql = beginning!("certvakt_auth", "10s").to_owned() + &moved(clock);
        Ok(Self(Begun::holding(held, pool, sql).await?.0))
    }
}

impl LoginTx {
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, StoreError> {
        Ok(Self(Begun::new(pool, beginning!("none", "30s").to_owned()).await?.0))
    }
}

/// The caller: the verified claims `iss` and `sub`, or the login of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct CallerClaims<'a> {
    /// The issuer.
    #[serde(rename = "iss")]
    pub issuer: &'a str,
    /// The subject.
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// The session; `None` for a bearer token.
    #[serde(rename = "sid", skip_serializing_if = "Option::is_none")]
    pub session: Option<Uuid>,
}

impl CallerTx {
    pub(super) async fn begin(
        pool: &PgPool,
        clock: &Clock,
        asking: &CallerClaims<'_>,
        held: Guard,
    ) -> Result<Self, StoreError> {
        let sql = beginning!("authenticated", "5s").to_owned() + &Self::carrying(clock, asking)?;
        Ok(Self(Begun::holding(held, pool, sql).await?.0, Seen::default()))
    }

    /// Begins the transaction, and first checks the caller with the worker's role. Returns the row of the
    /// check.
    pub(super) async fn begin_asking(
        pool: &PgPool,
        clock: &Clock,
        asking: &CallerClaims<'_>,
        first: &'static str,
        held: Guard,
    ) -> Result<(Self, Option<PgRow>), StoreError> {
        let sql = [
            beginning!("certvakt_worker", "5s"),
            &Self::carrying(clock, asking)?,
            "; ",
            first,
            "; set local role authenticated",
        ]
        .concat();
        let (begun, mut rows) = Begun::holding(held, pool, sql).await?;
        Ok((Self(begun, Seen::default()), rows.pop()))
    }

    /// The additional settings of the transaction: a rehearsal's clock, and the caller's claims.
    fn carrying(clock: &Clock, asking: &CallerClaims<'_>) -> Result<String, StoreError> {
        let claims = serde_json::to_vec(asking).map_err(|error| StoreError::Other(error.to_string()))?;
        Ok(format!("{}, set_config('request.jwt.claims', {}, true)", moved(clock), literal(&claims)))
    }

    /// Adds the rows that it reads to those of another transaction of the same request.
    pub fn count_with(&mut self, seen: Seen) {
        self.1 = seen;
    }

    /// The counter of the rows that the transaction reads.
    pub fn seen(&self) -> Seen {
        self.1.clone()
    }

    /// Counts rows that were read.
    pub(super) fn saw<R: OfOrganisation>(&self, rows: &[R]) {
        self.1.add(rows);
    }
}

/// A query sent as the unnamed statement. A pooler in transaction mode can give the next transaction another
/// connection, on which a named statement would be missing or different.
struct Unnamed<Q>(Q);

impl<'q, Q: Execute<'q, Postgres>> Execute<'q, Postgres> for Unnamed<Q> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    /// A query without parameters needs no preparation, so it takes one round trip.
    fn take_arguments(&mut self) -> Result<Option<PgArguments>, sqlx::error::BoxDynError> {
        Ok(self.0.take_arguments()?.filter(|arguments| arguments.len() > 0))
    }

    fn persistent(&self) -> bool {
        false
    }
}
