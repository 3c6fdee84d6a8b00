//! Transactions that carry who is asking, and leave nothing on a pooled connection.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
use crate::clock::Clock;

/// Everything that a role's transaction sets for itself, in the round trip that begins it. Times
/// are generous ends for a server that hangs, not budgets.
macro_rules! beginning {
    ($role:literal, $statement_timeout:literal) => {
        concat!(
            "begin; set local role ",
            $role,
            // One statement for what `set local` would say in five.
            "; select set_config('statement_timeout', '",
            $statement_timeout,
            "', true), set_config('lock_timeout', '",
            $statement_timeout,
            "', true), set_config('idle_in_transaction_session_timeout', '60s', true), ",
            "set_config('timezone', 'UTC', true), set_config('bytea_output', 'hex', true), ",
            // Compiling a statement takes longer than the statements that we send.
            "set_config('jit', 'off', true)",
        )
    };
}

/// A value, such as a permit, that is dropped once the transaction has released its connection.
pub type Held = Box<dyn Any + Send + Sync>;

/// A connection in a transaction. One that nobody ends, for whatever reason, is rolled back before the connection is
/// anybody else's, or is closed.
#[derive(Debug)]
struct Begun(Option<PoolConnection<Postgres>>, Held);

/// Who runs a command, and which one.
#[derive(Debug)]
pub struct Operator {
    name: String,
    command: String,
    is_logged: AtomicBool,
}

impl Operator {
    /// The operator as account@host, and the command without its arguments.
    pub const fn new(name: String, command: String) -> Self {
        Self { name, command, is_logged: AtomicBool::new(false) }
    }
}

/// Logs the command, if the transaction has changed something, and commits.
const LOG_AND_COMMIT: &str = "insert into certvakt.command_log (operator, command)
    select certvakt.operator(), current_setting('certvakt.command')
    where pg_current_xact_id_if_assigned() is not null; commit";

impl Begun {
    /// Begins in one round trip, in which other things may be asked as well: the rows that answer them come last.
    async fn new(pool: &PgPool, sql: String) -> Result<(Self, Vec<PgRow>), StoreError> {
        Self::holding(Box::new(()), pool, sql).await
    }

    /// The same, holding something.
    async fn holding(held: Held, pool: &PgPool, sql: String) -> Result<(Self, Vec<PgRow>), StoreError> {
        let mut begun = Self(Some(pool.acquire().await?), held);
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(begun.connection()).await?;
        Ok((begun, rows))
    }

    #[expect(clippy::expect_used, reason = "it is taken by what consumes the transaction")]
    fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("a connection")
    }

    /// Ends it, and gives the connection back. Says how many rows the last statements wrote.
    async fn end(mut self, how: &'static str) -> Result<u64, StoreError> {
        let done = sqlx::raw_sql(how).execute(self.connection()).await?;
        self.0 = None;
        Ok(done.rows_affected())
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if let Some(mut connection) = self.0.take() {
            // The server may still work on a statement that nobody waits for any more.
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

            // Asked for by the trait wherever the query macros are built; only those call it.
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
    /// A transaction of `certvakt_worker`: it records notices and keeps the books of their delivery.
    WorkerTx with Option<Arc<Operator>>
);
transaction!(
    /// A transaction of `certvakt_registrar`: it keeps organisations, people and certifications.
    RegistrarTx with Option<Arc<Operator>>
);
transaction!(
    /// A transaction of `certvakt_doorkeeper`: it keeps sessions, and the letters that carry tokens.
    AuthTx
);
transaction!(
    /// A transaction of the login itself, which asks the catalogue about roles and the connection and
    /// reaches no data: row-level security shows a login nothing.
    LoginTx
);
transaction!(
    /// A transaction of a person, as `authenticated` with their claims: row-level security decides what
    /// it reaches. Code that answers a request has no other way to data.
    TenantTx with Seen
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
commits!(AuthTx, LoginTx, TenantTx);

macro_rules! commits_and_logs {
    ($($name:ident),+) => {
        $(impl $name {
            /// Commits. The first change of a command is logged with it.
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

/// What a rehearsal tells the database of its clock: whatever works something out from the date asks
/// `certvakt.moment()`.
fn moved(clock: &Clock) -> String {
    let now = clock.is_moved().then(|| clock.now().to_rfc3339());
    now.map(|now| format!(", set_config('certvakt.now', '{now}', true)")).unwrap_or_default()
}

/// The setting that names the operator of a command, for `certvakt.operator()`, from which the database records who
/// caused an effect.
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

/// A text as SQL, encoded in hexadecimal digits so that it cannot end its literal.
fn literal(text: &[u8]) -> String {
    let digits = text.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
    format!("convert_from(decode('{digits}', 'hex'), 'UTF8')")
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

    /// The connection itself, for what is no query: COPY.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.0.connection()
    }
}

impl AuthTx {
    pub(super) async fn begin(pool: &PgPool, clock: &Clock, held: Held) -> Result<Self, StoreError> {
        let sql = beginning!("certvakt_doorkeeper", "10s").to_owned() + &moved(clock);
        Ok(Self(Begun::holding(held, pool, sql).await?.0))
    }
}

impl LoginTx {
    pub(super) async fn begin(pool: &PgPool) -> Result<Self, StoreError> {
        Ok(Self(Begun::new(pool, beginning!("none", "30s").to_owned()).await?.0))
    }
}

/// Who is asking: the claims `iss` and `sub` of a token that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Asking<'a> {
    /// Who vouches for them.
    #[serde(rename = "iss")]
    pub issuer: &'a str,
    /// Who they are there.
    #[serde(rename = "sub")]
    pub subject: &'a str,
    /// The session that they ask by; none: a token.
    #[serde(rename = "sid", skip_serializing_if = "Option::is_none")]
    pub session: Option<Uuid>,
}

impl TenantTx {
    pub(super) async fn begin(
        pool: &PgPool,
        clock: &Clock,
        asking: &Asking<'_>,
        held: Held,
    ) -> Result<Self, StoreError> {
        let sql = beginning!("authenticated", "5s").to_owned() + &Self::carrying(clock, asking)?;
        Ok(Self(Begun::holding(held, pool, sql).await?.0, Seen::default()))
    }

    /// Begins, and asks first, as the worker, whether they may come in: the row that answers it.
    pub(super) async fn begin_asking(
        pool: &PgPool,
        clock: &Clock,
        asking: &Asking<'_>,
        first: &'static str,
        held: Held,
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

    /// What more the transaction sets: a rehearsal's clock, and the caller's claims.
    fn carrying(clock: &Clock, asking: &Asking<'_>) -> Result<String, StoreError> {
        let claims = serde_json::to_vec(asking).map_err(|error| StoreError::Other(error.to_string()))?;
        Ok(format!("{}, set_config('request.jwt.claims', {}, true)", moved(clock), literal(&claims)))
    }

    /// What it has read, now and later.
    pub fn seen(&self) -> Seen {
        self.1.clone()
    }

    /// Notes what was read.
    pub(super) fn saw<R: OfOrganisation>(&self, rows: &[R]) {
        self.1.add(rows);
    }
}

/// A query sent as the unnamed statement: a pooler in transaction mode may hand the next transaction
/// another connection, on which a named one would be missing or somebody else's.
struct Unnamed<Q>(Q);

impl<'q, Q: Execute<'q, Postgres>> Execute<'q, Postgres> for Unnamed<Q> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    /// Without parameters there is nothing to prepare: it is asked in one round trip.
    fn take_arguments(&mut self) -> Result<Option<PgArguments>, sqlx::error::BoxDynError> {
        Ok(self.0.take_arguments()?.filter(|arguments| arguments.len() > 0))
    }

    fn persistent(&self) -> bool {
        false
    }
}
