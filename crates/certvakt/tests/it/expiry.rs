//! The expiry run: which notices are recorded and when, without duplicates.

use serde_json::json;
use sqlx::{Connection, Executor};

use crate::harness::{NOON, TestDatabase, fail, superuser};

async fn rehearsal() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database
}

#[tokio::test]
async fn each_stage_is_recorded_on_its_day_and_once() {
    let database = rehearsal().await;
    database.certify("1", "2026-03-31").await;
    for (date, stage) in [
        ("2025-12-30", None),
        ("2025-12-31", Some("expiry_warning_90d")),
        ("2026-01-01", None),
        ("2026-03-01", Some("expiry_warning_30d")),
        ("2026-03-24", Some("expiry_warning_7d")),
        ("2026-03-31", None),
        ("2026-04-01", Some("expired")),
        ("2026-04-01", None),
        ("2026-05-01", None),
    ] {
        let run = database.run(date);
        for name in ["expiry_warning_90d", "expiry_warning_30d", "expiry_warning_7d", "expired"] {
            assert_eq!(run["recorded"][name], json!(i32::from(stage == Some(name))), "{date} {name}");
        }
    }
    let status: String = database.value("select status from public.peer_mentor_certifications").await;
    assert_eq!(status, "expired");
    database.ok(["verify"]);
}

#[tokio::test]
async fn five_missed_nights_are_one_run_that_says_what_it_covers() {
    let database = rehearsal().await;
    // Stages that came due in the missed nights: one is recorded late, one is superseded by the next.
    database.certify("late", "2026-09-12").await;
    database.certify("overtaken", "2026-06-22").await;
    database.run("2026-06-09");
    let overtaken = database.notices("overtaken").await;
    assert_eq!(overtaken, ["expiry_warning_30d 2026-05-23 unreachable"]);
    let run = database.run("2026-06-15");
    assert_eq!(run["missed"], json!(["2026-06-10", "2026-06-11", "2026-06-12", "2026-06-13", "2026-06-14"]));
    assert_eq!(database.notices("late").await, ["expiry_warning_90d 2026-06-14 unreachable"]);
    assert_eq!(database.notices("overtaken").await[1], "expiry_warning_7d 2026-06-15 unreachable");
    let covered: i64 = database
        .value("select count(*) from certvakt.runs where state = 'missed' and covered_by = '2026-06-15'")
        .await;
    assert_eq!(covered, 5);
    database.ok(["verify"]);
}

#[tokio::test]
async fn a_stage_that_passed_unseen_is_superseded_and_never_sent() {
    let database = rehearsal().await;
    database.certify("1", "2026-06-16").await;
    database.run("2026-05-01");
    // No run from before the 30-day stage until after the start of the 7-day stage.
    let run = database.run("2026-06-15");
    assert_eq!(run["superseded"], 1);
    assert_eq!(
        database.explained(NOON, "1"),
        [
            "2026-03-18 expiry_warning_90d cancelled",
            "2026-05-17 expiry_warning_30d superseded",
            "2026-06-09 expiry_warning_7d unreachable",
            "2026-06-17 expired due_on",
        ]
    );
}

#[tokio::test]
async fn people_imported_inside_a_stage_get_one_notice() {
    let database = rehearsal().await;
    database.certify("first", "2026-12-31").await;
    database.run("2026-06-15");
    for (id, day) in [
        ("90", "2026-08-31"),
        ("30", "2026-07-01"),
        ("7", "2026-06-15"),
        ("expired", "2026-06-01"),
        ("long ago", "2026-01-01"),
    ] {
        database.certify(id, day).await;
    }
    let run = database.run("2026-06-15");
    assert_eq!(
        run["recorded"],
        json!({ "expiry_warning_90d": 1, "expiry_warning_30d": 1, "expiry_warning_7d": 1, "expired": 1 })
    );
    // The numbers of earlier stages: none, one, two, three.
    assert_eq!(run["superseded"], 6);
    assert_eq!(database.run("2026-06-15")["recorded"]["expired"], 0);
    assert!(database.notices("long ago").await.is_empty());
    let expired: i64 = database
        .value("select count(*) from public.peer_mentor_certifications where status = 'expired'")
        .await;
    assert_eq!(expired, 2);
}

#[tokio::test]
async fn a_change_that_was_open_during_a_run_is_read_by_the_next() {
    let database = rehearsal().await;
    database.certify("first", "2026-12-31").await;
    database.run("2026-06-14");
    let mut open = superuser(&database.name).await;
    let mut transaction = open.begin().await.unwrap();
    transaction
        .execute(
            "with person as (insert into certvakt.people default values returning id)
             insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select h.organisation_id, h.id, person.id, 'type', 'open', '2026-07-01T12:00:00Z' from person, certvakt.chapters h",
        )
        .await
        .unwrap();
    // The transaction began before this run and commits after it, so its time stamps are older than the run.
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_30d"], 0);
    transaction.commit().await.unwrap();
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_30d"], 1);
}

#[tokio::test]
async fn a_run_that_waited_for_another_sees_the_changes_in_between() {
    let database = rehearsal().await;
    let mut run = database.certvakt(["run", "--date", "2026-06-15"]);
    let waiting = database.blocked_at("certvakt.run_calendars", &mut run).await;
    database.certify("1", "2026-06-20").await;
    waiting.resume().await;
    assert_eq!(database.explained(NOON, "1")[2], "2026-06-13 expiry_warning_7d unreachable");
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_7d"], 0);
}

/// Starts the run of 15 June, which waits for a transaction that changed a certification and has not
/// committed yet.
async fn run_behind(database: &TestDatabase, change: &'static str) {
    let mut other = superuser(&database.name).await;
    let mut transaction = other.begin().await.unwrap();
    transaction.execute(change).await.unwrap();
    let mut run = database.certvakt(["run", "--date", "2026-06-15"]);
    let waiting = database.blocked(&mut run).await;
    transaction.commit().await.unwrap();
    waiting.resume().await;
}

#[tokio::test]
async fn a_renewal_while_the_run_waits_for_it_does_not_expire() {
    let database = rehearsal().await;
    database.certify("1", "2026-06-14").await;
    let renewal = "update public.peer_mentor_certifications set expires_at = '2028-06-14T12:00:00Z'";
    run_behind(&database, renewal).await;
    let status: String = database.value("select status from public.peer_mentor_certifications").await;
    assert_eq!(status, "active");
}

#[tokio::test]
async fn a_deletion_while_the_run_waits_for_it_costs_nobody_else_a_notice() {
    let database = rehearsal().await;
    for id in ["1", "2"] {
        database.certify(id, "2026-06-20").await;
    }
    run_behind(&database, "delete from public.peer_mentor_certifications where external_id = '1'").await;
    assert_eq!(database.notices("2").await, ["expiry_warning_7d 2026-06-13 unreachable"]);
    let states: String = database.value("select string_agg(state, ', ') from certvakt.runs").await;
    assert_eq!(states, "complete", "it tried again, and nobody need hear of it");
}

#[tokio::test]
async fn after_a_restore_elsewhere_everything_is_read() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-01").await;
    database.run("2026-06-15");
    database
        .execute(
            "update certvakt.run_calendars set read_on = 'another server';
             alter table public.cert_notification_log disable trigger all; delete from public.cert_notification_log;
             alter table public.cert_notification_log enable trigger all",
        )
        .await;
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_30d"], 1);
    // The other server had higher transaction ids, so its transactions do not count as changes since the run
    // here.
    database
        .execute(
            "update certvakt.certification_changes set changed_in = '9000000000000000000';
             alter table public.cert_notification_log disable trigger all; delete from public.cert_notification_log;
             alter table public.cert_notification_log enable trigger all",
        )
        .await;
    let output = database.certvakt(["verify", "--output", "json"]).output().unwrap();
    let verified: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(verified["organisations"][0]["faults"][0]["finding"], "missing");
    assert_eq!(database.run("2026-06-15")["already_recorded"], 0, "nor are they read every night");
}

#[tokio::test]
async fn a_renewal_opens_a_new_cycle() {
    let database = rehearsal().await;
    database.certify("1", "2026-06-20").await;
    database.run("2026-06-15");
    database.expire_on("1", "2028-06-20").await;
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_7d"], 0);
    database.ok(["verify"]);
    // Every stage gets a notice again in its time.
    database.expire_on("1", "2026-07-10").await;
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_30d"], 1);
}

#[tokio::test]
async fn a_correction_repeats_a_stage_only_if_it_moved_by_thirty_days() {
    for (corrected_to, told_again) in [("2026-09-22", false), ("2026-10-11", false), ("2026-10-12", true)] {
        let database = rehearsal().await;
        database.certify("1", "2026-09-12").await;
        database.run("2026-06-14");
        // Only a delivered notice is not repeated.
        database.execute("update certvakt.deliveries set state = 'delivered', finished_at = now()").await;
        database
            .execute(&format!(
                "begin; set local certvakt.change = '{{\"kind\": \"corrected\"}}';
                 update public.peer_mentor_certifications set expires_at = '{corrected_to}T12:00:00Z'; commit"
            ))
            .await;
        for date in ["2026-06-15", "2026-06-24", "2026-07-13", "2026-07-14", "2026-08-10"] {
            database.run(date);
        }
        let told = database.notices("1").await.len();
        assert_eq!(told, if told_again { 2 } else { 1 }, "{corrected_to}: {:?}", database.notices("1").await);
        database.ok(["verify"]);
    }
}

#[tokio::test]
async fn suspended_mentors_get_no_notices_and_reinstated_ones_do() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-01").await;
    database.change("1", "status = 'suspended'").await;
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_30d"], 0);
    assert!(database.explained(NOON, "1").iter().any(|stage| stage.ends_with("suspended")));
    database.change("1", "status = 'active'").await;
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_30d"], 1);
}

#[tokio::test]
async fn a_full_run_after_a_normal_one_finds_nothing_more() {
    let database = rehearsal().await;
    for (number, day) in ["2026-06-10", "2026-06-15", "2026-07-01", "2026-08-31"].into_iter().enumerate() {
        database.certify(&number.to_string(), day).await;
    }
    database.run("2026-06-15");
    let full = database.json(["run", "--full", "--date", "2026-06-15"])["runs"][0].clone();
    assert_eq!((&full["recorded"]["expired"], &full["already_recorded"]), (&json!(0), &json!(4)));
}

#[tokio::test]
async fn a_longer_grace_period_brings_back_certifications() {
    let database = rehearsal().await;
    database.certify("1", "2026-05-01").await;
    assert_eq!(database.run("2026-06-15")["recorded"]["expired"], 0);
    database.ok(["organisation", "set", "org", "--grace-days", "60"]);
    database.ok(["verify"]);
    assert_eq!(database.run("2026-06-15")["recorded"]["expired"], 1);
    database.ok(["verify"]);
}

#[tokio::test]
async fn a_run_for_another_date_must_be_a_dry_run() {
    let database = rehearsal().await;
    database.certify("1", "2026-07-01").await;
    database.run("2026-06-15");
    for (date, code) in [("2026-06-14", "run-before-the-last"), ("2126-01-01", "run-in-the-future")] {
        let mut run = database.certvakt(["run", "--date", date]);
        assert!(fail(run.env("CERTVAKT_NOW", NOON), 2).contains(code));
        let looked = database.json(["run", "--date", date, "--dry-run"]);
        assert_eq!(looked["runs"][0]["state"], "dry_run");
    }
    let later = database.json(["run", "--date", "2026-07-02", "--dry-run"]);
    assert_eq!(later["runs"][0]["recorded"]["expired"], 1);
    assert_eq!(database.notices("1").await.len(), 1, "a dry run records nothing");
}

#[tokio::test]
async fn a_run_beyond_the_limit_is_held_until_somebody_approves() {
    let database = rehearsal().await;
    database.ok(["organisation", "add", "other", "--name", "Annen", "--timezone", "Europe/Oslo"]);
    database.ok(["organisation", "set", "org", "--limit-floor", "2", "--limit-percent", "50"]);
    // Three of four are due: more than two, and more than half.
    for (number, day) in ["2026-06-20", "2026-06-20", "2026-06-20", "2027-06-20"].into_iter().enumerate() {
        database.certify(&number.to_string(), day).await;
    }
    let mut command = database.certvakt(["run", "--date", "2026-06-15", "--output", "json"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let runs: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&runs["runs"][0]["organisation"], &runs["runs"][0]["state"]),
        (&json!("org"), &json!("held"))
    );
    assert_eq!(runs["runs"][0]["recorded"]["expiry_warning_7d"], 0);
    assert_eq!(runs["runs"][0]["would_record"]["expiry_warning_7d"], 3);
    assert_eq!(runs["runs"][1]["state"], "complete", "other organisations go on");
    let notices: i64 = database.value("select count(*) from public.cert_notification_log").await;
    assert_eq!(notices, 0);
    let text = String::from_utf8(database.certvakt(["run", "--date", "2026-06-15"]).output().unwrap().stdout)
        .unwrap();
    assert!(text.contains("--dry-run") && text.contains("--approve"), "{text}");
    assert!(
        String::from_utf8(database.certvakt(["status"]).output().unwrap().stdout).unwrap().contains("HELD")
    );

    let approved = database.ok(["run", "--date", "2026-06-15", "--organisation", "org", "--approve"]);
    assert!(approved.contains("3 notices recorded with your approval, above the limit of 2"), "{approved}");
    let recorded: bool =
        database.value("select bool_or(approved) from certvakt.runs where state = 'complete'").await;
    assert!(recorded);
}

#[tokio::test]
async fn two_runs_at_once_record_each_notice_once() {
    let database = rehearsal().await;
    for number in 0..40 {
        database.certify(&number.to_string(), "2026-06-20").await;
    }
    let runs: Vec<_> = (0..4)
        .map(|_| {
            database
                .certvakt(["run", "--date", "2026-06-15", "--output", "json"])
                .stdout(std::process::Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let recorded: i64 = runs
        .into_iter()
        .map(|run| {
            let output = run.wait_with_output().unwrap();
            assert!(output.status.success());
            let runs: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            runs["runs"][0]["recorded"]["expiry_warning_7d"].as_i64().unwrap()
        })
        .sum();
    assert_eq!(recorded, 40);
    let deliveries: i64 = database.value("select count(*) from certvakt.deliveries").await;
    assert_eq!(deliveries, 40);
}

#[tokio::test]
async fn each_organisation_has_its_own_today() {
    let database = TestDatabase::rehearsal().await;
    for (slug, zone) in [("oslo", "Europe/Oslo"), ("auckland", "Pacific/Auckland")] {
        database.ok(["organisation", "add", slug, "--name", slug, "--timezone", zone]);
    }
    let output = database.at("2026-06-15T13:00:00Z", ["run", "--output", "json"]);
    let runs: serde_json::Value = serde_json::from_str(&output).unwrap();
    let dates: Vec<_> = runs["runs"].as_array().unwrap().iter().map(|run| run["run_date"].clone()).collect();
    assert_eq!(dates, [json!("2026-06-16"), json!("2026-06-15")]);
}

#[tokio::test]
async fn a_moved_clock_is_for_rehearsals() {
    let database = TestDatabase::new().await;
    let said = fail(database.certvakt(["run"]).env("CERTVAKT_NOW", NOON), 2);
    assert!(said.contains("not-a-rehearsal"), "{said}");
    assert!(fail(database.certvakt(["run"]).env("CERTVAKT_NOW", "noon"), 2).contains("now-invalid"));
}

#[tokio::test]
async fn verify_finds_missing_notices_and_wrong_keys() {
    let database = rehearsal().await;
    database.certify("missing", "2026-06-20").await;
    database.certify("wrong", "2026-06-20").await;
    database.run("2026-06-15");
    database.ok(["verify"]);
    database
        .execute(
            "alter table public.cert_notification_log disable trigger all;
             delete from public.cert_notification_log l using public.peer_mentor_certifications c
             where c.id = l.certification_id and c.external_id = 'missing';
             update public.cert_notification_log set idempotency_key = repeat('0', 64);
             alter table public.cert_notification_log enable trigger all",
        )
        .await;
    // It changed since the run, so it cannot be verified yet, and does not count as correct.
    database.certify("new", "2026-06-20").await;
    let output = database.certvakt(["verify", "--output", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let verified: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let kinds = |list: &str| -> Vec<String> {
        verified["organisations"][0][list]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["finding"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds("faults"), ["missing", "missing", "wrong key"]);
    assert_eq!(kinds("not_checked"), ["changed since the run"]);
}
