//! Reports that contradict our data, and wait for a person.

use serde_json::{Value, json};

use super::{Listening, course, with};
use crate::harness::NOON;
use crate::harness::{fail, succeed};
use crate::partner::WHICH;

#[tokio::test]
async fn a_contradicting_report_waits_with_its_reason_and_changes_nothing() {
    let mentors =
        ["none", "several", "suspended", "withdrawn", "issued", "later", "never", "lapsed", "plain"];
    let listening = Listening::start(&mentors).await;
    let database = &listening.database;
    database.execute("delete from public.peer_mentor_certifications where external_id = 'none'").await;
    database
        .execute(
            "insert into public.peer_mentor_certifications
               (organisation_id, chapter_id, peer_mentor_id, certification_type, external_id, expires_at)
             select organisation_id, chapter_id, peer_mentor_id, certification_type, 'second', expires_at
             from public.peer_mentor_certifications where external_id = 'several'",
        )
        .await;
    database.at(NOON, ["suspend", "suspended"]);
    database.at(NOON, ["withdraw", "withdrawn"]);
    database.change("issued", "issued_at = '2026-06-12T10:00:00Z'").await;
    database.expire_on("later", "2029-12-31").await;
    database.change("never", "expires_at = null").await;
    database.at(NOON, ["correct", "lapsed", "--until", "2026-06-01"]);
    let renewed_before = database.everything().await;
    let plain = |event| course(event, "plain");
    let cases = [
        (course("1", "nobody"), "mentor-unknown"),
        (with(plain("2"), "course", json!("dance")), "course-unknown"),
        (course("3", "none"), "no-certification"),
        (course("4", "several"), "several-certifications"),
        (course("5", "suspended"), "suspended"),
        (course("6", "withdrawn"), "withdrawn"),
        (course("7", "issued"), "before-issue"),
        (course("8", "later"), "would-shorten"),
        (course("9", "never"), "would-shorten"),
        (with(plain("10"), "completedAt", json!("2026-06-15T22:30:00Z")), "in-future"),
        (with(plain("11"), "validUntil", json!("2028-12-31")), "other-date"),
        (with(plain("12"), "validUntil", json!("2026-12-30")), "would-shorten"),
        (with(course("13", "lapsed"), "validUntil", json!("2026-06-12")), "lapsed-since"),
    ];
    for (report, reason) in &cases {
        listening.take(report).await;
        let event = report["id"].as_str().unwrap();
        assert_eq!(database.outcome(event).await, format!("waiting {reason}"), "{report}");
    }
    database.execute("create table kept as select * from certvakt.partner_reports; delete from certvakt.partner_reports").await;
    assert_eq!(database.everything().await, renewed_before);
    database.execute("insert into certvakt.partner_reports select * from kept").await;
    let said = database.wants(&listening.config);
    assert!(said.contains("WAITING: 13 reports of portal"), "{said}");
    listening
        .service
        .until_metric("certvakt_partner_reports_waiting{organisation=\"org\",partner=\"portal\"} 13")
        .await;
    let words = ["reports"].into_iter().chain(WHICH).chain(["--waiting", "--output", "json"]);
    let shown: Value =
        serde_json::from_str(&succeed(&mut database.partner_with(&listening.config, words))).unwrap();
    assert_eq!(shown["reports"].as_array().unwrap().len(), 13);
    assert_eq!(shown["reports"][0]["reason"], "mentor-unknown");
    // Without a rule, the portal's date decides; without a date, nothing does.
    database.execute("update certvakt.certification_types set validity_months = null").await;
    listening.take(&plain("14")).await;
    assert_eq!(database.outcome("14").await, "waiting no-date");
    // A report can be too early for the type; once a person decides, or the type allows it, it renews.
    let early = with(plain("15"), "validUntil", json!("2027-12-31"));
    database.execute("update certvakt.certification_types set renewal_window_days = 1").await;
    listening.take(&early).await;
    assert_eq!(database.outcome("15").await, "waiting too-early");
    database.execute("update certvakt.certification_types set renewal_window_days = null").await;
    listening.take(&with(early, "id", json!("16"))).await;
    assert_eq!(database.renewed("plain").await, ("2027-12-31".to_owned(), 1));
}

#[tokio::test]
async fn a_person_resolves_waiting_reports() {
    let listening = Listening::start(&["a", "b", "late"]).await;
    let (database, config) = (&listening.database, &listening.config);
    let theirs = |event, mentor| with(course(event, mentor), "validUntil", json!("2028-12-31"));
    listening.take(&theirs("1", "a")).await;
    listening.take(&theirs("2", "b")).await;
    listening.take(&theirs("3", "b")).await;
    listening.take(&course("4", "stranger")).await;
    listening.take(&with(course("5", "late"), "course", json!("dance"))).await;
    succeed(&mut database.resolve(config, "1", &["--accept"]));
    assert_eq!(database.renewed("a").await, ("2028-12-31".to_owned(), 1));
    succeed(&mut database.resolve(config, "2", &["--dismiss"]));
    assert_eq!(database.renewed("b").await, ("2026-12-31".to_owned(), 0));
    succeed(&mut database.resolve(config, "3", &["--accept", "--until", "2028-06-10"]));
    assert_eq!(database.renewed("b").await, ("2028-06-10".to_owned(), 1));
    // Neither report says which certification it renews.
    for event in ["4", "5"] {
        let said = fail(&mut database.resolve(config, event, &["--accept"]), 2);
        assert!(said.contains("partner-report-unclear"), "{said}");
    }
    succeed(&mut database.resolve(config, "4", &["--dismiss"]));
    let said = fail(
        &mut database.resolve(config, "5", &["--accept", "--certification", "late", "--until", "2026-06-01"]),
        2,
    );
    assert!(said.contains("renewal-date"), "{said}");
    assert_eq!(database.outcome("5").await, "waiting course-unknown");
    succeed(&mut database.resolve(config, "5", &["--accept", "--certification", "late"]));
    assert_eq!(database.renewed("late").await, ("2028-06-10".to_owned(), 1));
    // A resolved report stays resolved when it is repeated.
    listening.take(&theirs("2", "b")).await;
    for event in ["1", "2", "never-came"] {
        let said = fail(&mut database.resolve(config, event, &["--accept"]), 2);
        assert!(said.contains("partner-report-not-waiting"), "{said}");
    }
    let forgotten: Option<String> =
        database.value("select partner_key from certvakt.partner_reports where event_id = '4'").await;
    assert_eq!(forgotten, None, "nobody here knows them");
    succeed(&mut database.partner_with(config, ["status"]));
}

#[tokio::test]
async fn no_report_of_an_erased_person_waits_or_is_kept() {
    let listening = Listening::start(&["a"]).await;
    let database = &listening.database;
    listening.take(&with(course("1", "a"), "course", json!("dance"))).await;
    let ledger = listening.portal.folder.path().join("erased");
    database.ok(["person", "erase", "a", "--ledger", ledger.to_str().unwrap()]);
    listening.take(&course("2", "a")).await;
    for event in ["1", "2"] {
        assert_eq!(database.outcome(event).await, "dismissed mentor-gone");
    }
    let keys = "select count(*) from certvakt.partner_reports where partner_key is not null";
    assert_eq!(database.value::<i64>(keys).await, 0);
}
