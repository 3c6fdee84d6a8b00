//! The behaviour of every adapter: one suite, which runs for each portal protocol.

use std::process::Stdio;

use serde_json::{Value, json};

use super::sync::told_by;
use super::{Kind, WHICH};
use crate::harness::{between_looks, fail, succeed};

const KINDS: [Kind; 2] = [Kind::Webhook, Kind::Dataverse];

fn pair(key: &str, word: &str) -> (String, String) {
    (key.to_owned(), word.to_owned())
}

#[tokio::test]
async fn the_current_state_is_sent_once_and_listed() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &["a", "b", "c"]).await;
        assert_eq!(database.sync(&config)["accepted"], 3, "{kind:?}");
        let mut came = portal.told().await;
        came.sort();
        assert_eq!(came, [pair("M-a", "active"), pair("M-b", "active"), pair("M-c", "active")]);
        assert_eq!(database.sync(&config)["accepted"], 0, "{kind:?}: nothing has changed");
        for status in ["suspended", "active", "suspended"] {
            database.change("b", &format!("status = '{status}'")).await;
        }
        database.change("c", "status = 'suspended'").await;
        assert_eq!(database.sync(&config)["accepted"], 2, "{kind:?}");
        let mut came = portal.told().await.split_off(3);
        came.sort();
        assert_eq!(came, [pair("M-b", "inactive"), pair("M-c", "inactive")], "{kind:?}: what is so now");
        portal.render().await;
        assert_eq!(portal.shows().await, ["M-a"], "{kind:?}");
    }
}

#[tokio::test]
async fn a_missing_response_is_resolved_before_anything_else_is_sent() {
    for kind in KINDS {
        // Whether the portal had accepted it, and the number of mentors.
        for (what, mentors) in
            [("drop", &["a"][..]), ("drop", &["a", "b", "c"]), ("lose", &["a"]), ("lose", &["a", "b"])]
        {
            let (database, portal, config) = told_by(kind, mentors).await;
            let requests = if kind == Kind::Webhook { mentors.len() } else { 1 };
            portal.fault(what, u32::try_from(requests).unwrap()).await;
            assert_eq!(database.sync(&config)["in_doubt"], mentors.len(), "{kind:?} {what}");
            assert_eq!(database.stands(&config)["mentors"]["in_doubt"], mentors.len());
            // After an outage, one mentor probes; a single change is a different request, which fails as
            // well.
            for _ in 0..3 {
                database.time_passes().await;
                database.sync(&config);
            }
            assert_eq!(portal.taken().await.len(), mentors.len(), "{kind:?} {what}: each once");
            let shown: Vec<String> = mentors.iter().map(|id| format!("M-{id}")).collect();
            portal.render().await;
            assert_eq!(portal.shows().await, shown, "{kind:?} {what}");
            assert_eq!(database.stands(&config)["mentors"]["in_doubt"], 0);
        }
    }
}

#[tokio::test]
async fn a_webhook_that_breaks_the_contract_stops_sending_until_a_probe_passes() {
    for (what, reason) in [
        (json!("redirect"), "redirected the request (302)"),
        (json!("html"), "does not know (200)"),
        (json!("error"), "does not know (200)"),
        (json!("renamed"), "breaks"),
        (json!(418), "does not know (418)"),
    ] {
        breaks(Kind::Webhook, &what, &["a", "b"], reason).await;
    }
}

#[tokio::test]
async fn dataverse_that_breaks_the_contract_stops_sending_until_a_probe_passes() {
    for what in [json!("redirect"), json!("html"), json!("error"), json!("renamed"), json!(418)] {
        breaks(Kind::Dataverse, &what, &["a", "b"], "").await;
    }
}

/// A single change is a different request from a batch.
#[tokio::test]
async fn dataverse_that_breaks_the_contract_of_one_change_stops_sending_until_a_probe_passes() {
    for what in [json!("redirect"), json!("html"), json!("error"), json!("renamed"), json!(418)] {
        breaks(Kind::Dataverse, &what, &["a"], "").await;
    }
}

async fn breaks(kind: Kind, what: &Value, mentors: &[&str], reason: &str) {
    let (database, portal, config) = told_by(kind, mentors).await;
    portal.know(&["example-1".to_owned()]).await;
    portal.fault(what.clone(), 9).await;
    let stopped = database.sync(&config);
    assert!(stopped["stopped"].as_str().unwrap().contains(reason), "{kind:?} {what}: {stopped}");
    let standing = database.stands(&config);
    assert_eq!(standing["partner"]["stopped_by"], "contract", "{kind:?} {what}: {standing}");
    assert_eq!(standing["mentors"]["to_list"], mentors.len(), "{kind:?} {what}: nothing is lost");
    let said = portal.record().await.len();
    database.time_passes().await;
    database.sync(&config);
    assert_eq!(portal.record().await.len(), said, "{kind:?} {what}: nothing is sent");
    let resume = ["resume"].into_iter().chain(WHICH);
    fail(&mut database.partner_with(&config, resume.clone()), 1);
    assert_eq!(
        database.stands(&config)["partner"]["stopped_by"],
        "contract",
        "{kind:?} {what}: it still differs"
    );
    portal.control(&json!({ "faults": [] })).await;
    succeed(&mut database.partner_with(&config, resume));
    assert_eq!(database.sync(&config)["accepted"], mentors.len(), "{kind:?} {what}");
    portal.set_by_hand("example-1", false).await;
    portal.render().await;
    assert_eq!(portal.shows().await.len(), mentors.len(), "{kind:?} {what}");
}

#[tokio::test]
async fn an_outage_ends_automatically_and_too_many_requests_pause_sending() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &["a", "b"]).await;
        portal.fault(503, 9).await;
        let down = database.sync(&config);
        assert!(down["stopped"].as_str().unwrap().contains("failed (503)"), "{kind:?} {down}");
        assert_eq!(database.stands(&config)["partner"]["stopped_by"], "outage");
        let said = portal.record().await.len();
        database.sync(&config);
        assert_eq!(portal.record().await.len(), said, "{kind:?}: it rests");
        portal.fault(429, 1).await;
        for taken in [1, 2] {
            database.time_passes().await;
            let busy = database.sync(&config);
            assert_eq!(busy["stopped"], Value::Null, "{kind:?}: the portal only limits requests: {busy}");
            if taken == 1 {
                assert_eq!((&busy["put_off"], &busy["accepted"]), (&json!(1), &json!(0)), "{kind:?}");
                let said = portal.record().await.len();
                database.sync(&config);
                assert_eq!(portal.record().await.len(), said, "{kind:?}: it rests");
            }
        }
        assert_eq!(portal.shows().await, ["M-a", "M-b"], "{kind:?}");
        assert_eq!(database.stands(&config)["partner"]["stopped_by"], Value::Null);
    }
}

#[tokio::test]
async fn a_removal_does_not_recreate_a_mentor_whom_the_portal_deleted() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &["a", "b"]).await;
        database.sync(&config);
        if kind == Kind::Dataverse {
            portal.control(&json!({ "delete": ["M-a"] })).await;
        } else {
            portal.fault(404, 1).await;
        }
        for id in ["a", "b"] {
            database.change(id, "status = 'suspended'").await;
        }
        let done = database.sync(&config);
        assert_eq!((&done["accepted"], &done["refused"]), (&json!(2), &json!(0)), "{kind:?} {done}");
        portal.render().await;
        assert!(portal.shows().await.len() <= 1 && database.stands(&config)["mentors"]["to_delist"] == 0);
        if kind == Kind::Dataverse {
            assert_eq!(portal.rows().await, [pair("M-b", "inactive")]);
        }
    }
}

#[tokio::test]
async fn a_refused_change_does_not_block_others() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &["a", "b", "c"]).await;
        portal
            .control(&match kind {
                Kind::Webhook => json!({ "faults": [{ "on": "POST", "path": "/mentors", "what": 409 }] }),
                Kind::Dataverse => {
                    json!({ "faults": [{ "on": "PATCH", "part": true, "key": "M-b", "what": 409 }] })
                }
            })
            .await;
        let done = database.sync(&config);
        assert_eq!((&done["accepted"], &done["refused"]), (&json!(2), &json!(1)), "{kind:?} {done}");
        assert_eq!(database.stands(&config)["mentors"]["with_errors"], 1);
        assert_eq!(database.sync(&config)["accepted"], 0, "{kind:?}: it waits");
        database.time_passes().await;
        assert_eq!(database.sync(&config)["accepted"], 1, "{kind:?}");
        assert_eq!(portal.shows().await, ["M-a", "M-b", "M-c"], "{kind:?}");
    }
}

#[tokio::test]
async fn a_killed_sync_leaves_an_unknown_result_that_is_read_first() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &["a", "b"]).await;
        portal.fault("hold", 9).await;
        let mut sending = database.partner_with(&config, ["sync"]).stdout(Stdio::null()).spawn().unwrap();
        let is_telling = |one: &Value| {
            let path = one["path"].as_str().unwrap();
            one["method"] == "POST" && (path == "/mentors" || path.ends_with("$batch"))
        };
        while !portal.record().await.iter().any(is_telling) {
            between_looks().await;
        }
        // In the meantime, one of them must not be listed any more.
        database.change("b", "status = 'suspended'").await;
        sending.kill().unwrap();
        sending.wait().unwrap();
        portal.control(&json!({ "let_go": true })).await;
        portal.control(&json!({ "faults": [] })).await;
        assert_eq!(database.sync(&config)["accepted"], 0, "{kind:?}: its lease has not run out");
        for _ in 0..2 {
            database.time_passes().await;
            database.sync(&config);
        }
        portal.render().await;
        assert_eq!(portal.shows().await, ["M-a"], "{kind:?}");
        assert_eq!(
            portal.taken().await.iter().filter(|(key, _)| key == "M-a").count(),
            1,
            "{kind:?}: it had taken it"
        );
    }
}

#[tokio::test]
async fn a_replay_is_harmless() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &["a", "b"]).await;
        database.sync(&config);
        database.change("a", "status = 'suspended'").await;
        database.sync(&config);
        database.partner("replay", ["--since", "2026-01-01T00:00:00Z"]);
        assert_eq!(database.sync(&config)["accepted"], 2, "{kind:?}");
        let mut again = portal.told().await.split_off(3);
        again.sort();
        assert_eq!(again, [pair("M-a", "inactive"), pair("M-b", "active")], "{kind:?}");
        portal.render().await;
        assert_eq!(portal.shows().await, ["M-b"], "{kind:?}");
    }
}

#[tokio::test]
async fn differences_in_the_listing_are_sent_again_or_wait_for_a_decision() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &["a", "b", "c"]).await;
        database.sync(&config);
        database.change("b", "status = 'suspended'").await;
        database.sync(&config);
        portal.render().await;
        database.time_passes().await;
        let reconcile = ["reconcile"].into_iter().chain(WHICH);
        succeed(&mut database.partner_with(&config, reconcile.clone()));
        portal.set_by_hand("M-b", true).await;
        portal.set_by_hand("M-c", false).await;
        portal.know(&["M-nobody".to_owned()]).await;
        portal.set_by_hand("M-nobody", true).await;
        portal.render().await;
        let output =
            database.partner_with(&config, reconcile.clone().chain(["--output", "json"])).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{kind:?}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            [&found["still_listed"], &found["removed_by_hand"], &found["unknown"]],
            [&json!(["M-b"]), &json!(["M-c"]), &json!(["M-nobody"])],
            "{kind:?} {found}"
        );
        database.time_passes().await;
        assert_eq!(
            database.sync(&config)["accepted"],
            1,
            "{kind:?}: only the removal is sent, nobody is listed again"
        );
        portal.render().await;
        assert_eq!(portal.shows().await, ["M-a", "M-nobody"], "{kind:?}");
    }
}

#[tokio::test]
async fn a_probe_lists_every_difference() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &[]).await;
        portal.know(&["example-1".to_owned()]).await;
        let probe = || {
            let words = ["probe"].into_iter().chain(WHICH).chain(["--output", "json"]);
            let output = database.partner_with(&config, words).output().unwrap();
            let found: Value = serde_json::from_slice(&output.stdout).unwrap();
            let points = found["points"].as_array().unwrap().clone();
            assert_eq!(output.status.success(), points.iter().all(|point| point["keeps"] == true), "{found}");
            points
        };
        assert!(probe().iter().all(|point| point["keeps"] == true), "{kind:?}: {:?}", probe());
        portal.fault("html", 1).await;
        assert_eq!(probe()[0]["keeps"], false, "{kind:?}");
        assert!(probe().iter().all(|point| point["keeps"] == true), "{kind:?}: once");
    }
}

#[tokio::test]
async fn no_secret_and_no_key_is_in_a_log_or_a_response() {
    for kind in KINDS {
        let (database, portal, config) = told_by(kind, &["a", "b"]).await;
        let secret = std::fs::read_to_string(portal.folder.path().join("key")).unwrap();
        let secrets: Vec<&str> = secret
            .lines()
            .map(|line| line.trim_start_matches("whsec_"))
            .filter(|line| line.len() > 20 && !line.starts_with('-'))
            .collect();
        portal.fault("renamed", 9).await;
        for words in [&["sync"][..], &["status"], &["status", "--output", "json"]] {
            let mut command = database.partner_with(&config, words.iter().copied());
            let output = command.env("RUST_LOG", "trace").output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(
                secrets.iter().all(|secret| !said.contains(secret)) && !said.contains("M-a"),
                "{kind:?}: {said}"
            );
            assert!(!said.contains("Bearer ") && !said.contains("client_assertion=ey"), "{kind:?}: {said}");
        }
    }
}
