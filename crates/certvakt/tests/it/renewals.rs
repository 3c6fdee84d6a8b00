//! Renewing, correcting, suspending, reinstating and withdrawing: what becomes of dates, status, notices and
//! history, whichever way and in whatever order.

use std::fs;

use certvakt::renewal::{Change, RenewalError, Source, Until, Wish, apply, histories};
use certvakt::store::Database;
use certvakt_rules::renewal::{Kind, Reading, read};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::future::join_all;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{TestDatabase, fail, succeed};
use crate::service::Service;

const NOON: &str = "2026-06-15T12:00:00+02:00";

async fn rehearsal() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

impl TestDatabase {
    /// Runs a command at noon; it must succeed.
    fn noon(&self, arguments: &[&str]) -> Value {
        let mut command = self.certvakt(arguments.iter().copied().chain(["--output", "json"]));
        serde_json::from_str(&succeed(command.env("CERTVAKT_NOW", NOON))).unwrap()
    }

    /// Runs a command at noon, which must end with 2; its code.
    fn refused(&self, arguments: &[&str]) -> String {
        let said = fail(self.certvakt(arguments.iter().copied()).env("CERTVAKT_NOW", NOON), 2);
        said.rsplit('[').next().unwrap().trim_end().trim_end_matches(']').to_owned()
    }

    /// What a certification's history tells: kinds, last valid days and what else is asked for.
    async fn history(&self, external_id: &str) -> String {
        self.value(&format!(
            "select coalesce(string_agg(concat_ws(' ', e ->> 'kind',
               ((e ->> 'expires_after')::timestamptz at time zone 'Europe/Oslo')::date), ', ' order by n), '')
             from public.peer_mentor_certifications c, jsonb_array_elements(c.renewal_history) with ordinality e (e, n)
             where c.external_id = '{external_id}'"
        ))
        .await
    }

    async fn standing(&self, external_id: &str) -> String {
        self.value(&format!(
            "select concat_ws(' ', status, (expires_at at time zone 'Europe/Oslo')::date)
             from public.peer_mentor_certifications where external_id = '{external_id}'"
        ))
        .await
    }
}

#[tokio::test]
async fn each_change_does_what_it_says_and_is_told_in_the_history() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-31").await;
    for (arguments, standing) in [
        (&["renew", "1", "--completed", "2026-06-01", "--evidence", "kurs 14"][..], "active 2028-06-01"),
        (&["correct", "1", "--until", "2028-05-31", "--note", "Bodø, ikke Tromsø"], "active 2028-05-31"),
        (&["suspend", "1"], "suspended 2028-05-31"),
        (&["renew", "1", "--until", "2029-12-31"], "suspended 2029-12-31"),
        (&["reinstate", "1"], "active 2029-12-31"),
        (&["withdraw", "1", "--note", "frivillig"], "suspended 2029-12-31"),
        (&["reinstate", "1"], "active 2029-12-31"),
        (&["correct", "1", "--until", "never"], "active"),
    ] {
        let done = database.noon(arguments);
        assert_eq!(done["is_changed"], true, "{arguments:?}: {done}");
        assert_eq!(database.standing("1").await, standing, "{arguments:?}");
    }
    assert_eq!(
        database.history("1").await,
        "renewed 2028-06-01, corrected 2028-05-31, suspended 2028-05-31, renewed 2029-12-31, \
         reinstated 2029-12-31, withdrawn 2029-12-31, reinstated 2029-12-31, corrected"
    );
    let checked = database.json(["verify", "--history"]);
    assert_eq!(checked["faults"], json!([]), "{checked}");
    assert_eq!((&checked["histories"], &checked["entries"]), (&json!(1), &json!(8)));
}

#[tokio::test]
async fn what_is_so_already_stays_and_what_cannot_be_is_refused_and_changes_nothing() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-31").await;
    database.change("1", "issued_at = '2024-07-31T12:00:00Z'").await;
    database.execute("insert into certvakt.certification_types (organisation_id, code, name) select id, 'open', 'Uten' from certvakt.organisations").await;
    database.certify("lapsed", "2026-06-01").await;
    database.run("2026-06-15");
    database.certify("open", "2026-07-31").await;
    database.change("open", "certification_type = 'open'").await;
    database.certify("gone", "2026-07-31").await;
    database.noon(&["withdraw", "gone"]);
    for arguments in
        [&["reinstate", "1"][..], &["correct", "1", "--until", "2026-07-31"], &["withdraw", "gone"]]
    {
        assert_eq!(database.noon(arguments)["is_changed"], false, "{arguments:?}");
    }
    let long = "x".repeat(501);
    for (arguments, code) in [
        (&["renew", "1", "--until", "2024-07-30"][..], "renewal-date"),
        (&["renew", "1", "--until", "2026-06-14"], "renewal-date"),
        (&["renew", "1", "--until", "2226-06-14"], "renewal-date"),
        (&["renew", "1", "--until", "2026-07-31"], "renewal-date"),
        (&["renew", "1", "--completed", "2026-06-16"], "renewal-date"),
        (&["renew", "1", "--completed", "2024-06-01"], "renewal-date"),
        (&["correct", "1", "--until", "2024-07-30"], "renewal-date"),
        (&["renew", "1", "--evidence", &long], "renewal-words"),
        (&["renew", "1", "--evidence", ""], "renewal-words"),
        (&["renew", "open"], "renewal-date-missing"),
        (&["suspend", "lapsed"], "certification-lapsed"),
        (&["renew", "gone"], "certification-withdrawn"),
        (&["suspend", "gone"], "certification-withdrawn"),
        (&["correct", "gone", "--until", "2027-01-01"], "certification-withdrawn"),
        (&["renew", "nobody"], "unknown-name"),
    ] {
        assert_eq!(database.refused(arguments), code, "{arguments:?}");
    }
    assert_eq!(database.history("1").await, "");
    // What has lapsed and is renewed is valid at once.
    assert_eq!(database.standing("lapsed").await, "expired 2026-06-01");
    database.noon(&["renew", "lapsed"]);
    assert_eq!(database.standing("lapsed").await, "active 2028-06-15");
    let told: Value = database
        .value("select renewal_history -> 0 -> 'told' from public.peer_mentor_certifications where external_id = 'lapsed'")
        .await;
    assert_eq!(told, json!(["expired"]));
}

#[tokio::test]
async fn a_renewal_opens_a_cycle_and_a_correction_does_not() {
    let database = rehearsal().await;
    for id in ["renewed", "corrected"] {
        database.certify(id, "2026-07-15").await;
    }
    database.run("2026-06-15");
    database.noon(&["renew", "renewed", "--until", "2026-07-20"]);
    database.noon(&["correct", "corrected", "--until", "2026-07-20"]);
    database.execute("update certvakt.deliveries set state = 'delivered', finished_at = now()").await;
    database.run("2026-06-20");
    assert_eq!(database.notices("renewed").await.len(), 2);
    assert_eq!(database.notices("corrected").await.len(), 1);
}

#[tokio::test]
async fn no_register_brings_back_what_was_withdrawn() {
    let database = rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let register = folder.path().join("register.csv");
    let import = |rows: &str| {
        fs::write(&register, format!("id,til,status\n{rows}")).unwrap();
        let file = register.to_str().unwrap();
        let columns = ["external_id=id", "expires_at=til", "status=status"];
        let arguments =
            ["import", file, "--organisation", "org", "--chapter", "chapter", "--type", "type", "--column"];
        database.noon(&[&arguments[..], &columns].concat())
    };
    import("1,2026-12-31,active\n2,2026-12-31,active\n");
    database.noon(&["withdraw", "1"]);
    let done = import("1,2028-12-31,active\n2,2028-12-31,active\n");
    assert_eq!(done["renewed"], 1, "{done}");
    assert_eq!(database.standing("1").await, "suspended 2026-12-31");
    assert_eq!(database.history("2").await, "renewed 2028-12-31");
    let source: String = database
        .value("select renewal_history -> 0 ->> 'source' from public.peer_mentor_certifications where external_id = '2'")
        .await;
    assert_eq!(source, "register");
}

#[tokio::test]
async fn a_file_renews_whom_it_can_says_whom_it_cannot_and_once() {
    let database = rehearsal().await;
    for id in ["1", "2", "3", "4"] {
        database.certify(id, "2026-07-31").await;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("renewals.csv");
    // As a Norwegian spreadsheet writes it: Windows-1252, semicolons, and days as people there write them.
    fs::write(
        &file,
        b"certification;completed_on;until;evidence;note;key\r\n1;2026-06-01;;kurs 14;\xc6rlig;\r\n2;;31.12.2027;;;k\r\n\
          nobody;;;;;\r\n3;in May;;;;\r\n4;;1999-01-01;;;\r\n4;;2028-01-01;a;b;c;d\r\n4;2028-01-01\r\n",
    )
    .unwrap();
    let run = || {
        let mut command = database.certvakt(["renew", "--file", file.to_str().unwrap(), "--output", "json"]);
        let done = command.env("CERTVAKT_NOW", NOON).output().unwrap();
        (done.status.code(), serde_json::from_slice::<Value>(&done.stdout).unwrap())
    };
    let (status, done) = run();
    assert_eq!((status, &done["renewed"], &done["known"]), (Some(1), &json!(2), &json!(0)), "{done}");
    let refused: Vec<String> = done["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {} {}", one["line"], one["certification"], one["code"]).replace('"', ""))
        .collect();
    assert_eq!(
        refused,
        [
            "4 nobody unknown-name",
            "5 3 renewal-date",
            "6 4 renewal-date",
            "7 4 renewal-date",
            "8 4 renewal-date"
        ]
    );
    let (_, again) = run();
    assert_eq!((&again["renewed"], &again["known"]), (&json!(0), &json!(2)), "{again}");
    assert_eq!(database.history("1").await, "renewed 2028-06-01");
    assert_eq!(database.history("2").await, "renewed 2027-12-31");
    let note: String = database.value("select note from certvakt.renewal_words").await;
    assert_eq!(note, "Ærlig");
    // One that cannot be read to its end renews nobody; nor one whose columns are not what they seem.
    for (content, code) in [
        ("", "import-empty"),
        ("a,b\n", "file-unreadable"),
        ("certification,completed\n3,2026-06-01\n", "file-unreadable"),
        ("certification,note\n3,x\n4,\"x\n", "import-unclosed-quote"),
    ] {
        fs::write(&file, content).unwrap();
        let mut command = database.certvakt(["renew", "--file", file.to_str().unwrap()]);
        let said = fail(command.env("CERTVAKT_NOW", NOON), 5);
        assert!(said.contains(code), "{content}: {said}");
    }
    assert_eq!(database.history("3").await, "");
}

fn wish(change: Change, key: Option<&str>) -> Wish<'_> {
    Wish { change, evidence: None, note: None, key, source: Source::Command, seen: None }
}

async fn change(store: &Database, id: Uuid, wish: &Wish<'_>) -> Result<bool, RenewalError> {
    let mut tx = store.registrar().await?;
    let done = apply(&mut tx, id, wish, noon()).await?;
    tx.commit().await?;
    Ok(done.is_changed)
}

fn noon() -> DateTime<Utc> {
    NOON.parse().unwrap()
}

#[tokio::test]
async fn of_changes_at_once_one_wins_and_the_same_key_is_the_same_change() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-31").await;
    let store = database.store().await;
    let id: Uuid = database.value("select id from public.peer_mentor_certifications").await;
    let seen: DateTime<Utc> =
        database.value("select updated_at from public.peer_mentor_certifications").await;
    let days = ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"];
    let done = join_all(days.map(|text| {
        let change_to = Change::Renew { completed_on: None, until: Some(Until::Day(day(text))) };
        let store = &store;
        async move { change(store, id, &Wish { seen: Some(seen), ..wish(change_to, None) }).await }
    }))
    .await;
    assert_eq!(done.iter().filter(|one| matches!(one, Ok(true))).count(), 1, "{done:?}");
    assert_eq!(done.iter().filter(|one| matches!(one, Err(RenewalError::Changed))).count(), 3, "{done:?}");

    let again = Change::Renew { completed_on: None, until: None };
    let once = wish(again, Some("once"));
    let done = join_all([(); 4].map(|()| change(&store, id, &once))).await;
    let made: Vec<bool> = done.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    assert_eq!(database.history("1").await.matches("renewed").count(), 2);
}

/// What a certification is after each change, by the rules in words.
#[derive(Debug, Clone, PartialEq)]
struct Model {
    until: Option<NaiveDate>,
    is_stopped: bool,
    is_withdrawn: bool,
    kinds: Vec<Kind>,
}

impl Model {
    /// Whether the change is made.
    fn make(&mut self, change: Change) -> bool {
        let (before, today) = (self.clone(), day("2026-06-15"));
        let date = |until| match until {
            Until::Day(day) => Some(day),
            Until::Never => None,
        };
        match change {
            Change::Reinstate => (self.is_stopped, self.is_withdrawn) = (false, false),
            Change::Withdraw => (self.is_stopped, self.is_withdrawn) = (true, true),
            _ if self.is_withdrawn => {}
            Change::Suspend => self.is_stopped = true,
            Change::Correct(until) => self.until = date(until),
            Change::Renew { until, .. } => {
                let until = until.map_or(Some(day("2028-06-15")), date);
                if until.is_none_or(|day| day >= today) {
                    self.until = until;
                }
            }
        }
        let is_changed = *self != before;
        if is_changed {
            self.kinds.push(change.kind());
        }
        is_changed
    }
}

#[tokio::test]
async fn any_order_of_changes_keeps_date_status_and_history_together() {
    let seed = 20_261_125;
    println!("seed {seed}");
    let database = rehearsal().await;
    let store = database.store().await;
    let until = prop_oneof![
        Just(Until::Never),
        (0i64..1000).prop_map(|days| Until::Day(day("2026-01-01") + chrono::Duration::days(days))),
    ];
    let one = prop_oneof![
        prop::option::of(until.clone()).prop_map(|until| Change::Renew { completed_on: None, until }),
        until.prop_map(Change::Correct),
        Just(Change::Suspend),
        Just(Change::Reinstate),
        Just(Change::Withdraw),
    ];
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&u32::to_le_bytes(seed));
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    for number in 0..25 {
        let name = number.to_string();
        database.certify(&name, "2026-07-31").await;
        let id: Uuid = database
            .value(&format!("select id from public.peer_mentor_certifications where external_id = '{name}'"))
            .await;
        let mut model = Model {
            until: Some(day("2026-07-31")),
            is_stopped: false,
            is_withdrawn: false,
            kinds: Vec::new(),
        };
        let changes = prop::collection::vec(one.clone(), 1..12).new_tree(&mut runner).unwrap().current();
        for made in &changes {
            let expected = model.make(*made);
            let done = change(&store, id, &wish(*made, None)).await;
            assert_eq!(
                done.as_ref().ok().copied().unwrap_or(false),
                expected,
                "{changes:?} at {made:?}: {done:?}"
            );
        }
        let status = if model.is_stopped { "suspended" } else { "active" };
        let until = model.until.map(|day| format!(" {day}")).unwrap_or_default();
        assert_eq!(database.standing(&name).await, format!("{status}{until}"), "{changes:?}");
        let history: Value = database
            .value(&format!(
                "select renewal_history from public.peer_mentor_certifications where external_id = '{name}'"
            ))
            .await;
        let kinds: Vec<Kind> = history
            .as_array()
            .unwrap()
            .iter()
            .map(|written| match read(written) {
                Ok(Reading::Known(entry)) => entry.kind,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(kinds, model.kinds, "{changes:?}");
    }
    assert_eq!(database.json(["verify", "--history"])["faults"], json!([]));
    database.run("2026-06-15");
    assert_eq!(database.json(["verify"])["organisations"][0]["faults"], json!([]));
}

#[tokio::test]
async fn whoever_rewrites_a_history_is_found() {
    let database = rehearsal().await;
    let folder = tempfile::tempdir().unwrap();
    let heads = folder.path().join("heads");
    for id in ["1", "2", "3", "4", "5"] {
        database.certify(id, "2026-07-31").await;
        database.noon(&["renew", id, "--until", "2027-07-31", "--note", "Først"]);
        database.noon(&["renew", id, "--until", "2028-07-31"]);
    }
    let path = heads.to_str().unwrap();
    database.ok(["verify", "--history", "--write-heads", path]);
    assert_eq!(fs::read_to_string(&heads).unwrap().lines().count(), 5);
    assert_eq!(database.json(["verify", "--history", "--heads", path])["faults"], json!([]));
    // As superuser, past what the database refuses everybody.
    let past = |what: &str| {
        format!(
            "alter table public.peer_mentor_certifications disable trigger user; {what};
             alter table public.peer_mentor_certifications enable always trigger a_refuse_history_rewrite;
             alter table public.peer_mentor_certifications enable trigger user"
        )
    };
    for what in [
        // An entry is changed, removed, and damaged; the date; the words.
        "update public.peer_mentor_certifications set renewal_history = jsonb_set(renewal_history, '{0,kind}', '\"corrected\"') where external_id = '1'",
        "update public.peer_mentor_certifications set renewal_history = renewal_history - 1 where external_id = '2'",
        "update public.peer_mentor_certifications set renewal_history = jsonb_set(renewal_history, '{1}', '\"x\"') where external_id = '3'",
        "update public.peer_mentor_certifications set expires_at = '2040-01-01' where external_id = '4'",
        "update certvakt.renewal_words w set note = 'Endret' from public.peer_mentor_certifications c where c.id = w.certification_id and c.external_id = '5'",
    ] {
        database.execute(&past(what)).await;
    }
    let found = |arguments: &[&str]| {
        let mut command = database.certvakt(arguments.iter().copied().chain(["--output", "json"]));
        let done = command.output().unwrap();
        assert_eq!(done.status.code(), Some(1));
        let checked: Value = serde_json::from_slice(&done.stdout).unwrap();
        let faults = checked["faults"].as_array().unwrap().iter();
        let mut faults: Vec<String> = faults
            .map(|one| {
                format!("{} {}", one["number"], one["what"].as_str().unwrap().split(':').next().unwrap())
            })
            .collect();
        faults.sort();
        faults
    };
    assert_eq!(
        found(&["verify", "--history"]),
        [
            "1 has other words than it was written with",
            "2 does not hold the hash of the entry before",
            "2 does not hold the hash of the entry before",
            "2 is no object",
            "null the date is not the one that its history ends with",
            "null the date is not the one that its history ends with",
        ]
    );
    // What was computed anew is known by the heads alone.
    let with_heads = found(&["verify", "--history", "--heads", path]);
    assert_eq!(
        with_heads.iter().filter(|fault| fault.starts_with("2 is not the one whose hash was kept")).count(),
        2,
        "{with_heads:?}"
    );
    database.execute("delete from public.peer_mentor_certifications where external_id = '1'").await;
    let mut command = database.certvakt(["verify", "--history", "--heads", path, "--output", "json"]);
    let checked: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(checked["gone"].as_array().unwrap().len(), 1);
    fs::write(&heads, "no heads\n").unwrap();
    assert!(
        fail(&mut database.certvakt(["verify", "--history", "--heads", path]), 5).contains("file-unreadable")
    );
    assert!(
        fail(&mut database.certvakt(["verify", "--history", "--write-heads", "/no/such/heads"]), 2)
            .contains("heads-unwritten")
    );
    assert!(histories::read_heads("x".as_bytes()).is_err());
}

#[tokio::test]
async fn who_was_certified_on_a_day_is_answered_from_the_history() {
    let database = rehearsal().await;
    for id in ["renewed", "lapsed", "suspended", "corrected"] {
        database.certify(id, "2026-06-30").await;
    }
    // As if it had all happened long ago.
    database.execute("update public.peer_mentor_certifications set issued_at = '2024-06-30T12:00:00Z'").await;
    database.run("2026-06-15");
    database.noon(&["renew", "renewed", "--until", "2066-06-30"]);
    database.noon(&["suspend", "suspended"]);
    database.noon(&["correct", "corrected", "--until", "2066-12-31"]);
    let on = |day: &str, more: &[&str]| {
        let mut command = database.certvakt(
            ["certified", "--all", "--output", "json", "--on", day]
                .iter()
                .copied()
                .chain(more.iter().copied()),
        );
        let answer: Value = serde_json::from_str(&succeed(&mut command)).unwrap();
        let mut found: Vec<String> = answer["certifications"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                format!(
                    "{} {} {} {}",
                    one["external_id"], one["because"], one["last_valid_day"], one["corrected_later"]
                )
                .replace('"', "")
            })
            .collect();
        found.sort();
        found
    };
    let today = Utc::now().date_naive().to_string();
    assert_eq!(
        on("2024-01-01", &[]),
        [
            "corrected not yet 2026-06-30 true",
            "lapsed not yet 2026-06-30 false",
            "renewed not yet 2026-06-30 false",
            "suspended not yet 2026-06-30 false",
        ]
    );
    assert_eq!(
        on("2025-01-01", &[]),
        [
            "corrected valid 2026-06-30 true",
            "lapsed valid 2026-06-30 false",
            "renewed valid 2026-06-30 false",
            "suspended valid 2026-06-30 false",
        ]
    );
    assert_eq!(
        on(&today, &["--chapter", "chapter", "--organisation", "org"]),
        [
            "corrected valid 2066-12-31 false",
            "lapsed lapsed 2026-06-30 false",
            "renewed valid 2066-06-30 false",
            "suspended suspended 2026-06-30 false",
        ]
    );
    let csv = database.ok(["certified", "--on", &today, "--csv"]);
    assert_eq!(csv.lines().count(), 3, "{csv}");
    assert!(csv.starts_with("certification,external_id,mentor,"), "{csv}");
    // What was told is in the log, in the history where the log was cut, and else unknown.
    let told = |id: &str, day: &str| {
        let answer = database.json(["certified", "--all", "--on", day]);
        let one = answer["certifications"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["external_id"] == id)
            .unwrap()
            .clone();
        (one["told"].clone(), one["told_from"].clone())
    };
    database.execute("update public.peer_mentor_certifications set renewal_history = renewal_history").await;
    assert_eq!(told("lapsed", &today), (json!(["expiry_warning_30d"]), json!("log")));
    assert_eq!(told("renewed", &today), (json!([]), json!("log")));
    database.execute("insert into certvakt.installation (log_deleted_before) values (now() + interval '1 day') on conflict (only_row) do update set log_deleted_before = excluded.log_deleted_before").await;
    assert_eq!(told("renewed", "2025-01-01"), (json!(["expiry_warning_30d"]), json!("history")));
    assert_eq!(told("lapsed", &today), (Value::Null, Value::Null));
}

/// The published form of a version's entries.
fn published(version: u64) -> Value {
    let path = format!("{}/../../docs/schemas/renewal-entry-v{version}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[tokio::test]
async fn the_published_form_is_the_one_that_the_database_holds_to() {
    let database = TestDatabase::new().await;
    for version in [1, 2] {
        let published = published(version);
        let properties = published["properties"].as_object().unwrap();
        assert_eq!(properties["schema_version"]["const"], version);
        assert_eq!(published["additionalProperties"], false);
        assert_eq!(published["required"].as_array().unwrap().len(), properties.len());
        let mut expected: Vec<String> = properties
            .iter()
            .filter(|(field, _)| *field != "schema_version")
            .map(|(field, form)| {
                let one_of = |values: &Value| {
                    let values = values.as_array().unwrap().iter().map(|value| value.as_str().unwrap());
                    values.collect::<Vec<_>>().join("|")
                };
                let (kind, pattern) = match (&form["pattern"], &form["enum"], &form["items"]["enum"]) {
                    (Value::String(pattern), ..) => ("string", pattern.clone()),
                    (_, Value::Array(_), _) => ("string", format!("^({})$", one_of(&form["enum"]))),
                    _ => {
                        let stages = one_of(&form["items"]["enum"]);
                        let short = "expiry_warning_90d|expiry_warning_30d|expiry_warning_7d";
                        let stages = stages.replace(short, "expiry_warning_(90|30|7)d");
                        ("array", format!(r#"^\[("({stages})"(, )?)*\]$"#))
                    }
                };
                let may_be_null = form["type"].as_array().is_some_and(|types| types.contains(&json!("null")));
                format!("{field} {kind} {may_be_null} {pattern}")
            })
            .collect();
        expected.sort();
        let held: Vec<String> = database
            .value(&format!(
                "select array_agg(concat_ws(' ', field, json_type, may_be_null::text, form) order by field collate \"C\")
                 from certvakt.entry_fields() where schema_version = {version}"
            ))
            .await;
        assert_eq!(held, expected);
    }
}

#[tokio::test]
async fn the_database_and_the_program_take_the_same_entries() {
    let database = TestDatabase::new().await;
    let whole = |version: u64| {
        let mut entry = json!({
            "schema_version": version, "id": Uuid::nil(), "kind": "renewed", "at": "2026-11-25T10:00:00.000000Z",
            "actor": Uuid::nil(), "completed_on": "2026-11-20", "expires_before": null,
            "expires_after": "2028-11-20T22:59:59.000000Z", "told": ["expiry_warning_90d", "expired"],
            "words": "0".repeat(64), "previous": null,
        });
        if version > 1 {
            entry["source"] = json!("portal");
        }
        entry
    };
    let mut entries =
        vec![whole(1), whole(2), json!({ "schema_version": 3, "mood": [1, "good"] }), json!(1), json!({})];
    for version in [1, 2] {
        let fields: Vec<String> = whole(version).as_object().unwrap().keys().cloned().collect();
        for field in fields {
            // Another type, nothing at all, and no such field.
            let mut other = whole(version);
            other[&field] = json!({ "x": 1 });
            entries.push(other);
            let mut missing = whole(version);
            missing.as_object_mut().unwrap().remove(&field);
            entries.push(missing);
        }
        let mut more = whole(version);
        more["mood"] = json!("good");
        entries.push(more);
    }
    for entry in entries {
        let fault: Option<String> =
            database.value(&format!("select certvakt.entry_fault('{entry}'::jsonb)")).await;
        assert_eq!(fault.is_none(), read(&entry).is_ok(), "{entry}: {fault:?} {:?}", read(&entry));
    }
}

#[tokio::test]
async fn histories_are_read_the_same_before_they_are_moved_meanwhile_and_after() {
    let database = rehearsal().await;
    for id in ["1", "2", "3", "none"] {
        database.certify(id, "2026-07-31").await;
    }
    for number in 0..25 {
        database.expire_on("1", &format!("2027-01-{:02}", number + 1)).await;
    }
    database.noon(&["renew", "2", "--until", "2027-07-31", "--key", "once", "--note", "Ærlig"]);
    database.noon(&["withdraw", "3"]);
    let whole = || database.json(["verify", "--history"]);
    let before = whole();
    assert_eq!((&before["entries"], &before["faults"]), (&json!(27), &json!([])));
    let versions = "select array_agg(updated_at order by id) from public.peer_mentor_certifications";
    let shown: Vec<DateTime<Utc>> = database.value(versions).await;
    let done = database.json(["history", "normalise", "--batch", "2"]);
    assert_eq!(done["organisations"], json!([{ "organisation": "org", "certifications": 3, "entries": 27 }]));
    assert_eq!(whole(), before);
    // Whoever was shown a certification may still change it: nothing of it has changed.
    assert_eq!(database.value::<Vec<DateTime<Utc>>>(versions).await, shown);
    let held: Vec<i32> = database
        .value("select array_agg(jsonb_array_length(renewal_history) order by external_id) from public.peer_mentor_certifications")
        .await;
    assert_eq!(held, [20, 1, 1, 0]);
    // Again, and there is nothing left to do.
    let done = database.json(["history", "normalise"]);
    assert_eq!(done["organisations"][0]["certifications"], 0);

    // Changes go on, those of what had no history as well.
    database.expire_on("1", "2028-01-01").await;
    database.noon(&["renew", "none"]);
    assert_eq!(database.noon(&["renew", "2", "--until", "2029-07-31", "--key", "once"])["is_changed"], false);
    assert_eq!(database.refused(&["renew", "3"]), "certification-withdrawn");
    let after = whole();
    assert_eq!(
        (&after["histories"], &after["entries"], &after["faults"]),
        (&json!(4), &json!(29), &json!([]))
    );
    assert_eq!(database.value::<i64>("select count(*) from certvakt.certification_renewal_events").await, 29);
    assert_eq!(database.json(["history", "check"]), json!({ "moved": 4, "different": [] }));
    // The rows take no change, and neither does what a certification holds of them.
    let refused = |sql: &str| {
        let sql = format!(
            "do $$ begin {sql}; raise 'was not refused'; exception when restrict_violation then null; end $$"
        );
        let database = &database;
        async move { database.execute(&sql).await }
    };
    refused("update certvakt.certification_renewal_events set number = 99 where number = 1").await;
    refused("update public.peer_mentor_certifications set renewal_history = '[]' where external_id = '1'")
        .await;
    refused("truncate certvakt.certification_renewal_events").await;
    // What somebody takes past that is seen.
    database.execute("delete from certvakt.certification_renewal_events where number = 3").await;
    let compared = database.certvakt(["history", "check", "--output", "json"]).output().unwrap();
    assert_eq!(compared.status.code(), Some(1), "{compared:?}");
    assert_eq!(
        serde_json::from_slice::<Value>(&compared.stdout).unwrap()["different"].as_array().unwrap().len(),
        1
    );
    assert_ne!(database.certvakt(["verify", "--history"]).output().unwrap().status.code(), Some(0));
}

#[tokio::test]
async fn the_service_keeps_the_heads_of_a_day_and_says_what_has_grown_long() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-31").await;
    database.execute("update certvakt.installation set long_history = 1").await;
    database.noon(&["renew", "1", "--until", "2027-07-31"]);
    assert_eq!(database.certvakt(["status", "--output", "json"]).output().unwrap().status.code(), Some(1));
    let long = |database: &TestDatabase| {
        let mut command = database.certvakt(["status", "--output", "json"]);
        let status: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        status["long_histories"].clone()
    };
    assert_eq!(long(&database), json!({}));
    database.noon(&["renew", "1", "--until", "2028-07-31"]);
    assert_eq!(long(&database), json!({ "org": 1 }));
    let folder = tempfile::tempdir().unwrap();
    let config = crate::stand_in::write_config(
        folder.path(),
        &format!(
            "[serve]\nlisten = \"127.0.0.1:0\"\n[history]\nheads_folder = \"{}\"\n",
            folder.path().display()
        ),
    );
    let service = Service::start(&database, &config, NOON);
    service.until_said("the heads of all histories").await;
    assert!(service.said().contains("histories of certifications have grown long"));
    service.until_metric("certvakt_long_histories{organisation=\"org\"} 1").await;
    drop(service);
    let heads = folder.path().join("heads-2026-06-15");
    let checked = database.json(["verify", "--history", "--heads", heads.to_str().unwrap()]);
    assert_eq!(
        (&checked["histories"], &checked["faults"], &checked["gone"]),
        (&json!(1), &json!([]), &json!([]))
    );
    for year in 29..37 {
        database.noon(&["renew", "1", "--until", &format!("20{year}-07-31")]);
    }
    assert_eq!(database.refused(&["renew", "1", "--until", "2040-07-31"]), "history-full");
}
