//! Incidents with portals, from end to end: afterwards, no lapsed mentor is listed, no eligible mentor is
//! missing, no event is lost, and the incident was visible all the time.

use serde_json::{Value, json};

use super::{NOON, WHICH, told};
use crate::harness::succeed;

#[tokio::test]
async fn a_portal_that_was_down_for_three_days_is_correct_afterwards() {
    let (database, portal, config) = told(&["stays", "lapses", "renews", "withdraws"]).await;
    database.at(NOON, ["correct", "lapses", "--until", "2026-06-16"]);
    database.at(NOON, ["correct", "renews", "--until", "2026-06-16"]);
    database.sync(&config);
    portal.control(&json!({ "faults": [{ "on": "POST", "what": "lose", "times": 1000 }, { "on": "GET", "what": 503, "times": 1000 }] })).await;
    let mut waited = 0;
    for day in 16..19 {
        for hour in ["01", "12", "23"] {
            let now = format!("2026-06-{day}T{hour}:00:00+02:00");
            database.time_passes().await;
            let output = database
                .partner_with(&config, ["sync", "--output", "json"])
                .env("CERTVAKT_NOW", &now)
                .output()
                .unwrap();
            let done: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(done["partners"][0]["sent"]["accepted"], 0, "{now}: {done}");
            if day == 17 && hour == "12" {
                database.at(&now, ["renew", "renews", "--until", "2028-06-30"]);
                database.at(
                    &now,
                    ["partner", "consent"].into_iter().chain(WHICH).chain(["withdraws", "--withdrawn"]),
                );
            }
            let standing = database.stands_at(&config, &now);
            let removal = standing["mentors"]["oldest_removal_seconds"].as_i64().unwrap();
            if day > 16 {
                assert!(
                    removal > waited,
                    "{now}: how long somebody has been listed who is not to be: {standing}"
                );
                waited = removal;
            }
        }
    }
    let standing = database.stands_at(&config, "2026-06-18T23:00:00+02:00");
    assert_eq!(standing["partner"]["stopped_by"], "outage");
    assert!(waited >= 47 * 3600, "since the night of the 17th: {waited}");
    portal.control(&json!({ "faults": [], "later": 3 * 86400 })).await;
    while database.stands(&config)["mentors"]["to_delist"] != 0
        || database.stands(&config)["mentors"]["to_list"] != 0
    {
        database.time_passes().await;
        database
            .partner_with(&config, ["sync"])
            .env("CERTVAKT_NOW", "2026-06-18T23:30:00+02:00")
            .output()
            .unwrap();
    }
    portal.control(&json!({ "render": true })).await;
    assert_eq!(portal.shows().await, ["M-renews", "M-stays"]);
    assert_eq!(database.events("lapses").await, ["listed consent-given", "delisted lapsed"]);
    assert_eq!(
        database.events("renews").await,
        ["listed consent-given", "delisted lapsed", "listed renewed"]
    );
}

#[tokio::test]
async fn a_portal_with_a_new_sign_in_works_with_a_new_contract() {
    let (database, portal, config) = told(&["stays", "lapses"]).await;
    assert_eq!(database.sync(&config)["accepted"], 2);
    // In the meantime, the portal no longer accepts signatures, but a key in a header.
    portal.control(&json!({ "keys": [], "header_key": "sesame", "know": ["example-1"] })).await;
    database.change("lapses", "status = 'suspended'").await;
    for (words, status) in [(&["sync"][..], 1), (&["resume", "portal", "--organisation", "org"], 1)] {
        let output = database.partner_with(&config, words.iter().copied()).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{words:?}");
        let standing = database.stands(&config);
        assert_eq!(
            (&standing["partner"]["stopped_by"], &standing["mentors"]["to_delist"]),
            (&json!("sign-in"), &json!(1)),
            "{standing}"
        );
    }
    portal.contract("2", &[("flow = \"signature\"", "flow = \"header-key\"\nheader = \"X-Api-Key\"")]);
    std::fs::write(portal.folder.path().join("key"), "sesame\n").unwrap();
    let enable = ["enable"].into_iter().chain(WHICH).chain(["--environment", "live", "--contract", "2"]);
    succeed(&mut database.partner_with(&config, enable));
    succeed(&mut database.partner_with(&config, ["resume"].into_iter().chain(WHICH)));
    assert_eq!(database.sync(&config)["accepted"], 1);
    portal.set_by_hand("example-1", false).await;
    portal.render().await;
    assert_eq!(portal.shows().await, ["M-stays"]);
    assert_eq!(database.stands(&config)["mentors"]["to_delist"], 0);
}

/// The number of mentors who lapse in one night.
const MANY: i64 = 10_000;

#[tokio::test]
#[ignore = "takes a minute: `make slow`"]
async fn ten_thousand_lapses_in_a_night_wait_for_approval_and_are_then_removed() {
    let (database, portal, config) = told(&[]).await;
    portal.contract(
        "1",
        &[("requests_a_minute = 6000", "requests_a_minute = 600000"), ("at_once = 8", "at_once = 32")],
    );
    let keys: Vec<String> = (1..=MANY).map(|number| format!("M-{number}")).collect();
    portal.control(&json!({ "know": keys, "page": MANY })).await;
    database
        .execute(&format!(
            "begin;
             select set_config('certvakt.now', '{NOON}', true);
             create temporary table mentor on commit drop as select certvakt.uuid_v7() as id, n from generate_series(1, {MANY}) n;
             insert into certvakt.people (id) select id from mentor;
             insert into public.peer_mentor_certifications (organisation_id, chapter_id, peer_mentor_id, certification_type, expires_at)
               select h.organisation_id, h.id, m.id, 'type', '2026-06-15 12:00:00+02' from mentor m, certvakt.chapters h;
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id, listing_consent_at)
               select h.organisation_id, 'portal', 'M-' || n, m.id, '{NOON}' from mentor m, certvakt.chapters h;
             commit; analyze"
        ))
        .await;
    assert_eq!(database.sync(&config)["accepted"], MANY);
    assert_eq!(portal.shows().await.len(), usize::try_from(MANY).unwrap());
    let night = "2026-06-16T02:00:00+02:00";
    let sync = || {
        let output = database
            .partner_with(&config, ["sync", "--output", "json"])
            .env("CERTVAKT_NOW", night)
            .output()
            .unwrap();
        let done: Value = serde_json::from_slice(&output.stdout).unwrap();
        done["partners"][0]["sent"].clone()
    };
    assert_eq!(sync()["removals_are_held"], true);
    let standing = database.stands_at(&config, night);
    assert_eq!(
        (&standing["mentors"]["not_approved"], &standing["mentors"]["to_delist"]),
        (&json!(MANY), &json!(MANY))
    );
    database.at(night, ["partner", "approve"].into_iter().chain(WHICH));
    assert_eq!(sync()["accepted"], MANY);
    portal.control(&json!({ "render": true })).await;
    assert_eq!(portal.shows().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lapsed_mentor_on_the_listing_stays_visible_in_every_report() {
    let (database, _portal, config) = told(&["a"]).await;
    database.sync(&config);
    // A day after their last valid day; nothing has run since.
    let later = "2027-01-02T00:00:00+01:00";
    let is_seen = || {
        let standing = database.stands_at(&config, later);
        let seconds = standing["mentors"]["oldest_removal_seconds"].as_i64().unwrap();
        assert_eq!(standing["mentors"]["to_delist"], 1, "{standing}");
        assert!((86_400..86_460).contains(&seconds), "{standing}");
    };
    is_seen();
    database.at(later, ["partner", "consent"].into_iter().chain(WHICH).chain(["a", "--withdrawn"]));
    is_seen();
}
