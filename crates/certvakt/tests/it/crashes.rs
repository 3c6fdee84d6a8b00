//! Crashes: a process that dies leaves nothing half done, and causes no repeated notice.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;

use crate::harness::{NOON, TestDatabase, fail, terminate, under};
use crate::stand_in::StandIn;

async fn forty_due() -> TestDatabase {
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    for number in 0..40 {
        database.certify(&number.to_string(), "2026-06-20").await;
        database.reachable(&number.to_string(), "push", &format!("ok-{number}")).await;
    }
    database
}

async fn nothing_is_recorded(database: &TestDatabase) -> bool {
    database
        .value(
            "select not exists (select from public.cert_notification_log) and not exists (select from certvakt.deliveries)
               and not exists (select from certvakt.runs where state = 'complete')",
        )
        .await
}

#[tokio::test]
async fn a_run_that_is_killed_before_its_end_has_recorded_nothing_and_the_next_one_records_all() {
    let database = forty_due().await;
    let mut run = database.certvakt(["run", "--date", "2026-06-15"]);
    // It has inserted its notices and waits to insert their deliveries.
    database.blocked_at("certvakt.deliveries", &mut run).await.kill().await;
    assert!(nothing_is_recorded(&database).await);
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_7d"], 40);
    database.ok(["verify"]);
}

#[tokio::test]
async fn a_run_whose_server_goes_away_says_so_and_has_recorded_nothing() {
    let database = forty_due().await;
    let mut run = database.certvakt(["run", "--date", "2026-06-15"]);
    let said = database.blocked_at("certvakt.deliveries", &mut run).await.cut_off(4).await;
    assert!(said.contains("database-unreachable") && said.contains("try again"), "{said}");
    assert!(nothing_is_recorded(&database).await);
    let reason: String = database.value("select reason from certvakt.runs where state = 'failed'").await;
    assert_eq!(reason, "database-unreachable", "the failure is on record");
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_7d"], 40);
}

#[tokio::test]
async fn a_worker_killed_between_record_and_delivery_costs_nobody_a_notice() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = forty_due().await;
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_7d"], 40);
    // The same run again, as a retry after a crash: the log prevents duplicates.
    assert_eq!(database.run("2026-06-15")["recorded"]["expiry_warning_7d"], 0);

    let arguments = ["work", "--drain", "--output", "json", "--config", config.to_str().unwrap()];
    let mut work = database.certvakt(arguments);
    // Messages were sent; the worker dies in the transaction that records the outcomes.
    database.blocked_at("certvakt.channel_stops", work.env("CERTVAKT_NOW", NOON)).await.kill().await;
    let sent = stand_in.messages().len();
    assert!(sent > 0);
    let claimed: i64 =
        database.value("select count(*) from certvakt.deliveries where state = 'claimed'").await;
    assert_eq!(claimed, 40, "its leases stand");

    database.execute("update certvakt.deliveries set lease_until = now() where state = 'claimed'").await;
    let output = database.at(NOON, arguments);
    let tally: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(tally["delivered"], 40);
    // A repeat has the same collapse id, so that a device shows one message.
    let mut shown: Vec<String> = stand_in
        .messages()
        .iter()
        .map(|taken| taken["message"]["android"]["notification"]["tag"].to_string())
        .collect();
    shown.sort();
    shown.dedup();
    assert_eq!(shown.len(), 40);
    let explained = database.at(NOON, ["explain", "0"]);
    assert!(explained.contains("perhaps twice"), "{explained}");
    let log: i64 = database.value("select count(*) from public.cert_notification_log").await;
    assert_eq!(log, 40);
}

#[tokio::test]
async fn a_worker_releases_its_leases_at_shutdown() {
    let stand_in = StandIn::start();
    // One message a second: most of the queue is claimed and waits when the signal comes.
    let config = stand_in.config("[\"fcm\"]", "messages_per_minute = 60\n");
    let database = forty_due().await;
    database.run("2026-06-15");
    let mut work = database.certvakt(["work", "--config", config.to_str().unwrap()]);
    let mut work = work.env("CERTVAKT_NOW", NOON).stderr(Stdio::piped()).spawn().unwrap();
    database.until("select exists (select from certvakt.deliveries where state = 'delivered')").await;
    terminate(&work);
    let status = work.wait().unwrap();
    assert!(status.success(), "{status}");
    let mut said = String::new();
    BufReader::new(work.stderr.take().unwrap()).read_line(&mut said).unwrap();
    let states: String = database
        .value("select string_agg(distinct state, ', ' order by state) from certvakt.deliveries")
        .await;
    assert_eq!(states, "delivered, pending", "{said}");
    let delivered: i64 =
        database.value("select count(*) from certvakt.deliveries where state = 'delivered'").await;
    assert_eq!(json!(delivered), json!(stand_in.messages().len()), "whatever was sent is on record");
}

#[tokio::test]
async fn a_worker_that_cannot_record_outcomes_ends_with_an_error() {
    let stand_in = StandIn::start();
    let config = stand_in.config("[\"fcm\"]", "");
    let database = TestDatabase::rehearsal().await;
    database.with_organisation();
    // More than fit into the channel between sending and recording.
    database
        .execute(
            "with new as (insert into certvakt.people (id) select gen_random_uuid() from generate_series(1, 450) returning id),
             devices as (insert into certvakt.contact_points (person_id, kind, address) select id, 'push', 'ok-' || replace(id::text, '-', '') from new)
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
             select h.organisation_id, h.id, new.id, 'type', '2026-06-20 12:00+02' from new, certvakt.chapters h;
             create function public.no() returns trigger language plpgsql as $$ begin raise 'no room'; end $$;
             create trigger no before insert on certvakt.delivery_attempts for each row execute function public.no()",
        )
        .await;
    database.ok(["run", "--date", "2026-06-15", "--approve"]);
    let mut command = database.certvakt(["work", "--drain", "--config", config.to_str().unwrap()]);
    let mut limited = under("timeout", "60", command.env("CERTVAKT_NOW", NOON));
    let said = fail(&mut limited, 70);
    assert!(said.contains("database-error") && said.contains("no room"), "{said}");
    database.execute("drop trigger no on certvakt.delivery_attempts; update certvakt.deliveries set lease_until = now() where state = 'claimed'").await;
    let done = database.work(NOON, &config);
    assert_eq!(done["delivered"], 450, "{done}");
}
