//! Portals' reports of completed renewal courses, by signed webhook or by polling pages.

use std::path::{Path, PathBuf};

use chrono::Utc;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::Executor;
use standardwebhooks::Webhook;

use super::serving::SERVE;
use super::sync::told_by;
use super::{FORMER_KEY, INBOUND_KEY, KEY, Kind, NOON, Portal, WHICH, told};
use crate::harness::{TestDatabase, fail, succeed, superuser};
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

    fn settle(&self, config: &Path, event: &str, answer: &[&str]) -> std::process::Command {
        let words = ["settle", WHICH[0], event].into_iter().chain(WHICH[1..].iter().copied());
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
        .until("select coalesce(told_listed, false) from certvakt.listings where partner_key = 'M-b'")
        .await;
    let said: Vec<String> = database
        .value(
            "select array[e ->> 'source', e ->> 'completed_on', w.evidence]
             from public.peer_mentor_certifications c
             cross join lateral jsonb_array_elements(c.renewal_history) e
             join certvakt.renewal_words w on w.entry_id::text = e ->> 'id' where c.external_id = 'b'",
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
    assert_eq!((status, &answer["code"]), (503, &json!("partner-not-set-up")));
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
async fn a_contradicting_report_waits_with_its_reason_and_changes_nothing() {
    let mentors =
        ["none", "several", "suspended", "withdrawn", "issued", "later", "never", "lapsed", "plain"];
    let listening = Listening::start(&mentors).await;
    let database = &listening.database;
    database.execute("delete from public.peer_mentor_certifications where external_id = 'none'").await;
    database
        .execute(
            "insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select organisation_id, chapter_id, peer_mentor_id, certification_type, 'second', expires_at
             from public.peer_mentor_certifications where external_id = 'several'",
        )
        .await;
    database.at(NOON, ["suspend", "suspended"]);
    database.at(NOON, ["withdraw", "withdrawn"]);
    database.change("issued", "issued_at = '2026-06-12T10:00:00Z'").await;
    database.expire_on("later", "2029-12-31").await;
    database.change("never", "expires_at = null").await;
    database.at(NOON, ["correct", "lapsed", "--until", "2026-06-01"]);
    let renewed_before = database.everything().await;
    let plain = |event| course(event, "plain");
    let cases = [
        (course("1", "nobody"), "mentor-unknown"),
        (with(plain("2"), "course", json!("dance")), "course-unknown"),
        (course("3", "none"), "no-certification"),
        (course("4", "several"), "several-certifications"),
        (course("5", "suspended"), "suspended"),
        (course("6", "withdrawn"), "withdrawn"),
        (course("7", "issued"), "before-issue"),
        (course("8", "later"), "would-shorten"),
        (course("9", "never"), "would-shorten"),
        (with(plain("10"), "completedAt", json!("2026-06-15T22:30:00Z")), "in-future"),
        (with(plain("11"), "validUntil", json!("2028-12-31")), "other-date"),
        (with(plain("12"), "validUntil", json!("2026-12-30")), "would-shorten"),
        (with(course("13", "lapsed"), "validUntil", json!("2026-06-12")), "lapsed-since"),
    ];
    for (report, reason) in &cases {
        listening.take(report).await;
        let event = report["id"].as_str().unwrap();
        assert_eq!(database.outcome(event).await, format!("waiting {reason}"), "{report}");
    }
    database.execute("create table kept as select * from certvakt.partner_reports; delete from certvakt.partner_reports").await;
    assert_eq!(database.everything().await, renewed_before);
    database.execute("insert into certvakt.partner_reports select * from kept").await;
    let said = database.wants(&listening.config);
    assert!(said.contains("WAITING: 13 reports of portal"), "{said}");
    listening
        .service
        .until_metric("certvakt_partner_reports_waiting{organisation=\"org\",partner=\"portal\"} 13")
        .await;
    let words = ["reports"].into_iter().chain(WHICH).chain(["--waiting", "--output", "json"]);
    let shown: Value =
        serde_json::from_str(&succeed(&mut database.partner_with(&listening.config, words))).unwrap();
    assert_eq!(shown["reports"].as_array().unwrap().len(), 13);
    assert_eq!(shown["reports"][0]["reason"], "mentor-unknown");
    // Without a rule, the portal's date decides; without a date, nothing does.
    database.execute("update certvakt.certification_types set validity_months = null").await;
    listening.take(&plain("14")).await;
    assert_eq!(database.outcome("14").await, "waiting no-date");
    listening.take(&with(plain("15"), "validUntil", json!("2027-12-31"))).await;
    assert_eq!(database.renewed("plain").await, ("2027-12-31".to_owned(), 1));
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
async fn a_person_settles_waiting_reports() {
    let listening = Listening::start(&["a", "b", "late"]).await;
    let (database, config) = (&listening.database, &listening.config);
    let theirs = |event, mentor| with(course(event, mentor), "validUntil", json!("2028-12-31"));
    listening.take(&theirs("1", "a")).await;
    listening.take(&theirs("2", "b")).await;
    listening.take(&theirs("3", "b")).await;
    listening.take(&course("4", "stranger")).await;
    listening.take(&with(course("5", "late"), "course", json!("dance"))).await;
    succeed(&mut database.settle(config, "1", &["--take"]));
    assert_eq!(database.renewed("a").await, ("2028-12-31".to_owned(), 1));
    succeed(&mut database.settle(config, "2", &["--dismiss"]));
    assert_eq!(database.renewed("b").await, ("2026-12-31".to_owned(), 0));
    succeed(&mut database.settle(config, "3", &["--take", "--until", "2028-06-10"]));
    assert_eq!(database.renewed("b").await, ("2028-06-10".to_owned(), 1));
    // Neither report says which certification it renews.
    for event in ["4", "5"] {
        let said = fail(&mut database.settle(config, event, &["--take"]), 2);
        assert!(said.contains("partner-report-unclear"), "{said}");
    }
    succeed(&mut database.settle(config, "4", &["--dismiss"]));
    let said = fail(
        &mut database.settle(config, "5", &["--take", "--certification", "late", "--until", "2026-06-01"]),
        2,
    );
    assert!(said.contains("renewal-date"), "{said}");
    assert_eq!(database.outcome("5").await, "waiting course-unknown");
    succeed(&mut database.settle(config, "5", &["--take", "--certification", "late"]));
    assert_eq!(database.renewed("late").await, ("2028-06-10".to_owned(), 1));
    // A settled report stays settled when it is repeated.
    listening.take(&theirs("2", "b")).await;
    for event in ["1", "2", "never-came"] {
        let said = fail(&mut database.settle(config, event, &["--take"]), 2);
        assert!(said.contains("partner-nothing-to-settle"), "{said}");
    }
    let forgotten: Option<String> =
        database.value("select partner_key from certvakt.partner_reports where event_id = '4'").await;
    assert_eq!(forgotten, None, "nobody here knows them");
    succeed(&mut database.partner_with(config, ["status"]));
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

#[tokio::test]
async fn no_report_of_an_erased_person_waits_or_is_kept() {
    let listening = Listening::start(&["a"]).await;
    let database = &listening.database;
    listening.take(&with(course("1", "a"), "course", json!("dance"))).await;
    let ledger = listening.portal.folder.path().join("erased");
    database.ok(["person", "erase", "a", "--ledger", ledger.to_str().unwrap()]);
    listening.take(&course("2", "a")).await;
    for event in ["1", "2"] {
        assert_eq!(database.outcome(event).await, "dismissed mentor-gone");
    }
    let keys = "select count(*) from certvakt.partner_reports where partner_key is not null";
    assert_eq!(database.value::<i64>(keys).await, 0);
}

/// A portal whose courses are read, of these mentors.
async fn read(mentors: &[&str]) -> (TestDatabase, Portal, PathBuf) {
    let (database, portal, config) = told(mentors).await;
    let endpoint = format!("endpoint = \"{}/mentors\"", portal.address);
    let with_courses = format!("{endpoint}\ninbound = \"{}/courses\"", portal.address);
    contract(&portal, &[(&endpoint, &with_courses)]);
    (database, portal, config)
}

impl TestDatabase {
    /// Runs `partner sync`, and returns the result of the poll.
    fn hear(&self, config: &Path, status: i32) -> Value {
        let output = self.partner_with(config, ["sync", "--output", "json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["reports"][0].clone()
    }
}

impl Portal {
    /// The URLs from which courses were read, in order.
    async fn read_from(&self) -> Vec<String> {
        let record = self.record().await;
        let read = record.iter().filter(|one| one["path"] == "/courses");
        read.map(|one| one["query"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_contract_that_contradicts_itself_about_courses_is_not_enabled() {
    let (database, portal, config) = read(&["a"]).await;
    let endpoint = format!("endpoint = \"{}/mentors\"", portal.address);
    let read_there = format!("{endpoint}\ninbound = \"{}/courses\"", portal.address);
    let cases = [
        (vec![("event = \"/id\"", "event = \"id\"")], "JSON pointer"),
        (vec![("ours = \"certvakt\"", "")], "belong together"),
        (vec![("renewal = \"likeperson\"", "")], "inbound.types"),
        (
            vec![("course = \"/course\"", ""), ("renewal = \"likeperson\"", "a = \"type\"\nb = \"type\"")],
            "exactly one",
        ),
        (vec![("required = [\"id\"", "required = [1, \"id\"")], "inbound.schema"),
        (vec![("since = \"2026-01-01\"", ""), (&endpoint, &read_there)], "inbound.since"),
    ];
    for (replace, reason) in cases {
        portal.contract("2", &replace);
        let enable = ["enable"].into_iter().chain(WHICH).chain(["--environment", "live", "--contract", "2"]);
        let said = fail(&mut database.partner_with(&config, enable), 2);
        assert!(said.contains(reason) && said.contains("[contract-invalid]"), "{said}");
    }
}

#[tokio::test]
async fn courses_are_read_to_their_end_and_from_then_on_only_what_is_new() {
    let (database, portal, config) = read(&["a", "b", "c"]).await;
    let courses = [
        course("1", "a"),
        course("2", "nobody"),
        json!({ "@odata.context": "$metadata#courses/$deletedEntity", "id": "3", "reason": "deleted" }),
        course("4", "b"),
        json!({ "@removed": { "reason": "deleted" }, "id": "5" }),
    ];
    portal.control(&json!({ "courses": courses })).await;
    let heard = database.hear(&config, 0);
    assert_eq!((&heard["renewed"], &heard["waiting"]), (&json!(2), &json!(1)), "{heard}");
    assert_eq!(portal.read_from().await, ["", "from=2", "from=4"]);
    portal.control(&json!({ "courses": [course("6", "c")] })).await;
    assert_eq!(database.hear(&config, 0)["renewed"], 1);
    assert_eq!(database.hear(&config, 0)["renewed"], 0);
    assert_eq!(portal.read_from().await[3..], ["from=5", "from=6"]);
    // The URL for changes has expired: everything is read again, and nothing is renewed again.
    portal.control(&json!({ "faults": [{ "on": "GET", "path": "/courses?from=6", "what": 410 }] })).await;
    let heard = database.hear(&config, 0);
    assert_eq!((&heard["renewed"], &heard["waiting"]), (&json!(0), &json!(0)), "{heard}");
    assert_eq!(portal.read_from().await.len(), 9);
    for mentor in ["a", "b", "c"] {
        assert_eq!(database.renewed(mentor).await, ("2028-06-10".to_owned(), 1), "{mentor}");
    }
    // At another environment, or with another contract, everything is read again.
    database.enable(&config);
    assert_eq!(database.value::<Option<String>>("select reports_delta from certvakt.partners").await, None);
}

#[tokio::test]
async fn unreadable_courses_are_reported_and_read_again() {
    let (database, portal, config) = read(&["a", "b", "c"]).await;
    portal.control(&json!({ "courses": [course("1", "a"), course("2", "b"), course("3", "c")] })).await;
    for (what, reason) in
        [(json!(503), "failed (503)"), (json!("html"), "not JSON"), (json!("error"), "no entries")]
    {
        portal
            .control(&json!({ "faults": [{ "on": "GET", "path": "/courses?from=2", "what": what }] }))
            .await;
        let heard = database.hear(&config, 1);
        assert!(heard["unread"].as_str().unwrap().contains(reason), "{heard}");
        let said = database.wants(&config);
        assert!(said.contains("NOT READ: the reports of portal"), "{said}");
    }
    assert_eq!(database.value::<i64>("select count(*) from certvakt.partner_reports").await, 0);
    assert_eq!(database.hear(&config, 0)["renewed"], 3);
    succeed(&mut database.partner_with(&config, ["status"]));
    portal.control(&json!({ "courses": [{ "id": "4", "mentorId": "M-a" }, course("5", "b")] })).await;
    let heard = database.hear(&config, 1);
    assert!(heard["unread"].as_str().unwrap().contains("it breaks /required"), "{heard}");
    let outcome: String =
        database.value("select outcome from certvakt.partner_reports where event_id = '5'").await;
    assert_eq!(outcome, "echo", "what is wrong with one keeps no other waiting");
}

#[tokio::test]
async fn the_service_reads_courses_automatically() {
    let (database, portal, _) = read(&["a"]).await;
    portal.control(&json!({ "courses": [course("1", "a")] })).await;
    let _service = Service::start(&database, &portal.config(SERVE), NOON);
    database.until("select exists (select from certvakt.partner_reports where outcome = 'renewed')").await;
    database.until("select reports_delta is not null from certvakt.partners").await;
    // An hour later it does so again.
    portal.control(&json!({ "courses": [course("2", "a")] })).await;
    database.execute("update certvakt.partners set reports_tried_at = now() - interval '61 minutes'").await;
    database.until("select exists (select from certvakt.partner_reports where outcome = 'echo')").await;
}

#[tokio::test]
async fn a_table_of_courses_is_read_by_its_delta_links() {
    let (database, portal, config) = told_by(Kind::Dataverse, &["a", "b"]).await;
    contract(&portal, &[("# inbound = \"", "inbound = \"")]);
    let row = |mentor: &str, day: &str| json!({ "new_mentorkey": format!("M-{mentor}"), "new_type": "renewal", "new_completedon": day });
    let add = async |rows: &[Value]| portal.control(&json!({ "rows": { "new_renewals": rows } })).await;
    add(&[row("a", "2026-06-10"), row("b", "2027-01-01"), row("a", "2019-01-01")]).await;
    let heard = database.hear(&config, 0);
    assert_eq!(
        (&heard["renewed"], &heard["waiting"], &heard["dismissed"]),
        (&json!(1), &json!(1), &json!(1)),
        "{heard}"
    );
    add(&[row("b", "2026-06-10")]).await;
    for renewed in [1, 0] {
        assert_eq!(database.hear(&config, 0)["renewed"], renewed);
    }
    for mentor in ["a", "b"] {
        assert_eq!(database.renewed(mentor).await, ("2028-06-10".to_owned(), 1), "{mentor}");
    }
    let record = portal.record().await;
    let reads = record.iter().filter(|one| one["path"] == "/api/data/v9.2/new_renewals");
    let is_news: Vec<bool> = reads.map(|one| one["query"].as_str().unwrap().contains("deltatoken")).collect();
    assert_eq!(is_news, [false, true, true], "whole once");
}
