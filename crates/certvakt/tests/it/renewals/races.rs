//! Renewals during a run or a delivery of the same certification.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use sqlx::Executor;

use super::{NOON, rehearsal};
use crate::harness::{TestDatabase, superuser};
use crate::stand_in::StandIn;

async fn one_due(device: &str) -> TestDatabase {
    let database = rehearsal().await;
    database.certify("1", "2026-06-20").await;
    database.reachable("1", "push", device).await;
    database
}

/// The text of `explain` for each stage of the certification.
fn told(database: &TestDatabase) -> Vec<String> {
    let explained = database.noon(&["explain", "1"]);
    let stages = explained["certifications"][0]["stages"].as_array().unwrap().iter();
    stages.map(|stage| format!("{} {}", stage["due_date"], stage["text"]).replace('"', "")).collect()
}

/// Renews the certification while a run records its notice.
async fn renew_under_a_run(database: &TestDatabase) {
    // The same notice in an uncommitted transaction: the run waits for it.
    let mut holder = superuser(&database.name).await;
    let same = "begin; insert into public.cert_notification_log (certification_id, notification_type, recipient_id, idempotency_key)
        select id, 'expiry_warning_7d', peer_mentor_id, certvakt.notice_key(id, 'expiry_warning_7d', '2026-06-13')
        from public.peer_mentor_certifications";
    holder.execute(same).await.unwrap();
    let run = database.blocked(&mut database.certvakt(["run", "--date", "2026-06-15"])).await;
    database.noon(&["renew", "1"]);
    holder.execute("rollback").await.unwrap();
    run.resume().await;
}

#[tokio::test]
async fn a_notice_of_a_run_during_a_renewal_is_not_sent() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("ok-1").await;
    renew_under_a_run(&database).await;
    assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 pending"]);
    assert_eq!(database.work(NOON, &config)["cancelled"], 1);
    assert!(stand_in.messages().is_empty());
    assert_eq!(told(&database)[0], "2026-06-13 not sent: date changed");
    // The new cycle has no notice, and nothing is due in it.
    assert_eq!(database.run("2026-06-16")["recorded"]["expiry_warning_7d"], 0);
    database.ok(["verify"]);
}

#[tokio::test]
async fn a_renewal_cancels_what_no_worker_has_claimed() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = one_due("ok-1").await;
    database.run("2026-06-15");
    let mut work = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
    // It is about to claim.
    let work = database.blocked_at("certvakt.deliveries", work.env("CERTVAKT_NOW", NOON)).await;
    database.noon(&["renew", "1"]);
    work.resume().await;
    assert!(stand_in.messages().is_empty());
    assert_eq!(told(&database)[0], "2026-06-13 not sent: date changed");
}

#[tokio::test]
async fn explain_reports_a_change_between_claim_and_response() {
    for (change, crosses) in [
        (&["renew", "1"][..], true),
        (&["correct", "1", "--until", "2026-06-19"], true),
        (&["suspend", "1"], true),
        (&["explain", "1"], false),
    ] {
        let stand_in = StandIn::start();
        let config = stand_in.config("[\"fcm\"]", "").display().to_string();
        let patient = fs::read_to_string(&config).unwrap();
        let patient = patient.replace("timeout_seconds = 2", "timeout_seconds = 300");
        fs::write(&config, patient.replace("lease_seconds = 20", "lease_seconds = 900")).unwrap();
        let database = one_due("held-1").await;
        database.run("2026-06-15");
        let mut work = database.certvakt(["work", "--drain", "--config", &config]);
        let mut work = work.env("CERTVAKT_NOW", NOON).stdout(Stdio::null()).spawn().unwrap();
        // The provider has received it, but has not responded.
        while stand_in.messages().is_empty() {
            assert!(work.try_wait().unwrap().is_none(), "it ended early");
        }
        database.noon(change);
        stand_in.let_go();
        assert!(work.wait().unwrap().success());
        assert_eq!(database.notices("1").await, ["expiry_warning_7d 2026-06-13 delivered"]);
        let says_so = "it was being sent when the certification changed at";
        let of_seven = |told: Vec<String>| {
            told.into_iter().find(|text| text.starts_with("2026-06-13 sent")).unwrap_or_default()
        };
        let told_of = of_seven(told(&database));
        assert_eq!(told_of.contains(says_so), crosses, "{change:?}: {told_of}");
        assert!(crosses || !told_of.is_empty(), "{change:?}");
        // A change after the response does not count as a change during the delivery.
        if !crosses {
            database.noon(&["suspend", "1"]);
            let told_of = of_seven(told(&database));
            assert!(!told_of.is_empty() && !told_of.contains(says_so), "{told_of}");
        }
        assert_eq!(database.work("2026-06-16T12:00:00+02:00", Path::new(&config))["delivered"], 0);
        assert_eq!(stand_in.messages().len(), 1);
        database.ok(["verify"]);
    }
}
