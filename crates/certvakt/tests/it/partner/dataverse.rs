//! The specifics of Dataverse: batches, alternate keys, service protection limits, tokens, and changes of a
//! table.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::portal::python;
use super::sync::told_by;
use super::{Kind, NOON, Portal, WHICH, place};
use crate::harness::{fail, succeed};
use crate::service::Service;

const SERVE: &str = "[serve]\nlisten = \"127.0.0.1:0\"\n[delivery]\nchannels = []\n";
/// One request per change.
const ONE: (&str, &str) = ("batch = 100", "batch = 1");
/// Sign-in with a secret.
const SECRET: (&str, &str) = ("flow = \"client-certificate\"", "flow = \"client-credentials\"");
/// The mentors' table instead of the public page, with its changes.
const TABLE: (&str, &str) = (
    "next = \"/@odata.nextLink\"\npublic = true\ncache_seconds = 900",
    "next = \"/@odata.nextLink\"\nstatus = \"/new_listed\"\nid = \"/new_mentorid\"\n\
     delta = \"/@odata.deltaLink\"\ncache_seconds = 0",
);
const SELECT: &str = "/api/data/v9.2/new_mentors?$select=new_key,new_listed";

/// The requests in a record, except those for tokens.
fn requests(record: &[Value]) -> Vec<&Value> {
    record.iter().filter(|one| !one["path"].as_str().unwrap().ends_with("/token")).collect()
}

/// The number of token requests.
fn tokens(record: &[Value]) -> usize {
    record.len() - requests(record).len()
}

#[tokio::test]
async fn microsofts_own_client_works_with_the_stand_in() {
    let portal = Portal::start(Kind::Dataverse).await;
    let folder = portal.folder.path();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../stand-ins/microsoft.py");
    let mut client = python();
    client.arg(script).arg(&portal.address).arg(folder.join("ca.pem")).arg(folder.join("client.pem"));
    assert_eq!(succeed(&mut client).trim(), "works");
}

#[tokio::test]
async fn many_changes_are_one_request_and_removals_create_nobody() {
    let mentors: Vec<String> = (1..=23).map(|number| format!("m{number:02}")).collect();
    let names: Vec<&str> = mentors.iter().map(String::as_str).collect();
    let (database, portal, config) = told_by(Kind::Dataverse, &names).await;
    portal.contract("1", &[("batch = 100", "batch = 10"), ("at_once = 4", "at_once = 2")]);
    assert_eq!(database.sync(&config)["accepted"], 23);
    let record = portal.record().await;
    assert_eq!(tokens(&record), 1, "a token is kept");
    let size = |one: &&Value| one["operations"].as_array().map(Vec::len);
    let mut sizes: Vec<Option<usize>> = requests(&record).iter().map(size).collect();
    sizes.sort();
    assert_eq!(sizes, [Some(3), Some(10), Some(10)]);
    for batch in requests(&record) {
        let headers = &batch["headers"];
        assert_eq!(headers["prefer"], "odata.continue-on-error");
        assert_eq!([&headers["odata-version"], &headers["odata-maxversion"]], ["4.0", "4.0"]);
        assert!(!batch["body"].as_str().unwrap().contains("multipart"), "no change set: {batch}");
    }
    // A removal does not recreate the deleted row of a mentor.
    portal.control(&json!({ "delete": ["M-m02"] })).await;
    for id in &names[..5] {
        database.change(id, "status = 'suspended'").await;
    }
    assert_eq!(database.sync(&config)["accepted"], 5);
    let record = portal.record().await;
    let operations = record.last().unwrap()["operations"].as_array().unwrap().clone();
    assert!(operations.iter().all(|one| one["headers"]["if-match"] == "*"), "{operations:?}");
    let statuses: BTreeSet<u64> = operations.iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, BTreeSet::from([204, 404]));
    assert_eq!(portal.rows().await.len(), 22);
    // An addition creates the row of a mentor who has none.
    database.change("m02", "status = 'active'").await;
    assert_eq!(database.sync(&config)["accepted"], 1);
    let last = portal.record().await.pop().unwrap();
    assert_eq!((&last["method"], &last["headers"]["if-match"]), (&json!("PATCH"), &Value::Null), "alone");
    assert_eq!(portal.rows().await.len(), 23);
}

#[tokio::test]
async fn a_missing_table_is_no_missing_row() {
    for mentors in [&["a"][..], &["a", "b"]] {
        let (database, portal, config) = told_by(Kind::Dataverse, mentors).await;
        database.sync(&config);
        for id in mentors {
            database.change(id, "status = 'suspended'").await;
        }
        let is_part = mentors.len() > 1;
        let fault = json!({ "on": "PATCH", "part": is_part, "what": [404, "0x80060888", 0], "times": 9 });
        portal.control(&json!({ "faults": [fault] })).await;
        database.sync(&config);
        let standing = database.stands(&config);
        assert_eq!(standing["partner"]["stopped_by"], "contract", "{standing}");
        assert_eq!(standing["mentors"]["to_delist"], mentors.len(), "nobody is thought to be off it");
    }
}

#[tokio::test]
async fn a_row_with_a_conflicting_change_is_read_again() {
    for became_so in [true, false] {
        let (database, portal, config) = told_by(Kind::Dataverse, &["a", "b", "c"]).await;
        let crossed = json!({ "on": "PATCH", "part": true, "key": "M-b", "what": [412, "0x80060892", 0] });
        portal.control(&json!({ "faults": [crossed] })).await;
        if became_so {
            portal.set_by_hand("M-b", true).await;
        }
        let done = database.sync(&config);
        let expected = (json!(if became_so { 3 } else { 2 }), &Value::Null);
        assert_eq!((done["accepted"].clone(), &done["stopped"]), expected, "{done}");
        assert_eq!(portal.record().await.last().unwrap()["method"], "GET");
        database.time_passes().await;
        database.sync(&config);
        assert_eq!(portal.shows().await, ["M-a", "M-b", "M-c"]);
    }
}

#[tokio::test]
async fn each_service_protection_limit_causes_a_pause_of_its_length() {
    for (code, what) in [
        ("0x80072322", "too many requests"),
        ("0x80072321", "too much of its processing time"),
        ("0x80072326", "too many concurrent requests"),
    ] {
        for (on, path, is_part) in [("POST", "/api/data/v9.2/$batch", false), ("PATCH", "/", true)] {
            let (database, portal, config) = told_by(Kind::Dataverse, &["a", "b"]).await;
            let fault =
                json!({ "on": on, "path": path, "part": is_part, "what": [429, code, 7000], "times": 2 });
            portal.control(&json!({ "faults": [fault] })).await;
            let busy = database.sync(&config);
            assert_eq!((&busy["put_off"], &busy["stopped"]), (&json!(2), &Value::Null), "{code}: {busy}");
            let rests: bool = database
                .value(&format!(
                    "select bool_and(p.retry_at > now() + interval '6900 seconds' and position('{code}' in l.last_error) > 0
                       and position('{what}' in l.last_error) > 0)
                     from certvakt.partners p, certvakt.listings l"
                ))
                .await;
            assert!(rests, "{code} {is_part}");
            portal.control(&json!({ "faults": [] })).await;
            database.time_passes().await;
            assert_eq!(database.sync(&config)["accepted"], 2, "{code}");
        }
    }
}

#[tokio::test]
async fn a_pause_is_kept_if_another_request_has_no_response() {
    let (database, portal, config) = told_by(Kind::Dataverse, &["a", "b", "c"]).await;
    portal.contract("1", &[ONE]);
    let busy = json!({ "on": "PATCH", "what": [429, "0x80072322", 7000], "times": 2 });
    let lost = json!({ "on": "PATCH", "what": "lose", "times": 9 });
    portal.control(&json!({ "faults": [busy, lost] })).await;
    database.sync(&config);
    let rests = "select retry_at > now() + interval '6900 seconds' from certvakt.partners";
    assert!(database.value::<bool>(rests).await);
}

#[tokio::test]
async fn too_many_concurrent_requests_halve_the_concurrency() {
    let mentors: Vec<String> = (1..=40).map(|number| format!("m{number:02}")).collect();
    let names: Vec<&str> = mentors.iter().map(String::as_str).collect();
    let (database, portal, _) = told_by(Kind::Dataverse, &names).await;
    portal.contract("1", &[ONE, ("at_once = 4", "at_once = 8")]);
    portal.control(&json!({ "faults": [{ "on": "PATCH", "what": [429, "0x80072326", 3600] }] })).await;
    let config = portal.config(SERVE);
    let service = Service::start(&database, &config, NOON);
    let at_once = |number: u16| {
        format!("certvakt_partner_concurrency{{organisation=\"org\",partner=\"portal\"}} {number}")
    };
    service.until_metric(&at_once(4)).await;
    database.until("select coalesce(retry_at > now(), false) from certvakt.partners").await;
    database.execute("update certvakt.partners set retry_at = now()").await;
    database.until("select bool_and(accepted_number = number) from certvakt.listings").await;
    // The concurrency increases with each round within the limits.
    service.until_metric(&at_once(8)).await;
    portal.render().await;
    assert_eq!(portal.shows().await.len(), 40);
}

#[tokio::test]
async fn changes_missing_from_a_batch_response_are_read_again() {
    for what in ["cut", "fewer"] {
        let (database, portal, config) = told_by(Kind::Dataverse, &["a", "b", "c"]).await;
        let fault = json!({ "on": "POST", "path": "/api/data/v9.2/$batch", "what": what });
        portal.control(&json!({ "faults": [fault] })).await;
        let first = database.sync(&config);
        let in_doubt = if what == "cut" { 3 } else { 1 };
        assert_eq!(
            (&first["in_doubt"], &first["accepted"]),
            (&json!(in_doubt), &json!(3 - in_doubt)),
            "{what}: {first}"
        );
        for _ in 0..3 {
            database.time_passes().await;
            database.sync(&config);
        }
        assert_eq!(portal.taken().await.len(), 3, "{what}: nobody is told twice");
        assert_eq!(database.stands(&config)["mentors"]["to_list"], 0, "{what}");
    }
}

#[tokio::test]
async fn a_token_is_cached_until_it_is_rejected() {
    let (database, portal, config) = told_by(Kind::Dataverse, &["a", "b", "c"]).await;
    portal.contract("1", &[ONE, ("at_once = 4", "at_once = 1")]);
    assert_eq!(database.sync(&config)["accepted"], 3);
    assert_eq!(tokens(&portal.record().await), 1);
    database.partner("replay", ["--since", "2026-01-01T00:00:00Z"]);
    portal.control(&json!({ "faults": [{ "on": "PATCH", "what": 401, "after": 1 }] })).await;
    assert_eq!(database.sync(&config)["accepted"], 3);
    assert_eq!(tokens(&portal.record().await), 3, "one for this command, and one after the refusal");
}

#[tokio::test]
async fn an_expired_secret_stops_sending_until_it_is_replaced() {
    let (database, portal) = (place().await, Portal::start(Kind::Dataverse).await);
    portal.contract("1", &[SECRET]);
    let config = portal.config("");
    let key = portal.folder.path().join("key");
    std::fs::write(&key, "correct horse\n").unwrap();
    for id in ["a", "lapses"] {
        database.listed(id, "2026-12-31").await;
    }
    portal.know(&["example-1".to_owned()]).await;
    database.enable(&config);
    assert_eq!(database.sync(&config)["accepted"], 2);
    portal.control(&json!({ "secret": { "expired": true }, "forget": true })).await;
    database.change("lapses", "status = 'suspended'").await;
    let stopped = database.sync(&config);
    assert!(stopped["stopped"].as_str().unwrap().contains("expired"), "{stopped}");
    let standing = database.stands(&config);
    assert_eq!(
        (&standing["partner"]["stopped_by"], &standing["mentors"]["to_delist"]),
        (&json!("sign-in"), &json!(1)),
        "every minute of it shows"
    );
    portal.control(&json!({ "secret": { "value": "battery staple", "expired": false } })).await;
    let resume = ["resume"].into_iter().chain(WHICH);
    fail(&mut database.partner_with(&config, resume.clone()), 1);
    std::fs::write(&key, "battery staple\n").unwrap();
    succeed(&mut database.partner_with(&config, resume));
    assert_eq!(database.sync(&config)["accepted"], 1);
    portal.set_by_hand("example-1", false).await;
    portal.render().await;
    assert_eq!(portal.shows().await, ["M-a"]);
}

#[tokio::test]
async fn a_running_service_reads_a_secret_that_has_changed() {
    let (database, portal) = (place().await, Portal::start(Kind::Dataverse).await);
    portal.contract("1", &[SECRET]);
    let config = portal.config(SERVE);
    let key = portal.folder.path().join("key");
    std::fs::write(&key, "correct horse\n").unwrap();
    database.listed("a", "2026-12-31").await;
    database.enable(&config);
    let _service = Service::start(&database, &config, NOON);
    let is_told = "select bool_and(accepted_number = number) from certvakt.listings";
    database.until(is_told).await;
    portal.control(&json!({ "secret": { "value": "battery staple" }, "forget": true })).await;
    std::fs::write(&key, "battery staple\n").unwrap();
    database.change("a", "status = 'suspended'").await;
    database.until(is_told).await;
    assert_eq!(database.stands(&config)["partner"]["stopped_by"], Value::Null, "nobody has to say so");
}

#[tokio::test]
async fn administrators_are_warned_before_a_secret_expires() {
    let (database, portal, config) = told_by(Kind::Dataverse, &["a"]).await;
    let administrator =
        ["person", "add", "--organisation", "org", "--chapter", "chapter", "--role", "org_admin"];
    database.ok(administrator.into_iter().chain(["--name", "Åse", "--email", "a@example.org"]));
    let mails = async || {
        database.queue_partner_alerts(NOON).await;
        let mails = "select coalesce(array_agg(alert || ' ' || number), '{}') from certvakt.mail_queue";
        database.value::<Vec<String>>(mails).await
    };
    database.sync(&config);
    let certificate: bool = database
        .value("select secret_ends_on > (now() at time zone 'UTC')::date + 40 from certvakt.partners")
        .await;
    assert!(certificate, "it says itself when it ends");
    assert_eq!(mails().await, Vec::<String>::new());
    // The configured date takes precedence.
    for (days, warns) in [(40, false), (12, true)] {
        let day = format!("select ((now() at time zone 'UTC')::date + {days})::text");
        let ends: String = database.value(&day).await;
        let config = portal.config(&format!("ends = \"{ends}\"\n"));
        database.sync(&config);
        let output = database.partner_with(&config, ["status"]).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said.contains("CREDENTIAL") && said.contains(&ends), warns, "{said}");
        for _ in 0..2 {
            let expected = if warns { vec!["credential-expires 12".to_owned()] } else { vec![] };
            assert_eq!(mails().await, expected, "once");
        }
    }
}

#[tokio::test]
async fn keys_may_contain_quotes_but_no_characters_forbidden_in_urls() {
    let (database, portal, config) = told_by(Kind::Dataverse, &[]).await;
    for (id, key) in [("a", "Ås '1'"), ("b", "Ø=2 (b)"), ("c", "a/b")] {
        database.certify(id, "2026-12-31").await;
        database.partner("enrol", [id, "--key", key, "--consents"].into_iter().chain(super::HOW));
    }
    let done = database.sync(&config);
    assert_eq!((&done["accepted"], &done["refused"]), (&json!(2), &json!(1)), "{done}");
    let mut rows = portal.rows().await;
    rows.sort();
    let active = |key: &str| (key.to_owned(), "active".to_owned());
    assert_eq!(rows, [active("Ås '1'"), active("Ø=2 (b)")]);
    // A single change is a different request.
    portal.contract("1", &[ONE]);
    database.partner("replay", ["--since", "2026-01-01T00:00:00Z"]);
    assert_eq!(database.sync(&config)["accepted"], 2);
    assert_eq!(portal.rows().await.len(), 2);
}

#[tokio::test]
async fn a_table_that_tracks_its_changes_is_read_whole_once_and_then_what_has_changed() {
    let (database, portal) = (place().await, Portal::start(Kind::Dataverse).await);
    let page = format!("listing = \"{}/_odata/mentors\"", portal.address);
    let table = format!("listing = \"{}{SELECT}\"", portal.address);
    portal.contract("1", &[TABLE, (&page, &table)]);
    let config = portal.config(SERVE);
    for id in ["a", "b", "c"] {
        database.listed(id, "2026-12-31").await;
    }
    database.enable(&config);
    assert_eq!(database.sync(&config)["accepted"], 3);
    let _service = Service::start(&database, &config, NOON);
    let read = async || {
        let again = "update certvakt.partners set read_tried_at = now() - interval '61 minutes', reconciled_at = null";
        database.execute(again).await;
        database.until("select reconciled_at is not null from certvakt.partners").await;
        let record = portal.record().await;
        let queries = record.iter().filter(|one| one["path"] == "/api/data/v9.2/new_mentors");
        let queries: Vec<String> = queries.map(|one| one["query"].as_str().unwrap().to_owned()).collect();
        let whole = queries.iter().filter(|query| !query.contains("deltatoken")).count();
        (whole, queries.len() - whole)
    };
    database.until("select reconciled_at is not null from certvakt.partners").await;
    portal.set_by_hand("M-a", false).await;
    // And a row without a key, which is not a mentor's.
    let stranger = json!({ "new_name": "Somebody", "new_listed": 100_000_000 });
    portal.control(&json!({ "delete": ["M-b"], "rows": { "new_mentors": [stranger] } })).await;
    let (whole, changes) = read().await;
    assert!(whole == 1 && changes >= 1, "{whole} {changes}");
    let removed: Vec<String> = database
        .value("select array_agg(partner_key order by 1) from certvakt.listings where removed_by_hand_since is not null")
        .await;
    assert_eq!(removed, ["M-a", "M-b"]);
    // The URL for changes expires: then the whole table is read again.
    portal.control(&json!({ "later": 30 * 86400 })).await;
    assert_eq!(read().await.0, 2);
}
