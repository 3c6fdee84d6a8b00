//! The database of a test, and the binary on it.

mod blocked;

use std::path::Path;
use std::process::{Child, Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use certvakt_base::clock::Clock;
use certvakt_store::{Database, migration};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

pub use blocked::between_looks;

/// The time of the tests on a rehearsal database, whenever they run.
pub const NOON: &str = "2026-06-15T12:00:00+02:00";

/// A separate database for one test, cloned from a migrated template.
pub struct TestDatabase {
    pub name: String,
    /// A process that outlives this value, such as a service, keeps a copy.
    pub lease: Arc<Lease>,
    /// The time of its commands. `None`: the present.
    now: Option<&'static str>,
}

/// A database that is dropped when nobody needs it any more, so that a run of all tests takes the disk space of a few.
pub struct Lease(String);

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

/// The login that migrates: it owns the database and may create roles, without other privileges.
pub const OWNER: &str = "certvakt_owner";
/// The login of the service: a member of its roles, owner of nothing.
pub const SERVICE: &str = "certvakt_service";
/// Its roles.
pub const SERVICE_ROLES: &str = "certvakt_worker, certvakt_registrar, certvakt_auth, authenticated";

/// Adds the logins of the tests, and the extension with which a lease ends.
async fn prepare_server(connection: &mut PgConnection) {
    for adding in [
        format!("create role {OWNER} login createrole"),
        format!("create role {SERVICE} login nocreaterole noinherit"),
        "create extension pg_stat_statements".to_owned(),
    ] {
        let sql = format!(
            "do $$ begin {adding}; exception when duplicate_object or unique_violation then null; end $$"
        );
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

/// Adds a database without tables that belongs to the owner.
async fn add_empty(kind: &str) -> String {
    let name = fresh_name(kind);
    let mut connection = superuser("postgres").await;
    prepare_server(&mut connection).await;
    connection.execute(AssertSqlSafe(format!("create database {name} owner {OWNER}"))).await.unwrap();
    name
}

async fn template() -> &'static str {
    TEMPLATE
        .get_or_init(|| async {
            let name = add_empty("template").await;
            migration::apply(&address(OWNER, &name)).await.expect("the migrations apply");
            let mut connection = superuser("postgres").await;
            connection.execute(AssertSqlSafe(format!("grant {SERVICE_ROLES} to {SERVICE}"))).await.unwrap();
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
        Self::named(name)
    }

    /// A database without tables.
    pub async fn empty() -> Self {
        Self::named(add_empty("empty").await)
    }

    /// A database that the test creates itself.
    pub fn named(name: String) -> Self {
        Self { lease: Arc::new(Lease(name.clone())), name, now: None }
    }

    /// A database marked as a rehearsal. Its commands and statements run at noon of a day, unless
    /// `CERTVAKT_NOW` says otherwise.
    pub async fn rehearsal() -> Self {
        let mut database = Self::new().await;
        database.now = Some(NOON);
        let store = database.store().await;
        let mut tx = store.registrar().await.unwrap();
        migration::mark_rehearsal(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        database.execute(&format!("alter database {} set certvakt.now = '{NOON}'", database.name)).await;
        database
    }

    /// The service's address of the database: through the pooler if the suite runs with one.
    pub fn address(&self) -> String {
        match std::env::var("CERTVAKT_TEST_POOLER") {
            Ok(pooler) if !pooler.is_empty() => format!("postgres://{SERVICE}@{pooler}/{}", self.name),
            _ => address(SERVICE, &self.name),
        }
    }

    pub async fn store(&self) -> Database {
        Database::connect(&self.address(), 4).await.expect("the test database answers")
    }

    /// Queues the alerts to administrators about partners, at a given time.
    pub async fn queue_partner_alerts(&self, now: &str) {
        let clock = Clock::moved_to(now.parse().unwrap());
        let mut tx = self.store().await.at(clock).worker().await.unwrap();
        certvakt_store::partner::queue_alerts(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The binary, on this database. A run of a later date than that of the tests happens on its date.
    pub fn certvakt<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let arguments: Vec<&str> = arguments.into_iter().collect();
        let run_date = arguments.iter().skip_while(|argument| **argument != "--date").nth(1);
        let now = self.now.map(|now| match run_date {
            Some(date) if **date > *now => format!("{date}T12:00:00+02:00"),
            _ => now.to_owned(),
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_certvakt"));
        command
            .args(arguments)
            .env("DATABASE_URL", self.address())
            .env_remove("CERTVAKT_NOW")
            .env_remove("CERTVAKT_CONFIG")
            .env("RUST_BACKTRACE", "0")
            .envs(now.map(|now| ("CERTVAKT_NOW", now)));
        command
    }

    /// A shell on this database, in which `certvakt` is the binary.
    pub fn bash(&self) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_certvakt")).parent().unwrap().to_owned();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path =
            std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path))).unwrap();
        let mut bash = with_environment_of(&self.certvakt([]), Command::new("bash"));
        bash.env("PATH", path);
        bash
    }

    /// Runs the binary; it must succeed.
    pub fn ok<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> String {
        succeed(&mut self.certvakt(arguments))
    }

    /// Runs the binary with `--output json`; it must succeed.
    pub fn json<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Value {
        let output = self.ok(arguments.into_iter().chain(["--output", "json"]));
        serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error} in {output}"))
    }

    /// Executes SQL as superuser, who bypasses all policies, to set up or inspect a test.
    pub async fn execute(&self, sql: &str) {
        superuser(&self.name).await.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
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

    /// Repeats a query until its result is true, for at most a minute.
    pub async fn until(&self, question: &str) {
        let mut connection = superuser(&self.name).await;
        let asking = async {
            while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(question.to_owned()))
                .fetch_one(&mut connection)
                .await
                .unwrap()
            {
                between_looks().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), asking).await.expect(question);
    }

    /// An organisation with the chapter `chapter` and the type `type`.
    pub fn add_organisation(&self, slug: &str, zone: &str) {
        self.ok(["organisation", "add", slug, "--name", "Foreningen", "--timezone", zone]);
        self.ok(["chapter", "add", "chapter", "--organisation", slug, "--name", "Østlandet"]);
        let add = ["type", "add", "type", "--organisation", slug, "--name", "Likeperson"];
        self.ok(add.into_iter().chain(["--validity", "24mo"]));
    }

    /// The organisation `org` in Oslo.
    pub fn with_organisation(&self) {
        self.add_organisation("org", "Europe/Oslo");
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Also its statistics, which would otherwise displace those that another test counts.
        let forget = format!(
            "select pg_stat_statements_reset(0, oid, 0) from pg_database where datname = '{}'",
            self.0
        );
        let sql = format!("drop database if exists {} with (force)", self.0);
        // The thread of an async test must not block on a second runtime.
        let dropping = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = superuser("postgres").await;
                connection.execute(AssertSqlSafe(forget)).await?;
                connection.execute(AssertSqlSafe(sql)).await.map(drop)
            })
        });
        if let Ok(Err(error)) = dropping.join() {
            eprintln!("the database {} stays: {error}", self.0);
        }
    }
}

/// Shorthand for certifications of the organisation that [`TestDatabase::with_organisation`] adds.
impl TestDatabase {
    /// Certifies a new person until the end of a day in Oslo.
    pub async fn certify(&self, external_id: &str, last_valid_day: &str) {
        self.certify_as("type", external_id, last_valid_day).await;
    }

    /// Adds a mentor with a certification of a type.
    pub async fn certify_as(&self, type_code: &str, external_id: &str, last_valid_day: &str) {
        self.execute(&format!(
            "with person as (insert into certvakt.people (name) values ('Åse Ødegård') returning id),
             member as (
               insert into certvakt.memberships (organisation_id, chapter_id, person_id, role)
               select h.organisation_id, h.id, person.id, 'mentor' from person, certvakt.chapters h)
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select h.organisation_id, h.id, person.id, '{type_code}', '{external_id}', {}
             from person, certvakt.chapters h",
            end_of(last_valid_day)
        ))
        .await;
    }

    /// Adds a device (`push`) or an e-mail address (`email`) to a certification's mentor.
    pub async fn reachable(&self, external_id: &str, kind: &str, address: &str) {
        self.execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address)
             select peer_mentor_id, '{kind}', '{address}' from public.peer_mentor_certifications
             where external_id = '{external_id}'"
        ))
        .await;
    }

    /// Changes a certification, as an app would.
    pub async fn change(&self, external_id: &str, what: &str) {
        self.execute(&format!(
            "update public.peer_mentor_certifications set {what} where external_id = '{external_id}'"
        ))
        .await;
    }

    /// Moves a certification's last valid day.
    pub async fn expire_on(&self, external_id: &str, last_valid_day: &str) {
        self.change(external_id, &format!("expires_at = {}", end_of(last_valid_day))).await;
    }

    /// Runs one date, and returns the number of recorded notices by stage.
    pub fn run(&self, date: &str) -> Value {
        let run = self.json(["run", "--date", date])["runs"][0].clone();
        assert_eq!(run["state"], "complete", "{run}");
        run
    }

    /// The notices of a certification: stage, due date and state of the delivery, oldest first.
    pub async fn notices(&self, external_id: &str) -> Vec<String> {
        sqlx::query_scalar(
            "select concat_ws(' ', l.notification_type, d.due_date, d.state)
             from public.cert_notification_log l
             join public.peer_mentor_certifications c on c.id = l.certification_id
             left join certvakt.deliveries d on d.id = l.id
             where c.external_id = $1 order by l.sent_at, d.due_date",
        )
        .bind(external_id)
        .fetch_all(&mut superuser(&self.name).await)
        .await
        .unwrap()
    }

    /// The text of `explain` for each stage of a certification, at a time.
    pub fn explained(&self, now: &str, external_id: &str) -> Vec<String> {
        let mut command = self.certvakt(["explain", external_id, "--output", "json"]);
        let explained: Value = serde_json::from_str(&succeed(command.env("CERTVAKT_NOW", now))).unwrap();
        explained["certifications"][0]["stages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stage| {
                format!("{} {} {}", stage["due_date"], stage["stage"], stage["state"]).replace('"', "")
            })
            .collect()
    }

    /// Delivers due notices at a time, and returns the result.
    pub fn work(&self, now: &str, config: &std::path::Path) -> Value {
        let config = config.to_str().unwrap();
        let output = self.at(now, ["work", "--drain", "--output", "json", "--config", config]);
        serde_json::from_str(&output).unwrap()
    }

    /// Runs the binary at a time; it must succeed.
    pub fn at<'a>(&self, now: &str, arguments: impl IntoIterator<Item = &'a str>) -> String {
        succeed(self.certvakt(arguments).env("CERTVAKT_NOW", now))
    }
}

/// SQL for the last second of a day in Oslo.
fn end_of(day: &str) -> String {
    format!("((date '{day}' + 1)::timestamp at time zone 'Europe/Oslo') - interval '1 second'")
}

/// A command under another one that limits it, like `timeout 60`.
pub fn under(limiter: &str, limit: &str, command: &Command) -> Command {
    let mut limited = Command::new(limiter);
    limited.arg(limit).arg(command.get_program()).args(command.get_args());
    with_environment_of(command, limited)
}

/// A command on a terminal with a number of columns, whose output includes the drawing.
pub fn on_terminal(columns: u16, command: &Command) -> Command {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let line = words.iter().map(|word| format!("'{}'", word.display())).collect::<Vec<_>>().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command"]);
    terminal.arg(format!("stty rows 24 cols {columns}; {line} 2>&1")).arg("/dev/null").env("TERM", "xterm");
    with_environment_of(command, terminal)
}

fn with_environment_of(command: &Command, mut other: Command) -> Command {
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

/// Sends SIGTERM to a process, as a service manager does.
pub fn terminate(process: &Child) {
    let id = nix::unistd::Pid::from_raw(i32::try_from(process.id()).unwrap());
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
}

/// Runs a command that must succeed and returns what it printed.
pub fn succeed(command: &mut Command) -> String {
    let output = command.output().expect("the binary starts");
    assert!(output.status.success(), "{command:?} ended with {}\n{}", output.status, both(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Runs a command that must exit with this status. Returns its standard error.
pub fn fail(command: &mut Command, status: i32) -> String {
    failed(&command.output().expect("the binary starts"), status)
}

/// The standard error of a process that must have exited with this status, without a backtrace.
fn failed(output: &Output, status: i32) -> String {
    assert_eq!(output.status.code(), Some(status), "{}", both(output));
    let said = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert!(!said.contains("panicked") && !said.contains("stack backtrace"), "{said}");
    said
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
