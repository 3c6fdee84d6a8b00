//! How and from when a type is renewed, and suspensions that end by themselves.

use super::rehearsal;

#[tokio::test]
async fn a_type_says_how_and_from_when_it_is_renewed() {
    let database = rehearsal().await;
    for (id, last_valid_day) in
        [("early", "2026-10-15"), ("soon", "2026-09-13"), ("lapsed", "2026-06-01"), ("year", "2026-07-01")]
    {
        database.certify(id, last_valid_day).await;
    }
    let rule = async |rule: &str| {
        let set = format!(
            "update certvakt.certification_types
             set validity_months = 12, renewal_rule = '{rule}', renewal_window_days = 90"
        );
        database.execute(&set).await;
    };
    rule("expiry-unless-lapsed").await;
    assert_eq!(database.refused(&["renew", "early"]), "renewal-early");
    assert_eq!(database.refused(&["renew", "early", "--until", "2027-01-01"]), "renewal-early");
    database.noon(&["renew", "soon"]);
    database.noon(&["renew", "lapsed"]);
    database.noon(&["renew", "early", "--early"]);
    assert_eq!(database.standing("soon").await, "active 2027-09-13");
    assert_eq!(database.standing("lapsed").await, "active 2027-06-15");
    assert_eq!(database.standing("early").await, "active 2027-10-15");
    rule("end-of-year").await;
    database.noon(&["renew", "year"]);
    assert_eq!(database.standing("year").await, "active 2026-12-31");
}

#[tokio::test]
async fn a_suspension_with_a_last_day_ends_by_itself() {
    let database = rehearsal().await;
    for (id, last_valid_day) in
        [("leave", "2026-09-10"), ("lapses", "2026-06-20"), ("open", "2026-09-10"), ("gone", "2026-09-10")]
    {
        database.certify(id, last_valid_day).await;
    }
    assert_eq!(database.refused(&["suspend", "leave", "--until", "2026-06-14"]), "renewal-date");
    for id in ["leave", "lapses", "gone"] {
        database.noon(&["suspend", id, "--until", "2026-06-30"]);
    }
    assert_eq!(database.noon(&["suspend", "leave", "--until", "2026-06-30"])["is_changed"], false);
    database.noon(&["suspend", "leave", "--until", "2026-07-05"]);
    database.noon(&["suspend", "open"]);
    database.noon(&["withdraw", "gone"]);
    // Nobody is notified before the last day has passed.
    database.run("2026-06-30");
    assert_eq!(database.standing("leave").await, "suspended 2026-09-10");
    assert_eq!(database.standing("lapses").await, "suspended 2026-06-20");
    database.run("2026-07-01");
    assert_eq!(database.standing("lapses").await, "expired 2026-06-20");
    assert_eq!(database.notices("lapses").await.len(), 1);
    database.run("2026-07-05");
    assert_eq!(database.notices("leave").await.len(), 0);
    database.run("2026-07-06");
    assert_eq!(database.standing("leave").await, "active 2026-09-10");
    assert_eq!(database.notices("leave").await.len(), 1);
    // Without a last day, and after a withdrawal, somebody must reinstate it.
    for id in ["open", "gone"] {
        assert_eq!(database.standing(id).await, "suspended 2026-09-10", "{id}");
    }
    let kinds: String = database
        .value(
            "select string_agg(e ->> 'kind', ' ' order by n)
             from public.peer_mentor_certifications, jsonb_array_elements(renewal_history) with ordinality x (e, n)
             where external_id = 'leave'",
        )
        .await;
    assert_eq!(kinds, "suspended reinstated");
}
