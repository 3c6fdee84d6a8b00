//! Reports that are read in pages.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{contract, course};
use crate::harness::NOON;
use crate::harness::{TestDatabase, fail, succeed};
use crate::partner::serving::SERVE;
use crate::partner::sync::told_by;
use crate::partner::{Kind, Portal, WHICH, told};
use crate::service::Service;

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
