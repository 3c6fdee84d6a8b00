//! `serve`: nightly runs at their hour, deliveries, and monitoring.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::{Lease, NOON, TestDatabase, between_looks, fail, succeed, superuser, terminate};
use crate::stand_in::{StandIn, trust, write_config};
use sqlx::Executor;

/// A running service, which is killed when this value is dropped.
pub struct Service {
    process: Child,
    address: String,
    operations: String,
    log: Arc<Mutex<String>>,
    printed: Arc<Mutex<String>>,
    _database: Arc<Lease>,
}

/// Keeps the lines of a running service.
fn keep(lines: impl Iterator<Item = std::io::Result<String>> + Send + 'static, kept: Arc<Mutex<String>>) {
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            *kept.lock().unwrap() += &format!("{line}\n");
        }
    });
}

impl Service {
    pub fn start(database: &TestDatabase, config: &Path, now: &str) -> Self {
        Self::serving(database, &["--config", config.to_str().unwrap()], config, now)
    }

    /// Starts the demo on an empty rehearsal.
    pub fn demo(database: &TestDatabase, config: &Path) -> Self {
        Self::serving(database, &["--demo", "--config", config.to_str().unwrap()], config, NOON)
    }

    fn serving(database: &TestDatabase, args: &[&str], config: &Path, now: &str) -> Self {
        let mut command = database.certvakt(["serve"].into_iter().chain(args.iter().copied()));
        command.env("CERTVAKT_NOW", now).env("CERTVAKT_LOG_FORMAT", "json").stderr(Stdio::piped());
        command.stdout(Stdio::piped());
        trust(&mut command, config);
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (address, operations) = loop {
            let line = lines.next().expect("it says where it listens").unwrap();
            *log.lock().unwrap() += &format!("{line}\n");
            let told: Value = serde_json::from_str(&line).unwrap();
            if told["fields"]["message"] == "listening" {
                let of = |name: &str| told["fields"][name].as_str().unwrap().to_owned();
                break (of("address"), of("operations"));
            }
        };
        keep(lines, Arc::clone(&log));
        let printed = Arc::new(Mutex::new(String::new()));
        keep(BufReader::new(process.stdout.take().unwrap()).lines(), Arc::clone(&printed));
        Self { process, address, operations, log, printed, _database: Arc::clone(&database.lease) }
    }

    /// Its address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its operations address.
    pub fn operations(&self) -> &str {
        &self.operations
    }

    /// Sends a request to the operations address.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let client = certvakt_engine::outbound::client(Duration::from_secs(20));
        let answer = client.get(format!("http://{}{path}", self.operations)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Its running child processes.
    pub fn children(&self) -> Vec<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let children =
            tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
        children
            .flat_map(|of_task| of_task.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>())
            .collect()
    }

    /// Its log so far.
    pub fn said(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The line of its output that starts with a text, for which it waits at most a minute.
    pub async fn printed(&self, start: &str) -> String {
        let found =
            || self.printed.lock().unwrap().lines().find(|line| line.starts_with(start)).map(str::to_owned);
        let reading = async {
            loop {
                match found() {
                    Some(line) => break line,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        tokio::time::timeout(Duration::from_mins(1), reading).await.expect(start)
    }

    /// What it printed so far.
    pub fn output(&self) -> String {
        self.printed.lock().unwrap().clone()
    }

    /// Waits until its log contains a text, for at most a minute.
    pub async fn until_said(&self, words: &str) {
        let listening = async {
            while !self.said().contains(words) {
                between_looks().await;
            }
        };
        let heard = tokio::time::timeout(Duration::from_mins(1), listening).await;
        assert!(heard.is_ok(), "not {words} in {}", self.said());
    }

    /// Polls the metrics until a line is there.
    pub async fn until_metric(&self, line: &str) {
        let mut shown = String::new();
        let asking = async {
            while !shown.lines().any(|found| found == line) {
                between_looks().await;
                shown = self.get("/metrics").await.1;
            }
        };
        let found = tokio::time::timeout(Duration::from_mins(1), asking).await;
        assert!(found.is_ok(), "no {line} in {shown}");
    }

    /// Kills it, as kill -9 does.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Sends SIGTERM; it must shut down cleanly.
    pub fn end(mut self) -> String {
        terminate(&self.process);
        let status = self.process.wait().unwrap();
        let log = self.log.lock().unwrap().clone();
        assert!(status.success(), "{status}: {log}");
        log
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A watcher that writes down what it is called with.
async fn watcher() -> (String, Arc<Mutex<Vec<String>>>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let router = Router::new()
        .fallback(|State(calls): State<Arc<Mutex<Vec<String>>>>, uri: Uri| async move {
            calls.lock().unwrap().push(uri.path().to_owned());
        })
        .with_state(Arc::clone(&calls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/secret-id", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, calls)
}

async fn rehearsal() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database
}

const LISTEN: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn missed_nights_are_caught_up_once_and_the_service_ends_in_order() {
    let database = rehearsal().await;
    database.certify("1", "2026-06-20").await;
    database.run("2026-06-10");
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), LISTEN);
    let at = "2026-06-15T03:00:00+02:00";
    let service = Service::start(&database, &config, at);
    let other = Service::start(&database, &config, at);
    database
        .until(
            "select exists (select from certvakt.runs where state = 'complete' and run_date = '2026-06-15')",
        )
        .await;
    assert_eq!(service.get("/healthz").await, (200, "alive\n".to_owned()));
    assert_eq!(service.get("/readyz").await, (200, "ready\n".to_owned()));
    service.until_metric("certvakt_run_late{organisation=\"org\"} 0").await;
    service.until_metric("certvakt_queue_deliveries{state=\"unreachable\"} 1").await;
    for service in [service, other] {
        service.end();
    }
    let runs: String = database
        .value("select string_agg(state || ' ' || run_date, ', ' order by run_date, id) from certvakt.runs where run_date > '2026-06-10'")
        .await;
    assert_eq!(
        runs,
        "missed 2026-06-11, missed 2026-06-12, missed 2026-06-13, missed 2026-06-14, complete 2026-06-15",
        "two services, one run"
    );
    assert_eq!(database.notices("1").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_its_hour_an_organisation_is_not_run() {
    let database = rehearsal().await;
    database.ok(["organisation", "add", "later", "--name", "L", "--timezone", "Europe/Oslo"]);
    database.ok(["organisation", "set", "later", "--run-at", "05:00"]);
    for organisation in ["org", "later"] {
        database.ok(["run", "--date", "2026-06-14", "--organisation", organisation]);
    }
    let folder = tempfile::tempdir().unwrap();
    let service =
        Service::start(&database, &write_config(folder.path(), LISTEN), "2026-06-15T02:00:05+02:00");
    database
        .until(
            "select exists (select from certvakt.runs where state = 'complete' and run_date = '2026-06-15')",
        )
        .await;
    service.end();
    let run: String = database
        .value(
            "select string_agg(o.slug, ', ') from certvakt.runs r join certvakt.organisations o on o.id = r.organisation_id
             where r.run_date = '2026-06-15'",
        )
        .await;
    assert_eq!(run, "org");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_leave_by_day_without_being_asked() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", LISTEN);
    let database = rehearsal().await;
    database.certify("1", "2026-06-20").await;
    database.reachable("1", "push", "ok-1").await;
    database.ok(["partner", "add", "portal", "--organisation", "org", "--requires", "type"]);
    let service = Service::start(&database, &config, "2026-06-15T12:00:00+02:00");
    database.until("select exists (select from certvakt.deliveries where state = 'delivered')").await;
    service.until_metric("certvakt_deliveries_total{outcome=\"delivered\"} 1").await;
    let (_, metrics) = service.get("/metrics").await;
    let rules = include_str!("../../../../docs/deploy/alerts.yml");
    let names = rules.split(|char: char| !char.is_ascii_lowercase() && char != '_');
    for name in names.filter(|word| word.starts_with("certvakt_")) {
        assert!(metrics.contains(&format!("{name}{{")) || metrics.contains(&format!("{name} ")), "{name}");
    }
    let hours = certvakt_store::report::QUEUE_OLD_SECONDS / 3600;
    assert!(
        rules.contains(&format!("certvakt_queue_oldest_seconds > {hours} * 3600")),
        "the status has the same limit"
    );
    let log = service.end();
    assert_eq!(stand_in.messages().len(), 1);
    assert!(!log.contains("ok-1") && !log.contains("Ødegård"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_a_late_and_an_unready_service_show() {
    let database = rehearsal().await;
    database.ok(["organisation", "set", "org", "--limit-floor", "0", "--limit-percent", "0"]);
    database.certify("1", "2026-06-20").await;
    let (url, calls) = watcher().await;
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), &format!("{LISTEN}[heartbeat]\nurl = \"{url}\"\n"));
    let service = Service::start(&database, &config, "2026-06-15T02:10:00+02:00");
    service.until_metric("certvakt_run_held{organisation=\"org\"} 1").await;
    service.until_metric("certvakt_run_late{organisation=\"org\"} 0").await;
    let log = service.end();
    assert!(log.contains("the run is held"), "{log}");
    assert_eq!(*calls.lock().unwrap(), ["/secret-id/start", "/secret-id/fail"]);
    assert!(!log.contains("secret-id"), "the address may be a secret");
    let held: i64 = database.value("select count(*) from certvakt.runs where state = 'held'").await;
    assert_eq!(held, 1, "held once, not at every look");

    // A run that cannot get on: another session holds its organisation's row.
    database.ok(["organisation", "set", "org", "--limit-floor", "50"]);
    let mut holder = superuser(&database.name).await;
    holder
        .execute("begin; update certvakt.run_calendars set last_complete_date = last_complete_date")
        .await
        .unwrap();
    let service = Service::start(&database, &config, "2026-06-16T03:30:00+02:00");
    service.until_metric("certvakt_run_late{organisation=\"org\"} 1").await;
    let mut status = database.certvakt(["status"]);
    let output = status.env("CERTVAKT_NOW", "2026-06-16T03:30:00+02:00").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("LATE") || shown.contains("HELD"), "{shown}");
    holder.execute("rollback").await.unwrap();
    service.until_metric("certvakt_run_late{organisation=\"org\"} 0").await;
    assert!(service.log.lock().unwrap().contains("the run is late"));

    database.execute("delete from certvakt.schema_migrations where version = (select max(version) from certvakt.schema_migrations)").await;
    assert_eq!(service.get("/readyz").await, (503, "database-schema\n".to_owned()));
    assert_eq!(service.get("/healthz").await.0, 200);
    service.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_heartbeat_reports_success_only_while_the_queue_moves() {
    let database = rehearsal().await;
    database.certify("1", "2026-06-20").await;
    database.reachable("1", "push", "ok-1").await;
    let (url, calls) = watcher().await;
    let folder = tempfile::tempdir().unwrap();
    let config = write_config(folder.path(), &format!("[heartbeat]\nurl = \"{url}/\"\n"));
    let run = |date: &str| {
        succeed(database.certvakt(["run", "--date", date]).args(["--config", config.to_str().unwrap()]))
    };
    run("2026-06-15");
    // Recorded long ago, tried repeatedly, and still open.
    database
        .execute("update certvakt.deliveries set opened_at = now() - interval '2 days', available_at = now() + interval '1 hour'")
        .await;
    run("2026-06-16");
    succeed(database.certvakt(["run", "--dry-run"]).args(["--config", config.to_str().unwrap()]));
    assert_eq!(
        *calls.lock().unwrap(),
        ["/secret-id/start", "/secret-id", "/secret-id/start", "/secret-id/fail"],
        "and a dry run tells nobody"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_address_and_a_lost_database_are_reported() {
    let database = rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let config = write_config(folder.path(), &format!("[serve]\nlisten = \"{address}\"\n"));
    let said = fail(&mut database.certvakt(["serve", "--config", config.to_str().unwrap()]), 1);
    assert!(said.contains("[listen]") && said.contains("choose another address"), "{said}");

    let service =
        Service::start(&database, &write_config(folder.path(), LISTEN), "2026-06-15T03:00:00+02:00");
    database.until("select exists (select from certvakt.runs where state = 'complete')").await;
    // A client that never finishes its request does not delay the shutdown.
    let mut stranger = std::net::TcpStream::connect(&service.address).unwrap();
    std::io::Write::write_all(&mut stranger, b"GET /healthz HTTP/1.1\r\n").unwrap();
    // Renamed, which has the same effect as dropping it.
    let gone = format!("{}_gone", database.name);
    let rename = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{0}';
         alter database {0} allow_connections false;
         select pg_terminate_backend(pid) from pg_stat_activity where datname = '{0}';
         alter database {0} rename to {gone}",
        database.name
    );
    if std::env::var("CERTVAKT_TEST_POOLER").is_err() {
        for statement in rename.split(';') {
            superuser("postgres").await.execute(sqlx::AssertSqlSafe(statement.to_owned())).await.unwrap();
        }
        let (status, body) = service.get("/readyz").await;
        assert_eq!(status, 503, "{body}");
        assert_eq!(service.get("/metrics").await.0, 503);
    }
    assert_eq!(service.get("/healthz").await.0, 200);
    service.end();
    drop(stranger);
}

#[tokio::test]
async fn a_demo_is_served_on_this_machine_and_in_an_empty_rehearsal_only() {
    let folder = tempfile::tempdir().unwrap();
    let loopback = write_config(folder.path(), LISTEN);
    let demo = |database: &TestDatabase, config: &Path| {
        let said = fail(&mut database.certvakt(["serve", "--demo", "--config", config.to_str().unwrap()]), 2);
        assert!(!said.contains("listening"), "{said}");
        said
    };
    let filled = rehearsal().await;
    assert!(demo(&filled, &loopback).contains("empty database"), "it has an organisation");
    let unmarked = TestDatabase::new().await;
    assert!(demo(&unmarked, &loopback).contains("marked as a rehearsal"), "it is not marked");
    let marked: i64 = unmarked.value("select count(*) from certvakt.installation where rehearsal").await;
    assert_eq!(marked, 0, "and stays unmarked");
    let other = tempfile::tempdir().unwrap();
    let anywhere = write_config(other.path(), "[serve]\nlisten = \"0.0.0.0:0\"\n");
    assert!(demo(&unmarked, &anywhere).contains("demo-not-loopback"));
}
