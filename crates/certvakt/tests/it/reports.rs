//! Reports: explain, forecast, status, doctor and cleanup, as tables and as JSON.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{NOON, SERVICE, TestDatabase, address, fail, on_terminal, succeed};
use crate::stand_in::write_config;

async fn rehearsal() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database
}

fn at(database: &TestDatabase, now: &str, arguments: &[&str]) -> Value {
    let arguments = arguments.iter().copied().chain(["--output", "json"]);
    serde_json::from_str(&database.at(now, arguments)).unwrap()
}

#[tokio::test]
async fn explain_shows_every_stage_with_its_date_key_and_reason() {
    let database = rehearsal().await;
    database.certify("497843", "2026-07-20").await;
    database.reachable("497843", "push", "ok-1").await;
    database.run("2026-06-01");
    assert_eq!(
        database.explained("2026-06-01T12:00:00+02:00", "497843"),
        [
            "2026-04-21 expiry_warning_90d waiting",
            "2026-06-20 expiry_warning_30d due_on",
            "2026-07-13 expiry_warning_7d due_on",
            "2026-07-21 expired due_on",
        ]
    );
    let id: String = database.value("select id::text from public.peer_mentor_certifications").await;
    let key: String = database.value("select idempotency_key from public.cert_notification_log").await;
    let explained = at(&database, "2026-06-21T12:00:00+02:00", &["explain", &id]);
    let stages = &explained["certifications"][0]["stages"];
    assert_eq!(stages[0]["idempotency_key"], json!(key));
    assert_eq!(stages[1]["state"], "due_now");
    let text = database.at("2026-06-01T21:00:00+02:00", ["explain", "497843"]);
    for words in [
        "Likeperson 497843 (org, Østlandet)",
        "2026-07-20",
        "waiting, will be sent from",
        "due on 2026-06-20, in 19 days",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let said = fail(&mut database.certvakt(["explain", "497844"]), 2);
    assert!(said.contains("unknown-name"), "{said}");

    // Long ago: the notice may have been deleted, so the result is unknown.
    database.execute("delete from public.peer_mentor_certifications").await;
    database.certify("old", "2026-12-31").await;
    database.execute("update certvakt.certification_changes set changed_at = '2025-01-01'").await;
    let explained = database.explained("2027-06-01T12:00:00+02:00", "old");
    assert_eq!(explained[0], "2026-10-02 expiry_warning_90d unknown");
}

#[tokio::test]
async fn the_forecast_is_what_the_nights_then_record() {
    let database = rehearsal().await;
    for (number, day) in ["2026-06-10", "2026-06-22", "2026-07-16", "2026-07-16", "2026-09-14", "2026-06-17"]
        .into_iter()
        .enumerate()
    {
        database.certify(&number.to_string(), day).await;
    }
    database.run("2026-06-14");
    let chart = database.at(NOON, ["forecast", "--days", "3"]);
    assert!(chart.contains('█') && chart.contains("90 d"), "{chart}");
    assert_eq!(chart.lines().count(), 4, "{chart}");
    let forecast = at(&database, NOON, &["forecast", "--days", "5"]);
    let nights = forecast["nights"].as_array().unwrap();
    assert_eq!(nights.len(), 5);
    for night in nights {
        let recorded = database.at(
            "2026-06-30T12:00:00+02:00",
            ["run", "--date", night["night"].as_str().unwrap(), "--output", "json"],
        );
        let recorded: Value = serde_json::from_str(&recorded).unwrap();
        assert_eq!(recorded["runs"][0]["recorded"], night["notices"], "{night}");
    }
}

#[tokio::test]
async fn status_shows_runs_queue_people_and_tables() {
    let database = rehearsal().await;
    database.certify("1", "2026-06-20").await;
    database.certify("2", "2026-06-20").await;
    database.reachable("2", "push", "ok-1").await;
    let mut late = database.certvakt(["status"]);
    let output = late.env("CERTVAKT_NOW", NOON).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "no run yet, ten hours after its hour");
    assert!(String::from_utf8(output.stdout).unwrap().contains("LATE: the run of 2026-06-15"));

    database.run("2026-06-15");
    let status = at(&database, NOON, &["status"]);
    assert_eq!(status["runs"][0]["state"], "complete");
    assert_eq!((&status["queue"]["pending"], &status["queue"]["unreachable"]), (&json!(1), &json!(1)));
    assert_eq!(status["unreachable_by_chapter"][0]["chapter"], "Østlandet");
    let id: String = database
        .value("select id::text from public.peer_mentor_certifications where external_id = '1'")
        .await;
    assert_eq!(status["unreachable"][0]["certification_id"], json!(id));
    let tables: Vec<&str> =
        status["tables"].as_array().unwrap().iter().map(|table| table["name"].as_str().unwrap()).collect();
    assert!(tables.contains(&"public.cert_notification_log"));
    let text = database.at(NOON, ["status"]);
    for words in ["up to date", "1 waiting", "Unreachable people: 1", "Østlandet"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // A run is late an hour after its scheduled time, and due before that.
    let due = at(&database, "2026-06-16T02:30:00+02:00", &["status"]);
    assert_eq!(due["runs"][0]["state"], "due");
}

#[tokio::test]
async fn a_run_is_due_once_on_the_nights_on_which_oslo_changes_its_clocks() {
    let database = rehearsal().await;
    // Two o'clock is skipped in March and occurs twice in October.
    for (date, before, hour, after) in [
        ("2026-03-29", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T02:30:00Z"),
        ("2026-10-25", "2026-10-24T23:59:59Z", "2026-10-25T00:00:00Z", "2026-10-25T01:30:00Z"),
    ] {
        let state = |now: &str| at(&database, now, &["status"])["runs"][0]["state"].clone();
        let day_before = date.parse::<chrono::NaiveDate>().unwrap().pred_opt().unwrap();
        database.run(&day_before.to_string());
        assert_eq!((state(before), state(hour)), (json!("complete"), json!("due")), "{date}");
        database.run(date);
        assert_eq!((state(hour), state(after)), (json!("complete"), json!("complete")), "{date}");
    }
}

#[tokio::test]
async fn tables_fit_the_terminal_without_escape_sequences() {
    let database = rehearsal().await;
    database.run("2026-06-15");
    for (arguments, now) in
        [(vec!["status"], NOON), (vec!["doctor"], NOON), (vec!["organisation", "list"], NOON)]
    {
        let plain = String::from_utf8(
            database.certvakt(arguments.clone()).env("CERTVAKT_NOW", now).output().unwrap().stdout,
        )
        .unwrap();
        assert!(!plain.contains('\u{1b}'), "{plain}");
        // The same on a terminal of 70 columns.
        let mut command = database.certvakt(arguments);
        let mut terminal = on_terminal(70, command.env("CERTVAKT_NOW", now));
        let shown = String::from_utf8(terminal.output().unwrap().stdout).unwrap();
        assert!(shown.contains('─') || shown.contains('═'), "{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
        for line in shown.lines() {
            assert!(line.trim_end().chars().count() <= 70, "{line}");
        }
    }
}

#[tokio::test]
async fn doctor_reports_every_problem() {
    let database = TestDatabase::new().await;
    let folder = tempfile::tempdir().unwrap();
    let findings = |command: &mut Command, status: i32| -> Vec<String> {
        let output = command.args(["--output", "json"]).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{}", String::from_utf8_lossy(&output.stdout));
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let list = found["findings"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        list.iter()
            .map(|one| format!("{} {} {}", text(&one["status"]), text(&one["check"]), text(&one["text"])))
            .collect()
    };
    let has = |found: &[String], what: &str| {
        assert!(found.iter().any(|one| one.starts_with(what)), "{what}: {found:?}");
    };

    let fine = findings(&mut database.certvakt(["doctor"]), 0);
    assert!(!fine.iter().any(|one| one.starts_with("problem")), "{fine:?}");
    for what in [
        "ok version",
        "ok roles",
        "ok row-level security",
        "ok schema",
        "ok encoding",
        "ok clock",
        "warning channels",
    ] {
        has(&fine, what);
    }
    let superuser =
        findings(database.certvakt(["doctor"]).env("DATABASE_URL", address("postgres", &database.name)), 0);
    has(&superuser, "warning roles postgres is a superuser");

    let password = folder.path().join("password");
    std::fs::write(&password, "s3cret").unwrap();
    let config = write_config(
        folder.path(),
        &format!(
            "[email]\nserver = \"smtp://127.0.0.1:1\"\nfrom = \"a@example.org\"\nuser = \"u\"\npassword_file = \"{}\"\n",
            password.display()
        ),
    );
    // No mail server, and a password file that everybody can read.
    let open = findings(database.certvakt(["doctor"]).args(["--config", config.to_str().unwrap()]), 1);
    has(&open, "warning credentials");
    has(&open, "problem credentials email: no connection");
    let config = write_config(folder.path(), "[fcm]\nservice_account_file = \"absent.json\"\n");
    let absent = findings(database.certvakt(["doctor"]).args(["--config", config.to_str().unwrap()]), 1);
    has(&absent, "problem channels");

    database.execute("alter table certvakt.people no force row level security").await;
    has(&findings(&mut database.certvakt(["doctor"]), 1), "problem row-level security");
    let gone = findings(database.certvakt(["doctor"]).env("DATABASE_URL", address(SERVICE, "absent")), 1);
    has(&gone, "problem database");
    let empty = TestDatabase::empty().await;
    let owner = findings(
        database.certvakt(["doctor"]).env("DATABASE_URL", address(crate::harness::OWNER, &database.name)),
        1,
    );
    has(&owner, "warning roles certvakt_owner has more privileges than the service needs (creates roles");
    let unmigrated =
        findings(database.certvakt(["doctor"]).env("DATABASE_URL", address(SERVICE, &empty.name)), 1);
    has(&unmigrated, "problem schema");
    assert!(!unmigrated.iter().any(|one| one.contains("on every table")), "{unmigrated:?}");
}

#[tokio::test]
async fn doctor_prints_the_same_findings_as_json() {
    let database = TestDatabase::new().await;
    let help = database.ok(["doctor", "--help"]);
    assert!(help.contains("certvakt doctor --output json"), "{help}");
    let absent = address(SERVICE, "absent");
    // The second time, the database is unavailable: a problem is not an error, so it is in the JSON as well.
    for (url, status) in [(database.address(), 0), (absent, 1)] {
        let run = |arguments: &[&str]| {
            let mut command = database.certvakt(arguments.iter().copied());
            let output = command.env("DATABASE_URL", &url).output().unwrap();
            assert_eq!(output.status.code(), Some(status), "{output:?}");
            assert!(output.stderr.is_empty(), "{output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let document: Value = serde_json::from_str(&run(&["doctor", "--output", "json"])).unwrap();
        assert_eq!(document.as_object().unwrap().len(), 1, "{document}");
        let findings = document["findings"].as_array().unwrap();
        let table = run(&["doctor"]);
        let rows: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(findings.len(), rows.len(), "{document}\n{table}");
        for (finding, row) in findings.iter().zip(rows) {
            let of = |field: &str| finding[field].as_str().unwrap();
            assert_eq!(finding.as_object().unwrap().len(), 3, "{finding}");
            assert!(["ok", "warning", "problem"].contains(&of("status")), "{finding}");
            let shown = row.split_whitespace().collect::<Vec<_>>().join(" ");
            let status = of("status").replace("problem", "PROBLEM");
            assert_eq!(shown, format!("{} {status} {}", of("check"), of("text")));
        }
    }
}

#[tokio::test]
async fn cleanup_deletes_what_is_old_and_nothing_else() {
    let database = rehearsal().await;
    for (id, day) in [("old", "2026-06-20"), ("new", "2026-06-20")] {
        database.certify(id, day).await;
    }
    database.run("2026-06-15");
    // As if one notice, one run and one import had happened two years ago.
    database
        .execute(
            "alter table public.cert_notification_log disable trigger all;
             update public.cert_notification_log l set sent_at = now() - interval '2 years'
             from public.peer_mentor_certifications c where c.id = l.certification_id and c.external_id = 'old';
             alter table public.cert_notification_log enable trigger all;
             insert into certvakt.delivery_attempts (delivery_id, attempt, outcome) select id, 1, 'lease_lost' from certvakt.deliveries;
             insert into certvakt.runs (organisation_id, run_date, state, covered_by, finished_at)
               select id, '2024-06-14', 'missed', '2024-06-15', now() - interval '2 years' from certvakt.organisations;
             insert into certvakt.imports (organisation_id, chapter_ids, certification_types, read, added, updated, unchanged, rejected, renewed, corrected, started_at, finished_at)
               select organisation_id, array[id], array['type'], 0, 0, 0, 0, 0, 0, 0, now(), now() - interval '2 years' from certvakt.chapters;
             insert into certvakt.access_events (number, at, method, resource, rows_read, organisations_of_person, organisations_of_rows)
               select number, now() - make_interval(days => number), 'GET', '/', 0, '{}', '{}' from unnest(array[300, 364, 366, 800]) as number;
             insert into certvakt.former_addresses (person_id, address, left_at)
               select p.id, age || '@example.org', now() - make_interval(days => age)
               from certvakt.people p, unnest(array[89, 91]) as age;
             insert into certvakt.mail_queue (kind, person_id, address, valid_for, requested_at)
               select 'address-removed', p.id, age || '@example.org', interval '14 days', now() - make_interval(days => age)
               from certvakt.people p, unnest(array[13, 15]) as age",
        )
        .await;
    let counts = "select concat_ws(' ', (select count(*) from public.cert_notification_log), (select count(*) from certvakt.deliveries),
        (select count(*) from certvakt.delivery_attempts), (select count(*) from certvakt.runs), (select count(*) from certvakt.imports),
        (select count(*) from certvakt.access_events), (select count(*) from certvakt.former_addresses),
        (select count(*) from certvakt.mail_queue))";
    let expected = json!({ "notices": 1, "runs": 1, "imports": 1, "access_events": 2 });
    assert_eq!(database.json(["cleanup", "--dry-run"])["deleted"], expected);
    assert_eq!(database.value::<String>(counts).await, "2 2 2 2 1 4 4 4", "a dry run deletes nothing");
    assert_eq!(
        database.json(["cleanup", "--older-than", "3y"])["deleted"],
        json!({ "notices": 0, "runs": 0, "imports": 0, "access_events": 0 })
    );
    assert_eq!(database.json(["cleanup"])["deleted"], expected);
    assert_eq!(database.value::<String>(counts).await, "1 1 1 1 0 2 2 2");
    assert_eq!(
        database.json(["cleanup"])["deleted"],
        json!({ "notices": 0, "runs": 0, "imports": 0, "access_events": 0 })
    );
    for (age, says) in [("5mo", "180 days"), ("0y", "180 days"), ("soon", "400d"), ("-1y", "unexpected")] {
        let said = fail(&mut database.certvakt(["cleanup", "--older-than", age]), 2);
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn notices_that_retention_may_have_deleted_are_reported_as_unverified() {
    let database = rehearsal().await;
    database.certify("1", "2025-06-20").await;
    database.run("2025-06-15");
    assert_eq!(database.json(["verify"])["organisations"][0]["not_checked"], json!([]));
    database
        .execute(
            "alter table public.cert_notification_log disable trigger all;
             update public.cert_notification_log set sent_at = '2025-06-15';
             alter table public.cert_notification_log enable trigger all",
        )
        .await;
    database.ok(["cleanup", "--older-than", "200d"]);
    let verified = database.json(["verify"]);
    assert_eq!(
        verified["organisations"][0]["not_checked"][0]["finding"],
        "so long ago that retention may have deleted it"
    );
}

#[tokio::test]
async fn every_command_shows_an_example() {
    let database = TestDatabase::new().await;
    for command in [
        "migrate",
        "organisation",
        "organisation add",
        "organisation set",
        "organisation list",
        "chapter",
        "chapter add",
        "type",
        "type add",
        "import",
        "run",
        "work",
        "serve",
        "cleanup",
        "explain",
        "forecast",
        "status",
        "verify",
        "doctor",
        "demo",
    ] {
        let shown = succeed(database.certvakt(command.split(' ')).arg("--help"));
        assert!(shown.contains("Example:\n  "), "{command}: {shown}");
        assert!(shown.contains(&format!("certvakt {}", command.split(' ').next().unwrap())), "{command}");
    }
    assert!(fail(&mut database.certvakt(["statsu"]), 2).contains("'status'"));
}
