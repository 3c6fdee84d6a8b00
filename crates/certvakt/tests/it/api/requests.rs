//! The responses to invalid and excessive requests, and the API's description.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, Executor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Answer, Api, id};
use crate::harness::superuser;

/// Invalid requests: the method, the path, the body, and the response's status and code.
fn invalid_requests() -> Vec<(Method, String, Option<Value>, u16, &'static str)> {
    let own = format!("/certifications/{}", id("0000000200a2"));
    vec![
        (Method::GET, "/certifications?limit=0".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?limit=201".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?limit=-1".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?stage=90".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?after=x".to_owned(), None, 422, "request-invalid"),
        (
            Method::GET,
            "/certifications?after=99999999999999999_00000000".to_owned(),
            None,
            422,
            "request-invalid",
        ),
        (Method::GET, "/certifications?q=%00".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?chapter=x".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/certifications?unknown=1".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/notices?state=lost".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/people?q=%00".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/people?after=x".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/runs?limit=201".to_owned(), None, 422, "request-invalid"),
        (Method::GET, "/forecast?nights=367".to_owned(), None, 422, "request-invalid"),
        (Method::GET, format!("/people/{}", id("0000000100b1")), None, 404, "not-found"),
        (Method::GET, "/certifications/x".to_owned(), None, 404, "not-found"),
        (Method::GET, "/nothing".to_owned(), None, 404, "not-found"),
        (Method::DELETE, own.clone(), None, 405, "method-not-allowed"),
        (Method::TRACE, own.clone(), None, 405, "method-not-allowed"),
        (Method::GET, "/runs?limit=1&limit=2".to_owned(), None, 422, "request-invalid"),
        (Method::POST, format!("{own}/suspend"), None, 428, "version-missing"),
        (Method::PUT, "/me/devices/phone".to_owned(), Some(json!({ "token": "" })), 422, "request-invalid"),
        (
            Method::PUT,
            "/me/devices/phone".to_owned(),
            Some(json!({ "token": "a b" })),
            422,
            "request-invalid",
        ),
        (
            Method::PUT,
            "/me/devices/phone".to_owned(),
            Some(json!({ "token": "a", "x": 1 })),
            422,
            "request-invalid",
        ),
        (
            Method::PUT,
            "/me/devices/phone".to_owned(),
            Some(json!({ "token": "x".repeat(70_000) })),
            413,
            "request-too-long",
        ),
        (Method::PUT, "/me/devices/phone".to_owned(), None, 415, "request-not-json"),
        (
            Method::POST,
            "/me/invitation".to_owned(),
            Some(json!({ "token": "guess" })),
            404,
            "invitation-invalid",
        ),
        (
            Method::POST,
            "/me/invitation".to_owned(),
            Some(json!({ "token": "\0" })),
            404,
            "invitation-invalid",
        ),
    ]
}

#[tokio::test]
async fn invalid_requests_get_problem_details_with_a_code() {
    let api = Api::start().await;
    for (method, path, body, status, code) in invalid_requests() {
        let answer = api.ask("coordinator", method.clone(), &path, "", body.as_ref()).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}: {}", answer.body);
        assert_eq!(answer.body["code"], code, "{method} {path}: {}", answer.body);
        assert_eq!(answer.body["status"], status, "{method} {path}");
        assert_eq!(answer.body["type"], format!("urn:certvakt:problem:{code}"));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["strict-transport-security"], "max-age=63072000");
        assert!(answer.headers.contains_key("x-request-id"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn a_request_id_in_the_log_is_always_a_uuid() {
    let api = Api::start().await;
    let of_proxy = "7f0c1d52-9f5e-4a55-8e0e-4a3c6f5d2b10";
    for (given, is_kept) in [
        (vec![], false),
        (vec![of_proxy], true),
        (vec![of_proxy, of_proxy], false),
        (vec!["Kari Eksempel"], false),
        (vec![of_proxy, "kari@example.org"], false),
        (vec![""], false),
    ] {
        let request = api.request("coordinator", Method::GET, "/me");
        let request = given.iter().fold(request, |request, id| request.header("x-request-id", *id));
        let answer = Answer::of(request).await;
        let id = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(id == of_proxy, is_kept, "{given:?}: {id}");
        assert!(id.parse::<uuid::Uuid>().is_ok(), "{given:?}: {id}");
    }
}

#[tokio::test]
async fn the_api_describes_itself_and_every_address_of_it() {
    let api = Api::start().await;
    let document = api.get("nobody", "/openapi.json").await;
    assert_eq!(document.status, StatusCode::OK);
    assert!(document.body["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document.body["openapi"]);
    let paths = document.body["paths"].as_object().unwrap();
    let operations: Vec<String> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| format!("{method} {path}"))
        })
        .collect();
    assert_eq!(
        operations,
        [
            "get /api/v1/certification-types",
            "get /api/v1/certifications",
            "post /api/v1/certifications",
            "get /api/v1/certifications/{id}",
            "post /api/v1/certifications/{id}/correct",
            "get /api/v1/certifications/{id}/history",
            "post /api/v1/certifications/{id}/reinstate",
            "post /api/v1/certifications/{id}/renew",
            "post /api/v1/certifications/{id}/suspend",
            "post /api/v1/certifications/{id}/withdraw",
            "get /api/v1/chapters",
            "get /api/v1/forecast",
            "post /api/v1/imports",
            "get /api/v1/imports/{id}",
            "put /api/v1/imports/{id}/content",
            "post /api/v1/imports/{id}/undo",
            "get /api/v1/me",
            "get /api/v1/me/attention",
            "delete /api/v1/me/devices/{installation}",
            "put /api/v1/me/devices/{installation}",
            "post /api/v1/me/invitation",
            "get /api/v1/me/listings",
            "delete /api/v1/me/listings/{organisation}/{partner}/consent",
            "put /api/v1/me/listings/{organisation}/{partner}/consent",
            "get /api/v1/me/opt-outs",
            "delete /api/v1/me/opt-outs/{kind}",
            "put /api/v1/me/opt-outs/{kind}",
            "delete /api/v1/me/sessions",
            "get /api/v1/me/sessions",
            "delete /api/v1/me/sessions/{id}",
            "get /api/v1/notices",
            "get /api/v1/partners",
            "post /api/v1/partners/{organisation}/{partner}/renewals",
            "get /api/v1/people",
            "get /api/v1/people/{id}",
            "delete /api/v1/people/{id}/address-confirmations/{organisation}",
            "put /api/v1/people/{id}/address-confirmations/{organisation}",
            "post /api/v1/people/{id}/invitation",
            "get /api/v1/runs",
            "get /api/v1/statistics",
            "get /api/v1/unreachable",
        ]
    );
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            for status in ["4XX", "5XX"] {
                let content = &operation["responses"][status]["content"]["application/problem+json"];
                assert!(content.is_object(), "{method} {path} {status}: {operation}");
            }
        }
    }
}

#[tokio::test]
async fn a_login_with_a_control_character_belongs_to_nobody() {
    let api = Api::start().await;
    for subject in ["coordinator\u{0}", "\u{0}", "coordinator\n", "coord\u{7f}inator", "coordinator\u{85}"] {
        for path in ["/me", "/certifications"] {
            let answer = api.get(subject, path).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{subject:?} {path}: {}", answer.body);
            assert_eq!(answer.body["code"], "token-invalid");
        }
    }
}

#[tokio::test]
async fn one_login_cannot_keep_the_others_waiting() {
    let api = Api::start().await;
    // Refused before any query, so that the minute's requests are sent within a minute.
    let wrong = json!({ "wrong": true });
    let mut sent = 0;
    let answer = loop {
        let answer = api.ask("mentor", Method::PUT, "/me/devices/phone", "", Some(&wrong)).await;
        sent += 1;
        if answer.status != StatusCode::UNPROCESSABLE_ENTITY || sent == 20_000 {
            break answer;
        }
    };
    assert_eq!(answer.body["code"], "too-many-requests", "after {sent}");
    assert!(sent > 600, "{sent}");
    assert_eq!(answer.headers["retry-after"], "60");
    assert_eq!(api.get("coordinator", "/me").await.status, StatusCode::OK);
}

#[tokio::test]
async fn no_request_waits_forever_or_blocks_others() {
    let api = Api::start().await;
    let mut holder = superuser(&api.database.name).await;
    let mut holding = holder.begin().await.unwrap();
    holding.execute("lock table certvakt.memberships in access exclusive mode").await.unwrap();
    // A body that does not arrive, and a locked table.
    let address = api.service.address().to_owned();
    let slow = tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let token = super::token("coordinator");
        let request = format!(
            "PUT /api/v1/me/devices/phone HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        String::from_utf8(answer[..length].to_vec()).unwrap()
    });
    let held = api.get("coordinator", "/me").await;
    assert_eq!(
        (held.status.as_u16(), &held.body["code"]),
        (503, &json!("database-timeout")),
        "{}",
        held.body
    );
    assert_eq!(held.headers["retry-after"], "60");
    let slow = slow.await.unwrap();
    assert!(slow.starts_with("HTTP/1.1 503") && slow.contains("answer-timeout"), "{slow}");
    holding.rollback().await.unwrap();
    assert_eq!(api.get("coordinator", "/me").await.status, StatusCode::OK);
}
