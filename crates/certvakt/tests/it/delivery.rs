//! The delivery of notices.

use certvakt_store::delivery::{Finished, Try};
use certvakt_store::{AttemptOutcome, DeliveryState};
use serde_json::json;

use crate::harness::{NOON, TestDatabase, fail};
use crate::stand_in::{StandIn, lines, write_config};

const NIGHT: &str = "2026-06-15T02:00:00+02:00";

/// A certification with 5 days left on the day of these tests.
async fn one_due(kind: &str, address: &str) -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    database.certify("1", "2026-06-20").await;
    if !kind.is_empty() {
        database.reachable("1", kind, address).await;
    }
    database.run("2026-06-15");
    database
}

/// The last attempt of the only delivery: channel, outcome and detail.
async fn last_attempt(database: &TestDatabase) -> String {
    database
        .value("select concat_ws(' ', channel, outcome, detail) from certvakt.delivery_attempts order by attempt desc, message desc limit 1")
        .await
}

#[tokio::test]
async fn a_notice_is_pushed_by_day_with_the_true_number_of_days_and_nothing_on_the_lock_screen() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("push", "ok-1").await;
    let waiting = database.work(NIGHT, &config);
    assert_eq!(
        (&waiting["delivered"], &waiting["waiting"]),
        (&json!(0), &json!(1)),
        "at night nothing rings"
    );
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
    assert_eq!(database.work(NOON, &config)["delivered"], 0);
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 delivered"]);

    let messages = stand_in.messages();
    assert_eq!(messages.len(), 1);
    let message = &messages[0]["message"];
    let id: String = database.value("select id::text from public.peer_mentor_certifications").await;
    assert_eq!(
        message["data"],
        json!({ "v": "1", "route": format!("/certifications/{id}"), "certification_id": id, "stage": "expiry_warning_7d" })
    );
    for collapse in [
        &message["android"]["collapse_key"],
        &message["android"]["notification"]["tag"],
        &message["apns"]["headers"]["apns-collapse-id"],
    ] {
        assert_eq!(collapse, &json!(id));
    }
    let shown = message["notification"].to_string();
    for word in ["Foreningen", "Likeperson", "Åse", "Ødegård"] {
        assert!(!shown.contains(word), "{shown}");
    }
}

#[tokio::test]
async fn the_push_services_response_decides() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    for (device, state, attempt, keeps_device) in [
        ("gone-1", "unreachable", "fcm given_up 404 UNREGISTERED", false),
        ("invalid-1", "unreachable", "fcm given_up 400 INVALID_ARGUMENT", false),
        ("badfield-1", "unreachable", "fcm given_up 400 INVALID_ARGUMENT", true),
        ("quota-1", "pending", "fcm retry 429 QUOTA_EXCEEDED", true),
        ("down-1", "pending", "fcm retry 503 UNAVAILABLE", true),
        ("broken-1", "pending", "fcm retry 500 INTERNAL", true),
        ("slow-1", "pending", "fcm retry the request timed out", true),
        ("html-1", "pending", "fcm retry an unexpected response from the push service", true),
        ("drop-1", "pending", "fcm retry the connection closed without a response", true),
    ] {
        let database = one_due("push", device).await;
        database.work(NOON, &config);
        assert_eq!(
            database.notices("1").await,
            [format!("expiry_warning_7d 2026-06-13 {state}")],
            "{device}"
        );
        assert_eq!(last_attempt(&database).await, attempt, "{device}");
        let devices: i64 = database.value("select count(*) from certvakt.contact_points").await;
        assert_eq!(devices, i64::from(keeps_device), "{device}");
        let wait: f64 = database
            .value("select coalesce(extract(epoch from available_at - now()), 0)::float8 from certvakt.deliveries")
            .await;
        if device == "quota-1" {
            assert!((20.0..=30.0).contains(&wait), "Retry-After is obeyed: {wait}");
        }
    }
}

#[tokio::test]
async fn a_repeat_carries_the_same_collapse_id() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("push", "drop-1").await;
    database.work(NOON, &config);
    database.execute("update certvakt.deliveries set available_at = now()").await;
    database.work(NOON, &config);
    let messages = stand_in.messages();
    assert_eq!(messages.len(), 2, "taken twice, because the first answer was lost");
    assert_eq!(messages[0]["message"], messages[1]["message"]);
}

#[tokio::test]
async fn a_refusal_of_the_sender_or_the_message_counts_against_no_device_and_keeps_the_queue() {
    let (device, reason) = ("mismatch-1", "403 SENDER_ID_MISMATCH");
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("push", device).await;
    let mut command = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
    let said = fail(command.env("CERTVAKT_NOW", NOON), 7);
    assert!(said.contains(reason) && said.contains("channel-stopped"), "{said}");
    let counted: i64 = database.value("select cardinality(refused)::bigint from certvakt.deliveries").await;
    assert_eq!(counted, 0, "{device}");
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 pending"]);
    let mut status = database.certvakt(["status"]);
    let output = status.env("CERTVAKT_NOW", NOON).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("STOPPED: channel fcm"));

    database.execute("update certvakt.contact_points set address = 'ok-1'; update certvakt.deliveries set available_at = now()").await;
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
    let stops: i64 = database.value("select count(*) from certvakt.channel_stops").await;
    assert_eq!(stops, 0, "what works again is not stopped");
}

#[tokio::test]
async fn a_mentor_without_a_working_device_gets_the_next_channel() {
    let stand_in = StandIn::start();
    let written = stand_in.folder.path().join("notices.jsonl");
    let config =
        stand_in.config("[\"fcm\", \"file\"]", &format!("[file]\npath = \"{}\"\n", written.display()));
    let database = one_due("push", "gone-1").await;
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
    let notices = lines(&written);
    assert_eq!(notices.len(), 1);
    assert_eq!((&notices[0]["days_left"], &notices[0]["stage"]), (&json!(5), &json!("expiry_warning_7d")));
}

#[tokio::test]
async fn a_device_added_after_the_run_makes_its_owner_reachable() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("", "").await;
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 unreachable"]);
    database.work(NOON, &config);
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 unreachable"]);
    database.reachable("1", "push", "ok-1").await;
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
}

#[tokio::test]
async fn an_opt_out_of_a_channel_is_respected() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("push", "ok-1").await;
    database
        .execute("insert into certvakt.channel_opt_outs (person_id, kind) select person_id, kind from certvakt.contact_points")
        .await;
    database.work(NOON, &config);
    assert!(stand_in.messages().is_empty());
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 unreachable"]);
}

#[tokio::test]
async fn an_outdated_notice_is_cancelled_with_the_reason() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    for (change, now, reason) in [
        ("expires_at = '2028-06-20T12:00:00Z'", NOON, "date changed"),
        ("expires_at = null", NOON, "date changed"),
        ("status = 'suspended'", NOON, "certification suspended"),
        ("status = 'active'", "2026-06-21T12:00:00+02:00", "stage passed"),
    ] {
        let database = one_due("push", "ok-1").await;
        database.change("1", change).await;
        assert_eq!(database.work(now, &config)["cancelled"], 1, "{change}");
        let found: String = database.value("select reason from certvakt.deliveries").await;
        assert_eq!(found, reason);
    }
    assert!(stand_in.messages().is_empty());
}

#[tokio::test]
async fn an_undone_renewal_opens_its_cancelled_delivery_again() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("push", "ok-1").await;
    database.expire_on("1", "2028-06-20").await;
    database.work(NOON, &config);
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 cancelled"]);
    database.expire_on("1", "2026-06-20").await;
    let run = database.run("2026-06-15");
    assert_eq!((&run["recorded"]["expiry_warning_7d"], &run["already_recorded"]), (&json!(0), &json!(1)));
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
    assert_eq!(database.notices("1").await.len(), 1, "the log still has one row");
}

#[tokio::test]
async fn a_correction_that_is_undone_causes_no_second_notice() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("push", "ok-1").await;
    database.work(NOON, &config);
    for day in ["2026-06-19", "2026-06-20"] {
        correct(&database, day).await;
        database.run("2026-06-15");
    }
    assert_eq!(database.work(NOON, &config)["delivered"], 0);
    assert_eq!(stand_in.messages().len(), 1);
    database.ok(["verify"]);
}

#[tokio::test]
async fn a_date_corrected_before_its_notice_gets_a_notice() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    for device in ["", "ok-1"] {
        let database = one_due(if device.is_empty() { "" } else { "push" }, device).await;
        correct(&database, "2026-06-18").await;
        database.run("2026-06-15");
        if device.is_empty() {
            database.reachable("1", "push", "ok-1").await;
        }
        let done = database.work(NOON, &config);
        assert_eq!((&done["delivered"], &done["cancelled"]), (&json!(1), &json!(1)), "{device}");
        let notices = database.notices("1").await;
        assert_eq!(
            notices,
            ["expiry_warning_7d 2026-06-13 cancelled", "expiry_warning_7d 2026-06-11 delivered"]
        );
        database.run("2026-06-15");
        assert_eq!(database.work(NOON, &config)["delivered"], 0);
        database.ok(["verify"]);
    }
}

#[tokio::test]
async fn a_date_corrected_during_its_delivery_is_checked_again() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("push", "ok-1").await;
    // Claimed by a worker that fails: the notice may have been sent, so the run does not repeat it.
    database
        .execute(
            "update certvakt.deliveries set state = 'claimed', attempt = 1, lease_token = gen_random_uuid(),
               lease_until = now() + interval '1 hour'",
        )
        .await;
    correct(&database, "2026-06-18").await;
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_7d"], 0);
    database.execute("update certvakt.deliveries set lease_until = now() - interval '1 hour'").await;
    assert_eq!(database.work(NOON, &config)["cancelled"], 1);
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_7d"], 1);
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
}

/// Corrects the only certification's last valid day.
async fn correct(database: &TestDatabase, day: &str) {
    database
        .execute(&format!(
            "begin; set local certvakt.change = '{{\"kind\": \"corrected\"}}';
             update public.peer_mentor_certifications
             set expires_at = ((date '{day}' + 1)::timestamp at time zone 'Europe/Oslo') - interval '1 second'; commit"
        ))
        .await;
}

#[tokio::test]
async fn nothing_is_sent_after_hours_even_if_claimed_within_them() {
    let stand_in = StandIn::start();
    // One message a second, claimed a second before the hours end.
    let config = stand_in.config("[\"fcm\"]", "messages_per_minute = 60\n");
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    for id in ["1", "2", "3"] {
        database.certify(id, "2026-06-20").await;
        database.reachable(id, "push", &format!("ok-{id}")).await;
    }
    database.run("2026-06-15");
    let evening = database.work("2026-06-15T19:59:59+02:00", &config);
    assert!(evening["waiting"].as_i64().unwrap() >= 2, "{evening}");
    assert_eq!(database.work(NOON, &config)["waiting"], 0);
    let attempts: i32 = database.value("select max(attempt) from certvakt.deliveries").await;
    assert_eq!(attempts, 1, "what was given back untried was not tried");
}

#[tokio::test]
async fn a_stopped_channel_is_recorded_while_the_others_continue() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "messages_per_minute = 60\n");
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    for (id, device) in [("1", "mismatch-1"), ("2", "slow-1")] {
        database.certify(id, "2026-06-20").await;
        database.reachable(id, "push", device).await;
    }
    database.run("2026-06-15");
    let mut command = database.certvakt(["work", "--config", config.to_str().unwrap()]);
    let mut worker = command.env("CERTVAKT_NOW", NOON).stderr(std::process::Stdio::null()).spawn().unwrap();
    database
        .until("select exists (select from certvakt.channel_stops where reason = '403 SENDER_ID_MISMATCH')")
        .await;
    assert!(worker.try_wait().unwrap().is_none());
    crate::harness::terminate(&worker);
    assert!(worker.wait().unwrap().success());
}

#[tokio::test]
async fn an_expired_lease_is_released_and_a_late_outcome_is_ignored() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("push", "ok-1").await;
    // A worker that died after claiming.
    database
        .execute(
            "update certvakt.deliveries set state = 'claimed', attempt = 1, lease_token = gen_random_uuid(),
               lease_until = now() - interval '1 second'",
        )
        .await;
    assert_eq!(database.work(NOON, &config)["delivered"], 1);
    let history: String = database
        .value(
            "select string_agg(attempt || ' ' || outcome, ', ' order by attempt, message) from certvakt.delivery_attempts",
        )
        .await;
    assert_eq!(history, "1 lease_lost, 2 delivered");

    // The dead worker resumes and reports an outcome with a lost lease.
    let store = database.store().await;
    let mut tx = store.worker().await.unwrap();
    let id: i64 = database.value("select id from certvakt.deliveries").await;
    // A deleted delivery is not an error either.
    let ends = [first_attempt(id, DeliveryState::Pending), first_attempt(id + 1, DeliveryState::Pending)];
    certvakt_store::delivery::finish(&mut tx, uuid::Uuid::new_v4(), &ends).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 delivered"]);
}

/// The outcome of a delivery's first attempt, with only a state.
fn first_attempt(id: i64, state: DeliveryState) -> Finished {
    Finished {
        id,
        attempt: 1,
        state,
        reason: None,
        wait_seconds: 0.0,
        tries: Vec::new(),
        refused: Vec::new(),
        dead: Vec::new(),
    }
}

#[tokio::test]
async fn a_person_deleted_during_an_outcome_leaves_no_attempt() {
    let database = one_due("push", "ok-1").await;
    database
        .execute(
            "update certvakt.deliveries set state = 'claimed', attempt = 1, lease_token = gen_random_uuid(),
               lease_until = now() + interval '1 hour'",
        )
        .await;
    let id: i64 = database.value("select id from certvakt.deliveries").await;
    let token: uuid::Uuid = database.value("select lease_token from certvakt.deliveries").await;
    let store = database.store().await;
    let mut tx = store.worker().await.unwrap();
    let tries = vec![Try { channel: Some("fcm"), outcome: AttemptOutcome::Delivered, detail: None }];
    let end = Finished { tries, ..first_attempt(id, DeliveryState::Delivered) };
    certvakt_store::delivery::finish(&mut tx, token, &[end]).await.unwrap();
    let deleting = database.execute("delete from certvakt.people");
    let writing = async {
        database
            .until(&format!(
                "select exists (select from pg_stat_activity where datname = '{}' and wait_event_type = 'Lock')",
                database.name
            ))
            .await;
        tx.commit().await.unwrap();
    };
    tokio::join!(deleting, writing);
    let left: String = database
        .value(
            "select concat_ws(' ', (select count(*) from certvakt.deliveries), (select count(*) from certvakt.delivery_attempts))",
        )
        .await;
    assert_eq!(left, "0 0");
}

#[tokio::test]
async fn without_a_channel_nothing_is_given_up() {
    let database = one_due("push", "ok-1").await;
    let said = fail(database.certvakt(["work", "--drain"]).env("CERTVAKT_NOW", NOON), 2);
    assert!(said.contains("no-channel"), "{said}");
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 pending"]);
}

#[tokio::test]
async fn wrong_credentials_are_named_before_anything_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let database = one_due("push", "ok-1").await;
    let key = folder.path().join("key.json");
    std::fs::write(&key, "{\"private_key\": \"-----BEGIN SECRET\"}").unwrap();
    for (text, expected) in [
        (format!("[fcm]\nservice_account_file = \"{}\"", key.display()), "service account"),
        (format!("[fcm]\nservice_account_file = \"{}.absent\"", key.display()), "cannot read"),
        ("[email]\nserver = \"smtp://user:secret@@\"\nfrom = \"a@example.org\"".to_owned(), "email.server"),
        ("[email]\nserver = \"smtp://localhost\"".to_owned(), "email.from"),
    ] {
        let config = write_config(folder.path(), &text);
        let mut command = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
        let said = fail(command.env("CERTVAKT_NOW", NOON), 2);
        assert!(said.contains(expected) && said.contains("channel-configuration"), "{said}");
        assert!(!said.contains("SECRET") && !said.contains("secret"), "{said}");
    }
}
