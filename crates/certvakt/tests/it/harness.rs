//! A database for a test, and the binary on it.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use certvakt::store::{Database, migration};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

/// A database of its own for one test, cloned from a migrated template.
pub struct TestDatabase {
    pub name: String,
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The server that `scripts/with-postgres` started, as superuser.
pub fn server() -> String {
    std::env::var("CERTVAKT_TEST_SERVER")
        .expect("no test server: run `make test`, or `scripts/with-postgres cargo test`")
}

/// The address of a database on the test server for a login.
pub fn address(login: &str, database: &str) -> String {
    let server = server();
    let (_, place) = server.rsplit_once('@').expect("an address with a login");
    let (host, _) = place.split_once('/').expect("an address with a database");
    format!("postgres://{login}@{host}/{database}")
}

/// A name for a database that no other test of this or another process has.
pub fn fresh_name(kind: &str) -> String {
    format!("{kind}_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub async fn superuser(database: &str) -> PgConnection {
    PgConnection::connect(&address("postgres", database)).await.expect("the test server answers")
}

/// The login that migrates: it owns the database and may create roles, and is nothing more.
pub const OWNER: &str = "certvakt_owner";
/// The login of the service: a member of its roles, owner of nothing.
pub const SERVICE: &str = "certvakt_service";

async fn ensure_logins(connection: &mut PgConnection) {
    for (login, can) in [(OWNER, "createrole"), (SERVICE, "nocreaterole noinherit")] {
        let sql = format!(
            "do $$ begin create role {login} login {can};
             exception when duplicate_object or unique_violation then null; end $$"
        );
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

/// An empty database that belongs to the owner.
pub async fn empty_database() -> String {
    let name = fresh_name("empty");
    let mut connection = superuser("postgres").await;
    ensure_logins(&mut connection).await;
    connection.execute(AssertSqlSafe(format!("create database {name} owner {OWNER}"))).await.unwrap();
    name
}

async fn template() -> &'static str {
    TEMPLATE
        .get_or_init(|| async {
            let name = empty_database().await;
            migration::apply(&address(OWNER, &name)).await.expect("the migrations apply");
            let mut connection = superuser("postgres").await;
            connection
                .execute(AssertSqlSafe(format!("grant certvakt_worker, certvakt_registrar to {SERVICE}")))
                .await
                .unwrap();
            name
        })
        .await
}

impl TestDatabase {
    pub async fn new() -> Self {
        let template = template().await;
        let name = fresh_name("test");
        let mut connection = superuser("postgres").await;
        let sql = format!("create database {name} template {template} owner {OWNER}");
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
        Self { name }
    }

    /// Marked as a rehearsal: `CERTVAKT_NOW` moves its dates.
    pub async fn rehearsal() -> Self {
        let database = Self::new().await;
        let store = database.store().await;
        let mut tx = store.registrar().await.unwrap();
        migration::mark_rehearsal(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        database
    }

    /// How the service reaches the database: through the pooler if the suite runs with one.
    pub fn address(&self) -> String {
        match std::env::var("CERTVAKT_TEST_POOLER") {
            Ok(pooler) if !pooler.is_empty() => format!("postgres://{SERVICE}@{pooler}/{}", self.name),
            _ => address(SERVICE, &self.name),
        }
    }

    pub async fn store(&self) -> Database {
        Database::connect(&self.address(), 4).await.expect("the test database answers")
    }

    /// The binary, on this database.
    pub fn certvakt<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_certvakt"));
        command
            .args(arguments)
            .env("DATABASE_URL", self.address())
            .env_remove("CERTVAKT_NOW")
            .env_remove("CERTVAKT_CONFIG")
            .env("RUST_BACKTRACE", "0");
        command
    }

    /// Runs the binary; it must succeed.
    pub fn ok<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        succeed(&mut self.certvakt(arguments))
    }

    /// Runs the binary with `--output json`; it must succeed.
    pub fn json<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> serde_json::Value {
        let output = self.ok(arguments.into_iter().chain(["--output", "json"]));
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error} in {output}"))
    }

    /// Does something as superuser, whom no policy binds: what a test sets up or looks at.
    pub async fn execute(&self, sql: &str) {
        superuser(&self.name).await.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    /// Reads rows as superuser.
    pub async fn rows(&self, sql: &str) -> Vec<PgRow> {
        sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_all(&mut superuser(&self.name).await).await.unwrap()
    }

    /// Reads one value as superuser.
    pub async fn value<T>(&self, sql: &str) -> T
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut superuser(&self.name).await)
            .await
            .unwrap()
    }

    /// An organisation `org` in Oslo with the chapter `chapter` and the type `type`.
    pub fn with_organisation(&self) {
        self.ok(["organisation", "add", "org", "--name", "Foreningen", "--timezone", "Europe/Oslo"]);
        self.ok(["chapter", "add", "chapter", "--organisation", "org", "--name", "Østlandet"]);
        self.ok([
            "type",
            "add",
            "type",
            "--organisation",
            "org",
            "--name",
            "Likeperson",
            "--validity",
            "24mo",
        ]);
    }
}

/// Runs a command that must succeed and returns what it printed.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the binary starts");
    assert!(output.status.success(), "{command:?} ended with {}\n{}", output.status, both(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a command that must end with this status; returns what it said on standard error.
pub fn fail(command: &mut Command, status: i32) -> String {
    let output = command.output().expect("the binary starts");
    assert_eq!(output.status.code(), Some(status), "{command:?}\n{}", both(&output));
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!said.contains("panicked") && !said.contains("stack backtrace"), "{said}");
    said
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
