//! What stops sending, and the alerts about it.

use serde_json::{Value, json};
use sqlx::Executor;

use super::told;
use crate::harness::NOON;
use crate::harness::superuser;

#[tokio::test]
async fn a_refused_mentor_does_not_block_others() {
    let (database, portal, config) = told(&["a", "b"]).await;
    // For a mentor whom the portal does not know, a removal is complete, but an addition is not.
    database.listed("stranger", "2026-12-31").await;
    let done = database.sync(&config);
    assert_eq!((&done["accepted"], &done["refused"], &done["stopped"]), (&json!(2), &json!(1), &Value::Null));
    let standing = database.stands(&config);
    assert_eq!(
        (&standing["mentors"]["with_errors"], &standing["mentors"]["to_list"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(database.sync(&config)["refused"], 0, "it waits");
    database.time_passes().await;
    assert_eq!(database.sync(&config)["refused"], 1);
    let waits: bool =
        database.value("select available_at > now() + interval '4 minutes' from certvakt.listings where last_error is not null").await;
    assert!(waits, "longer each time");
    database.change("stranger", "status = 'suspended'").await;
    assert_eq!(database.sync(&config)["accepted"], 1);
    portal.control(&json!({ "faults": [{ "on": "POST", "what": 429 }] })).await;
    database.change("a", "status = 'suspended'").await;
    let busy = database.sync(&config);
    assert_eq!(
        (&busy["put_off"], &busy["stopped"]),
        (&json!(1), &Value::Null),
        "the portal only limits requests"
    );
    database.time_passes().await;
    assert_eq!(database.sync(&config)["accepted"], 1);
}

#[tokio::test]
async fn many_removals_wait_for_approval_and_additions_do_not() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    database.execute("update certvakt.partners set removal_limit = 2").await;
    database.sync(&config);
    for id in ["a", "b", "c"] {
        database.at(NOON, ["suspend", id]);
    }
    database.listed("new", "2026-12-31").await;
    portal.control(&json!({ "know": ["M-new"] })).await;
    let held = database.sync(&config);
    assert_eq!((&held["removals_are_held"], &held["accepted"]), (&json!(true), &json!(1)), "{held}");
    let standing = database.stands(&config);
    assert_eq!(standing["mentors"]["not_approved"], 3);
    assert_eq!(portal.told().await.last().unwrap().0, "M-new");
    // A change that commits afterwards is not approved, although its transaction began before.
    let mut import = superuser(&database.name).await;
    import.execute("begin; insert into certvakt.partners (organisation_id, code) select id, 'x' from certvakt.organisations").await.unwrap();
    assert_eq!(database.partner("approve", []), "Approved 3 removals. They will now be sent.\n");
    import
        .execute("update certvakt.listings set excluded_at = now() where partner_key = 'M-new'; commit")
        .await
        .unwrap();
    let not_approved =
        "select count(*) from certvakt.listings where not is_listed and approved_number < number";
    assert_eq!(database.value::<i64>(not_approved).await, 1);
    assert_eq!(database.sync(&config)["accepted"], 4, "one more is no mass removal");
    assert_eq!(database.stands(&config)["mentors"]["to_delist"], 0);
}

#[tokio::test]
async fn administrators_get_one_alert_about_each_new_problem() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    let administrator =
        ["person", "add", "--organisation", "org", "--chapter", "chapter", "--role", "org_admin"];
    database.ok(administrator.into_iter().chain(["--name", "Åse", "--email", "a@example.org"]));
    let mails = async || {
        database.queue_partner_alerts(NOON).await;
        let mails = "select coalesce(array_agg(alert || ' ' || number order by alert), '{}') from certvakt.mail_queue";
        database.value::<Vec<String>>(mails).await
    };
    portal.control(&json!({ "faults": [{ "on": "POST", "what": 500, "times": 9 }] })).await;
    database.sync(&config);
    assert_eq!(mails().await, Vec::<String>::new(), "most outages end by themselves");
    database.execute("update certvakt.partners set stopped_at = stopped_at - interval '1 hour'").await;
    for _ in 0..2 {
        assert_eq!(mails().await, ["stopped 3"], "once");
    }
    portal.control(&json!({ "faults": [] })).await;
    database.time_passes().await;
    assert_eq!(database.sync(&config)["accepted"], 3);
    database.execute("update certvakt.partners set removal_limit = 1").await;
    for id in ["a", "b"] {
        database.at(NOON, ["suspend", id]);
    }
    database.sync(&config);
    for _ in 0..2 {
        assert_eq!(mails().await, ["removals-held 2", "stopped 3"]);
    }
    // An alert about a broken contract is sent immediately.
    portal.control(&json!({ "faults": [{ "on": "POST", "what": "html" }] })).await;
    database.partner("replay", ["--since", "2026-01-01T00:00:00Z", "--mentor", "M-c"]);
    database.sync(&config);
    let stopped_twice = ["removals-held 2", "stopped 3", "stopped 3"];
    assert_eq!(mails().await, stopped_twice);
    // Of several problems at once, the mail is about the most severe; the others are not mailed later.
    database
        .execute(
            "update certvakt.partners set unread_since = now() - interval '1 hour', unread_reason = 'test', unknown_shown = 7,
               reports_unread_since = now() - interval '2 hours', reports_unread_reason = 'test'",
        )
        .await;
    for _ in 0..2 {
        assert_eq!(mails().await, ["listing-unread 0"].into_iter().chain(stopped_twice).collect::<Vec<_>>());
    }
    database.execute("update certvakt.partner_alerts set noticed_at = noticed_at - interval '1 hour'").await;
    let with_unknown = ["listing-unread 0", "removals-held 2", "stopped 3", "stopped 3", "unknown 7"];
    assert_eq!(mails().await, with_unknown, "an hour after it was first seen");
}
