//! The changes sent to portals, with the real binary and a portal that checks them.

mod credentials;
mod stops;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use certvakt_partner::client::{PortalClient, RequestError};
use certvakt_partner::contract::Limits;
use certvakt_store::StopReason;
use certvakt_store::partner::{self, Claim, Resumption, SendResult};
use serde_json::{Value, json};
use sqlx::Executor;

use super::{Kind, NOON, Portal, WHICH, place};
use crate::harness::{TestDatabase, between_looks, succeed, superuser};
use crate::stand_in::trust;

impl TestDatabase {
    /// A command about the partner at noon, with a configuration.
    pub(super) fn partner_with<'a>(
        &self,
        config: &Path,
        words: impl IntoIterator<Item = &'a str>,
    ) -> std::process::Command {
        let mut command = self.certvakt(["partner"].into_iter().chain(words));
        command.env("CERTVAKT_NOW", NOON).env("CERTVAKT_CONFIG", config);
        trust(&mut command, config);
        command
    }

    /// Enables the partner at its live environment, with the contract `1`.
    pub(super) fn enable(&self, config: &Path) {
        let words = ["enable"].into_iter().chain(WHICH).chain(["--environment", "live", "--contract", "1"]);
        succeed(&mut self.partner_with(config, words));
    }

    /// Sends due changes to the partner, and returns the result.
    pub(super) fn sync(&self, config: &Path) -> Value {
        let output = self.partner_with(config, ["sync", "--output", "json"]).output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let told = told["partners"][0]["sent"].clone();
        assert_eq!(
            output.status.success(),
            told["stopped"].is_null() && told["removals_are_held"] == false,
            "{told}"
        );
        told
    }

    /// The state of the partner at noon.
    pub(super) fn stands(&self, config: &Path) -> Value {
        self.stands_at(config, NOON)
    }

    /// The state of the partner at a time.
    pub(super) fn stands_at(&self, config: &Path, now: &str) -> Value {
        let mut command = self.partner_with(config, ["status", "--output", "json"]);
        let output = command.env("CERTVAKT_NOW", now).output().unwrap();
        let standing: Value = serde_json::from_slice(&output.stdout).unwrap();
        standing["partners"][0].clone()
    }

    /// Moves all scheduled times into the past.
    pub(super) async fn time_passes(&self) {
        self.execute(
            "update certvakt.partners set retry_at = now() where retry_at > now();
             update certvakt.listings set available_at = now() where available_at > now();
             update certvakt.listings set lease_until = now() where lease_until > now();
             update certvakt.listings set accepted_at = accepted_at - interval '15 minutes', requested_at = requested_at - interval '15 minutes'",
        )
        .await;
    }
}

/// A webhook portal that knows these mentors, who are certified and consent, with the partner enabled.
pub(super) async fn told(mentors: &[&str]) -> (TestDatabase, Portal, PathBuf) {
    told_by(Kind::Webhook, mentors).await
}

/// A portal that knows these mentors, who are certified and consent, with the partner enabled.
pub(super) async fn told_by(kind: Kind, mentors: &[&str]) -> (TestDatabase, Portal, PathBuf) {
    let (database, portal) = (place().await, Portal::start(kind).await);
    portal.contract("1", &[]);
    let config = portal.config("");
    for id in mentors {
        database.listed(id, "2026-12-31").await;
    }
    let keys: Vec<String> = mentors.iter().map(|id| format!("M-{id}")).collect();
    portal.know(&keys).await;
    database.enable(&config);
    (database, portal, config)
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(key, status)| ((*key).to_owned(), (*status).to_owned())).collect()
}

#[tokio::test]
async fn an_eligible_mentor_is_sent_once_signed_and_listed() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    assert_eq!(database.sync(&config)["accepted"], 3);
    let mut came = portal.told().await;
    came.sort();
    assert_eq!(came, pairs(&[("M-a", "active"), ("M-b", "active"), ("M-c", "active")]));
    assert_eq!(portal.shows().await, ["M-a", "M-b", "M-c"]);
    assert_eq!(database.sync(&config)["accepted"], 0, "nothing has changed");
    let record = portal.record().await;
    let first: Value = serde_json::from_str(record[0]["body"].as_str().unwrap()).unwrap();
    // The portal's key, its value of the state, a number and a time, without other data about the person.
    assert_eq!(first.as_object().unwrap().len(), 4);
    assert_eq!((&first["sequence"], &first["changedAt"]), (&json!(1), &json!("2026-06-15T10:00:00Z")));
    let id = record[0]["headers"]["webhook-id"].as_str().unwrap();
    let event: String =
        database.value("select id::text from certvakt.partner_events order by partner_key limit 1").await;
    assert!(record.iter().any(|one| one["headers"]["webhook-id"] == event), "{id}");

    database.change("b", "status = 'suspended'").await;
    assert_eq!(database.sync(&config)["accepted"], 1);
    portal.control(&json!({ "render": true })).await;
    assert_eq!(portal.shows().await, ["M-a", "M-c"]);
    assert_eq!(database.stands(&config)["mentors"]["to_delist"], 0);
}

#[tokio::test]
async fn after_an_undo_a_removal_is_sent_at_once_and_an_addition_after_a_while() {
    let (database, portal, config) = told(&["a", "b"]).await;
    database.sync(&config);
    let undo = async |id: &str, status: &str| {
        database
            .execute(&format!(
                "select certvakt.change_certification(id, updated_at, expires_at, '{status}', null, '{{\"kind\": \"undone\"}}')
                 from public.peer_mentor_certifications where external_id = '{id}'"
            ))
            .await;
    };
    let last = async || portal.told().await.pop().unwrap();
    undo("a", "suspended").await;
    assert_eq!(database.sync(&config)["accepted"], 1);
    assert_eq!(last().await, ("M-a".to_owned(), "inactive".to_owned()));
    // The undo of the suspension comes while the removal is being sent.
    database.at(NOON, ["suspend", "b"]);
    let store = database.store().await;
    let mut tx = store.worker().await.unwrap();
    let one = partner::one(&mut tx, WHICH[2], WHICH[0]).await.unwrap();
    let claim = Claim {
        most: 10,
        token: uuid::Uuid::new_v4(),
        lease_seconds: 60,
        removals_are_held: false,
        can_be_asked: true,
    };
    let due = partner::claim(&mut tx, &one, &claim).await.unwrap();
    tx.commit().await.unwrap();
    let keys: Vec<&str> = due.iter().map(|one| one.partner_key.as_str()).collect();
    assert_eq!(keys, ["M-b"]);
    undo("a", "active").await;
    undo("b", "active").await;
    let sent = SendResult {
        partner_key: "M-b".to_owned(),
        number: due[0].number,
        is_listed: false,
        is_accepted: true,
        is_in_doubt: false,
        wait_seconds: 0.0,
        last_error: None,
        was_sent: true,
    };
    let mut tx = store.worker().await.unwrap();
    assert_eq!(
        partner::finish(&mut tx, &one, claim.token, &[sent]).await.unwrap(),
        Vec::<&SendResult>::new()
    );
    tx.commit().await.unwrap();
    assert_eq!(database.sync(&config)["accepted"], 0, "both wait");
    assert_eq!(database.stands(&config)["mentors"]["to_list"], 2);
    database.time_passes().await;
    assert_eq!(database.sync(&config)["accepted"], 2);
    assert_eq!(last().await.1, "active");
}

#[tokio::test]
async fn a_disabled_partner_gets_the_current_state_when_it_is_enabled() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    database.sync(&config);
    let told_before = portal.told().await.len();
    database.partner("disable", []);
    for status in ["suspended", "active", "suspended"] {
        database.change("a", &format!("status = '{status}'")).await;
    }
    for status in ["suspended", "active"] {
        database.change("b", &format!("status = '{status}'")).await;
    }
    database.at("2026-07-15T12:00:00+02:00", ["partner", "sync"]);
    assert_eq!(portal.told().await.len(), told_before);
    assert_eq!(database.events("a").await.len(), 4, "nothing is lost");
    database.enable(&config);
    assert_eq!(database.sync(&config)["accepted"], 2);
    let mut came = portal.told().await.split_off(told_before);
    came.sort();
    // One message for each, regardless of changes in between; none for unchanged mentors.
    assert_eq!(came, pairs(&[("M-a", "inactive"), ("M-b", "active")]));
}

#[tokio::test]
async fn states_sent_to_staging_are_sent_again_to_the_live_environment() {
    let (database, portal, config) = told(&["a", "b"]).await;
    let staging = ["enable"].into_iter().chain(WHICH).chain(["--environment", "staging", "--contract", "1"]);
    succeed(&mut database.partner_with(&config, staging));
    assert_eq!(database.sync(&config)["accepted"], 2);
    database.enable(&config);
    assert_eq!(database.sync(&config)["accepted"], 2);
    database.partner("disable", []);
    database.enable(&config);
    assert_eq!(database.sync(&config)["accepted"], 0, "the same environment was told");
    assert_eq!(portal.told().await.len(), 4);
}

#[tokio::test]
async fn an_unknown_result_is_resolved_before_anything_else_is_sent() {
    // Whether the portal had accepted it, and the total number of requests.
    for (what, sent) in [("drop", 1), ("lose", 2)] {
        let (database, portal, config) = told(&["a"]).await;
        portal.control(&json!({ "faults": [{ "on": "POST", "what": what }] })).await;
        let first = database.sync(&config);
        assert_eq!((&first["in_doubt"], &first["accepted"]), (&json!(1), &json!(0)), "{what}: {first}");
        assert_eq!(database.stands(&config)["mentors"]["in_doubt"], 1);
        database.time_passes().await;
        assert_eq!(database.sync(&config)["accepted"], 1, "{what}");
        let record = portal.record().await;
        let order: Vec<&str> = record.iter().map(|one| one["method"].as_str().unwrap()).collect();
        assert_eq!(order[..2], ["POST", "GET"], "{what}: it is read before it is told again");
        assert_eq!(portal.told().await.len(), sent, "{what}");
        let ids: Vec<&Value> = record
            .iter()
            .filter(|one| one["method"] == "POST")
            .map(|one| &one["headers"]["webhook-id"])
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "the same message: {ids:?}");
    }
}

#[tokio::test]
async fn a_late_request_at_the_portal_does_not_undo_a_withdrawal() {
    let (database, portal, config) = told(&["a"]).await;
    // It has not stored it when its state is read, but stores it afterwards.
    portal.control(&json!({ "faults": [{ "on": "POST", "what": "lose" }] })).await;
    assert_eq!(database.sync(&config)["in_doubt"], 1);
    database.partner("consent", ["a", "--withdrawn"]);
    database.time_passes().await;
    assert_eq!(database.sync(&config)["accepted"], 1);
    assert_eq!(portal.told().await.pop().unwrap().1, "inactive", "told, although it is so by chance");
}

#[tokio::test]
async fn nothing_is_sent_to_a_environment_that_was_left_in_the_meantime() {
    let (database, portal, config) = told(&["a"]).await;
    let store = database.store().await;
    let mut tx = store.worker().await.unwrap();
    let before = partner::one(&mut tx, "org", "portal").await.unwrap();
    tx.rollback().await.unwrap();
    let staging = ["enable"].into_iter().chain(WHICH).chain(["--environment", "staging", "--contract", "1"]);
    succeed(&mut database.partner_with(&config, staging));
    let claim = partner::Claim {
        most: 10,
        token: uuid::Uuid::new_v4(),
        lease_seconds: 60,
        removals_are_held: false,
        can_be_asked: true,
    };
    let mut tx = store.worker().await.unwrap();
    assert_eq!(partner::claim(&mut tx, &before, &claim).await.unwrap(), []);
    tx.rollback().await.unwrap();
    assert_eq!(database.sync(&config)["accepted"], 1);
    assert_eq!(portal.told().await.len(), 1);
}

#[tokio::test]
async fn a_request_in_progress_does_not_end_a_later_stop() {
    let (database, _portal, config) = told(&["a"]).await;
    let store = database.store().await;
    let mut tx = store.worker().await.unwrap();
    let before = partner::one(&mut tx, "org", "portal").await.unwrap();
    let stop = partner::Stop { by: StopReason::Contract, reason: "it breaks".to_owned(), retry_in: None };
    assert!(partner::stop(&mut tx, &before, &stop).await.unwrap());
    // Another process had sent a batch before, and got a response.
    partner::resume(&mut tx, &before, Resumption::PortalResponds).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(database.stands(&config)["partner"]["stopped_by"], "contract");
}

#[tokio::test]
async fn a_mentor_who_fails_alone_does_not_block_others() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    portal.control(&json!({ "faults": [{ "on": "POST", "what": 500 }] })).await;
    let done = database.sync(&config);
    assert_eq!(
        (&done["accepted"], &done["put_off"], &done["stopped"]),
        (&json!(2), &json!(1), &Value::Null),
        "{done}"
    );
    assert_eq!(database.sync(&config)["accepted"], 0, "it waits");
    database.time_passes().await;
    assert_eq!(database.sync(&config)["accepted"], 1);
}

#[tokio::test]
async fn a_change_during_a_request_is_sent_after_it() {
    let (database, portal, config) = told(&["a"]).await;
    portal.control(&json!({ "faults": [{ "on": "POST", "what": "hold" }] })).await;
    let sending = database.partner_with(&config, ["sync"]).stdout(Stdio::null()).spawn().unwrap();
    let under_way = "select exists (select from certvakt.listings where lease_token is not null)";
    database.until(under_way).await;
    database.change("a", "status = 'suspended'").await;
    // Another sync skips a mentor with a request in progress.
    assert_eq!(database.sync(&config)["accepted"], 0);
    portal.control(&json!({ "let_go": true })).await;
    assert!(sending.wait_with_output().unwrap().status.success());
    assert_eq!(portal.told().await, pairs(&[("M-a", "active"), ("M-a", "inactive")]));
}

#[tokio::test]
async fn a_slow_partner_does_not_block_others() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    portal.fault("hold", 1).await;
    let sending = database.partner_with(&config, ["sync"]).stdout(Stdio::null()).spawn().unwrap();
    while portal.taken().await.len() < 3 {
        between_looks().await;
    }
    assert_eq!(database.stands(&config)["mentors"]["to_list"], 3, "one is not answered yet");
    portal.control(&json!({ "let_go": true })).await;
    assert!(sending.wait_with_output().unwrap().status.success());
    assert_eq!(database.stands(&config)["mentors"]["to_list"], 0);
}

#[tokio::test]
async fn nothing_is_sent_after_a_lease_has_expired() {
    let portal = Portal::start(Kind::Webhook).await;
    let wire = PortalClient::new(&["127.0.0.1".to_owned()], &Limits::default()).unwrap();
    let request = wire.client().post(format!("{}/mentors", portal.address));
    let late = wire.send(request, Some(tokio::time::Instant::now())).await;
    assert_eq!(late.err(), Some(RequestError::TooLate));
    assert_eq!(portal.record().await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_app_that_changes_several_and_a_sender_do_not_wait_for_each_other() {
    let (database, portal, config) = told(&["a", "b"]).await;
    portal.fault("hold", 2).await;
    let sending = database.partner_with(&config, ["sync"]).stdout(Stdio::null()).spawn().unwrap();
    database.until("select count(*) = 2 from certvakt.listings where lease_token is not null").await;
    let mut app = superuser(&database.name).await;
    app.execute(
        "begin; update public.peer_mentor_certifications set status = 'suspended' where external_id = 'b'",
    )
    .await
    .unwrap();
    portal.control(&json!({ "let_go": true })).await;
    // The sync has recorded the other results, and waits for the mentor whom the app has locked.
    database.until("select count(*) = 1 from certvakt.listings where lease_token is not null").await;
    app.execute(
        "update public.peer_mentor_certifications set status = 'suspended' where external_id = 'a'; commit",
    )
    .await
    .unwrap();
    assert!(sending.wait_with_output().unwrap().status.success());
    database.sync(&config);
    portal.render().await;
    assert_eq!(portal.shows().await, Vec::<String>::new());
    assert_eq!(database.stands(&config)["mentors"]["to_delist"], 0);
}

#[tokio::test]
async fn a_renewal_cancels_a_pending_removal() {
    let (database, portal, config) = told(&["a"]).await;
    database.sync(&config);
    portal.control(&json!({ "faults": [{ "on": "POST", "what": 503 }] })).await;
    database.change("a", "status = 'suspended'").await;
    let put_off = database.sync(&config);
    assert_eq!(put_off["put_off"], 1, "{put_off}");
    database.change("a", "status = 'active'").await;
    database.time_passes().await;
    assert_eq!(database.sync(&config)["accepted"], 1);
    let words: Vec<String> = portal.told().await.into_iter().map(|(_, status)| status).collect();
    assert_eq!(words, ["active", "inactive", "active"], "the second was not taken");
    portal.control(&json!({ "render": true })).await;
    assert_eq!(portal.shows().await, ["M-a"]);
}

#[tokio::test]
async fn a_replay_is_harmless() {
    let (database, portal, config) = told(&["a", "b"]).await;
    database.sync(&config);
    database.change("a", "status = 'suspended'").await;
    database.sync(&config);
    let replayed = database.partner("replay", ["--since", "2026-01-01T00:00:00Z"]);
    assert!(replayed.contains("2 mentors"), "{replayed}");
    assert_eq!(database.sync(&config)["accepted"], 2);
    let again = portal.told().await.split_off(3);
    assert_eq!(again.iter().filter(|one| **one == ("M-a".to_owned(), "inactive".to_owned())).count(), 1);
    assert_eq!(again.len(), 2);
    // With a new message id, because a portal would otherwise ignore it as a repeat.
    let record = portal.record().await;
    let ids: Vec<&Value> = record.iter().map(|one| &one["headers"]["webhook-id"]).collect();
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 5, "{ids:?}");
    assert_eq!(
        database.partner("replay", ["--since", "2126-01-01T00:00:00Z"]),
        "The current state of 0 mentors will be sent again.\n"
    );
}
