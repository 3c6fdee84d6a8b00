//! People choose the kinds of their notices, and nobody else does.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Api, NOON, id};
use crate::stand_in::MailServer;

const MENTOR: &str = "0000000100a2";
const OTHER: &str = "0000000100a3";

/// The caller's opt-outs in the API.
async fn shown(api: &Api, who: &str) -> Vec<String> {
    let own = api.get(who, "/me/opt-outs").await.body;
    let kinds = own.as_array().unwrap().iter();
    kinds.map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

/// The state of the delivery of a mentor's notice.
async fn stands(api: &Api, person: &str) -> String {
    let state =
        "select d.state from certvakt.deliveries d join public.cert_notification_log l on l.id = d.id";
    api.database.value(&format!("{state} where l.recipient_id = '{}'", id(person))).await
}

#[tokio::test]
async fn an_opt_out_stops_its_kind_of_notices_for_one_person() {
    let api = Api::start().await;
    let mail = MailServer::start(None);
    let database = &api.database;
    database.execute("delete from certvakt.contact_points").await;
    for person in [MENTOR, OTHER] {
        let sql = format!(
            "insert into certvakt.contact_points (person_id, kind, address) values ('{}', 'email', 'ok-{person}@example.org')",
            id(person)
        );
        database.execute(&sql).await;
    }
    let due = "update certvakt.deliveries set state = 'pending', available_at = now(), finished_at = null";
    database.execute(due).await;
    let ask = async |who: &str, method: Method, kind: &str| {
        let answer = api.ask(who, method, &format!("/me/opt-outs/{kind}"), "", None).await;
        (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default().to_owned())
    };

    assert_eq!(shown(&api, "mentor").await, [""; 0]);
    for _ in 0..2 {
        assert_eq!(ask("mentor", Method::PUT, "email").await.0, 204, "again is the same");
    }
    assert_eq!(shown(&api, "mentor").await, ["email"]);
    for who in ["coordinator", "administrator", "outsider"] {
        assert_eq!(shown(&api, who).await, [""; 0], "{who} sees their own");
        assert_eq!(ask(who, Method::DELETE, "email").await.0, 204);
    }
    assert_eq!(shown(&api, "mentor").await, ["email"], "nobody opts in for somebody else");
    for (who, kind, code) in [
        ("mentor", "sms", "request-invalid"),
        ("mentor", "%00", "request-invalid"),
        ("nobody", "email", "token-missing"),
        ("stranger", "email", "login-unknown"),
    ] {
        for method in [Method::PUT, Method::DELETE] {
            assert_eq!(ask(who, method, kind).await.1, code, "{who} {kind}");
        }
    }
    database
        .until("select count(*) = 2 from certvakt.access_events where method = 'PUT' and resource = '/api/v1/me/opt-outs/{kind}' and status = 204")
        .await;

    // A queued notice is not sent either.
    assert_eq!(database.work(NOON, &mail.config(""))["delivered"], 1);
    assert_eq!(
        (stands(&api, MENTOR).await, stands(&api, OTHER).await),
        ("unreachable".into(), "delivered".into())
    );
    // A new address of the kind changes nothing; only the person's own choice does.
    database
        .execute(&format!(
            "insert into certvakt.contact_points (person_id, kind, address) values ('{}', 'email', 'ok-new@example.org')",
            id(MENTOR)
        ))
        .await;
    assert_eq!(database.work(NOON, &mail.config(""))["delivered"], 0);
    assert_eq!(ask("mentor", Method::DELETE, "email").await.0, 204);
    assert_eq!(shown(&api, "mentor").await, [""; 0]);
    assert_eq!(database.work(NOON, &mail.config(""))["delivered"], 1);
    assert_eq!(stands(&api, MENTOR).await, "delivered");
}

#[tokio::test]
async fn the_command_opts_a_person_out_and_in() {
    let api = Api::start().await;
    let person = id(MENTOR);
    let opt = |what: &str, kind: &str| api.database.json(["person", what, &person, kind])["opt_outs"].clone();
    assert_eq!(opt("opt-out", "push"), json!(["push"]));
    assert_eq!(opt("opt-out", "email"), json!(["email", "push"]));
    assert_eq!(opt("opt-out", "email"), json!(["email", "push"]));
    assert_eq!(shown(&api, "mentor").await, ["email", "push"]);
    let export: Value = api.database.json(["person", "export", &person]);
    assert_eq!(export["opt_outs"].as_array().unwrap().len(), 2);
    assert_eq!(opt("opt-in", "push"), json!(["email"]));
    assert_eq!(opt("opt-in", "push"), json!(["email"]));
    let said = crate::harness::fail(&mut api.database.certvakt(["person", "opt-out", "nobody", "email"]), 2);
    assert!(said.contains("unknown-name"), "{said}");
}
