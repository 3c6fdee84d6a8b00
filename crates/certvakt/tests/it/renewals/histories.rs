//! Histories: detection of rewrites, queries for a day, their published schema, and histories as rows.

use std::fs;

use certvakt_engine::renewal::histories;
use certvakt_rules::renewal::read;
use certvakt_store::renewal;
use chrono::Utc;
use chrono_tz::Europe::Oslo;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{NOON, rehearsal};
use crate::harness::{TestDatabase, fail, succeed};
use crate::service::Service;
use crate::stand_in::MailServer;

/// A changed, a removed and a damaged entry; a changed date; a changed text.
const REWRITES: [&str; 5] = [
    "update public.peer_mentor_certifications set renewal_history = jsonb_set(renewal_history, '{0,kind}', '\"corrected\"') where external_id = '1'",
    "update public.peer_mentor_certifications set renewal_history = renewal_history - 1 where external_id = '2'",
    "update public.peer_mentor_certifications set renewal_history = jsonb_set(renewal_history, '{1}', '\"x\"') where external_id = '3'",
    "update public.peer_mentor_certifications set expires_at = '2040-01-01' where external_id = '4'",
    "update certvakt.renewal_remarks w set note = 'Endret' from public.peer_mentor_certifications c where c.id = w.certification_id and c.external_id = '5'",
];

#[tokio::test]
async fn a_rewritten_history_is_found() {
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
    // As superuser, bypassing the database's checks.
    let past = |what: &str| {
        format!(
            "alter table public.peer_mentor_certifications disable trigger user; {what};
             alter table public.peer_mentor_certifications enable always trigger append_only;
             alter table public.peer_mentor_certifications enable trigger user"
        )
    };
    for what in REWRITES {
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
            "1 has a different text from when it was written",
            "2 does not contain the hash of the previous entry",
            "2 does not contain the hash of the previous entry",
            "2 is not an object",
            "null the date differs from the last entry of its history",
            "null the date differs from the last entry of its history",
        ]
    );
    // Everything else continues, also for these certifications.
    assert_eq!(database.noon(&["renew", "3", "--until", "2029-07-31"])["is_changed"], true);
    assert_eq!(database.noon(&["renew", "5", "--until", "2029-07-31"])["is_changed"], true);
    database.run("2026-06-15");
    assert_eq!(
        database.noon(&["certified", "--on", "2026-06-15", "--all"])["certifications"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    // Only the heads detect recomputed hashes.
    let with_heads = found(&["verify", "--history", "--heads", path]);
    assert_eq!(
        with_heads
            .iter()
            .filter(|fault| fault.starts_with("2 does not have the hash in the file of heads"))
            .count(),
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
            .contains("heads-not-writable")
    );
    assert!(histories::read_heads("x".as_bytes()).is_err());
}

#[tokio::test]
async fn certified_on_a_day_is_computed_from_the_history() {
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
    // The days of an organisation are those of its time zone.
    let today = Utc::now().with_timezone(&Oslo).date_naive().to_string();
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
    // Notices are in the log, in the history if the log was cut, and otherwise unknown.
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
async fn the_database_follows_the_published_schema() {
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
                let (kind, pattern) = match (&form["pattern"], &form["enum"], &form["items"]["pattern"]) {
                    (Value::String(pattern), ..) => ("string", pattern.clone()),
                    (_, Value::Array(_), _) => ("string", format!("^({})$", one_of(&form["enum"]))),
                    (.., item) => {
                        let item = item.as_str().unwrap().trim_start_matches('^').trim_end_matches('$');
                        ("array", format!(r#"^\[("{item}"(, )?)*\]$"#))
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
async fn the_database_and_the_program_accept_the_same_entries() {
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
            // A wrong type, null, and a missing field.
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
async fn the_service_writes_the_heads_of_a_day_and_reports_long_histories() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-31").await;
    assert_eq!(database.json(["history", "limit"])["long_history"], 500);
    assert_eq!(database.json(["history", "limit", "1"])["long_history"], 1);
    database.noon(&["renew", "1", "--until", "2027-07-31"]);
    let mut status = database.certvakt(["status", "--output", "json"]);
    assert_eq!(status.env("CERTVAKT_NOW", NOON).output().unwrap().status.code(), Some(1), "no run yet");
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
    assert!(service.said().contains("some certifications have long histories"));
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

#[tokio::test]
async fn administrators_get_one_alert_about_long_histories() {
    let database = rehearsal().await;
    database.execute("update certvakt.installation set long_history = 1").await;
    for id in ["1", "2", "short"] {
        database.certify(id, "2026-07-31").await;
        database.noon(&["renew", id, "--until", "2027-07-31"]);
    }
    let store = database.store().await;
    let tell = || async {
        let mut tx = store.worker().await.unwrap();
        renewal::queue_long_history_alerts(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        database.value::<i64>("select count(*) from certvakt.mail_queue").await
    };
    assert_eq!(tell().await, 0, "none is long");
    for id in ["1", "2"] {
        database.noon(&["renew", id, "--until", "2028-07-31"]);
    }
    database.ok([
        "person",
        "add",
        "--organisation",
        "org",
        "--chapter",
        "chapter",
        "--role",
        "coordinator",
        "--name",
        "K",
        "--email",
        "k@example.org",
    ]);
    assert_eq!(tell().await, 0, "there is no administrator, so it waits for one");
    database.ok([
        "person",
        "add",
        "--organisation",
        "org",
        "--chapter",
        "chapter",
        "--role",
        "org_admin",
        "--name",
        "Åse",
        "--email",
        "a@example.org",
    ]);
    // The service writes and sends it, although sign-in is off.
    let mail = MailServer::start(None);
    let config = mail.config("[serve]\nlisten = \"127.0.0.1:0\"\n");
    let service = Service::start(&database, &config, NOON);
    database.until("select count(*) = 1 from certvakt.mail_queue where mailed_at is not null").await;
    drop(service);
    let mails = mail.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    let text = mails[0].to_string();
    for what in ["a@example.org", "Hei Åse", "2 sertifiseringer i", "certvakt status"] {
        assert!(text.contains(what), "{what}: {text}");
    }
    assert!(!text.contains("sign-in"), "it carries no token: {text}");
    database.noon(&["renew", "1", "--until", "2029-07-31"]);
    database.noon(&["renew", "short", "--until", "2029-07-31"]);
    assert_eq!(tell().await, 1, "they know, and hear no more for thirty days");
    database.execute("update certvakt.long_histories set alerted_at = alerted_at - interval '31 days' where alerted_at is not null").await;
    assert_eq!(tell().await, 2, "of the one that is new");
    let counted = "select count(*) from certvakt.long_histories";
    assert_eq!(database.value::<i64>(counted).await, 3);
    database.ok(["history", "limit", "2"]);
    assert_eq!(database.value::<i64>(counted).await, 1, "two are not long any more");
}
