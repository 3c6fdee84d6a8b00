//! Creating certifications: each is created once, even if its request is repeated.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Api, id};

fn new(chapter: &str, mentor: &str) -> Value {
    json!({
        "chapter_id": id(chapter), "mentor_id": id(mentor), "type": "type",
        "issued_on": "2026-01-01", "last_valid_day": "2026-07-15",
    })
}

const COUNT: &str = "select count(*) from public.peer_mentor_certifications";

#[tokio::test]
async fn a_certification_is_recorded_by_a_coordinator_of_its_chapter() {
    let api = Api::start().await;
    let made = api.make("coordinator", "/certifications", "", &new("0000000000a4", "0000000100a4")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["last_valid_day"], "2026-07-15");
    assert_eq!(made.body["days_left"], 30);
    assert_eq!(made.body["stage"], "expiry_warning_30d");
    assert_eq!(made.body["expires_at"], "2026-07-15T21:59:59Z");
    let made_id = made.body["id"].as_str().unwrap();
    assert_eq!(made.headers["location"], format!("/api/v1/certifications/{made_id}"));
    let mut shown = api.get("coordinator", &format!("/certifications/{made_id}")).await;
    // The service may have run in the meantime and recorded notices.
    shown.body["notices"] = json!([]);
    assert_eq!((shown.body, shown.etag), (made.body, made.etag));

    let mut never = new("0000000000a4", "0000000100a4");
    never["last_valid_day"] = Value::Null;
    let never = api.make("coordinator", "/certifications", "", &never).await;
    assert_eq!((&never.body["expires_at"], &never.body["stage"]), (&Value::Null, &Value::Null));

    let before: i64 = api.database.value(COUNT).await;
    for (who, chapter, mentor, code) in [
        ("coordinator", "0000000000a3", "0000000100a3", "not-found"),
        ("coordinator", "0000000000b1", "0000000100b1", "not-found"),
        ("coordinator", "00000000dead", "0000000100a4", "not-found"),
        // A mentor of another chapter, of another organisation, and nobody at all: no difference.
        ("coordinator", "0000000000a4", "0000000100a3", "not-found"),
        ("coordinator", "0000000000a4", "0000000100b1", "not-found"),
        ("coordinator", "0000000000a4", "00000000dead", "not-found"),
        ("mentor", "0000000000a2", "0000000100a2", "not-found"),
        ("former", "0000000000a2", "0000000100a2", "not-found"),
        ("stranger", "0000000000a2", "0000000100a2", "login-unknown"),
        ("nobody", "0000000000a2", "0000000100a2", "token-missing"),
    ] {
        let refused = api.make(who, "/certifications", "", &new(chapter, mentor)).await;
        assert_eq!(refused.body["code"], code, "{who} {chapter} {mentor}: {}", refused.body);
    }
    for (field, value) in [
        ("type", json!("none")),
        ("type", json!("\0")),
        ("last_valid_day", json!("2025-12-31")),
        ("last_valid_day", json!("-0004-01-01")),
        ("last_valid_day", json!("+12026-01-01")),
        ("last_valid_day", json!("2026-02-30")),
        ("last_valid_day", json!("2077-01-01")),
        ("last_valid_day", json!("2569-12-31")),
        ("issued_on", json!("1899-12-31")),
        ("issued_on", json!("2077-01-01")),
        ("external_id", json!("1")),
        ("mentor_id", json!(7)),
    ] {
        let mut wrong = new("0000000000a4", "0000000100a4");
        wrong[field] = value.clone();
        let refused = api.make("coordinator", "/certifications", "", &wrong).await;
        assert_eq!(refused.body["code"], "request-invalid", "{field} {value}: {}", refused.body);
    }
    let mut unsaid = new("0000000000a4", "0000000100a4");
    unsaid.as_object_mut().unwrap().remove("last_valid_day");
    let refused = api.make("coordinator", "/certifications", "", &unsaid).await;
    assert_eq!(refused.body["code"], "request-invalid", "that it never expires must be said");
    assert_eq!(api.database.value::<i64>(COUNT).await, before);
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let api = Api::start().await;
    let before: i64 = api.database.value(COUNT).await;
    let record = new("0000000000a4", "0000000100a4");
    let again =
        async |who: &'static str, key: &'static str| api.make(who, "/certifications", key, &record).await;
    // Many concurrent repeats, as from an app that got no response.
    let answers = futures_util::future::join_all((0..5).map(|_| again("coordinator", "\"one\""))).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED), "{answers:?}");
    assert!(answers.iter().all(|answer| answer.body == answers[0].body && answer.etag == answers[0].etag));
    assert_eq!(
        answers.iter().filter(|answer| answer.headers.contains_key("idempotency-replayed")).count(),
        4
    );
    assert_eq!(api.database.value::<i64>(COUNT).await, before + 1);
    // Without quotation marks it is the same key; another person's is a different one.
    assert_eq!(again("coordinator", "one").await.body, answers[0].body);
    assert_eq!(again("administrator", "one").await.status, StatusCode::CREATED);
    assert_eq!(again("coordinator", "two").await.status, StatusCode::CREATED);
    assert_eq!(again("coordinator", "").await.status, StatusCode::CREATED);
    assert_eq!(api.database.value::<i64>(COUNT).await, before + 4);
    let mut other = record.clone();
    other["last_valid_day"] = json!("2026-07-16");
    let reused = api.make("coordinator", "/certifications", "one", &other).await;
    assert_eq!(
        (reused.status, &reused.body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("key-reused"))
    );
    for key in ["\"\"", "two words", &"x".repeat(256)] {
        let refused = api.make("coordinator", "/certifications", key, &record).await;
        assert_eq!(refused.body["code"], "request-invalid", "{key}");
    }
    // A refusal is not stored: the request can be corrected and sent again with its key.
    assert_eq!(
        api.make("coordinator", "/certifications", "three", &new("0000000000a3", "0000000100a3"))
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(again("coordinator", "three").await.status, StatusCode::CREATED);
    // A change is also made only once, although the version has changed afterwards.
    let path = format!("/certifications/{}", id("0000000200a2"));
    let etag = api.get("coordinator", &path).await.etag;
    let suspend = async || {
        let request = api.request("coordinator", reqwest::Method::POST, &format!("{path}/suspend"));
        super::Answer::of(request.header("if-match", &etag).header("idempotency-key", "four")).await
    };
    let (first, second) = (suspend().await, suspend().await);
    assert_eq!((first.status, &first.body), (StatusCode::OK, &second.body));
    // After a day, a key is deleted.
    api.database
        .execute("update certvakt.idempotency_keys set created_at = now() - interval '25 hours'")
        .await;
    assert_ne!(again("coordinator", "one").await.body, answers[0].body);
}

#[tokio::test]
async fn an_answer_is_given_again_only_while_its_subject_is_visible() {
    let api = Api::start().await;
    let record = new("0000000000a4", "0000000100a4");
    let register = json!({
        "chapter_id": id("0000000000a2"), "type": "type", "columns": { "external_id": "id", "expires_at": "expires" }
    });
    let path = format!("/certifications/{}", id("0000000200a2"));
    let etag = api.get("coordinator", &path).await.etag;
    let asked = [
        ("coordinator", "/certifications".to_owned(), Some(&record)),
        ("coordinator", format!("{path}/suspend"), None),
        ("administrator", "/imports".to_owned(), Some(&register)),
    ];
    let ask = async |(who, path, body): &(&'static str, String, Option<&Value>)| {
        let mut request =
            api.request(who, reqwest::Method::POST, path).header("idempotency-key", path.as_str());
        request = match body {
            Some(body) => request.json(body),
            None => request.header("if-match", &etag),
        };
        super::Answer::of(request).await
    };
    for one in &asked {
        let (first, again) = (ask(one).await, ask(one).await);
        assert!(first.status.is_success(), "{} {}", one.1, first.body);
        assert_eq!((first.status, &first.body), (again.status, &again.body), "{}", one.1);
        assert!(again.headers.contains_key("idempotency-replayed"));
    }
    api.database
        .execute(&format!(
            "delete from certvakt.memberships where person_id in ('{}', '{}')",
            id("000000000001"),
            id("000000000002")
        ))
        .await;
    for one in &asked {
        let refused = ask(one).await;
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (StatusCode::NOT_FOUND, &json!("not-found")),
            "{}",
            one.1
        );
    }
}

#[tokio::test]
async fn a_mentor_says_themselves_whether_they_want_to_be_listed() {
    let api = Api::start().await;
    // The mentor of the world belongs to the organisation a0, and holds a certification that lasts.
    let mentor = "select peer_mentor_id from public.peer_mentor_certifications c
        join certvakt.identities i on i.person_id = c.peer_mentor_id where i.subject = 'mentor' limit 1";
    api.database
        .execute(&format!(
            "insert into certvakt.partners (organisation_id, code) select id, 'portal' from certvakt.organisations;
             insert into certvakt.partner_types
               select organisation_id, 'portal', code from certvakt.certification_types;
             insert into certvakt.listings (organisation_id, partner, partner_key, person_id)
               select c.organisation_id, 'portal', 'M-1', c.peer_mentor_id
               from public.peer_mentor_certifications c where c.peer_mentor_id = ({mentor}) limit 1"
        ))
        .await;
    let listings = api.get("mentor", "/me/listings").await.body;
    let [listing] = &listings.as_array().unwrap()[..] else { panic!("{listings}") };
    assert_eq!((&listing["partner"], &listing["consents_since"]), (&json!("portal"), &Value::Null));
    let home = listing["organisation_id"].as_str().unwrap();
    let path = format!("/me/listings/{home}/portal/consent");
    // Repeating it changes nothing.
    for _ in 0..2 {
        assert_eq!(api.ask("mentor", Method::PUT, &path, "", None).await.status, 204);
    }
    let listing = api.get("mentor", "/me/listings").await.body[0].clone();
    assert!(listing["consents_since"].is_string() && listing["is_listed"] == true, "{listing}");
    for _ in 0..2 {
        assert_eq!(api.ask("mentor", Method::DELETE, &path, "", None).await.status, 204);
    }
    assert_eq!(api.get("mentor", "/me/listings").await.body[0]["is_listed"], false);
    let events: Vec<String> = api
        .database
        .value("select array_agg(status || ' ' || cause order by number) from certvakt.partner_events")
        .await;
    assert_eq!(events, ["listed consent-given", "delisted consent-withdrawn"]);
    let said: Vec<bool> = api
        .database
        .value(&format!(
            "select array_agg(is_given order by id) from certvakt.listing_consents where actor = ({mentor})"
        ))
        .await;
    assert_eq!(said, [true, false], "on record, with who said so");
    // Nobody can consent for others; a mentor who is not enrolled gets 404.
    for who in ["coordinator", "administrator", "stranger"] {
        assert_eq!(api.get(who, "/me/listings").await.body.as_array().map_or(0, Vec::len), 0, "{who}");
        let answer = api.ask(who, Method::PUT, &path, "", None).await;
        assert!(matches!(answer.status.as_u16(), 403 | 404), "{who}: {}", answer.status);
    }
    for path in [
        format!("/me/listings/{home}/other/consent"),
        format!("/me/listings/{}/portal/consent", super::id("00000000dead")),
        format!("/me/listings/{home}/%00/consent"),
    ] {
        assert_eq!(api.ask("mentor", Method::PUT, &path, "", None).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn only_administrators_see_the_state_of_their_partners() {
    let api = Api::start().await;
    api.database
        .execute(
            "insert into certvakt.partners (organisation_id, code, environment, contract) select id, 'portal', 'live', '1'
             from certvakt.organisations",
        )
        .await;
    let partners = api.get("administrator", "/partners").await.body;
    let [one] = &partners.as_array().unwrap()[..] else { panic!("of their own organisation: {partners}") };
    assert_eq!((&one["partner"], &one["environment"]), (&json!("portal"), &json!("live")));
    for who in ["coordinator", "mentor", "stranger"] {
        assert_eq!(api.get(who, "/partners").await.body.as_array().map_or(0, Vec::len), 0, "{who}");
    }
}
