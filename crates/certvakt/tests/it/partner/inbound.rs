//! Portals' reports of completed renewal courses, by signed webhook or by polling pages.

mod polling;
mod waiting;

use std::path::{Path, PathBuf};

use chrono::Utc;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::Executor;
use standardwebhooks::Webhook;

use super::serving::SERVE;
use super::{FORMER_KEY, INBOUND_KEY, KEY, NOON, Portal, WHICH, told};
use crate::harness::{TestDatabase, succeed, superuser};
use crate::service::Service;

pub(super) const ADDRESS: &str = "/api/v1/partners/org/portal/renewals";

impl TestDatabase {
    /// The outcome of an event, with the reason.
    async fn outcome(&self, event: &str) -> String {
        self.value(&format!(
            "select concat_ws(' ', outcome, reason) from certvakt.partner_reports where event_id = '{event}'"
        ))
        .await
    }

    /// A certification's last valid day and number of renewals.
    async fn renewed(&self, external_id: &str) -> (String, i64) {
        let of = format!("from public.peer_mentor_certifications where external_id = '{external_id}'");
        let day =
            format!("select coalesce((expires_at at time zone 'Europe/Oslo')::date::text, 'never') {of}");
        let times = format!(
            "select jsonb_array_length(jsonb_path_query_array(renewal_history, '$[*] ? (@.kind == \"renewed\")'))::bigint {of}"
        );
        (self.value(&day).await, self.value(&times).await)
    }

    /// Everything that a report could change.
    pub(super) async fn everything(&self) -> String {
        self.value(
            "select concat((select jsonb_agg(c order by c.id) from public.peer_mentor_certifications c),
               (select jsonb_agg(e order by e.id) from certvakt.partner_events e),
               (select count(*) from certvakt.partner_reports))",
        )
        .await
    }

    /// The problems in `partner status`.
    fn wants(&self, config: &Path) -> String {
        let output = self.partner_with(config, ["status"]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).unwrap()
    }

    fn resolve(&self, config: &Path, event: &str, answer: &[&str]) -> std::process::Command {
        let words = ["resolve-report", WHICH[0], event].into_iter().chain(WHICH[1..].iter().copied());
        self.partner_with(config, words.chain(answer.iter().copied()))
    }
}

/// A partner with a portal, and a running service.
pub(super) struct Listening {
    pub(super) database: TestDatabase,
    pub(super) portal: Portal,
    pub(super) config: PathBuf,
    pub(super) service: Service,
}

/// Writes the example contract, whose course renews the type of the tests.
pub(super) fn contract(portal: &Portal, replace: &[(&str, &str)]) {
    portal.contract("1", &[&[("\"likeperson\"", "\"type\"")], replace].concat());
}

impl Listening {
    async fn start(mentors: &[&str]) -> Self {
        let (database, portal, _) = told(mentors).await;
        contract(&portal, &[]);
        let config = portal.config(SERVE);
        let service = Service::start(&database, &config, NOON);
        Self { database, portal, config, service }
    }

    /// Sends a body to a URL with these signature headers, and returns the response.
    pub(super) async fn post(&self, address: &str, body: &str, headers: [(&str, String); 3]) -> (u16, Value) {
        let mut request = self.portal.client.post(format!("http://{}{address}", self.service.address()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn tell(&self, report: &Value) -> (u16, Value) {
        let body = report.to_string();
        self.post(ADDRESS, &body, signed(INBOUND_KEY, &body, 0)).await
    }

    async fn take(&self, report: &Value) {
        assert_eq!(self.tell(report).await, (202, Value::Null), "{report}");
    }
}

/// The signature headers of a body, signed `ago` seconds ago.
pub(super) fn signed(key: &str, body: &str, ago: i64) -> [(&'static str, String); 3] {
    let at = Utc::now().timestamp() - ago;
    let signature = Webhook::new(key).unwrap().sign("msg-1", at, body.as_bytes()).unwrap();
    [
        ("webhook-id", "msg-1".to_owned()),
        ("webhook-timestamp", at.to_string()),
        ("webhook-signature", signature),
    ]
}

/// A completed course of a mentor, at a time that is on the previous day in UTC.
pub(super) fn course(event: &str, mentor: &str) -> Value {
    json!({ "id": event, "mentorId": format!("M-{mentor}"), "course": "renewal", "completedAt": "2026-06-09T22:30:00Z" })
}

fn with(mut report: Value, field: &str, value: Value) -> Value {
    report[field] = value;
    report
}

#[tokio::test]
async fn a_repeated_report_renews_once_and_lists_again() {
    let listening = Listening::start(&["a"]).await;
    let Listening { database, portal, config, .. } = &listening;
    // Lapsed, and so not listed.
    database.listed("b", "2026-06-01").await;
    portal.control(&json!({ "know": ["M-b"] })).await;
    for _ in 0..2 {
        listening.take(&course("E-1", "b")).await;
    }
    assert_eq!(database.renewed("b").await, ("2028-06-10".to_owned(), 1));
    assert_eq!(database.outcome("E-1").await, "renewed");
    assert_eq!(database.events("b").await, ["listed renewed"]);
    database
        .until("select coalesce(accepted_listed, false) from certvakt.listings where partner_key = 'M-b'")
        .await;
    let said: Vec<String> = database
        .value(
            "select array[e ->> 'source', e ->> 'completed_on', w.evidence]
             from public.peer_mentor_certifications c
             cross join lateral jsonb_array_elements(c.renewal_history) e
             join certvakt.renewal_remarks w on w.entry_id::text = e ->> 'id' where c.external_id = 'b'",
        )
        .await;
    assert_eq!(said, ["portal", "2026-06-10", "portal: E-1"]);
    assert_eq!(database.json(["verify", "--history"])["faults"], json!([]));
    // The former key is valid while it is configured.
    let body = course("E-2", "a").to_string();
    assert_eq!(listening.post(ADDRESS, &body, signed(FORMER_KEY, &body, 0)).await.0, 202);
    assert_eq!(database.renewed("a").await, ("2028-06-10".to_owned(), 1));
    // The same course with another event id renews nothing.
    listening.take(&course("E-3", "a")).await;
    assert_eq!(database.outcome("E-3").await, "echo");
    assert_eq!(database.renewed("a").await.1, 1);
    succeed(&mut database.partner_with(config, ["status"]));
}

#[tokio::test]
async fn one_course_on_two_dates_renews_once_where_the_rule_counts_from_the_end() {
    let listening = Listening::start(&["a", "b"]).await;
    let Listening { database, .. } = &listening;
    database.execute("update certvakt.certification_types set renewal_rule = 'expiry'").await;
    // A coordinator recorded it today; the portal reports the actual day, and then the day after it.
    database.at(NOON, ["renew", "a"]);
    listening.take(&course("E-1", "a")).await;
    listening.take(&course("E-2", "b")).await;
    listening.take(&with(course("E-3", "b"), "completedAt", json!("2026-06-11T10:00:00Z"))).await;
    for (mentor, event) in [("a", "E-1"), ("b", "E-3")] {
        assert_eq!(database.renewed(mentor).await.1, 1, "{mentor}");
        assert_eq!(database.outcome(event).await, "waiting renewed-since", "{event}");
    }
}

#[tokio::test]
async fn an_invalid_signed_report_shows_until_a_valid_one_arrives() {
    let listening = Listening::start(&["a"]).await;
    let Listening { database, portal, config, .. } = &listening;
    contract(portal, &[("inbound = \"", "# inbound = \"")]);
    assert_eq!(listening.tell(&json!({ "id": "E-1", "mentorId": "M-a" })).await.0, 400);
    let said = database.wants(config);
    assert!(said.contains("NOT READ: the reports of portal"), "{said}");
    listening.take(&course("E-2", "a")).await;
    succeed(&mut database.partner_with(config, ["status"]));
    // A missing configuration is not the portal's fault, so the portal should retry.
    let file = portal.folder.path().join("contracts/portal/1.toml");
    let text = std::fs::read(&file).unwrap();
    std::fs::write(&file, "adapter = ").unwrap();
    let (status, answer) = listening.tell(&course("E-3", "a")).await;
    assert_eq!((status, &answer["code"]), (503, &json!("partner-not-configured")));
    std::fs::write(&file, text).unwrap();
    listening.take(&course("E-3", "a")).await;
}

#[tokio::test]
async fn at_the_same_time_it_renews_once() {
    let listening = Listening::start(&["a", "b"]).await;
    // One event of a mentor many times, and many events of another.
    let same = (0..4).map(|_| course("E-1", "a"));
    let others = (0..4).map(|n| course(&format!("F-{n}"), "b"));
    let reports: Vec<Value> = same.chain(others).collect();
    for answer in join_all(reports.iter().map(|report| listening.tell(report))).await {
        assert_eq!(answer.0, 202, "{answer:?}");
    }
    for mentor in ["a", "b"] {
        assert_eq!(listening.database.renewed(mentor).await, ("2028-06-10".to_owned(), 1), "{mentor}");
    }
    let outcomes: Vec<String> = listening
        .database
        .value("select array_agg(outcome order by outcome) from certvakt.partner_reports")
        .await;
    assert_eq!(outcomes, ["echo", "echo", "echo", "renewed", "renewed"]);
}

#[tokio::test]
async fn an_unsigned_report_changes_and_reveals_nothing() {
    let listening = Listening::start(&["a"]).await;
    let before = listening.database.everything().await;
    let (body, other) = (course("E-1", "a").to_string(), course("E-2", "a").to_string());
    let good = || signed(INBOUND_KEY, &body, 0);
    let mut unsigned = good();
    unsigned[2].1 = String::new();
    let nowhere = "/api/v1/partners/org/other/renewals";
    let nobody = "/api/v1/partners/nobody/portal/renewals";
    let cases = [
        (ADDRESS, &body, signed(KEY, &body, 0)),
        (ADDRESS, &body, signed(INBOUND_KEY, &body, 600)),
        (ADDRESS, &body, signed(INBOUND_KEY, &body, -600)),
        (ADDRESS, &other, good()),
        (ADDRESS, &body, unsigned),
        (nowhere, &body, good()),
        (nobody, &body, good()),
        ("/api/v1/partners/org/%00/renewals", &body, good()),
    ];
    let mut answers = Vec::new();
    for (address, body, headers) in cases {
        answers.push(listening.post(address, body, headers).await);
    }
    listening.database.partner("disable", []);
    answers.push(listening.post(ADDRESS, &body, good()).await);
    assert_eq!(answers[0].1["code"], "not-signed");
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 401), "{answers:?}");
    assert_eq!(listening.database.everything().await, before);
}

#[tokio::test]
async fn a_report_that_breaks_the_contract_is_refused() {
    let listening = Listening::start(&["a"]).await;
    let before = listening.database.everything().await;
    let whole = || course("E-1", "a");
    let bodies = [
        "{".to_owned(),
        "[]".to_owned(),
        with(whole(), "id", json!(1)).to_string(),
        with(whole(), "completedAt", json!("yesterday")).to_string(),
        with(whole(), "completedAt", json!("0001-01-01T00:00:00Z")).to_string(),
        with(whole(), "mentorId", json!("M\na")).to_string(),
        with(whole(), "mentorId", json!("x".repeat(201))).to_string(),
        with(whole(), "id", json!("\0")).to_string(),
        with(whole(), "validUntil", json!("2028-02-30")).to_string(),
    ];
    for body in bodies {
        let (status, answer) = listening.post(ADDRESS, &body, signed(INBOUND_KEY, &body, 0)).await;
        assert_eq!((status, &answer["code"]), (400, &json!("report-invalid")), "{body}");
        assert!(!answer.to_string().contains("M-a"), "{answer}");
    }
    let long = with(whole(), "note", json!("x".repeat(70_000))).to_string();
    let (status, answer) = listening.post(ADDRESS, &long, signed(INBOUND_KEY, &long, 0)).await;
    assert_eq!((status, &answer["code"]), (413, &json!("request-too-long")));
    assert_eq!(listening.database.everything().await, before);
}

#[tokio::test]
async fn echoes_and_old_courses_renew_nothing() {
    let listening = Listening::start(&["a", "b", "c"]).await;
    let database = &listening.database;
    database.at(NOON, ["renew", "a", "--completed", "2026-06-10"]);
    database.at(NOON, ["correct", "b", "--until", "2028-06-10"]);
    let cases = [
        (course("1", "a"), "echo"),
        (with(course("2", "a"), "validUntil", json!("2028-06-10")), "echo"),
        // It is already valid until then.
        (course("3", "b"), "echo"),
        (with(course("4", "c"), "changedBy", json!("certvakt")), "echo"),
        (with(course("5", "c"), "completedAt", json!("2025-12-31T12:00:00Z")), "dismissed too-old"),
    ];
    for (report, outcome) in cases {
        listening.take(&report).await;
        assert_eq!(database.outcome(report["id"].as_str().unwrap()).await, outcome, "{report}");
    }
    assert_eq!(database.renewed("a").await, ("2028-06-10".to_owned(), 1));
    assert_eq!(database.renewed("b").await, ("2028-06-10".to_owned(), 0));
    assert_eq!(database.renewed("c").await, ("2026-12-31".to_owned(), 0));
    succeed(&mut database.partner_with(&listening.config, ["status"]));
}

#[tokio::test]
async fn a_kill_between_the_report_and_its_renewal_leaves_neither() {
    let mut listening = Listening::start(&["a"]).await;
    let mut holder = superuser(&listening.database.name).await;
    // At that point, the report is written and the renewal is in progress.
    holder.execute("begin; lock table certvakt.certification_changes in exclusive mode").await.unwrap();
    let before = listening.database.renewed("a").await;
    let body = course("E-1", "a").to_string();
    let mut request =
        listening.portal.client.post(format!("http://{}{ADDRESS}", listening.service.address()));
    for (name, value) in signed(INBOUND_KEY, &body, 0) {
        request = request.header(name, value);
    }
    let waiting = tokio::spawn(request.body(body).send());
    listening
        .database
        .until("select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')")
        .await;
    listening.service.kill();
    holder.execute("rollback").await.unwrap();
    assert!(waiting.await.unwrap().is_err());
    listening
        .database
        .until("select count(*) = 0 from pg_stat_activity where datname = current_database() and application_name = 'certvakt'")
        .await;
    assert_eq!(listening.database.renewed("a").await, before);
    assert_eq!(listening.database.value::<i64>("select count(*) from certvakt.partner_reports").await, 0);
    listening.service = Service::start(&listening.database, &listening.config, NOON);
    listening.take(&course("E-1", "a")).await;
    assert_eq!(listening.database.renewed("a").await, ("2028-06-10".to_owned(), 1));
}

#[tokio::test]
async fn a_report_from_staging_is_evaluated_but_renews_nothing() {
    let listening = Listening::start(&["a"]).await;
    let words = ["enable"].into_iter().chain(WHICH).chain(["--environment", "staging", "--contract", "1"]);
    succeed(&mut listening.database.partner_with(&listening.config, words));
    listening.take(&course("1", "a")).await;
    listening.take(&course("2", "nobody")).await;
    assert_eq!(listening.database.outcome("1").await, "dismissed staging");
    assert_eq!(listening.database.outcome("2").await, "dismissed mentor-unknown");
    assert_eq!(listening.database.renewed("a").await, ("2026-12-31".to_owned(), 0));
    // The same event id from the live portal is a different event.
    listening.database.enable(&listening.config);
    listening.take(&course("1", "a")).await;
    assert_eq!(listening.database.renewed("a").await, ("2028-06-10".to_owned(), 1));
}
