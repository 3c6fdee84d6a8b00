//! Histories as rows: reads return the same before, during and after the move, and no write bypasses the
//! rows.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::rehearsal;
use crate::harness::superuser;

#[tokio::test]
async fn histories_read_the_same_before_during_and_after_the_move() {
    let database = rehearsal().await;
    for id in ["1", "2", "3", "none"] {
        database.certify(id, "2026-07-31").await;
    }
    for number in 0..25 {
        database.expire_on("1", &format!("2027-01-{:02}", number + 1)).await;
    }
    database.noon(&["renew", "2", "--until", "2027-07-31", "--key", "once", "--note", "Ærlig"]);
    database.noon(&["withdraw", "3"]);
    let whole = || database.json(["verify", "--history"]);
    let before = whole();
    assert_eq!((&before["entries"], &before["faults"]), (&json!(27), &json!([])));
    let versions = "select array_agg(updated_at order by id) from public.peer_mentor_certifications";
    let shown: Vec<DateTime<Utc>> = database.value(versions).await;
    let done = database.json(["history", "normalise", "--batch", "2"]);
    assert_eq!(
        done["organisations"],
        json!([{ "organisation": "org", "certifications": 3, "entries": 27, "left": 0 }])
    );
    assert_eq!(whole(), before);
    // The version of a certification stays the same, so a caller who read it before can still change it.
    assert_eq!(database.value::<Vec<DateTime<Utc>>>(versions).await, shown);
    let held: Vec<i32> = database
        .value("select array_agg(jsonb_array_length(renewal_history) order by external_id) from public.peer_mentor_certifications")
        .await;
    assert_eq!(held, [25, 1, 1, 0], "what is short stays whole");
    // Again, and there is nothing left to do.
    let done = database.json(["history", "normalise"]);
    assert_eq!(done["organisations"][0]["certifications"], 0);

    // Changes continue, also of certifications without a history.
    database.expire_on("1", "2028-01-01").await;
    database.noon(&["renew", "none"]);
    assert_eq!(database.noon(&["renew", "2", "--until", "2029-07-31", "--key", "once"])["is_changed"], false);
    assert_eq!(database.refused(&["renew", "3"]), "certification-withdrawn");
    let held: i32 = database
        .value("select jsonb_array_length(renewal_history) from public.peer_mentor_certifications where external_id = '1'")
        .await;
    assert_eq!(held, 20, "a change keeps the newest");
    let after = whole();
    assert_eq!(
        (&after["histories"], &after["entries"], &after["faults"]),
        (&json!(4), &json!(29), &json!([]))
    );
    assert_eq!(database.value::<i64>("select count(*) from certvakt.certification_renewal_events").await, 29);
    assert_eq!(database.json(["history", "check"]), json!({ "moved": 4, "different": [] }));
    // The rows and the certification's copy are immutable.
    let refused = |sql: &str| {
        let sql = format!(
            "do $$ begin {sql}; raise 'was not refused'; exception when restrict_violation then null; end $$"
        );
        let database = &database;
        async move { database.execute(&sql).await }
    };
    refused("update certvakt.certification_renewal_events set number = 99 where number = 1").await;
    refused("update public.peer_mentor_certifications set renewal_history = '[]' where external_id = '1'")
        .await;
    refused("truncate certvakt.certification_renewal_events").await;
    // A deletion that bypasses this is detected.
    database.execute("delete from certvakt.certification_renewal_events where number = 3").await;
    let compared = database.certvakt(["history", "check", "--output", "json"]).output().unwrap();
    assert_eq!(compared.status.code(), Some(1), "{compared:?}");
    assert_eq!(
        serde_json::from_slice::<Value>(&compared.stdout).unwrap()["different"].as_array().unwrap().len(),
        1
    );
    assert_ne!(database.certvakt(["verify", "--history"]).output().unwrap().status.code(), Some(0));
}

/// A transaction that changes a certification ends with a serialization failure.
async fn is_to_try_again(app: &mut PgConnection, external_id: &str) {
    let late = format!(
        "update public.peer_mentor_certifications set expires_at = '2030-01-01' where external_id = '{external_id}'"
    );
    let refused = app.execute(AssertSqlSafe(late)).await.unwrap_err();
    let code = refused.as_database_error().and_then(|error| error.code().map(Cow::into_owned));
    assert_eq!(code.as_deref(), Some("40001"), "{external_id}: {refused}");
    app.execute("rollback").await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_read_before_a_move_cannot_overwrite_the_moved_history() {
    for isolation in ["repeatable read", "serializable"] {
        let database = rehearsal().await;
        for id in ["1", "held"] {
            database.certify(id, "2026-07-31").await;
            database.noon(&["renew", id]);
        }
        let mut app = superuser(&database.name).await;
        let look =
            format!("begin isolation level {isolation}; select from public.peer_mentor_certifications");
        app.execute(AssertSqlSafe(look.clone())).await.unwrap();
        // Another transaction locks one of them the whole time, which is reported.
        let mut holder = superuser(&database.name).await;
        let hold =
            "begin; select from public.peer_mentor_certifications where external_id = 'held' for update";
        holder.execute(hold).await.unwrap();
        let moved = database.certvakt(["history", "normalise", "--output", "json"]).output().unwrap();
        assert_eq!(moved.status.code(), Some(1), "{moved:?}");
        let moved: Value = serde_json::from_slice(&moved.stdout).unwrap();
        let of_organisation = &moved["organisations"][0];
        assert_eq!((&of_organisation["certifications"], &of_organisation["left"]), (&json!(1), &json!(1)));
        is_to_try_again(&mut app, "1").await;
        // The same for a transaction that started after the first move, but before the move of this history.
        app.execute(AssertSqlSafe(look)).await.unwrap();
        holder.execute("rollback").await.unwrap();
        database.ok(["history", "normalise"]);
        is_to_try_again(&mut app, "held").await;
        database.ok(["history", "check"]);
        database.ok(["verify", "--history"]);
    }
}
