//! The access log: it records every request of a person, finds requests across organisations, and counts lost
//! events.

use std::time::Duration;

use certvakt_engine::audit::access_log;
use certvakt_store::audit::access_log::Event;
use chrono::Utc;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tokio::sync::watch;
use uuid::Uuid;

use super::{Api, id};
use crate::harness::{TestDatabase, superuser};

const EVENTS: &str = "select coalesce(jsonb_agg(jsonb_build_array(method, resource, right(person_id::text, 12), right(resource_id::text, 12),
      status, rows_read, array(select right(one::text, 2) from unnest(organisations_of_person) one order by 1),
      array(select right(one::text, 2) from unnest(organisations_of_rows) one order by 1)) order by number), '[]')
    from certvakt.access_events where person_id is not null";

impl Api {
    /// The recorded events, once there are this many.
    async fn events(&self, number: usize) -> Value {
        let written = "select count(*) >= NUMBER from certvakt.access_events where person_id is not null";
        self.database.until(&written.replace("NUMBER", &number.to_string())).await;
        self.database.value(EVENTS).await
    }
}

/// Moves every event back by two minutes, because events of the last minute do not count yet.
async fn two_minutes_later(database: &TestDatabase) {
    database
        .execute(
            "alter table certvakt.access_events disable trigger user;
             update certvakt.access_events set at = at - interval '2 minutes';
             alter table certvakt.access_events enable always trigger refuse_update;
             alter table certvakt.access_events enable always trigger refuse_truncate",
        )
        .await;
}

#[tokio::test]
async fn every_request_of_a_person_is_logged_with_the_organisations_of_its_rows() {
    let api = Api::start().await;
    let own = format!("/certifications/{}", id("0000000200a2"));
    assert_eq!(api.get("coordinator", "/certifications").await.status, StatusCode::OK);
    assert_eq!(api.get("both", "/certifications").await.status, StatusCode::OK);
    let etag = api.get("coordinator", &own).await.etag;
    api.ask("coordinator", Method::POST, &format!("{own}/suspend"), &etag, None).await;
    assert_eq!(api.get("outsider", &own).await.status, StatusCode::NOT_FOUND);
    // A login without a person and a request without a token are not recorded.
    api.get("stranger", "/certifications").await;
    api.get("nobody", "/certifications").await;
    api.get("mentor", "/me").await;
    let route = "/api/v1/certifications";
    assert_eq!(
        api.events(6).await,
        json!([
            ["GET", route, "000000000001", null, 200, 2, ["a0"], ["a0"]],
            ["GET", route, "000000000003", null, 200, 3, ["a0", "b0"], ["a0", "b0"]],
            ["GET", format!("{route}/{{id}}"), "000000000001", "0000000200a2", 200, 2, ["a0"], ["a0"]],
            [
                "POST",
                format!("{route}/{{id}}/suspend"),
                "000000000001",
                "0000000200a2",
                200,
                4,
                ["a0"],
                ["a0"]
            ],
            ["GET", format!("{route}/{{id}}"), "000000000005", "0000000200a2", 404, 0, ["b0"], []],
            ["GET", "/api/v1/me", "0000000100a2", null, 200, 2, ["a0"], ["a0"]],
        ])
    );
    let found = api.database.ok(["audit", "cross-org"]);
    assert!(
        found.contains("No request read rows of an organisation to which the caller does not belong"),
        "{found}"
    );
    let mut superuser = superuser(&api.database.name).await;
    for change in ["update certvakt.access_events set status = 200", "truncate certvakt.access_events"] {
        let refused = superuser.execute(change).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{refused}");
    }
}

#[tokio::test]
async fn every_list_and_detail_counts_its_rows_by_organisation() {
    let api = Api::start().await;
    let document = api.get("nobody", "/openapi.json").await.body;
    let paths: Vec<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, methods)| methods.get("get").is_some())
        .map(|(path, _)| path.replace("/api/v1", ""))
        .collect();
    assert!(paths.len() > 10, "{paths:?}");
    let announced = api
        .make(
            "administrator",
            "/imports",
            "",
            &json!({ "chapter_id": id("0000000000a2"), "type": "type", "columns": { "external_id": "a", "expires_at": "b" } }),
        )
        .await;
    api.database
        .execute(
            "insert into certvakt.partners (organisation_id, code) select id, 'portal' from certvakt.organisations where slug = 'a';
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id)
               select p.organisation_id, 'portal', 'M-1', i.person_id
               from certvakt.partners p, certvakt.identities i where i.subject = 'administrator'",
        )
        .await;
    let (mut asked, mut number) = (Vec::new(), 1);
    for path in paths {
        let of = match path.as_str() {
            path if path.starts_with("/certifications/{id}") => id("0000000200a2"),
            "/people/{id}" => id("0000000100a2"),
            "/imports/{id}" => announced.body["id"].as_str().unwrap().to_owned(),
            _ => String::new(),
        };
        let answer = api.get("administrator", &path.replace("{id}", &of)).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        number += 1;
        asked.push(path);
    }
    let events = api.events(number).await;
    for (event, path) in events.as_array().unwrap().iter().skip(1).zip(asked) {
        assert_eq!(event[1], format!("/api/v1{path}"));
        // Opt-outs and sessions belong to the person, not to an organisation.
        let is_own = ["/me/opt-outs", "/me/sessions"].contains(&path.as_str());
        let whose = if is_own { json!([]) } else { json!(["a0"]) };
        assert_eq!(event[7], whose, "{path}");
    }
}

#[tokio::test]
async fn a_bad_policy_that_somebody_used_is_found() {
    let api = Api::start().await;
    api.database
        .execute("create policy bad on certvakt.chapters for select to authenticated using (true)")
        .await;
    api.get("coordinator", "/chapters").await;
    assert_eq!(api.events(1).await[0][7], json!(["a0", "b0"]));
    let found = api.database.certvakt(["audit", "cross-org", "--output", "json"]).output().unwrap();
    assert_eq!(found.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&found.stdout).unwrap();
    assert_eq!(found["across"][0]["person_id"], id("000000000001"));
    assert_eq!(found["across"][0]["resource"], "/api/v1/chapters");
    assert_eq!(
        (&found["across"][0]["of_person"], &found["across"][0]["of_others"]),
        (&json!(["a"]), &json!(["b"]))
    );
    let shown = api.database.certvakt(["audit", "cross-org"]).output().unwrap();
    assert!(String::from_utf8(shown.stdout).unwrap().contains("GET /api/v1/chapters"));
}

#[tokio::test]
async fn a_response_does_not_wait_for_the_log_and_lost_events_are_counted() {
    let mut api = Api::start().await;
    api.get("coordinator", "/me").await;
    api.events(1).await;
    let mut holder = superuser(&api.database.name).await;
    let mut holding = holder.begin().await.unwrap();
    holding.execute("lock table certvakt.access_events in exclusive mode").await.unwrap();
    for _ in 0..7 {
        assert_eq!(api.get("coordinator", "/me").await.status, StatusCode::OK);
    }
    api.service.kill();
    holding.rollback().await.unwrap();
    // Events that had reached the server may or may not be there; the statement that waits for the lock ends
    // with its connection.
    api.database
        .until("select count(*) = 0 from pg_stat_activity where datname = current_database() and application_name = 'certvakt'")
        .await;
    let written: i64 =
        api.database.value("select count(*) from certvakt.access_events where person_id is not null").await;
    assert!(written < 8, "{written}");
    api.restart();
    api.get("coordinator", "/me").await;
    let written = usize::try_from(written).unwrap();
    api.events(written + 1).await;
    two_minutes_later(&api.database).await;
    let shown = api.database.json(["audit", "cross-org"]);
    assert_eq!(shown["recorded"]["lost"], 8 - written, "{shown}");
    let status = api.database.certvakt(["status"]).output().unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains(&format!("LOST: {}", 8 - written)), "{status}");
}

#[tokio::test]
async fn events_beyond_the_buffer_are_lost_and_counted() {
    let database = TestDatabase::new().await;
    let (recorder, waiting) = access_log::buffer();
    let event = |number| Event {
        number,
        at: Utc::now(),
        person_id: Uuid::nil(),
        method: "GET".to_owned(),
        resource: "/".to_owned(),
        resource_id: None,
        status: None,
        rows_read: 0,
        addresses_read: 0,
        organisations_of_person: Vec::new(),
        organisations_of_rows: Vec::new(),
    };
    for number in 1..=10_003 {
        recorder.record(event(number));
    }
    drop(recorder);
    database.execute("select setval('certvakt.access_numbers', 10003)").await;
    let store = database.store().await;
    let (_sender, ending) = watch::channel(false);
    tokio::time::timeout(Duration::from_mins(1), waiting.run(&store, ending)).await.unwrap();
    two_minutes_later(&database).await;
    let recorded = database.json(["audit", "cross-org"])["recorded"].clone();
    assert_eq!(recorded, json!({ "events": 10_000, "lost": 3 }), "the first ten thousand");
}

#[tokio::test]
async fn refused_requests_are_logged() {
    let api = Api::start().await;
    let register = json!({ "chapter_id": id("0000000000a2"), "type": "type", "columns": { "external_id": "a", "expires_at": "b" } });
    let announced = api.make("administrator", "/imports", "", &register).await;
    let content = format!("/imports/{}/content", announced.body["id"].as_str().unwrap());
    let person = id("0000000100a2");
    let certification = format!("/certifications/{}/renew", id("0000000200a2"));
    let mut expected = 1;
    for (who, method, path, body, status) in [
        ("administrator", Method::POST, "/imports", "{}", 422),
        ("administrator", Method::POST, "/imports", "no JSON", 422),
        ("administrator", Method::POST, "/imports", r#"{"chapter_id": 1, "type": "Åse"}"#, 422),
        ("administrator", Method::PUT, &content, "", 422),
        ("outsider", Method::PUT, &content, "id;expires\n", 404),
        ("coordinator", Method::POST, &format!("/people/{person}/invitation"), "", 503),
        ("mentor", Method::POST, "/people/nobody/invitation", "", 404),
        ("coordinator", Method::POST, &certification, r#"{"completed_on": "2026-13-45"}"#, 422),
        ("coordinator", Method::GET, "/certifications?q=%00", "", 422),
    ] {
        let request = api.request(who, method.clone(), path).header("content-type", "application/json");
        let answer = request.header("if-match", "\"1\"").body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path} {body}: {}", answer.text().await.unwrap());
        expected += 1;
        let events = api.events(expected).await;
        let last = events.as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last[0], &last[4]), (&json!(method.as_str()), &json!(status)), "{path} {body}");
    }
}
