//! The comparison of portals' listings with certvakt's data, and its consequences.

use std::path::Path;

use serde_json::{Value, json};

use super::{WHICH, told};
use crate::harness::{TestDatabase, fail, succeed};

impl TestDatabase {
    /// Compares the partner's listing, and returns the result.
    fn reconcile(&self, config: &Path) -> Value {
        let words = ["reconcile"].into_iter().chain(WHICH).chain(["--output", "json"]);
        let output = self.partner_with(config, words).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let none = json!([]);
        let is_right =
            ["still_listed", "missing", "removed_by_hand", "unknown"].iter().all(|what| found[what] == none);
        assert_eq!(output.status.code(), Some(i32::from(!is_right)), "{found}");
        found
    }
}

#[tokio::test]
async fn a_correct_listing_confirms_the_state() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    // The cached page is older, and lists nobody for a quarter of an hour.
    assert_eq!(portal.shows().await, Vec::<String>::new());
    database.sync(&config);
    let found = database.reconcile(&config);
    assert_eq!((&found["right"], &found["not_yet"]), (&json!(0), &json!(3)));
    succeed(&mut database.partner_with(&config, ["status"]));
    portal.control(&json!({ "later": 15 * 60 })).await;
    database.time_passes().await;
    let found = database.reconcile(&config);
    assert_eq!((&found["right"], &found["not_yet"]), (&json!(3), &json!(0)), "three, on two pages");
    let confirmed: i64 =
        database.value("select count(*) from certvakt.listings where confirmed_number = number").await;
    assert_eq!(confirmed, 3);
}

#[tokio::test]
async fn a_removal_is_no_alarm_before_the_listing_can_show_it() {
    let (database, portal, config) = told(&["a", "b"]).await;
    database.sync(&config);
    database.time_passes().await;
    assert_eq!(database.reconcile(&config)["right"], 2);
    database.at(super::NOON, ["suspend", "a"]);
    // Not sent yet; sent; compared while the cached page is older.
    succeed(&mut database.partner_with(&config, ["status"]));
    assert_eq!(database.sync(&config)["accepted"], 1);
    succeed(&mut database.partner_with(&config, ["status"]));
    assert_eq!(portal.shows().await, ["M-a", "M-b"]);
    assert_eq!(database.reconcile(&config)["not_yet"], 1);
    succeed(&mut database.partner_with(&config, ["status"]));
    // It still lists them after its cache has expired.
    database.time_passes().await;
    assert_eq!(database.reconcile(&config)["still_listed"], json!(["M-a"]));
    fail(&mut database.partner_with(&config, ["status"]), 1);
}

#[tokio::test]
async fn a_mentor_who_is_still_listed_is_removed_again_and_in_the_status() {
    let (database, portal, config) = told(&["a"]).await;
    database.sync(&config);
    database.change("a", "status = 'suspended'").await;
    database.sync(&config);
    // The portal accepted the removal, but still lists them.
    portal.control(&json!({ "set": { "M-a": "active" }, "render": true })).await;
    database.time_passes().await;
    let found = database.reconcile(&config);
    assert_eq!(found["still_listed"], json!(["M-a"]));
    let standing = database.stands(&config);
    assert_eq!(
        (&standing["mentors"]["still_shown"], &standing["mentors"]["to_delist"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(database.sync(&config)["accepted"], 1);
    portal.control(&json!({ "render": true })).await;
    assert_eq!(portal.shows().await, Vec::<String>::new());
    database.time_passes().await;
    assert_eq!(database.reconcile(&config)["right"], 1);
    assert_eq!(database.stands(&config)["mentors"]["still_shown"], 0);
}

#[tokio::test]
async fn a_missing_mentor_is_sent_again() {
    let (database, portal, config) = told(&["a", "b"]).await;
    database.sync(&config);
    portal.control(&json!({ "set": { "M-a": "inactive" }, "render": true })).await;
    database.time_passes().await;
    let found = database.reconcile(&config);
    assert_eq!(
        (&found["missing"], &found["removed_by_hand"]),
        (&json!(["M-a"]), &json!([])),
        "it never showed them"
    );
    assert_eq!(database.sync(&config)["accepted"], 1);
    portal.control(&json!({ "render": true })).await;
    assert_eq!(portal.shows().await, ["M-a", "M-b"]);
}

#[tokio::test]
async fn a_manual_removal_during_staging_is_not_reverted() {
    let (database, portal, config) = told(&["a", "b", "turns"]).await;
    let switch = |environment: &str| {
        let enable =
            ["enable"].into_iter().chain(WHICH).chain(["--environment", environment, "--contract", "1"]);
        succeed(&mut database.partner_with(&config, enable));
    };
    database.sync(&config);
    database.time_passes().await;
    assert_eq!(database.reconcile(&config)["right"], 3);
    switch("staging");
    portal.set_by_hand("M-a", false).await;
    for status in ["suspended", "active"] {
        database.change("turns", &format!("status = '{status}'")).await;
    }
    portal.render().await;
    switch("live");
    assert_eq!(database.sync(&config)["accepted"], 1, "only the mentor whose state changed is sent again");
    assert_eq!(database.reconcile(&config)["removed_by_hand"], json!(["M-a"]));
    portal.render().await;
    assert_eq!(portal.shows().await, ["M-b", "M-turns"]);
    assert_eq!(database.stands(&config)["mentors"]["removed_by_hand"], 1);
}

#[tokio::test]
async fn a_manual_removal_waits_for_a_decision() {
    for (answer, shown) in [("--exclude", &[][..]), ("--list-again", &["M-a"])] {
        let (database, portal, config) = told(&["a"]).await;
        database.sync(&config);
        database.time_passes().await;
        assert_eq!(database.reconcile(&config)["right"], 1);
        portal.control(&json!({ "set": { "M-a": "inactive" }, "render": true })).await;
        for until in ["2028-12-31", "2029-12-31"] {
            assert_eq!(database.reconcile(&config)["removed_by_hand"], json!(["M-a"]));
            // Neither a renewal nor a replay lists them again.
            database.at(super::NOON, ["renew", "a", "--until", until]);
            database.partner("replay", ["--since", "2026-01-01T00:00:00Z"]);
            assert_eq!(database.sync(&config)["accepted"], 0);
            assert_eq!(database.stands(&config)["mentors"]["removed_by_hand"], 1);
        }
        // Nor does switching to staging and back.
        for environment in ["staging", "live"] {
            let enable =
                ["enable"].into_iter().chain(WHICH).chain(["--environment", environment, "--contract", "1"]);
            succeed(&mut database.partner_with(&config, enable));
            database.sync(&config);
        }
        portal.control(&json!({ "render": true })).await;
        assert_eq!(portal.shows().await, Vec::<String>::new());
        assert_eq!(database.stands(&config)["mentors"]["removed_by_hand"], 1);
        database.partner("resolve-removal", ["a", answer]);
        database.sync(&config);
        portal.control(&json!({ "render": true })).await;
        assert_eq!(portal.shows().await, shown, "{answer}");
        let excluded = i64::from(answer == "--exclude");
        let standing = database.stands(&config);
        assert_eq!(
            (&standing["mentors"]["removed_by_hand"], &standing["mentors"]["excluded"]),
            (&json!(0), &json!(excluded))
        );
        // A mentor who consents again is listed again, even without a withdrawal before.
        database.partner("consent", ["a", "--given"].into_iter().chain(super::HOW));
        database.sync(&config);
        portal.control(&json!({ "render": true })).await;
        assert_eq!(portal.shows().await, ["M-a"], "{answer}");
    }
}

#[tokio::test]
async fn a_mentor_listed_without_ever_being_sent_is_removed() {
    let (database, portal, config) = told(&["a"]).await;
    database.sync(&config);
    // Older entries: a lapsed mentor, and one who is unknown to certvakt.
    database.listed("lapsed", "2026-06-01").await;
    portal.control(&json!({ "set": { "M-lapsed": "active", "M-unknown": "active" } })).await;
    database.time_passes().await;
    let found = database.reconcile(&config);
    assert_eq!((&found["still_listed"], &found["unknown"]), (&json!(["M-lapsed"]), &json!(["M-unknown"])));
    assert_eq!(database.events("lapsed").await, ["delisted found-listed"]);
    assert_eq!(database.sync(&config)["accepted"], 1);
    portal.control(&json!({ "render": true })).await;
    assert_eq!(portal.shows().await, ["M-a", "M-unknown"], "it is not ours to take off");
    assert_eq!(database.stands(&config)["partner"]["unknown_shown"], 1);
    let enrolled: i64 = database.value("select enrolled_shown from certvakt.partners").await;
    assert_eq!(enrolled, 2, "M-a and M-lapsed");
}

#[tokio::test]
async fn a_listing_resolves_an_unknown_result_if_the_portal_cannot_be_read() {
    for (what, sent) in [("drop", 1), ("lose", 2)] {
        let (database, portal, config) = told(&["a"]).await;
        portal.contract("1", &[("[read]\npath = \"/{key}\"\nstatus = \"/status\"\n", "")]);
        portal.control(&json!({ "faults": [{ "on": "POST", "what": what }] })).await;
        assert_eq!(database.sync(&config)["in_doubt"], 1);
        database.execute("update certvakt.partners set retry_at = null").await;
        assert_eq!(database.sync(&config)["accepted"], 0, "{what}: nobody knows");
        let found = database.reconcile(&config);
        assert_eq!(found["not_yet"], 1, "{what}: it may be older than the request");
        database.time_passes().await;
        portal.control(&json!({ "render": true })).await;
        database.reconcile(&config);
        database.sync(&config);
        assert_eq!(portal.told().await.len(), sent, "{what}");
        assert_eq!(database.stands(&config)["mentors"]["to_list"], 0, "{what}");
    }
}

#[tokio::test]
async fn a_listing_that_lacks_many_mentors_is_not_accepted_without_confirmation() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    database.sync(&config);
    database.time_passes().await;
    assert_eq!(database.reconcile(&config)["right"], 3);
    database.execute("update certvakt.partners set removal_limit = 2").await;
    // A page that was rendered while the portal's own database was unavailable.
    portal
        .control(
            &json!({ "set": { "M-a": "inactive", "M-b": "inactive", "M-c": "inactive" }, "render": true }),
        )
        .await;
    let words = ["reconcile"].into_iter().chain(WHICH).chain(["--output", "json"]);
    let output = database.partner_with(&config, words).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["unread"].as_str().unwrap().contains("--trust-listing"), "{found}");
    let standing = database.stands(&config);
    assert_eq!(
        (&standing["mentors"]["removed_by_hand"], &standing["mentors"]["not_shown"]),
        (&json!(0), &json!(0))
    );
    let words = ["reconcile"].into_iter().chain(WHICH).chain(["--trust-listing", "--output", "json"]);
    let output = database.partner_with(&config, words).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["removed_by_hand"], json!(["M-a", "M-b", "M-c"]));
    assert_eq!(database.stands(&config)["mentors"]["removed_by_hand"], 3);
    // They are reported as new only once.
    assert_eq!(database.reconcile(&config)["removed_by_hand"], json!(["M-a", "M-b", "M-c"]));
}

#[tokio::test]
async fn an_endless_listing_is_given_up_and_an_empty_url_is_the_end() {
    let (database, portal, config) = told(&["a", "b", "c"]).await;
    database.sync(&config);
    database.time_passes().await;
    // The key of each page is the URL of its next page: the first page again, and none.
    for (place, is_read) in [("/value/0/mentorId", false), ("/none", true)] {
        portal.contract("1", &[("next = \"/next\"", &format!("next = \"{place}\""))]);
        portal
            .control(
                &json!({ "know": ["listing"], "set": { "listing": "active" }, "page": 100, "render": true }),
            )
            .await;
        let words = ["reconcile"].into_iter().chain(WHICH).chain(["--output", "json"]);
        let output = database.partner_with(&config, words).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["unread"].is_null(), is_read, "{place}: {found}");
    }
}

#[tokio::test]
async fn an_unreadable_listing_changes_nothing_and_is_reported() {
    for (what, reason) in [
        (json!("html"), "not JSON"),
        (json!("renamed"), "does not know (202)"),
        (json!("error"), "no entries"),
        (json!("redirect"), "redirected the request (302)"),
        (json!(503), "failed (503)"),
        (json!("lose"), "no response"),
    ] {
        let (database, portal, config) = told(&["a", "b", "c"]).await;
        database.sync(&config);
        database.time_passes().await;
        // The second page fails: a partial listing does not count.
        let faults = json!([{ "on": "GET", "path": "/listing?page=1", "what": what, "times": 1 }]);
        portal.control(&json!({ "faults": faults })).await;
        let words = ["reconcile"].into_iter().chain(WHICH).chain(["--output", "json"]);
        let output = database.partner_with(&config, words).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(said["unread"].as_str().unwrap().contains(reason), "{what}: {said}");
        let standing = database.stands(&config);
        assert!(standing["partner"]["unread_since"].is_string(), "{what}");
        let confirmed =
            "select count(*) from certvakt.listings where confirmed_number > 0 or seen_listed is not null";
        assert_eq!(database.value::<i64>(confirmed).await, 0, "{what}: half of a listing is none");
        database.reconcile(&config);
        assert_eq!(database.value::<i64>(confirmed).await, 3, "{what}");
        let standing = database.stands(&config);
        assert_eq!(standing["partner"]["unread_since"], Value::Null);
    }
}
